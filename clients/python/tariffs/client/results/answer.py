"""Answer runs over a trade table in five lines, with scenarios as columns, and a short table of their groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from tariffs.client.results.amounts import NONE, PERCENT, short_unit, three
from tariffs.client.results.columns import has_amounts, keys_of, title_of
from tariffs.client.results.headline import buyers_of, is_export, response_words
from tariffs.client.results.legal_text import LegalText
from tariffs.client.results.quote import Provenance, part_of
from tariffs.client.results.short_names import inside
from tariffs.client.results.tables import SHOWN_ROWS, Section, ShortTable

Row = Mapping[str, object]
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
    "How sure: --draws 64 of impact (Python: draws=64), some 20 s, adds ranges of welfare over elasticities and over "
    "models of trade (docs/models/uncertainty.md)."
)
_LONGEST = 30
_ELASTICITIES = "5 to 95 % of draws, elasticities only"
_COLLECTED = (
    "Duty is the part that is collected, by frozen shares of origins; prices follow from rates assessed."
)
_WELFARE = "Welfare is comparable between laws at one horizon, not between horizons."


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
            ranges: ranges over draws of `duty_after` and `welfare`, a row of `Ranges.total` for each column, and ends
                over `models`, `low` and `high`; empty without draws.
        """
        collected = part_of(provenance, "details", "basis") is not None
        basis = "collected" if collected else "assessed"
        lines = _lines(totals, ranges, is_export(provenance), columns[0], basis)
        rows = [[title, *cells] for title, cells in lines if {*cells} != {NONE}]
        about = [response_words(provenance), *([_COLLECTED] if collected else [])]
        if any(total.get("welfare") is not None for total in totals):
            about += [_WELFARE, *([] if ranges else [_UNCERTAIN])]
        after = any("->" in cell for row in rows for cell in row)
        caption = "a year; before -> after the response of trade" if after else "a year"
        return cls(ShortTable(caption, ["", *columns], rows), " ".join(about))


def _lines(
    totals: Sequence[Row], ranges: Mapping[str, Sequence[Row]], exports: bool, first: str, basis: str
) -> Iterator[tuple[str, list[str]]]:
    """List the lines of an answer by title, with a cell for each total."""
    trade, duty = ("Exports", "Duty of partners") if exports else ("Imports", "Revenue")
    unit = short_unit([total.get(name) for name in ("duty", "welfare") for total in totals])
    dollars = unit.dollars
    yield "Effective rate, %", _moved(totals, "effective_rate", PERCENT)
    yield f"{trade}, change in %", [three(summary(total)["imports_change"], PERCENT) for total in totals]
    forecasts = [three(total.get("value_forecast"), dollars) for total in totals]
    yield f"{trade}, forecast, {unit.name}", forecasts
    void = any(total.get("duty_owed") not in {None, total.get("duty")} for total in totals)
    yield f"{duty} {basis}{'' if void else ' and owed'}, {unit.name}", _moved(totals, "duty", dollars)
    if void:
        yield f"{duty} owed, without void acts, {unit.name}", _moved(totals, "duty_owed", dollars)
    if len(totals) > 1 and len({total.get("on") for total in totals}) == 1:
        other = inside(first) if len(first) <= _LONGEST else "the first"
        yield f"{duty} more than {other}, {unit.name}", _moved(_differences(totals), "duty", dollars)
        yield from _band(ranges.get("duty_after", ()), dollars, "vs_p5", "vs_p95")
    yield (
        f"Borne by {buyers_of(exports)}, % of added duty",
        [three(_share(total.get("borne_at_home"), total.get("added_duty")), PERCENT) for total in totals],
    )
    welfare = [three(total.get("welfare"), dollars) for total in totals]
    yield f"Welfare{' of partners' if exports else ''}, {unit.name}", welfare
    yield (
        "  of which duties that have ended",
        [three(total.get("ended_surplus"), dollars) for total in totals],
    )
    yield from _band(ranges.get("welfare", ()), dollars)
    yield from _band(ranges.get("models", ()), dollars, "low", "high", "over models of trade")


def _band(
    rows: Sequence[Row], dollars: float, low: str = "p5", high: str = "p95", title: str = _ELASTICITIES
) -> Iterator[tuple[str, list[str]]]:
    """Make the line of a range between two numbers, in words that say what it leaves out; nothing without rows."""
    ends = ([three(row[end], dollars) for end in (low, high)] for row in rows)
    cells = [NONE if first == last else f"{first} to {last}" for first, last in ends]
    if cells:
        yield f"  {title}", cells


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


def run_title(scenario: str, on: str = "", law: LegalText | None = None) -> str:
    """Title of the column of a run: its scenario by title or in words that can be broken, and its day, if any."""
    title = law.title_of(scenario) if law else scenario
    return " ".join(filter(None, [scenario.replace("-", " ") if title == scenario else title, on]))


def summary(total: Row, ranges: Mapping[str, Sequence[Row]] = MappingProxyType({})) -> dict[str, object]:
    """Summarise a total as the JSON of an impact does: fractions and USD, None where not asked; ranges as in `of`."""
    welfare, models = (next(iter(ranges.get(name, ())), None) for name in ("welfare", "models"))
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
        "welfare_models": [models["low"], models["high"]] if models and models["low"] is not None else None,
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
    rows = rows[sorted({0, *kept.filter(size[kept] > 0)})].rename({"start": "from"})
    names = rows.columns[1:]
    return Section(f"{title_of(name)} a year", rows, ["from"], names, shown, columns).short()


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
    if len(totals) == 1:
        numbers = [name for name in _ALONE if name in groups.columns and has_amounts(groups[name])]
        numbers = list(dict.fromkeys([*numbers, *([sort] if sort else [])]))
        rows = largest.join(groups, on=keys, how="left", maintain_order="left", nulls_equal=True)
        last = {"rate": totals[0].get("effective_rate"), **totals[0]}
        return [Section("", rows, keys, numbers, shown, total=last).short()]
    ends = [total.get("effective_rate" if first == "rate" else first) for total in totals]
    places = [str(place) for place in range(len(totals))]
    for place, total in zip(places, totals, strict=True):
        own = groups.filter(pl.col(run).eq_missing(pl.lit(total[run])) for run in runs)
        own = own.select(*keys, pl.col(first).alias(place))
        largest = largest.join(own, on=keys, how="left", maintain_order="left", nulls_equal=True)
    last = dict(zip(places, ends, strict=True))
    return [Section(title_of(first), largest, keys, places, shown, columns, last, of=first).short()]
