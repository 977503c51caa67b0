"""Draw the USMCA claim shares of lines that declare none: a convention, beside the elasticities.

The shares of 2024, 2025 and the second half of 2025 move the mean rate by more than any elasticity. Most draws take the
shares that the law selects, the others one of the alternatives. Shares that respond are drawn by the cost of
compliance. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.law.law import CLAIM_COST, Law
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.tables.default_shares import (
    RESPONDING,
    USMCA_SWITCH,
    is_responding,
)

Settings = Mapping[str, str]
_COSTS = ("low", "central", "high")
"""Costs of compliance, each of which an equal part of the draws takes."""


@dataclass(frozen=True)
class DrawnOutcome:
    """Outcome under one convention, and the indices of the draws that take it."""

    outcome: Outcome
    draws: I64


@dataclass(frozen=True)
class DrawnClaims:
    """Conventions of the draws.

    Attributes:
        periods: settings of the switch that select a period, as the law lists them; empty if nothing is drawn.
        uniforms: one per draw.
        others: probability that a draw takes another period than that of its law, shared equally by these.
    """

    periods: tuple[str, ...]
    uniforms: F64
    others: float

    @classmethod
    def of(cls, table_run: TableRun, uniforms: F64, others: float) -> DrawnClaims:
        """Draw the conventions of a table; one of which no line takes a share has none."""
        drawn = others > 0.0 and USMCA_SWITCH in table_run.basis_switches()
        values = table_run.law.choices.switches[USMCA_SWITCH].values if drawn else ()
        return cls(tuple(value for value in values if value != RESPONDING), uniforms, others)

    def of_outcome(self, outcome: Outcome) -> list[DrawnOutcome]:
        """Split the draws by convention; those of the outcome's own law come first."""
        settings = self._others(outcome.law)
        if not settings:
            return [DrawnOutcome(outcome, np.arange(len(self.uniforms)))]
        count = len(settings)
        probability = count / len(_COSTS) if is_responding(outcome.law) else self.others
        # The first alternatives are drawn from the low end; from `probability` on a draw takes the law's own.
        place = np.minimum(np.floor(self.uniforms / probability * count), count).astype(int)
        own = DrawnOutcome(outcome, np.flatnonzero(place == count))
        others = enumerate(map(outcome.switched, settings))
        return [own, *(DrawnOutcome(other, np.flatnonzero(place == k)) for k, other in others)]

    def farthest(self, outcome: Outcome) -> Outcome:
        """Outcome under the last alternative, the low end of the tornado; its own if there is none."""
        settings = self._others(outcome.law)
        return outcome.switched(settings[-1]) if settings else outcome

    def _others(self, law: Law) -> list[Settings]:
        if not self.periods:
            return []
        if not is_responding(law):
            return [{USMCA_SWITCH: value} for value in self.periods if value != law.setting(USMCA_SWITCH)]
        cost = law.setting(CLAIM_COST)
        # No cost and one that prohibits claims are limits, not estimates.
        return [{CLAIM_COST: other} for other in _COSTS if other != cost and cost in _COSTS]
