"""Compiled kernel of the market above products: one root per nest of products and domestic goods."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.kernels.armington import log_ces, top_logs

_NEWTON_CAP = 60
_BISECTION_CAP = 200
_TOLERANCE = 1e-14


@jit
def nest_gap(
    a: float, shares: Floats, base: Floats, slope: Floats, demand: Floats, logs: Floats
) -> tuple[float, float, float, float]:
    """Compute F(a) = a - (eta - kappa) x - (kappa - top) y, its slope, x and y.

    `a` is the log shift of demand for every product of the nest, x the log price of its imports and y that of imports
    and domestic goods. `demand` = (eta, kappa, top, import share, domestic w); `logs` is working space.
    """
    eta, kappa, top = demand[0], demand[1], demand[2]
    for i in range(shares.size):
        logs[i] = base[i] + a * slope[i]
    x = log_ces(shares, logs, 1.0 - eta)
    y, dy = top_logs(x, demand[3], kappa, top, demand[4])
    rise = 0.0
    for i in range(shares.size):
        if slope[i] > 0.0:
            rise += shares[i] * np.exp((1.0 - eta) * (logs[i] - x)) * slope[i]
    gap = a - (eta - kappa) * x - (kappa - top) * y
    return gap, 1.0 - ((eta - kappa) + (kappa - top) * dy) * rise, x, y


@jit
def solve_nest(shares: Floats, base: Floats, slope: Floats, demand: Floats) -> tuple[float, float, float]:
    """Find the root a of the increasing function `nest_gap`; gives a, x and y."""
    logs = np.empty(shares.size)
    gap, _, x, y = nest_gap(0.0, shares, base, slope, demand, logs)
    steepest = slope.max()
    if steepest == 0.0:
        return -gap, x, y
    # The slope of the gap is at least 1 - eta slope, so the root is within this distance.
    reach = abs(gap) / (1.0 - demand[0] * steepest) + _TOLERANCE
    low, high = -reach, reach
    a = 0.0
    for _ in range(_NEWTON_CAP + _BISECTION_CAP):
        gap, rise, x, y = nest_gap(a, shares, base, slope, demand, logs)
        if gap > 0.0:
            high = a
        else:
            low = a
        following = a - gap / rise
        if not low <= following <= high:
            following = 0.5 * (low + high)
        moved = abs(following - a)
        a = following
        if moved <= _TOLERANCE * (1.0 + abs(a)):
            break
    _, _, x, y = nest_gap(a, shares, base, slope, demand, logs)
    return a, x, y


@jit
def market_nests(
    first: int,
    last: int,
    order: Ints,
    offsets: Ints,
    landed: Floats,
    price: Floats,
    w: Floats,
    parameters: Floats,
    nests: Floats,
) -> None:
    """Solve nests [first, last).

    Reads per product `landed`, `price` (log, before the market) and inverse supply `w`, and `parameters` (nests, 5:
    eta, kappa, top, domestic value, domestic w). Writes `nests` (nests, 4: the shift of demand, and the logs of the
    prices of imports, of both, and of domestic goods).
    """
    for k in range(first, last):
        begin = offsets[k]
        count = offsets[k + 1] - begin
        shares = np.empty(count)
        base = np.empty(count)
        slope = np.empty(count)
        total = 0.0
        for i in range(count):
            j = order[begin + i]
            shares[i] = landed[j]
            base[i] = price[j]
            slope[i] = w[j] / (1.0 + parameters[k, 0] * w[j])
            total += landed[j]
        nests[k, :] = 0.0
        if total <= 0.0:
            continue
        for i in range(count):
            shares[i] /= total
        demand = np.empty(5)
        demand[:3] = parameters[k, :3]
        demand[3] = total / (total + parameters[k, 3])
        demand[4] = parameters[k, 4]
        a, x, y = solve_nest(shares, base, slope, demand)
        kappa, top, domestic_w = demand[1], demand[2], demand[4]
        nests[k, 0] = a
        nests[k, 1] = x
        nests[k, 2] = y
        nests[k, 3] = domestic_w * (kappa - top) / (1.0 + kappa * domestic_w) * y
