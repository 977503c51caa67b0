"""Answer runs over a trade table in five lines, with scenarios as columns, and a short table of their groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from tariffs.client.results.amounts import NONE, PERCENT, short_unit, three
from tariffs.client.results.columns import has_amounts, is_fraction, keys_of, title_of
from tariffs.client.results.headline import is_export, response_words
from tariffs.client.results.quote import Provenance
from tariffs.client.results.short_names import label_of

Row = Mapping[str, object]
SHOWN_ROWS = 10
_ALONE = (
    "customs_value",
    "duty",
    "effective_rate",
    "rate",
    "value_after",
    "duty_after",
    "effective_rate_after",
)
_UNCERTAIN = (
    "How sure: --draws 64 (Python: draws=64) adds the range of welfare over the elasticities; other models and "
    "horizons differ by more (docs/models/uncertainty.md)."
)
_WELFARE = "Welfare is comparable between laws at one horizon, not between horizons."


@dataclass(frozen=True, slots=True)
class ShortTable:
    """Table as text, to be printed in any form.

    Attributes:
        caption: units of its numbers.
        heads: titles of its columns.
        rows: cells; those behind the first are numbers.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a run: effective rate, trade, revenue, who bears the added duty, and welfare with its range.

    Attributes:
        table: five lines with a column for each scenario; lines that no scenario has are left out.
        about: the response and assumptions behind it, and how sure it is.
    """

    table: ShortTable
    about: str

    @classmethod
    def of(
        cls,
        totals: Sequence[Row],
        columns: Sequence[str],
        provenance: Provenance,
        ranges: Mapping[str, Sequence[Row]] = MappingProxyType({}),
    ) -> Answer:
        """Make the answer of totals.

        Args:
            totals: a row of totals for each column.
            columns: titles of the columns.
            provenance: that of the run.
            ranges: ranges over draws of `duty_after` and `welfare`, a row of `Ranges.total` for each column; empty
                without draws.
        """
        lines = _lines(totals, ranges, is_export(provenance), columns[0])
        rows = [[title, *cells] for title, cells in lines if {*cells} != {NONE}]
        about = [response_words(provenance)]
        if any(total.get("welfare") is not None for total in totals):
            about += [_WELFARE, *([] if ranges else [_UNCERTAIN])]
        after = any("->" in cell for row in rows for cell in row)
        caption = "a year; before -> after the response of trade" if after else "a year"
        return cls(ShortTable(caption, ["", *columns], rows), " ".join(about))


def _lines(
    totals: Sequence[Row], ranges: Mapping[str, Sequence[Row]], exports: bool, first: str
) -> Iterator[tuple[str, list[str]]]:
    """List the lines of an answer by title, with a cell for each total."""
    trade, duty, buyers = (
        ("Exports", "Duty of partners", "buyers abroad") if exports else ("Imports", "Revenue", "US buyers")
    )
    unit = short_unit([total.get(name) for name in ("duty", "welfare") for total in totals])
    dollars = unit.dollars
    yield "Effective rate, %", _moved(totals, "effective_rate", PERCENT)
    yield f"{trade}, change in %", [three(summary(total)["imports_change"], PERCENT) for total in totals]
    void = any(total.get("duty_owed") not in {None, total.get("duty")} for total in totals)
    yield f"{duty} assessed{'' if void else ' and owed'}, {unit.name}", _moved(totals, "duty", dollars)
    if void:
        yield f"{duty} owed, without void acts, {unit.name}", _moved(totals, "duty_owed", dollars)
    if len(totals) > 1 and len({total.get("on") for total in totals}) == 1:
        yield f"{duty} more than {first}, {unit.name}", _moved(_differences(totals), "duty", dollars)
        yield from _band(ranges.get("duty_after", ()), "vs_", dollars)
    yield (
        f"Borne by {buyers}, % of added duty",
        [three(_share(total.get("borne_at_home"), total.get("added_duty")), PERCENT) for total in totals],
    )
    welfare = [three(total.get("welfare"), dollars) for total in totals]
    yield f"Welfare{' of partners' if exports else ''}, {unit.name}", welfare
    yield from _band(ranges.get("welfare", ()), "", dollars)


def _band(rows: Sequence[Row], prefix: str, dollars: float) -> Iterator[tuple[str, list[str]]]:
    """Make the line of a range over draws, in words that say what it leaves out; nothing without draws."""
    ends = ([three(row[f"{prefix}{end}"], dollars) for end in ("p5", "p95")] for row in rows)
    cells = [NONE if low == high else f"{low} to {high}" for low, high in ends]
    if cells:
        yield "  5 to 95 % of draws, elasticities only", cells


def _differences(totals: Sequence[Row]) -> list[Row]:
    """Differences of the duty from that of the first total; none for the first."""
    names, (first, *others) = ("duty", "duty_after"), totals
    return [{}, *({name: _less(other.get(name), first.get(name)) for name in names} for other in others)]


def _moved(totals: Sequence[Row], name: str, unit: float) -> list[str]:
    """Write a number of each total before and after the response."""
    ends = ([three(total.get(one), unit) for one in (name, f"{name}_after")] for total in totals)
    return [before if after == NONE else f"{before} -> {after}" for before, after in ends]


def _less(one: object, other: object) -> float | None:
    return one - other if isinstance(one, float) and isinstance(other, float) else None


def _share(part: object, whole: object) -> float | None:
    return part / whole if isinstance(part, float) and isinstance(whole, float) and whole else None


def run_title(*names: str) -> str:
    """Title of the column of a run: its scenario in words that can be broken, and its day, if any."""
    scenario, *day = names
    return " ".join([scenario.replace("-", " "), *day])


def summary(total: Row, welfare: Row | None = None) -> dict[str, object]:
    """Summarise a total as the JSON of an impact does: fractions and USD, None where not asked."""
    return {
        "rate": total.get("effective_rate"),
        "rate_after": total.get("effective_rate_after"),
        "imports_change": _share(total.get("value_change"), total.get("customs_value")),
        "revenue": total.get("duty"),
        "revenue_owed": total.get("duty_owed"),
        "revenue_after": total.get("duty_after"),
        "borne_at_home": total.get("borne_at_home"),
        "welfare": total.get("welfare"),
        "welfare_p5": welfare and welfare["p5"],
        "welfare_p95": welfare and welfare["p95"],
        "welfare_models": None,
    }


def step_table(totals: pl.DataFrame, columns: Sequence[str], shown: int = SHOWN_ROWS) -> ShortTable:
    """Make the table of the days from which the duty of a period differs most, scenarios side by side.

    Args:
        totals: rows of segments with `scenario`, `start` and the numbers.
        columns: title of each scenario, in their order.
        shown: largest number of days, the first one included.
    """
    name = "duty_after" if has_amounts(totals["duty_after"]) else "duty"
    rows = totals.pivot("scenario", index="start", values=name, maintain_order=True).sort("start")
    rows = rows.with_columns(pl.exclude("start").forward_fill())
    size = rows.select(pl.sum_horizontal(pl.exclude("start").diff().abs())).to_series()
    kept = size.arg_sort(descending=True, nulls_last=True).head(shown - 1)
    rows = rows[sorted({0, *kept.filter(size[kept] > 0)})]
    unit = short_unit([value for row in rows.rows() for value in row[1:]])
    cells = [[str(day), *(three(value, unit.dollars) for value in values)] for day, *values in rows.rows()]
    return ShortTable(f"{title_of(name)} a year, {unit.name}", ["from", *columns], cells)


def group_table(
    groups: pl.DataFrame,
    totals: Sequence[Row],
    columns: Sequence[str],
    runs: Sequence[str],
    sort: str = "",
    shown: int = SHOWN_ROWS,
) -> list[ShortTable]:
    """Make the table of the largest groups, by name; several runs stand side by side with one number each.

    Args:
        groups: rows of all runs.
        totals: row of totals of each run.
        columns: title of each run.
        runs: columns that name a run.
        sort: number whose largest values come first, and which several runs show; by default the duty.
        shown: largest number of groups.

    Returns:
        The table; nothing without groups.
    """
    keys = [name for name in keys_of(groups) if name not in runs]
    if not keys or not groups.height:
        return []
    responds = "duty_after" in groups.columns and has_amounts(groups["duty_after"])
    first = sort or ("duty_after" if responds and len(totals) > 1 else "duty")
    largest = groups.group_by(keys, maintain_order=True).agg(pl.col(first).abs().max().alias("size"))
    largest = largest.sort("size", descending=True, nulls_last=True, maintain_order=True)
    named = [_name(row, keys) for row in largest.head(shown).iter_rows(named=True)]
    if len(totals) == 1:
        numbers = [name for name in _ALONE if name in groups.columns and has_amounts(groups[name])]
        numbers = list(dict.fromkeys([*numbers, *([sort] if sort else [])]))
        sources = [(name, groups, totals[0]) for name in numbers]
        heads = [title_of(name) + (", %" if is_fraction(name) else "") for name in numbers]
    else:
        parts = groups.partition_by(runs, maintain_order=True, as_dict=True)
        found = [parts.get(tuple(total[run] for run in runs), groups.clear()) for total in totals]
        sources = [(first, part, total) for part, total in zip(found, totals, strict=True)]
        heads = list(columns)
    cells = [_column(largest.head(shown), keys, *source) for source in sources]
    amounts = [
        value
        for (name, _, _), values in zip(sources, cells, strict=True)
        if not is_fraction(name)
        for value in values
    ]
    unit = short_unit(amounts)
    texts = [
        [three(value, PERCENT if is_fraction(name) else unit.dollars) for value in values]
        for (name, _, _), values in zip(sources, cells, strict=True)
    ]
    left_out = largest.height - shown
    rows = [*named, "total" if left_out <= 0 else f"total, with {left_out:,} more"]
    about = "percent" if is_fraction(first) and len(totals) > 1 else unit.name
    caption = about if len(totals) == 1 else f"{title_of(first)}, {about}"
    cells_by_row = [list(row) for row in zip(rows, *texts, strict=True)]
    return [ShortTable(caption, [" ".join(keys), *heads], cells_by_row)]


def _column(
    largest: pl.DataFrame, keys: Sequence[str], name: str, rows: pl.DataFrame, total: Row
) -> list[object]:
    """Take a number of the largest groups from the rows of a run, and of its total at the end."""
    joined = largest.join(
        rows.select(*keys, name), on=list(keys), how="left", maintain_order="left", nulls_equal=True
    )
    return [*joined[name], total.get("effective_rate" if name == "rate" else name)]


def _name(row: Row, keys: Iterable[str]) -> str:
    values = ((key, row[key]) for key in keys)
    return ", ".join("-" if value is None else label_of(key, str(value)) for key, value in values)
