"""Read the frozen inputs of collections: shares by origin, sailing days, imports and claims by month, the refund path.

`python -m tariffs.importers.collections_fit` makes shares and parameters; nothing here is estimated at run time.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import polars as pl

from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.schedule.countries import regions

DATA = Path(__file__).parent / "data"
REST, SPECIAL, ALL = "", "98-99", "TOTAL"
"""Origins without monthly figures of their own, goods of chapters 98 and 99, and the total of all origins."""
RECENT = 6
"""Months whose mean imports stand for the months after the last one known."""


@dataclass(frozen=True)
class Frozen:
    """Parameters of the ladder, estimated on the months of `fitted_on`.

    Attributes:
        facts: day, months and inputs of the estimate, for the provenance.
        ocean_share: part of the imports of overseas origins that comes by sea, estimated.
        lag_days: days between loading and sailing, and landing and entry, together, estimated.
        industries: part of the duty that is collected in industries whose goods enter without entries, estimated.
        shares: part of the explained duty that is collected, by origin; REST for the others.
        void_collected: duty of void authorities collected under the base scenario, USD.
        void_paid: the same as customs declared it, USD.
    """

    facts: Mapping[str, Any]
    ocean_share: float
    lag_days: float
    industries: Mapping[str, float]
    shares: Mapping[str, float]
    void_collected: float
    void_paid: float

    def share_of(self, origin: str) -> float:
        """Collected part of the explained duty of an origin."""
        return self.shares.get(origin, self.shares[REST])


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@cache
def frozen() -> Frozen:
    """Read the parameters and the shares by origin."""
    facts = load_yaml(DATA / "frozen.yaml")
    return Frozen(
        {name: facts[name] for name in ("frozen", "fitted_on", "last_month")},
        float(facts["ocean_share"]),
        float(facts["lag_days"]),
        {name: float(share) for name, share in facts["industries"].items()},
        {row["origin"]: float(row["share"]) for row in _rows("collected_shares.csv")},
        float(facts["void_collected"]),
        float(facts["void_paid"]),
    )


@cache
def sailing_days() -> Mapping[str, tuple[float, float]]:
    """Days at sea to the nearer and the farther coast by origin; an origin without a port has the mean of its region.

    Origins by land are not in it, and have no goods afloat.
    """
    known = {row["origin"]: (float(row["near"]), float(row["far"])) for row in _rows("sailing_days.csv")}
    land = {row["origin"] for row in _rows("by_land.csv")}
    by_region: dict[str, list[tuple[float, float]]] = {}
    for origin, days in known.items():
        by_region.setdefault(regions().get(origin, ""), []).append(days)
    for origin, region in regions().items():
        near_ports = by_region.get(region, list(known.values()))
        known.setdefault(origin, (mean(one[0] for one in near_ports), mean(one[1] for one in near_ports)))
    return {origin: days for origin, days in known.items() if origin not in land}


@cache
def refund_path() -> tuple[tuple[date, float], ...]:
    """Days and cumulative refunds of void duty in USD; straight between them."""
    return tuple(
        (date.fromisoformat(row["date"]), float(row["usd_bn"]) * 1e9) for row in _rows("refund_path.csv")
    )


def refunded_by(day: date) -> float:
    """Cumulative refunds at the begin of a day, USD."""
    path = refund_path()
    for (start, before), (end, after) in itertools.pairwise(path):
        if day < end:
            part = max((day - start).days, 0) / (end - start).days
            return before + (after - before) * part
    return path[-1][1]


@cache
def _imports() -> pl.DataFrame:
    return pl.read_parquet(DATA / "imports.parquet")


def imports(months: tuple[str, ...]) -> pl.DataFrame:
    """Customs value by `month`, `origin` (REST) and `sector`, USD; later months have the mean of the last RECENT."""
    columns = _imports().select("month", "origin", "sector", "value")
    return _held(columns, months, RECENT, pl.col("value").sum() / RECENT)


def special_in_2024() -> Mapping[str, float]:
    """Part of an origin's imports that entered under chapters 98 and 99 in 2024."""
    year = _imports().filter(pl.col("month") < "2025").group_by("origin")
    special = pl.col("value").filter(pl.col("sector") == SPECIAL).sum()
    return dict(year.agg(special / pl.col("value").sum()).iter_rows())


def claims(months: tuple[str, ...]) -> pl.DataFrame:
    """Ratio of goods without a claim of the USMCA to those of the second half of 2025, by month, origin and industry.

    Months after the last have the mean of the last three; months before the first are not in it.
    """
    return _held(pl.read_parquet(DATA / "claims.parquet"), months, 3, pl.col("ratio").mean())


def _held(known: pl.DataFrame, months: tuple[str, ...], count: int, mean: pl.Expr) -> pl.DataFrame:
    """Select months of a table, with the mean of its last ones, by origin and industry, in the place of later ones."""
    last = sorted(known["month"].unique())[-count:]
    later = pl.Series("month", [month for month in months if month > last[-1]], dtype=pl.String).to_frame()
    level = known.filter(pl.col("month").is_in(last)).group_by("origin", "sector").agg(mean)
    held = level.join(later, how="cross").select(known.columns)
    return pl.concat([known.filter(pl.col("month").is_in(list(months))), held])


def claiming_origins() -> list[str]:
    """Origins whose claims of the USMCA are known by month."""
    return sorted(pl.read_parquet(DATA / "claims.parquet")["origin"].unique())


def first_month() -> str:
    """First month of the embedded imports."""
    return "2025-01"
