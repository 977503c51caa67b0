"""Compare assessed rates with those collected, and consumer prices with published ones: `tariffs validate collected`.

Nothing is fitted. Ours are rates on US imports of 2024 under the acts published by each day, averaged over the days of
a month, before any response of trade. See docs/reproduction.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.base.provenance import with_run_digest
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.values import read_rate
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import Cancelled, Progress
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

TABLE = Path(__file__).with_name("collected.csv")
REASONS = Path(__file__).with_name("collected.yaml")


@dataclass(frozen=True, slots=True)
class CollectedRate:
    """Rate collected in a month and ours, as fractions.

    Attributes:
        month: such as 2025-04.
        origin: country; empty for all.
        source: census or treasury.
        collected, ours: the rates.
        tolerance: difference that needs no reason.
        reason: reason for a larger one; empty if there is none.
    """

    month: str
    origin: str
    source: str
    collected: float
    ours: float
    tolerance: float
    reason: str

    @property
    def difference(self) -> float:
        """Our rate less that collected."""
        return self.ours - self.collected

    @property
    def within(self) -> bool:
        """True if the difference is inside the tolerance."""
        return abs(self.difference) <= self.tolerance


@dataclass(frozen=True, slots=True)
class PublishedPrice:
    """Published effect of duties on consumer prices and ours by the same method, as fractions of consumption."""

    on: str
    known_on: str
    published: float
    ours: float
    tolerance: float
    source: tuple[str, ...]
    reason: str

    @property
    def difference(self) -> float:
        """Our effect less the published one."""
        return self.ours - self.published

    @property
    def within(self) -> bool:
        """True if the difference is inside the tolerance."""
        return abs(self.difference) <= self.tolerance


@dataclass(frozen=True)
class CollectedComparison:
    """Comparisons of rates by month and country, of prices by day, and the inputs needed to reproduce them."""

    rows: tuple[CollectedRate, ...]
    prices: tuple[PublishedPrice, ...]
    provenance: Mapping[str, object]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return {
            "rows": [_to_dict(row) for row in self.rows],
            "prices": [_to_dict(row) for row in self.prices],
            "provenance": dict(self.provenance),
        }


def _to_dict(row: CollectedRate | PublishedPrice) -> dict[str, Any]:
    judged = {"difference": row.difference, "within": row.within, "reason": "" if row.within else row.reason}
    return {**asdict(row), **judged}


def compare_collected(
    *, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> CollectedComparison:
    """Compute our rates for every month of the table and compare them.

    Raises:
        ServiceError: CANCELLED.
    """
    law, notes = load_law(), load_yaml(REASONS)
    rates, run_digest = _collected_rates(law, notes, progress, cancelled)
    facts = {"law_version": law.version, "law_digest": law.digest, "run_digest": run_digest}
    return CollectedComparison(rates, _prices(law, notes, cancelled), with_run_digest(facts))


def _collected_rates(
    law: Law, notes: Mapping[str, Any], progress: Progress | None, cancelled: Cancelled | None
) -> tuple[tuple[CollectedRate, ...], object]:
    """Compare the rates of every month and country; gives them and the digest of the run."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    months = sorted({row["month"] for row in table})
    found = timeline(
        None,
        [library()["base"]],
        f"{months[0]}-01",
        _days_of(months[-1])[1].isoformat(),
        law=law,
        options=Options(response="none", known_on="entry", by=("origin",)),
        progress=progress,
        cancelled=cancelled,
    )
    (block,) = found.scenarios
    columns = ["origin", "start", "end", "duty", "customs_value"]
    total = block.totals.with_columns(origin=pl.lit(""))
    segments = pl.concat([block.segments.select(columns), total.select(columns)])
    ours = {month: _rates(segments, *_days_of(month)) for month in months}
    tolerance = float(read_rate(notes["tolerance"]))
    rows = (
        CollectedRate(
            row["month"],
            row["origin"],
            row["source"],
            float(row["rate"]),
            ours[row["month"]][row["origin"]],
            tolerance,
            _reason(notes["reasons"], row["month"], row["origin"]),
        )
        for row in table
    )
    return tuple(rows), found.provenance["run_digest"]


def _prices(law: Law, notes: Mapping[str, Any], cancelled: Cancelled | None) -> tuple[PublishedPrice, ...]:
    """Compute the effect on consumer prices of the law of each published day."""
    tolerance = float(read_rate(notes["price_tolerance"]))
    found = []
    for item in notes["prices"]:
        options = Options(response="none", known_on=item["known_on"], consumer_prices="yale")
        points = [Point(library()["base"], item["on"])]
        effect = (
            impact(None, points, law=law, options=options, cancelled=cancelled).scenarios[0].consumer_prices
        )
        assert effect is not None
        ours = float(effect.filter(pl.col("line").is_null())["change"].item())
        published, reason = float(read_rate(item["value"])), str(item.get("reason", ""))
        found.append(
            PublishedPrice(
                item["on"], item["known_on"], published, ours, tolerance, tuple(item["source"]), reason
            )
        )
    return tuple(found)


def _days_of(month: str) -> tuple[date, date]:
    """First and last day of a month."""
    first = date.fromisoformat(f"{month}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, date.fromordinal(following.toordinal() - 1)


def _rates(segments: pl.DataFrame, first: date, last: date) -> dict[str, float]:
    """Average the rate of each origin over the days of a month."""
    start = pl.max_horizontal(pl.col("start").str.to_date(), pl.lit(first))
    end = pl.min_horizontal(pl.col("end").str.to_date(), pl.lit(last))
    days = ((end - start).dt.total_days() + 1).clip(0)
    rate = (pl.col("duty") / pl.col("customs_value") * pl.col("days")).sum() / pl.col("days").sum()
    means = (
        segments.with_columns(days=days).filter(pl.col("days") > 0).group_by("origin").agg(rate.alias("rate"))
    )
    return dict(means.select("origin", "rate").iter_rows())


def _reason(reasons: Iterable[Mapping[str, Any]], month: str, origin: str) -> str:
    """Find the first reason that covers a month and an origin; one without origins covers all."""
    for each in reasons:
        if each.get("from", month) <= month <= each.get("to", month) and origin in each.get(
            "origins", [origin]
        ):
            return str(each["reason"])
    return ""
