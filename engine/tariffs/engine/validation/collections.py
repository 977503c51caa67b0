"""Compare duty collected in the ladder with that of the Census Bureau and of customs: `tariffs validate collections`.

The shares are those frozen in `runs/collections`; nothing is fitted here, but for the row that holds months out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_rate
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.runs.collections.collect import collections
from tariffs.engine.runs.collections.frozen import ALL, DATA, REST, first_month, frozen, refund_path
from tariffs.engine.runs.collections.ladder import RUNGS, days_of
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress
from tariffs.engine.scenario import library
from tariffs.engine.validation.figures import BesidePublished

NOTES = Path(__file__).with_name("collections.yaml")
_HELD = (("2025-06", "2025-07"), ("2025-10", "2025-11"))


_UNITS = {
    "month": "%",
    "origin": "%",
    "mean of months": "points",
    "mean of origins held out": "points",
    "ladder": "USD",
}
"""Units by check; the others are amounts in billion USD, whose tolerance is a part of the published one."""


def compare_collections(
    *, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> tuple[BesidePublished, ...]:
    """Compute the ladder of every month to the last one known and compare it.

    Raises:
        ServiceError: CANCELLED.
    """
    law, base, notes = load_law(), library()["base"], load_yaml(NOTES)
    last = refund_path()[-1][0].isoformat()[:7]
    cells = collections(base, first_month(), last, law=law, progress=progress, cancelled=cancelled).rows
    refunded = -float(cells["refunds"].sum()) / 1e9
    steps = pl.sum_horizontal("assessed", *RUNGS) - pl.col("collected")
    return (
        *monthly_rows(cells, notes),
        *origin_rows(cells, notes),
        *_amount_rows(cells, notes),
        _row(notes, "refunds", "end", frozen().void_paid / 1e9, refunded, 0.001),
        _row(notes, "ladder", "sum", 0.0, float(cells.select(steps.abs().max()).item()), 0.005),
    )


def monthly_rows(cells: pl.DataFrame, notes: Mapping[str, Any]) -> Iterator[BesidePublished]:
    """Compare the rate of all goods by month, and the mean error of 2025."""
    known = pl.read_parquet(DATA / "collected.parquet").filter(pl.col("origin") == ALL)
    ours = cells.group_by("month").agg(pl.col("collected").sum())
    joined = known.join(ours, on="month").sort("month")
    tolerances, errors = notes["tolerances"], []
    for month, duty, collected, value in joined.select("month", "duty", "collected", "value").iter_rows():
        row = _row(notes, "month", month, 100 * duty / value, 100 * collected / value, tolerances["month"])
        if month < "2026":
            errors.append(abs(row.ours - row.published))
        yield row
    yield _row(notes, "mean of months", "2025", 0.0, sum(errors) / len(errors), tolerances["mean of months"])


def origin_rows(cells: pl.DataFrame, notes: Mapping[str, Any]) -> Iterator[BesidePublished]:
    """Compare the rate by origin over the last two months with figures, and with shares of the two held-in months."""
    known = pl.read_parquet(DATA / "collected.parquet").filter(pl.col("origin") != ALL)
    named = known["origin"].unique().to_list()
    explained = pl.sum_horizontal("assessed", *[name for name in RUNGS if name != "rest"])
    pooled = pl.when(pl.col("origin").is_in(named)).then("origin").otherwise(pl.lit(REST))
    ours = cells.with_columns(pooled, explained=explained).group_by("month", "origin")
    joined = known.join(ours.agg(pl.col("collected", "explained").sum()), on=["month", "origin"])
    (first, second), (third, fourth) = _HELD
    fitted, tested = (
        joined.filter(pl.col("month").is_in(pair))
        .group_by("origin")
        .agg(pl.col("duty", "value", "collected", "explained").sum())
        for pair in ((first, second), (third, fourth))
    )
    share = fitted.select("origin", held=pl.col("duty") / pl.col("explained"))
    tolerances, errors = notes["tolerances"], []
    rows = tested.join(share, on="origin").sort("origin")
    for origin, duty, value, collected, left, held in rows.select(
        "origin", "duty", "value", "collected", "explained", "held"
    ).iter_rows():
        errors.append(abs(left * held - duty) / value * 100)
        name = origin or "others"
        yield _row(notes, "origin", name, 100 * duty / value, 100 * collected / value, tolerances["origin"])
    check = "mean of origins held out"
    yield _row(notes, check, f"{third} {fourth}", 0.0, sum(errors) / len(errors), tolerances[check])


def _amount_rows(cells: pl.DataFrame, notes: Mapping[str, Any]) -> Iterator[BesidePublished]:
    """Compare IEEPA duty to a day with what customs published; part of a month by its days."""
    for item in notes["amounts"]:
        node, until = item["authority"], date.fromisoformat(str(item["until"]))
        under = (pl.col("authority") == node) | pl.col("authority").str.starts_with(f"{node}.")
        chosen = cells.filter(under)
        if "origins" in item:
            chosen = chosen.filter(pl.col("origin").is_in(item["origins"]))
        ours = 0.0
        for month, amount in (
            chosen.group_by("month").agg(pl.col("collected").sum()).sort("month").iter_rows()
        ):
            ours += amount * _part(month, until)
        check = "total" if item["name"] == "total" else "amount"
        name = item["name"] if check == "amount" else f"to {until}"
        tolerance = float(read_rate(notes["tolerances"][check]))
        yield _row(notes, check, name, float(item["usd_bn"]), ours / 1e9, tolerance)


def _part(month: str, until: date) -> float:
    """Part of the duty of a month that is of days to one; duty that ended in the month counts whole."""
    first, after = days_of(month)
    if until.isoformat()[:7] == month and month == str(frozen().facts["last_month"]):
        return 1.0
    return min(max(((until - first).days + 1) / (after - first).days, 0.0), 1.0)


def _row(
    notes: Mapping[str, Any], check: str, name: str, published: float, ours: float, tolerance: float
) -> BesidePublished:
    unit = _UNITS.get(check, "USD bn")
    allowed = float(tolerance) * (1.0 if check in _UNITS else published)
    reason = _reason(notes["reasons"], check, name)
    return BesidePublished(f"{check} {name}, {unit}", published, ours, allowed, reason)


def _reason(reasons: Sequence[Mapping[str, Any]], check: str, name: str) -> str:
    for each in reasons:
        if each["check"] == check and name in each["names"]:
            return str(each["reason"])
    return ""
