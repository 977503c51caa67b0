"""Compute the share of goods for which a preference is claimed from the duty that it saves.

A preference is claimed where it saves more than compliance with its rules costs. Costs differ among goods, so that of
what was not claimed at the baseline a part is claimed that rises with the gain. See docs/models/claims.md.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, ratio
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.response.constants import DATA, table
from tariffs.engine.schedule import reference_data
from tariffs.engine.table_duty.duties import Dated, Duties
from tariffs.engine.table_duty.rated_lines import share_compile
from tariffs.engine.tables.default_shares import RESPONDING, USMCA_CLAIM, USMCA_SWITCH
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.line_subset import lines_subset
from tariffs.engine.tables.prepare import PreparedTable, lines_on_basis

_PREFIXES = (10, 2, 0)
"""Digits at which claims were observed: a code, its chapter, all goods of an origin."""
_LINES_KEPT = 4
"""Some 60 MB each for the embedded table."""


@dataclass(frozen=True, slots=True)
class ClaimCost:
    """Cost of complying with the rules of a preference.

    `cost` is a factor on the cost that the observed claims imply: 0 is none, infinite prohibits claims. `shape` is the
    elasticity of the odds of claiming to the gain, `source` that of both.
    """

    cost: float
    shape: float
    source: str


@dataclass(frozen=True, slots=True)
class ObservedClaims:
    """Odds of claiming what was not claimed at the baseline, and the rise of the duty saved, a fraction of value."""

    odds: F64
    gain: F64


@cache
def claim_costs() -> Mapping[str, ClaimCost]:
    """Read the costs of compliance by name, with their sources."""
    return {
        row["name"]: ClaimCost(float(row["cost"]), float(row["shape"]), row["source"])
        for row in table("claim_costs.csv")
    }


def observed_claims(keys: pl.DataFrame) -> ObservedClaims:
    """Look up the observed claims of lines (`hts`, `origin`): of the code, its chapter or all goods of the origin."""
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
    """Compute the share claimed from that at the baseline and the rise of the duty saved, a fraction of value.

    No rise changes nothing; goods whose claims and gain were never observed (NaN) are never claimed more.
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


class ClaimResponse:
    """Lines of a table with the claims that respond to each law.

    The share of a line under a law depends on what a claim saves under it over what it saved at the baseline of the
    observed claims, the law of the day that the reference table belongs to.

    `observed` is the day on which claims were observed, at all lines; `check` may raise to stop.
    """

    def __init__(self, law: Law, prepared: PreparedTable, observed: Dated, check: Callable[[], None]) -> None:
        law = law.with_switches({USMCA_SWITCH: RESPONDING})
        self._check = check
        self._lines = lines_on_basis(prepared, law)
        self._kept: BoundedCache[Hashable, LineArrays] = BoundedCache(_LINES_KEPT)
        index = self._index = self._responding_lines()
        self._observed = observed_claims(prepared.frame.select("hts", "origin")[index])
        self._baseline: F64 = np.nan_to_num(self._lines.facts[USMCA_CLAIM][index])
        some = lines_subset(self._lines, index)
        self._unclaimed, self._claimed = (
            _with_share(some, np.full(len(index), share)) for share in (0.0, 1.0)
        )
        for lines in (self._unclaimed, self._claimed):
            share_compile([(law, observed)], lines)
        self._saved_at_baseline = self._saved(law, observed)

    def lines_under(self, law: Law, dated: Dated) -> LineArrays:
        """Lines with the shares that respond to a law."""
        gain = self._saved(law, dated) - self._saved_at_baseline
        compliance = claim_costs()[law.setting(CLAIM_COST)]
        share = responding_share(self._baseline, gain, self._observed, compliance)

        def made() -> LineArrays:
            facts = self._lines.facts[USMCA_CLAIM].copy()
            facts[self._index] = share
            return _with_share(self._lines, facts)

        return self._kept.get(share.tobytes(), made)

    def _saved(self, law: Law, dated: Dated) -> F64:
        """Duty that a claim on all of the value saves, as a fraction of value."""
        own = replace(dated, of_line=None if dated.of_line is None else dated.of_line[self._index])
        before, after = (
            Duties(law, lines, own, self._check).duty for lines in (self._unclaimed, self._claimed)
        )
        return ratio(before - after, self._unclaimed.value, 0.0)

    def _responding_lines(self) -> I64:
        members = set(reference_data.usmca_shares()["origin"].unique())
        place = np.array([origin in members for origin in self._lines.origins])
        chosen = place[self._lines.origin]
        sourced = self._lines.sourced.get(USMCA_CLAIM)
        return np.flatnonzero(chosen if sourced is None else chosen & sourced)


def _with_share(lines: LineArrays, share: F64) -> LineArrays:
    return replace(lines, facts={**lines.facts, USMCA_CLAIM: share}, cache={})
