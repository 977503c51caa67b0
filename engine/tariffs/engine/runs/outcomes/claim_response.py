"""Let the USMCA claims of lines that declare none respond to the duty that a law lets them save."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, ratio
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.response.claims import claim_costs, observed_claims, responding_share
from tariffs.engine.schedule import reference_data
from tariffs.engine.table_duty.duties import Dated, Duties
from tariffs.engine.table_duty.rated_lines import share_compile
from tariffs.engine.tables.default_shares import (
    RESPONDING,
    USMCA_CLAIM,
    USMCA_SWITCH,
)
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.line_subset import lines_subset
from tariffs.engine.tables.prepare import PreparedTable, lines_on_basis

_LINES_KEPT = 4
"""Some 60 MB each for the embedded table."""


class ClaimRun(Protocol):
    """Table of a run, as far as its responding claims need it."""

    law: Law
    prepared: PreparedTable

    def check(self) -> None:
        """Raise to stop the run."""

    def dated_at(self, law: Law, on: str, known: date) -> Dated:
        """Date all lines by a day, with the acts known on another."""


@dataclass(frozen=True)
class _Members:
    """Lines whose claims respond, with and without a claim on all of their value."""

    index: I64
    without: LineArrays
    claimed: LineArrays

    @classmethod
    def of(cls, lines: LineArrays, claim: str, index: I64) -> _Members:
        some = lines_subset(lines, index)
        without, claimed = (
            replace(some, facts={**some.facts, claim: np.full(len(index), share)}, cache={})
            for share in (0.0, 1.0)
        )
        return cls(index, without, claimed)

    def saved(self, law: Law, dated: Dated, check: Callable[[], None]) -> F64:
        """Compute the duty that a claim saves, as a fraction of value."""
        own = replace(dated, of_line=None if dated.of_line is None else dated.of_line[self.index])
        duty = (Duties(law, lines, own, check).duty for lines in (self.without, self.claimed))
        return ratio(next(duty) - next(duty), self.without.value, 0.0)

    def share_compile(self, dated_laws: list[tuple[Law, Dated]]) -> None:
        """Compile laws together."""
        for lines in (self.without, self.claimed):
            share_compile(dated_laws, lines)


class ClaimResponse:
    """Lines of a table with the claims that respond to each law.

    The share of a line under a law depends on what a claim saves under it over what it saved at the baseline of the
    observed claims, the law of the day that the reference table belongs to.

    Args:
        run: the table.
    """

    def __init__(self, run: ClaimRun) -> None:
        self._run = run
        self._law = run.law.with_switches({USMCA_SWITCH: RESPONDING})
        self._lines = lines_on_basis(run.prepared, self._law)
        self._kept: BoundedCache[Hashable, LineArrays] = BoundedCache(_LINES_KEPT)
        index = self._responding_lines()
        self._members = _Members.of(self._lines, USMCA_CLAIM, index)
        self._observed = observed_claims(run.prepared.frame.select("hts", "origin")[index])
        self._baseline: F64 = np.nan_to_num(self._lines.facts[USMCA_CLAIM][index])
        base = self._base_dated()
        self._members.share_compile([(self._law, base)])
        self._saved = self._members.saved(self._law, base, run.check)

    def lines_under(self, law: Law, dated: Dated) -> LineArrays:
        """Lines with the shares that respond to a law."""
        gain = self._members.saved(law, dated, self._run.check) - self._saved
        compliance = claim_costs()[law.setting(CLAIM_COST)]
        share = responding_share(self._baseline, gain, self._observed, compliance)
        return self._kept.get(share.tobytes(), lambda: self._with_share(share))

    def _with_share(self, share: F64) -> LineArrays:
        facts = self._lines.facts[USMCA_CLAIM].copy()
        facts[self._members.index] = share
        return replace(self._lines, facts={**self._lines.facts, USMCA_CLAIM: facts}, cache={})

    def _responding_lines(self) -> I64:
        members = set(reference_data.usmca_shares()["origin"].unique())
        place = np.array([origin in members for origin in self._lines.origins])
        chosen = place[self._lines.origin]
        sourced = self._lines.sourced.get(USMCA_CLAIM)
        return np.flatnonzero(chosen if sourced is None else chosen & sourced)

    def _base_dated(self) -> Dated:
        return self._run.dated_at(self._law, reference_data.baseline().isoformat(), self._law.as_of)
