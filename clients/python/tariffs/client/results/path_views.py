"""Describe timelines, sweeps and goal seeks for readers: sentences, one chart of curves, a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from tariffs.client.results import charts
from tariffs.client.results.amounts import PERCENT, in_words, three
from tariffs.client.results.charts import Figure
from tariffs.client.results.columns import in_full
from tariffs.client.results.short_names import inside

_EVENTS, _LEAST_CHANGE, _APART = 8, 0.02, 14


def named_events(totals: pl.DataFrame, changes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name the days of a period on which the duty of a scenario changes most at unchanged trade.

    There are at most eight, a fortnight or more apart, so that their numbers can be read.

    Args:
        totals: rows of segments by scenario, in order.
        changes: changes of the law in words by day.
    """
    change = (pl.col("duty") - pl.col("duty").shift()).abs().over("scenario")
    sizes = totals.with_columns(change=change).group_by("start").agg(pl.col("change").max())
    large = sizes.filter(pl.col("change") > _LEAST_CHANGE * pl.lit(totals["duty"].max()))
    days: list[str] = []
    for day in large.sort("change", "start", descending=True)["start"]:
        apart = (abs((date.fromisoformat(day) - date.fromisoformat(one)).days) for one in days)
        if len(days) < _EVENTS and min(apart, default=_APART) >= _APART:
            days.append(day)
    return {day: f"{day}: {'; '.join(changes[day][:2])}" if changes.get(day) else day for day in sorted(days)}


def period_figure(totals: pl.DataFrame, column: str, changes: Mapping[str, Sequence[str]]) -> Figure:
    """Draw a number over a period, a line a scenario, with the days of its largest changes as named events."""
    events = named_events(totals, changes)
    rows = totals.pivot("scenario", index="start", values=column, maintain_order=True).sort("start")
    unit = charts.unit_of(column, totals[column].to_list())
    return Figure(
        lambda: charts.steps(totals, column, dict.fromkeys(events, "")),
        charts.title_with(unit, f"{in_full(column)} over the period"),
        f"Steps: {in_full(column)} by segment of days, with {len(events)} events that are listed below.",
        rows.with_columns(pl.exclude("start").forward_fill()),
        unit,
        tuple(events.values()),
    )


def period_answer(totals: pl.DataFrame, averages: pl.DataFrame, goods: str, column: str) -> list[str]:
    """Say what the duty is on average of a period, how scenarios differ from the first, and when it is largest."""
    first, *others = averages.to_dicts()
    start, end = str(totals["start"].min()), str(totals["end"].max())
    responds = column == "duty_after"
    after = f", and {in_words(first['duty_after'])} after buyers respond" if responds else ""
    rate = first.get("effective_rate")
    share = f", {three(rate, PERCENT)} percent of their value" if rate else ""
    texts = [
        f"{first['scenario']}: from {start} to {end} duties on {goods} are {in_words(first['duty'])} a year on average"
        f"{share}{after}."
    ]
    for one in others:
        change = one[column] - first[column]
        texts.append(
            f"{one['scenario']}: {in_words(abs(change))} a year {'more' if change > 0 else 'less'} on average"
            f"{' after buyers respond' if responds else ''} than under {inside(first['scenario'])}."
        )
    highest = totals.sort(column, descending=True, nulls_last=True).to_dicts()[0]
    return [
        *texts,
        f"Duties are largest from {highest['start']}, at {in_words(highest[column])} a year under "
        f"{inside(highest['scenario'])}.",
    ]


@dataclass(frozen=True, slots=True)
class Axis:
    """Parameter of a scenario as an axis: its name, title, and whether its numbers are fractions shown in percent."""

    name: str
    title: str
    is_share: bool

    def shown(self, value: object) -> str:
        """Write a value of the parameter."""
        if not isinstance(value, int | float):
            return str(value)
        return f"{value * 100:.6g} %" if self.is_share else f"{value:.10g}"


def sweep_figure(totals: pl.DataFrame, column: str, axes: Sequence[Axis]) -> Figure | None:
    """Draw a number over the first parameter, a line for each value of the second; None for a single point."""
    if totals.height < 2:
        return None
    across, *others = (one.name for one in axes)
    rows = totals.pivot(others, index=across, values=column) if others else totals.select(across, column)
    unit = charts.unit_of(column, totals[column].to_list())
    return Figure(
        lambda: sweep_chart(totals, column, axes),
        charts.title_with(unit, f"{in_full(column)} by {axes[0].title}"),
        f"Curve: {in_full(column)} by {axes[0].title}.",
        rows,
        unit,
    )


def sweep_chart(totals: pl.DataFrame, column: str, axes: Sequence[Axis]) -> charts.Chart:
    """Draw a number over the first parameter, a line for each value of the second."""
    titles = {one.name: f"{one.title}{', percent' if one.is_share else ''}" for one in axes}
    return charts.curves(totals, column, axes[0].name, axes[1].name if len(axes) > 1 else "", titles)


def sweep_answer(totals: pl.DataFrame, column: str, axes: Sequence[Axis]) -> list[str]:
    """Say between which ends the duty moves, and where."""
    known = totals.filter(pl.col(column).is_not_null())
    if known.is_empty():
        return []
    low, high = known.sort(column).to_dicts()[0], known.sort(column).to_dicts()[-1]
    where = [", ".join(f"{one.title} {one.shown(row[one.name])}" for one in axes) for row in (low, high)]
    return [
        f"{in_full(column).capitalize()} goes from {in_words(low[column])} ({where[0]}) to "
        f"{in_words(high[column])} ({where[1]}) over {totals.height:,} points."
    ]
