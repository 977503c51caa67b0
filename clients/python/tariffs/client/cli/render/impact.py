"""Print runs over a trade table: impacts by scenario and day, and timelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tariffs.client.cli.render.notes import print_ending
from tariffs.client.cli.render.table import Cell, console, more_row, right, text_table
from tariffs.client.results.amounts import MoneyUnit, short_unit, three, unit_for
from tariffs.client.results.answer import SHOWN_ROWS
from tariffs.client.results.columns import has_amounts, keys_of, labels, largest_first, number_cell
from tariffs.client.results.headline import assumptions, days_words, titles_of
from tariffs.client.results.impact import ImpactResult, Ranges, TimelineResult
from tariffs.client.results.short_names import spelled_out

SHOWN_GROUPS = 20
_COLUMNS = (
    "customs_value", "duty", "duty_owed", "effective_rate", "rate", "landed_change", "value_after", "duty_after",
    "duty_after_p5", "duty_after_p95", "duty_vs",
)  # fmt: skip
_RANGED, _ENDS = "duty_after", ("p5", "p95")
_PERIOD_COLUMNS = ("duty", "duty_owed", "value_after", "duty_after")
_MILLIONS, _DOLLARS = MoneyUnit(1e6, 1, "USD million"), MoneyUnit(1.0, 1, "USD")
_LARGE_VALUE = 1e8


def print_impact(
    result: ImpactResult, *, top: int = SHOWN_GROUPS, sort: str = "", brief: bool = False
) -> None:
    """Print the total and the largest groups of each scenario and day, then notes and refused rows.

    Args:
        result: what to print.
        top: number of groups.
        sort: column whose largest values, in size, come first; by default the customs value, or the duty.
        brief: leave out notes and refused rows.
    """
    out = console()
    for total in result.total.to_dicts():
        scenario, on, unit = str(total["scenario"]), str(total["on"]), _unit_of_total(total)
        out.print(f"\n[bold]{escape(scenario)}[/bold] {escape(days_words(result.provenance, on))}")
        out.print(escape(assumptions(result.provenance)))
        rows = result.groups.filter(scenario=scenario, on=on)
        order = sort or next((name for name in ("customs_value", "duty") if name in rows.columns), "")
        rows = largest_first(rows, order) if order else rows
        out.print(_impact_table(rows, total, unit, top, result))
        for line in _details(result, total, unit):
            out.print(escape(line))
        if result.ranges is not None:
            out.print(_ranges_table(result.ranges, scenario, on, unit))
        if result.attribution is not None:
            rows = result.attribution.filter(scenario=scenario, on=on)
            if rows.height:
                out.print(_attribution_table(rows))
    print_ending(out, result, brief=brief)


def impact_details(result: ImpactResult) -> list[str]:
    """List what an impact has besides its answer: domestic goods, limits, consumer prices, and changes of the law."""
    lines = []
    for total in result.total.to_dicts():
        run = {name: total[name] for name in ("scenario", "on")}
        lines += [
            f"{total['scenario']}: {line}" for line in _details(result, total, short_unit([total["duty"]]))
        ]
        if result.attribution is not None:
            rows = largest_first(result.by_change().filter(**run), "duty").head(SHOWN_ROWS).to_dicts()
            unit = short_unit([row["duty"] for row in rows])
            lines += [
                f"  {unit.name} {three(row['duty'], unit.dollars)} {_change(row['text'])}" for row in rows
            ]
    return lines


def _change(text: str) -> str:
    """Write a change of the law, `set_rate fl301 to 20%`, by the title of its measure."""
    verb, _, rest = text.partition(" ")
    return f"{verb.replace('_', ' ')} {spelled_out(rest)}"


def _details(result: ImpactResult, total: Mapping[str, object], unit: MoneyUnit) -> Iterator[str]:
    if total.get("domestic_shipments"):
        yield _domestic_line(total, unit)
    if total.get("quota_premium") is not None:
        yield _limits_line(total, unit)
    if result.consumer_prices is not None:
        yield _consumer_line(result.consumer_prices.filter(scenario=total["scenario"], on=total["on"]))


def print_timeline(result: TimelineResult, *, brief: bool = False) -> None:
    """Print the totals of each scenario by segment, and its largest groups on average of the period."""
    out = console()
    for name in result.totals["scenario"].unique(maintain_order=True):
        out.print(f"\n[bold]{escape(name)}[/bold]")
        out.print(escape(assumptions(result.provenance)))
        average = result.average_total.filter(scenario=name).to_dicts()[0]
        names = _period_columns(result.totals)
        titles = titles_of((*names, "rate"), result.provenance)
        out.print(_segments_table(result.totals.filter(scenario=name), average, names, titles))
        out.print()
        averages = result.averages.filter(scenario=name).drop("scenario")
        out.print(_averages_table(averages, names, titles))
    print_ending(out, result, brief=brief)


def _consumer_line(rows: pl.DataFrame) -> str:
    """Describe the effect on the price of all consumption."""
    whole = rows.filter(pl.col("line").is_null()).row(0, named=True)
    parts = f"{whole['direct']:+.2%} by imported goods, {whole['indirect']:+.2%} by imported inputs"
    return f"Consumer prices, before any response: {whole['change']:+.2%} of consumption ({parts})."


def _domestic_line(total: Mapping[str, object], unit: MoneyUnit) -> str:
    """Describe domestic goods after the response of a run with a market of sectors."""
    price, output = (float(str(total[f"domestic_{name}_hat"])) - 1.0 for name in ("price", "quantity"))
    goods = (
        f"Domestic goods that compete ({unit.cell(total['domestic_shipments'])} {unit.name}, an allocation)"
    )
    surplus = f"producers' surplus {unit.cell(total['producer_surplus'])} {unit.name}"
    return f"{goods}: price {price:+.2%}, output {output:+.2%}, {surplus}."


def _limits_line(total: Mapping[str, object], unit: MoneyUnit) -> str:
    """Describe the premium and rents of limits on quantities that bind."""
    premium = float(str(total["quota_premium"]))
    rents = ", ".join(f"{name}s {unit.cell(total[f'rent_{name}'])}" for name in ("importer", "exporter"))
    treasury = f"government {unit.cell(total['rent_government'])} {unit.name}"
    return f"Limits on quantities: premium {premium:+.1%} over the landed price; rents: {rents}, {treasury}."


def _impact_table(
    rows: pl.DataFrame,
    total: Mapping[str, object],
    unit: MoneyUnit,
    shown: int,
    result: ImpactResult,
) -> Table:
    keys = keys_of(rows)
    rows, total = _with_ends(rows, total, keys, result.ranges)
    every = pl.concat([result.groups, result.total, rows], how="diagonal_relaxed")
    columns = [name for name in _COLUMNS if name in rows.columns and has_amounts(every[name])]
    cells: list[list[Cell]] = [
        [*labels(row, keys), *(number_cell(name, row[name], unit) for name in columns)]
        for row in rows.head(shown).to_dicts()
    ]
    cells += more_row(rows.height - shown)
    if keys:
        sums = {"rate": total.get("effective_rate"), **total}
        numbers = [number_cell(name, sums.get(name), unit) for name in columns]
        cells.append([Text("total", "bold"), *[""] * (len(keys) - 1), *numbers])
    titles = right(*titles_of(columns, result.provenance))
    first = result.total.filter(on=total["on"])["scenario"].to_list()
    against = f"; first: {first[0]}" if len(first) > 1 else ""
    return text_table([*keys, *titles], cells, f"{unit.name}; rates in percent{against}")


def _with_ends(
    rows: pl.DataFrame, total: Mapping[str, object], keys: Sequence[str], ranges: Ranges | None
) -> tuple[pl.DataFrame, Mapping[str, object]]:
    """Add the ends of the range of duty after the response to the rows of a scenario and day, and to their total."""
    if ranges is None:
        return rows, total
    run = {name: total[name] for name in ("scenario", "on")}
    ends = {f"{_RANGED}_{end}": pl.col(end) for end in _ENDS}
    of_groups, of_total = (
        frame.filter(**run, column=_RANGED).select(*names, **ends)
        for frame, names in ((ranges.groups, keys), (ranges.total, ()))
    )
    joined = rows.join(of_groups, on=list(keys), how="left", maintain_order="left", nulls_equal=True)
    return joined, {**total, **of_total.row(0, named=True)}


def _ranges_table(ranges: Ranges, scenario: str, on: str, unit: MoneyUnit) -> Table:
    """The ranges of the total, and the parameter with the largest effect on each column."""
    tornado = ranges.tornado.filter(scenario=scenario, on=on)
    cells = [
        [
            row["column"],
            *(
                number_cell(row["column"], row[at], unit)
                for at in ("central", "p5", "p50", "p95", "vs_p5", "vs_p95")
            ),
            number_cell("share", row["vs_positive"], unit),
            *tornado.filter(column=row["column"]).head(1)["parameter"],
        ]
        for row in ranges.total.filter(scenario=scenario, on=on).to_dicts()
    ]
    titles = right("central", "p5", "p50", "p95", "vs first p5", "vs first p95", "above first")
    caption = (
        "ranges over draws of elasticities only, and of the period of USMCA claims; models differ by more"
    )
    return text_table(["total over draws", *titles, "largest effect of"], cells, caption)


def _attribution_table(rows: pl.DataFrame) -> Table:
    """The effect of each change of one scenario on the duty, its authorities summed."""
    first = rows.row(0, named=True)
    columns = ("duty", "behavioural", "duty_after")
    sums = rows.group_by("unit", "text", maintain_order=True).agg(pl.col(name).sum() for name in columns)
    missing = [name for name in columns if rows[name].is_null().all()]
    unit = unit_for([value for name in columns for value in sums[name]])
    cells = [
        [row["text"], *("" if name in missing else unit.cell(row[name]) for name in columns)]
        for row in sums.to_dicts()
    ]
    caption = f"against {first['reference']}, {unit.name}, {first['method']} split"
    return text_table(["change", *right("duty", "by response", "duty after")], cells, caption)


def _segments_table(
    rows: pl.DataFrame, average: Mapping[str, object], names: Sequence[str], titles: Sequence[str]
) -> Table:
    """The totals of one scenario by segment, and their average weighted by days."""
    unit = _unit_of_rows(rows)
    cells: list[list[Cell]] = [
        [row["start"], row["end"], f"{row['days']:,}", *_period_cells(row, names, unit)]
        for row in rows.to_dicts()
    ]
    cells.append([Text("average", "bold"), "", "", *_period_cells(average, names, unit)])
    caption = f"{unit.name} at the table's yearly values; rates in percent"
    return text_table(["from", "to", *right("days", *titles)], cells, caption)


def _averages_table(averages: pl.DataFrame, names: Sequence[str], titles: Sequence[str]) -> Table:
    """The groups of one scenario with the largest duty, on average of the period."""
    keys, unit = keys_of(averages), _unit_of_rows(averages)
    largest = largest_first(averages, "duty")
    cells: list[list[Cell]] = [
        [*labels(row, keys), *_period_cells(row, names, unit)]
        for row in largest.head(SHOWN_GROUPS).to_dicts()
    ]
    cells += more_row(averages.height - SHOWN_GROUPS)
    caption = f"average of the period; {unit.name}; rates in percent"
    return text_table([*keys, *right(*titles)], cells, caption)


def _unit_of_total(total: Mapping[str, object]) -> MoneyUnit:
    value = total.get("customs_value")
    return _MILLIONS if isinstance(value, int | float) and value >= _LARGE_VALUE else _DOLLARS


def _unit_of_rows(rows: pl.DataFrame) -> MoneyUnit:
    return unit_for([value for name in _PERIOD_COLUMNS if name in rows.columns for value in rows[name]])


def _period_columns(totals: pl.DataFrame) -> list[str]:
    """Sums shown of a period: the duty, and those that are not 0 throughout."""
    first, *others = _PERIOD_COLUMNS
    return [first, *(name for name in others if name in totals.columns and has_amounts(totals[name]))]


def _period_cells(row: Mapping[str, object], names: Sequence[str], unit: MoneyUnit) -> list[str]:
    rate = next((row[name] for name in ("effective_rate", "rate") if isinstance(row.get(name), float)), None)
    return [*(unit.cell(row.get(name)) for name in names), number_cell("rate", rate, unit)]
