"""Compute the share of goods for which a preference is claimed from the duty that it saves.

A preference is claimed where it saves more than compliance with its rules costs. Costs differ among goods, so that of
what was not claimed at the baseline a part is claimed that rises with the gain. See docs/models/claims.md.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64

DATA = Path(__file__).parent / "data"
_PREFIXES = (10, 2, 0)
"""Digits at which claims were observed: a code, its chapter, all goods of an origin."""


@dataclass(frozen=True, slots=True)
class ClaimCost:
    """Cost of complying with the rules of a preference.

    Attributes:
        cost: factor on the cost that the observed claims imply; 0 is none, infinite prohibits claims.
        shape: elasticity of the odds of claiming to the gain.
        source: of both.
    """

    cost: float
    shape: float
    source: str


@dataclass(frozen=True, slots=True)
class ObservedClaims:
    """Claims of lines when their gain was observed.

    Attributes:
        odds: of claiming, of what was not claimed at the baseline: claimed over not claimed.
        gain: rise of the duty saved since the baseline, a fraction of value.
    """

    odds: F64
    gain: F64


@cache
def claim_costs() -> Mapping[str, ClaimCost]:
    """Read the costs of compliance by name, with their sources."""
    with (DATA / "claim_costs.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: ClaimCost(float(row["cost"]), float(row["shape"]), row["source"])
            for row in csv.DictReader(file)
        }


def observed_claims(keys: pl.DataFrame) -> ObservedClaims:
    """Look up the observed claims of lines: of the code, else of its chapter, else of all goods of the origin.

    Args:
        keys: per line `hts` and `origin`.
    """
    table = pl.read_parquet(DATA / "usmca_claims.parquet")
    codes = keys.select("origin", *(pl.col("hts").str.slice(0, n).alias(f"code{n}") for n in _PREFIXES))
    for n in _PREFIXES:
        codes = codes.join(
            table.select(
                "origin", pl.col("code").alias(f"code{n}"), pl.struct("odds", "gain").alias(f"of{n}")
            ),
            on=["origin", f"code{n}"],
            how="left",
            maintain_order="left",
        )
    found = codes.select(pl.coalesce(f"of{n}" for n in _PREFIXES).alias("found")).unnest("found")
    return ObservedClaims(*(found[name].fill_null(np.nan).to_numpy() for name in ("odds", "gain")))


def responding_share(baseline: F64, gain: F64, observed: ObservedClaims, compliance: ClaimCost) -> F64:
    """Compute the share claimed from the rise of the duty saved.

    Args:
        baseline: share claimed at the baseline.
        gain: duty saved less that saved at the baseline, a fraction of value; no rise changes nothing.
        observed: claims and gain when they were observed; NaN is never claimed more.
        compliance: cost of complying.
    """
    rises = gain > 0.0
    if compliance.cost == 0.0:
        return np.where(rises, 1.0, baseline)
    known = rises & (observed.odds > 0.0) & (observed.gain > 0.0)
    if np.isinf(compliance.cost):
        known = np.zeros_like(known)
    scaled = np.divide(gain, observed.gain * compliance.cost, out=np.ones_like(gain), where=known)
    odds = np.where(known, observed.odds * scaled**compliance.shape, 0.0)
    joining: F64 = np.where(np.isinf(odds), 1.0, odds / (1.0 + np.where(np.isinf(odds), 0.0, odds)))
    return baseline + (1.0 - baseline) * joining
