"""Move purchases in time: buying ahead of a duty that is expected, and less while the stocks last.

A pure stage on the quantities of a response: it multiplies the trade of a day. See docs/models/anticipation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.response.constants import constant, constants
from tariffs.engine.response.trade.varieties import VarietyVolume

DAYS_A_MONTH = 365.0 / 12.0
_TERMS = ("storage_cost", "storage_most", "storage_lead")


@dataclass(frozen=True, slots=True)
class Storage:
    """Cost of holding a good for a month, a fraction of its landed cost, largest stock and longest lead in months."""

    cost: float
    most: float
    lead: float


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """Change of duty that buyers expected.

    Attributes:
        days: from the day of the result to the change; 0 or less once it is in force.
        window: days from its being expected to the change.
        gain: log change of one plus the rate, per line.
    """

    days: int
    window: int
    gain: F64


def default_storage() -> Storage:
    """Terms of storage of the embedded constants."""
    return Storage(*map(constant, _TERMS))


def storage_facts() -> dict[str, object]:
    """Describe the terms of storage for the provenance."""
    return {name: dict(zip(("value", "source"), constants()[name], strict=True)) for name in _TERMS}


def stock_months(gain: F64, window: float, storage: Storage) -> F64:
    """Compute months of purchases that are moved ahead of a rise of duty; negative if put off until a fall.

    A unit is bought m months early if the duty that it saves is more than holding it costs; a day's purchases at most
    double, or stop.

    `gain` is the log change of one plus the rate; purchases can be moved over a window in months.
    """
    most = min(storage.most, window)
    return np.clip(gain / storage.cost, -most, most)


def purchase_factor(steps: Sequence[ExpectedStep], lines: int, storage: Storage) -> F64:
    """Compute the factor on the purchases of a day (lines).

    What is moved ahead of a step is spread evenly over its window, and missing evenly over as long after it.
    """
    factor = np.ones(lines)
    for step in steps:
        window = min(step.window / DAYS_A_MONTH, storage.lead)
        away = step.days / DAYS_A_MONTH
        if window <= 0.0 or not -window < away <= window:
            continue
        share = stock_months(step.gain, window, storage) / window
        factor += share if away > 0.0 else -share
    return np.maximum(factor, 0.0)


def move_purchases(volume: VarietyVolume, factor: F64, product: I64) -> VarietyVolume:
    """Multiply the trade of varieties; their surplus, and that of their products, is then unknown."""
    moved = factor != 1.0
    unknown = np.zeros(len(volume.welfare), dtype=bool)
    unknown[product[moved]] = True
    return volume.times(factor, moved, unknown)
