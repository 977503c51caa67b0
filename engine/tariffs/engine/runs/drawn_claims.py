"""Draw the period whose USMCA claim shares lines take that declare none: a convention, beside the elasticities.

The shares of 2024, 2025 and the second half of 2025 move the mean rate by more than any elasticity. Most draws take the
shares that the law selects, the others one of the alternatives. See docs/models/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.table_run import TableRun

SWITCH = "usmca_basis"


@dataclass(frozen=True)
class DrawnOutcome:
    """Outcome under one convention, and the indices of the draws that take it."""

    outcome: Outcome
    draws: I64


@dataclass(frozen=True)
class DrawnClaims:
    """Conventions of the draws.

    Attributes:
        values: settings of the switch, as the law lists them; empty if the table takes none of its shares.
        uniforms: one per draw.
        others: probability that a draw takes another setting than that of its law, shared equally by these.
    """

    values: tuple[str, ...]
    uniforms: F64
    others: float

    @classmethod
    def of(cls, table_run: TableRun, uniforms: F64, others: float) -> DrawnClaims:
        """Draw the conventions of a table; one of which no line takes a share has none."""
        drawn = others > 0.0 and SWITCH in table_run.basis_switches()
        values = table_run.law.choices.switches[SWITCH].values if drawn else ()
        return cls(tuple(values), uniforms, others)

    def of_outcome(self, outcome: Outcome) -> list[DrawnOutcome]:
        """Split the draws by convention; those of the outcome's own law come first."""
        if not self.values:
            return [DrawnOutcome(outcome, np.arange(len(self.uniforms)))]
        others = self._others(outcome)
        # The first alternatives are drawn from the low end; from `others` on a draw takes the law's own.
        place = np.minimum(np.floor(self.uniforms / self.others * len(others)), len(others)).astype(int)
        own = DrawnOutcome(outcome, np.flatnonzero(place == len(others)))
        return [own, *(DrawnOutcome(other, np.flatnonzero(place == k)) for k, other in enumerate(others))]

    def farthest(self, outcome: Outcome) -> Outcome:
        """Outcome under the alternative that the law lists last, the low end of the tornado."""
        return self._others(outcome)[-1]

    def _others(self, outcome: Outcome) -> Sequence[Outcome]:
        own = outcome.setting(SWITCH)
        return [outcome.switched({SWITCH: value}) for value in self.values if value != own]
