"""Make sweeps of one change of duty from rate classes, for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sweep import LaneSweep
from tariffs.engine.response.lanes.sweep_inputs import (
    SweepElasticities,
    SweepTrade,
    checked_trade,
    stacked_elasticities,
)


@dataclass(frozen=True, slots=True)
class SweepReference:
    """Rates and elasticities that are the same in all scenarios of a sweep.

    Attributes:
        rates: rate of each class; those of moved classes are not read.
        moved: marks the classes whose rate some scenario moves.
        elasticities: one set per kind.
    """

    rates: ArrayLike
    moved: ArrayLike
    elasticities: SweepElasticities


def sweep_at_once(trade: SweepTrade, reference: SweepReference | None = None) -> LaneSweep:
    """Make the solver of one change of duty, whose forms begin with the rate classes of the trade.

    `reference` is what no lane moves; without it every rate and elasticity may move.
    """
    v = checked_trade(trade)
    count = int(v.rate_class.max(initial=-1)) + 1
    moved, rates, held = np.ones(count, dtype=bool), np.zeros(count), None
    if reference is not None:
        moved = np.asarray(reference.moved)
        rates = np.where(moved, 0.0, reference.rates)
        kinds = int(v.kind.max(initial=-1)) + 1
        held = stacked_elasticities(reference.elasticities, kinds, 1)
    paths, of_variety = RatePaths.at_once(v.base, v.rate_class, rates, moved)
    return LaneSweep(replace(trade, rate_class=of_variety), paths, held)
