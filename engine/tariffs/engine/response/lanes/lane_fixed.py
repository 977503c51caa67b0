"""Compose steps of duty that are the same in all lanes, before the lane kernel takes the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, Bools, ratio, sums_of
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.sweep_inputs import SweepVarieties

_REFRESH_BELOW = -0.5
# Relative fall of a sum of weights from which on its log keeps more digits than that of one plus the growth.


@dataclass(frozen=True)
class FixedState:
    """Varieties whose rates no lane moves after some steps, without the factors of their products.

    Attributes:
        varieties: marks the varieties.
        rate: per variety, after the last step.
        hats: value and quantity (2 x varieties).
        change, total: (steps x products) what the varieties add to the sum of weights of their product by a step, over
            the power, and what they have in it after the step.
    """

    varieties: Bools
    rate: F64
    hats: F64
    change: F64
    total: F64


@dataclass(frozen=True)
class LaneStart:
    """State before the first step that some lane moves.

    Attributes:
        hats: value and quantity per variety (2 x varieties).
        share: share of each variety in the landed cost of its product.
        landed, surplus, price: landed cost, surplus of buyers so far, and log price of imports, per product.
    """

    hats: F64
    share: F64
    landed: F64
    surplus: F64
    price: F64


def compose(
    v: SweepVarieties, marks: Bools, paths: RatePaths, days: slice, share: F64, terms: F64
) -> FixedState:
    """Compose the steps of marked varieties on some days.

    Args:
        v: varieties and products; the rate class of a variety is its path.
        marks: the varieties, whose rates no lane moves on these days.
        paths: the paths.
        days: the days.
        share: share of each variety in the landed cost of its product before the first of the days.
        terms: of the kinds by day (kinds x days x terms); see `kernels.lane_terms`.
    """
    from tariffs.engine.response.kernels.exp_log import LANES as L
    from tariffs.engine.response.kernels.lane_terms import INVERSE_POWER, IS_GEOMETRIC, LOST, ONE_W, POWER

    products, steps = v.kind.size, days.stop - days.start
    lines = np.flatnonzero(marks & (v.landed > 0.0)[v.product])
    used, place = np.unique(v.rate_class[lines], return_inverse=True)
    changes = paths.changes(used, days.start, days.stop)
    row, source = changes.of(place)
    step, log = changes.step[source], paths.logs(changes)[source]
    order = np.argsort(step, kind="stable")
    ends = np.searchsorted(step[order], np.arange(steps + 1))
    product, weight, logs = v.product[lines], share[lines].copy(), np.zeros((2, lines.size))
    change, total = np.zeros((2, steps, products))
    sum_of_weights = sums_of(product, weight, products)
    for j in range(steps):
        own = order[ends[j] : ends[j + 1]]
        if own.size:
            i, power = row[own], log[own]
            term = terms[v.kind[product[i]], days.start + j].T
            growth = (
                np.expm1(term[POWER // L] * power) * term[INVERSE_POWER // L]
                + term[IS_GEOMETRIC // L] * power
            )
            change[j] = sums_of(product[i], weight[i] * growth, products)
            weight[i] *= np.exp(term[POWER // L] * power)
            lost = term[LOST // L] * power
            logs[0, i] -= term[ONE_W // L] * lost
            logs[1, i] -= lost
            sum_of_weights = sums_of(product, weight, products)
        total[j] = sum_of_weights
    hats = np.ones((2, v.v0.size))
    # High elasticities may leave the range of numbers; their lanes are solved in another way.
    with np.errstate(over="ignore"):
        hats[:, lines] = np.exp(logs)
    hats[~np.isfinite(hats)] = 0.0
    return FixedState(marks, paths.known[paths.form[v.rate_class, days.stop]], hats, change, total)


def start_of(v: SweepVarieties, chosen: Bools, paths: RatePaths, days: int, terms: F64) -> LaneStart:
    """Compose the first days for the chosen products, whose paths no lane moves by then."""
    from tariffs.engine.response.kernels.exp_log import LANES as L
    from tariffs.engine.response.kernels.lane_terms import (
        INVERSE_POWER,
        INVERSE_S,
        IS_GEOMETRIC,
        IS_LOG,
        ONE_W,
        POWER,
        S_POWER,
        SCALE,
        SHIFT,
    )

    landed, (surplus, prices) = v.landed, np.zeros((2, v.kind.size))
    share = ratio(v.v0 * (1.0 + v.base), landed[v.product], 0.0)
    hats = np.ones((2, v.v0.size))
    if not days:
        return LaneStart(hats, share, landed, surplus, prices)
    state = compose(v, chosen[v.product], paths, slice(0, days), share, terms)
    logs, whole = np.zeros((2, v.kind.size)), np.ones(v.kind.size)
    for j in range(days):
        k = np.flatnonzero(state.change[j])
        term = terms[v.kind[k], j].T
        mean, after = state.change[j, k] / whole[k], state.total[j, k] / whole[k]
        growth = term[POWER // L] * mean
        log = np.where(growth > _REFRESH_BELOW, np.log1p(np.maximum(growth, _REFRESH_BELOW)), np.log(after))
        price = (log * term[INVERSE_POWER // L] + term[IS_GEOMETRIC // L] * mean) * term[SCALE // L]
        gain, more = term[SHIFT // L] * price, np.expm1(term[S_POWER // L] * price)
        logs[:, k] += np.stack([term[ONE_W // L] * gain, gain])
        surplus[k] -= landed[k] * (more * term[INVERSE_S // L] + term[IS_LOG // L] * price)
        landed[k] *= 1.0 + more
        prices[k] += price
        whole[k] = state.total[j, k]
    hats = state.hats * np.exp(logs)[:, v.product]
    spent = hats[0] * v.v0 * (1.0 + paths.known[paths.form[v.rate_class, days]])
    share = ratio(spent, sums_of(v.product, spent, v.kind.size)[v.product], 0.0)
    return LaneStart(hats, share, landed, surplus, prices)
