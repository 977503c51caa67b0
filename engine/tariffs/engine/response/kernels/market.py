"""Compiled kernels of the market above products: one root per nest of products and domestic goods."""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.kernels.armington import growth, log_ces, top_logs

_NEWTON_CAP = 60
_BISECTION_CAP = 200
_TOLERANCE = 1e-14
_LEAST_LOG = 1e-5


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


@jit
def log_mean(before: float, after: float) -> float:
    """Compute the logarithmic mean of two shares; their common value where they are equal."""
    if after <= 0.0:
        return 0.0
    if before <= 0.0 or before == after:
        return 0.5 * (before + after)
    log = np.log(after / before)
    # Near equality the arithmetic mean has the digits that the quotient loses.
    return float((after - before) / log) if abs(log) > _LEAST_LOG else 0.5 * (before + after)


@jit
def market_accounts(
    first: int,
    last: int,
    order: Ints,
    offsets: Ints,
    landed: Floats,
    goods: Floats,
    price: Floats,
    w: Floats,
    parameters: Floats,
    nests: Floats,
    products: Floats,
) -> None:
    """Value the solved nests [first, last) and divide their surplus over products.

    The log of a CES index is the sum of the logs of its prices with Sato-Vartia weights, so the parts add up exactly.
    Reads what `market_nests` reads and writes, and `goods`, domestic shipments per product. Writes `products` (6,
    products: hats of quantity and exporter's price, surplus of buyers and of domestic producers, hats of domestic price
    and quantity).
    """
    for k in range(first, last):
        eta, kappa, top = parameters[k, 0], parameters[k, 1], parameters[k, 2]
        domestic, domestic_w = parameters[k, 3], parameters[k, 4]
        a, x, y, domestic_price = nests[k, 0], nests[k, 1], nests[k, 2], nests[k, 3]
        imports = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            imports += landed[order[i]]
        spent = imports + domestic
        domestic_quantity = (kappa - top) * y - kappa * domestic_price
        loss = -spent * growth(y, 1.0 - top)
        gain = domestic * domestic_w * growth(domestic_quantity, 1.0 + domestic_w)
        per_log = loss / y if y != 0.0 else -spent
        share = imports / spent if spent > 0.0 else 0.0
        middle = log_mean(share, share * np.exp((1.0 - kappa) * (x - y)))
        other = log_mean(1.0 - share, (1.0 - share) * np.exp((1.0 - kappa) * (domestic_price - y)))
        of_imports = middle / (middle + other) if middle > 0.0 else 0.0
        total = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            j = order[i]
            moved = a / (1.0 + eta * w[j])
            within = landed[j] / imports if imports > 0.0 else 0.0
            weight = log_mean(within, within * np.exp((1.0 - eta) * (price[j] + w[j] * moved - x)))
            total += weight
            products[0, j] = np.exp(moved)
            products[1, j] = np.exp(w[j] * moved)
            products[2, j] = weight * (price[j] + w[j] * moved)
            products[4, j] = np.exp(domestic_price)
            products[5, j] = np.exp(domestic_quantity)
        for i in range(offsets[k], offsets[k + 1]):
            j = order[i]
            own = goods[j] / domestic if domestic > 0.0 else 0.0
            part = of_imports * products[2, j] / total if total > 0.0 else 0.0
            products[2, j] = per_log * (part + (1.0 - of_imports) * domestic_price * own)
            products[3, j] = gain * own
