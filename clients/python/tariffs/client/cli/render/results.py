"""Print results over tables: five lines and the largest groups by name, or with `--wide` all columns by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch

import polars as pl
from rich.markup import escape
from rich.table import Column

from tariffs.client.cli.render.notes import print_ending
from tariffs.client.cli.render.table import console, right, text_table
from tariffs.client.results.amounts import MoneyUnit, unit_for
from tariffs.client.results.columns import has_amounts, keys_of, largest_first, number_cell
from tariffs.client.results.headline import assumptions, days_words, titles_of
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.results.ranges import Ranges
from tariffs.client.results.shown import TableResult
from tariffs.client.results.sweep import Seek, Sweep
from tariffs.client.results.tables import SHOWN_ROWS, Section, ShortTable

_SHOWN_WIDE = 20
_WIDEST_NUMBER = 17
_COLUMNS = (
    "customs_value", "duty", "duty_owed", "effective_rate", "rate", "landed_change", "value_after", "duty_after",
    "duty_after_p5", "duty_after_p95", "duty_vs",
)  # fmt: skip
_OF_POINTS = (
    "customs_value", "duty", "effective_rate", "rate", "value_after", "duty_after", "effective_rate_after",
)  # fmt: skip
_OF_PERIODS = ("duty", "duty_owed", "value_after", "duty_after", "effective_rate", "rate")
_ENDS = {f"duty_after_{end}": pl.col(end) for end in ("p5", "p95")}
_RANGE = ("central", "p5", "p50", "p95", "vs_p5", "vs_p95")
_RANGE_TITLES = (
    "total over draws", "central", "p5", "p50", "p95", "vs first p5", "vs first p95", "above first",
    "largest effect of",
)  # fmt: skip
_RANGE_CAPTION = (
    "ranges over draws of elasticities only, and of the period of USMCA claims; models differ by more"
)
_CHANGE = {"duty": "duty", "behavioural": "by response", "duty_after": "duty after"}
_MILLIONS, _DOLLARS = MoneyUnit(1e6, 1, "USD million"), MoneyUnit(1.0, 1, "USD")
_LARGE_VALUE = 1e8
Block = tuple[str, Sequence[ShortTable | str]]


def print_result(
    result: TableResult, *, wide: bool = False, top: int | None = None, sort: str = "", brief: bool = False
) -> None:
    """Print the answer of a result and its largest groups, then notes and refused rows.

    Args:
        result: what to print.
        wide: print all columns by code, run by run.
        top: number of groups; by default 10, or 20 of a wide one.
        sort: number whose largest values come first, and which several scenarios show.
        brief: leave out notes and refused rows.
    """
    out = console()
    if wide:
        for title, parts in blocks(result, sort, top or _SHOWN_WIDE):
            out.print(f"\n[bold]{escape(title)}[/bold]")
            out.print(escape(assumptions(result.provenance)))
            _print_parts(parts)
    else:
        out.print(f"[bold]{escape(result.heading())}[/bold]")
        if (answer := result.answer()) is not None:
            print_table(answer.table)
            out.print(f"[dim]{escape(answer.about)}[/dim]")
        for table in result.short_tables(sort, top or SHOWN_ROWS):
            out.print()
            print_table(table)
        _print_parts(result.details())
    print_ending(out, result, brief=brief, folded=not wide)


def print_table(table: ShortTable) -> None:
    """Print a table; titles of several words are broken."""
    numbers = [Column(head, justify="right", max_width=_WIDEST_NUMBER) for head in table.heads[table.words :]]
    console().print(text_table([*table.heads[: table.words], *numbers], table.rows, table.caption))


def _print_parts(parts: Sequence[ShortTable | str]) -> None:
    for one in parts:
        if isinstance(one, str):
            console().print(escape(one))
        else:
            columns: list[str | Column] = [*one.heads[: one.words], *right(*one.heads[one.words :])]
            console().print(text_table(columns, one.rows, one.caption))


@singledispatch
def blocks(result: TableResult, sort: str, shown: int) -> Iterator[Block]:
    """Make the tables of each run of a result with all columns, under its title."""
    raise NotImplementedError(type(result))


@blocks.register
def _(result: ImpactResult, sort: str, shown: int) -> Iterator[Block]:
    for total in result.total.to_dicts():
        unit, run = _unit_of(total), {name: total[name] for name in ("scenario", "on")}
        parts: list[ShortTable | str] = [_groups(result, total, run, unit, sort, shown)]
        parts += result.details_of(total, unit)
        if result.ranges is not None:
            parts.append(_ranges(result.ranges, run, unit))
        if result.attribution is not None and (rows := result.by_change().filter(**run)).height:
            parts.append(_changes(rows))
        yield f"{total['scenario']} {days_words(result.provenance, str(total['on']))}", parts


@blocks.register
def _(result: TimelineResult, sort: str, shown: int) -> Iterator[Block]:
    for total in result.average_total.to_dicts():
        segments, averages = (
            one.filter(scenario=total["scenario"]) for one in (result.totals, result.averages)
        )
        names = [name for name in _OF_PERIODS[:-2] if name == "duty" or _has(result.totals, name)]
        unit = unit_for([value for name in names for value in segments[name]])
        unit = replace(unit, name=f"{unit.name} at the table's yearly values")
        rate = next(name for name in _OF_PERIODS[-2:] if name in averages.columns)
        heads = titles_of((*names, "rate"), result.provenance)
        yield total["scenario"], [
            Section(
                "", segments, ["start", "end", "days"], [*names, "effective_rate"], segments.height, heads,
                total, "average", unit=unit,
            ).exact(),
            Section(
                "average of the period", largest_first(averages, sort or "duty"), keys_of(averages),
                [*names, rate], shown, heads,
            ).exact(),
        ]  # fmt: skip


@blocks.register
def _(result: Sweep, sort: str, shown: int) -> Iterator[Block]:
    names = result.points.columns
    frames = {f"totals of {result.points.height:,} points": (result.totals, names)}
    if result.keys:
        frames["groups"] = result.groups, [*names, *result.keys]
    for title, (rows, keys) in frames.items():
        numbers = [name for name in _OF_POINTS if name in rows.columns and rows[name].count()]
        heads = titles_of(numbers, result.provenance)
        yield title, [Section("", rows, keys, numbers, shown, heads).exact()]


@blocks.register
def _(result: Seek, sort: str, shown: int) -> Iterator[Block]:
    yield result.heading(), [*result.details(), *(one.exact() for one in result.sections())]


def _groups(
    result: ImpactResult,
    total: Mapping[str, object],
    run: Mapping[str, object],
    unit: MoneyUnit,
    sort: str,
    shown: int,
) -> ShortTable:
    """Make the table of the largest groups of a run, with the ends of the range of duty after the response."""
    rows, keys = result.groups.filter(**run), keys_of(result.groups)
    if result.ranges is not None:
        of_groups = result.ranges.groups.filter(**run, column="duty_after").select(*keys, **_ENDS)
        rows = rows.join(of_groups, on=keys, how="left", maintain_order="left", nulls_equal=True)
        of_total = result.ranges.total.filter(**run, column="duty_after").select(**_ENDS)
        total = {**total, **of_total.row(0, named=True)}
    order = sort or next((name for name in ("customs_value", "duty") if name in rows.columns), "")
    every = pl.concat([result.groups, result.total, rows], how="diagonal_relaxed")
    numbers = [name for name in _COLUMNS if name in rows.columns and _has(every, name)]
    first = result.total.filter(on=total["on"])["scenario"].to_list()
    table = Section(
        "", largest_first(rows, order) if order else rows, keys, numbers, shown,
        titles_of(numbers, result.provenance), {"rate": total.get("effective_rate"), **total}, unit=unit,
    ).exact()  # fmt: skip
    return replace(table, caption=f"{table.caption}; first: {first[0]}") if len(first) > 1 else table


def _ranges(ranges: Ranges, run: Mapping[str, object], unit: MoneyUnit) -> ShortTable:
    """Make the table of ranges of the total, and of the parameter with the largest effect on each column."""
    tornado = ranges.tornado.filter(**run)
    rows = [
        [
            row["column"],
            *(number_cell(row["column"], row[name], unit) for name in _RANGE),
            number_cell("share", row["vs_positive"], unit),
            *tornado.filter(column=row["column"]).head(1)["parameter"],
        ]
        for row in ranges.total.filter(**run).to_dicts()
    ]
    return ShortTable(_RANGE_CAPTION, _RANGE_TITLES, rows)


def _changes(rows: pl.DataFrame) -> ShortTable:
    """Make the table of the effect of each change of one scenario on the duty."""
    first = rows.row(0, named=True)
    names = [name for name in _CHANGE if rows[name].count()]
    unit = unit_for([value for name in names for value in rows[name]])
    heads = [_CHANGE[name] for name in names]
    table = Section("", rows.rename({"text": "change"}), ["change"], names, rows.height, heads).exact()
    return replace(table, caption=f"against {first['reference']}, {unit.name}, {first['method']} split")


def _has(frame: pl.DataFrame, name: str) -> bool:
    return name in frame.columns and has_amounts(frame[name])


def _unit_of(total: Mapping[str, object]) -> MoneyUnit:
    value = total.get("customs_value")
    return _MILLIONS if isinstance(value, int | float) and value >= _LARGE_VALUE else _DOLLARS
