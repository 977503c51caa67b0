"""Result columns of limits on quantities: premium, and rents by holder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.law.law import Law
from tariffs.engine.response.trade.volumes import QuotaRents
from tariffs.engine.runs.column_names import LIMIT_SUMS
from tariffs.engine.scenario import Scenario, components, library, lineage
from tariffs.engine.tables.line_arrays import LineArrays

SHOCK = "shock_quantity"
"""The change of a scenario that limits quantities."""


def has_limits(law: Law, scenarios: Sequence[Scenario]) -> bool:
    """Test whether some scenario, or the law before them, has limits or floors on quantities on any day."""
    if law.constraints or law.assumptions.quantities:
        return True
    parts = [part for scenario in scenarios for _, part in components(scenario)]
    return any(
        step.assumptions.quantities or any(change.op == SHOCK for change in step.changes)
        for part in parts
        for step in lineage(part, library())
    )


def rent_columns(lines: LineArrays, rents: QuotaRents | None) -> dict[str, F64]:
    """Amounts per line of the rents of limits, in dollars; 0 without a limit."""
    if rents is None:
        return dict.fromkeys(LIMIT_SUMS, np.zeros(lines.count))
    amounts = (rents.importer, rents.exporter, rents.government, rents.limited, rents.paid)
    return dict(zip(LIMIT_SUMS, amounts, strict=True))
