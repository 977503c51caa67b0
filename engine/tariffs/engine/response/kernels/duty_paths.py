"""Kernel of the adjustment path: steps of duty composed, each with the elasticities of its age.

The state of a product after some steps is a hat per variety times a factor of the product, so that a step touches only
the varieties whose duty it changes. A product has slots of its own: any split over threads gives the same bits.
"""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import growth, top_logs
from tariffs.engine.response.kernels.draws import Words, mixed

_NEWTON_CAP = 60
_BISECTION_CAP = 200
_TOLERANCE = 1e-14
_REFRESH_BELOW = -0.5
"""Relative change of a sum below which it is computed again from its terms, since a difference would lose digits."""


@jit
def mark_paths(variety: I32, power: Words, step: int, marks: Words) -> None:
    """Fold the bits of one step into the marks of the varieties that it moves: equal paths have equal marks."""
    for place in range(variety.size):
        mark = np.uint64(mixed(marks[variety[place]], np.uint64(step + 1)))
        marks[variety[place]] = mixed(mark, power[place])


@jit
def number_paths(first: int, last: int, offsets: I64, t0: F64, marks: Words, cell: I64, counts: I64) -> None:
    """Number the distinct paths of duty of the varieties of products [first, last) from 0, by first appearance.

    Writes `cell` per variety and `counts` per product.
    """
    for k in range(first, last):
        begin, end = offsets[k], offsets[k + 1]
        opened = np.empty(end - begin, dtype=np.int64)
        count = 0
        for i in range(begin, end):
            found = -1
            for place in range(count):
                other = opened[place]
                if marks[other] == marks[i] and t0[other] == t0[i]:
                    found = place
                    break
            if found < 0:
                opened[count] = i
                found = count
                count += 1
            cell[i] = found
        counts[k] = count


@jit
def index_under_supply(
    level: float, w: float, sigma: float, eta: float, kappa: float, share: float
) -> tuple[float, float]:
    """Solve x = ln P_M of one step with domestic goods; returns x and the log price of imports and domestic goods.

    `level` is the log CES mean of the powers of duty with the damped exponent, `w` the inverse supply of all origins,
    `share` that of imports in spending. The root is the one of an increasing function.
    """
    if w == 0.0:
        y, _ = top_logs(level, share, kappa, eta, 0.0)
        return level, y
    pull = w / (1.0 + sigma * w)
    fixed = level / (1.0 + sigma * w)
    low = min(0.0, level)
    high = max(0.0, level)
    x = fixed
    for turn in range(_NEWTON_CAP + _BISECTION_CAP):
        y, dy = top_logs(x, share, kappa, eta, 0.0)
        gap = x - fixed - pull * ((sigma - kappa) * x + (kappa - eta) * y)
        slope = 1.0 - pull * ((sigma - kappa) + (kappa - eta) * dy)
        if gap > 0.0:
            high = x
        else:
            low = x
        following = 0.5 * (low + high)
        if slope > 0.0 and turn < _NEWTON_CAP:
            following = min(max(x - gap / slope, low), high)
        moved = abs(following - x)
        x = following
        if moved <= _TOLERANCE * (1.0 + abs(x)):
            break
    y, _ = top_logs(x, share, kappa, eta, 0.0)
    return x, y


@jit
def compose_steps(
    first: int,
    last: int,
    offsets: I64,
    v0: F64,
    t0: F64,
    start: I64,
    variety: I32,
    power: F64,
    weights: F64,
    stages: F64,
    kappas: F64,
    domestic: F64,
    rate: F64,
    draw: int,
    hats: F64,
    growths: F64,
    owned: F64,
) -> None:
    """Compose the steps of products [first, last) under one draw of elasticities.

    Args:
        first, last: products to compute.
        offsets: first variety of each product, one more than products.
        v0, t0: customs value and rate at the baseline per variety.
        start: first entry of each step, one more than steps.
        variety, power: per entry the variety, ascending within a step, and the log change of its power of duty.
        weights: of impact, short and long per step and parameter (steps, 3, 3).
        stages: sigma, eta and inverse supply by horizon (3, 3, products).
        kappas: substitution between imports and domestic goods per product; NaN is the eta of the step.
        domestic: domestic shipments at the baseline per product, USD.
        rate: rate after the last step per variety.
        draw: place of the draw on the last axis of the outputs.
        hats: output (varieties, 2, draws): quantity and exporter price, after / before.
        growths: output (products, draws): growth of quantity at base prices.
        owned: output (2, products, draws): buyer surplus and welfare.
    """
    steps = start.size - 1
    cursor = np.empty(steps, dtype=np.int64)
    for j in range(steps):
        cursor[j] = start[j] + np.searchsorted(variety[start[j] : start[j + 1]], offsets[first])
    for k in range(first, last):
        begin, end = offsets[k], offsets[k + 1]
        spending = 0.0
        for i in range(begin, end):
            spending += v0[i] * (1.0 + t0[i])
        # Landed value of each variety, and logs of its hats, without the factors that all varieties share.
        weight = np.empty(end - begin)
        logs = np.zeros((end - begin, 2))
        for i in range(begin, end):
            weight[i - begin] = v0[i] * (1.0 + t0[i]) / spending if spending > 0.0 else 0.0
        total = 1.0
        landed = spending
        shipments = domestic[k]
        log_quantity = 0.0
        log_price = 0.0
        surplus = 0.0
        for j in range(steps):
            here = cursor[j]
            stop = here
            while stop < start[j + 1] and variety[stop] < end:
                stop += 1
            cursor[j] = stop
            if stop == here or spending <= 0.0:
                continue
            sigma = 0.0
            eta = 0.0
            w = 0.0
            for stage in range(3):
                sigma += weights[j, 0, stage] * stages[stage, 0, k]
                eta += weights[j, 1, stage] * stages[stage, 1, k]
                w += weights[j, 2, stage] * stages[stage, 2, k]
            kappa = eta if np.isnan(kappas[k]) else kappas[k]
            damping = 1.0 + sigma * w
            a = (1.0 - sigma) / damping
            mean = 0.0
            change = 0.0
            for place in range(here, stop):
                i = variety[place] - begin
                quantity = sigma * power[place] / damping
                logs[i, 0] -= quantity
                logs[i, 1] -= w * quantity
                mean += weight[i] * power[place]
                grown = weight[i] * np.expm1(a * power[place])
                change += grown
                weight[i] += grown
            before = total
            if change > _REFRESH_BELOW * before:
                level = mean / before if a == 0.0 else np.log1p(change / before) / a
                total += change
            else:
                total = 0.0
                for i in range(end - begin):
                    total += weight[i]
                level = np.log(total / before) / a
            if shipments == 0.0 or kappa == eta:
                x = level / (1.0 + eta * w)
                y = x
            else:
                x, y = index_under_supply(level, w, sigma, eta, kappa, landed / (landed + shipments))
            g = (sigma - kappa) * x + (kappa - eta) * y
            surplus -= (landed + shipments) * growth(y, 1.0 - eta)
            landed *= (total / before) * np.exp((1.0 + w) * g / damping)
            shipments *= np.exp((kappa - eta) * y)
            log_quantity += g / damping
            log_price += w * g / damping
        traded = 0.0
        after = 0.0
        revenue = 0.0
        for i in range(begin, end):
            quantity = np.exp(logs[i - begin, 0] + log_quantity)
            price = np.exp(logs[i - begin, 1] + log_price)
            hats[i, 0, draw] = quantity
            hats[i, 1, draw] = price
            traded += v0[i]
            after += v0[i] * quantity
            revenue += rate[i] * v0[i] * quantity * price - t0[i] * v0[i]
        growths[k, draw] = after / traded if traded > 0.0 else 1.0
        owned[0, k, draw] = surplus
        owned[1, k, draw] = surplus + revenue
