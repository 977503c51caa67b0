"""Kernels of the Armington response: nested CES prices, quantities and accounts per product.

Products come as ranges of a line order: the lines of product k are `order[offsets[k]:offsets[k + 1]]`. A call
works on products [first, last) and writes only their slots, so that any split over threads gives the same
bits. Logs of hats are used throughout; `w` is the inverse export-supply elasticity, 0 for flat supply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIRECT = 0
NEWTON = 1
BISECTED = 2
NO_TRADE = 3

_NEWTON_CAP = 30
_BISECTION_CAP = 200
_TOLERANCE = 1e-13
_LARGEST_LOG = 700.0
# Beyond this exponent a sum of expm1 loses what log-sum-exp keeps.
_LARGE_EXPONENT = 30.0


@jit
def log_ces(shares: Floats, logs: Floats, a: float) -> float:
    """Compute the log of the CES mean (sum s e^(a l))^(1/a); at a = 0 the geometric mean, its limit."""
    mean = 0.0
    for i in range(shares.size):
        mean += shares[i] * logs[i]
    largest = 0.0
    top = -np.inf
    for i in range(shares.size):
        if shares[i] > 0.0:
            power = a * (logs[i] - mean)
            largest = max(largest, abs(power))
            top = max(top, power)
    if largest == 0.0:
        return mean
    total = 0.0
    if largest <= _LARGE_EXPONENT:
        # Centred on the mean, the first order cancels, so that a near 0 keeps all its digits.
        for i in range(shares.size):
            if shares[i] > 0.0:
                total += shares[i] * np.expm1(a * (logs[i] - mean))
        return float(mean + np.log1p(total) / a)
    for i in range(shares.size):
        if shares[i] > 0.0:
            total += shares[i] * np.exp(a * (logs[i] - mean) - top)
    return float(mean + (top + np.log(total)) / a)


@jit
def line_logs(g: float, w: float, freight: float, t0: float, t1: float, sigma: float) -> tuple[float, ...]:
    """Solve one variety given the demand shift g: ln q = -sigma ln P + g on its supply curve ln p* = w ln q.

    Returns (ln P, ln p*, ln q, d ln P / d g).
    """
    if freight == 0.0:
        power = np.log1p((t1 - t0) / (1.0 + t0))
        quantity = (g - sigma * power) / (1.0 + sigma * w)
        return power + w * quantity, w * quantity, quantity, w / (1.0 + sigma * w)
    if w == 0.0:
        price = np.log1p((t1 - t0) / (1.0 + t0 + freight))
        return price, 0.0, g - sigma * price, 0.0
    log_freight = np.log(freight)
    log_power = np.log1p(t1)
    base = np.log(1.0 + t0 + freight)
    exporter = 0.0
    for _ in range(2 * _NEWTON_CAP):
        gap = log_freight - exporter - log_power
        weight = 1.0 / (1.0 + np.exp(gap))
        price = max(log_freight, exporter + log_power) + np.log1p(np.exp(-abs(gap))) - base
        # Convex and rising with slope >= 1, so Newton's method cannot miss.
        step = (exporter - w * (g - sigma * price)) / (1.0 + w * sigma * weight)
        exporter -= step
        if abs(step) <= 1e-15 * (1.0 + abs(exporter)):
            break
    gap = log_freight - exporter - log_power
    weight = 1.0 / (1.0 + np.exp(gap))
    price = max(log_freight, exporter + log_power) + np.log1p(np.exp(-abs(gap))) - base
    return price, exporter, g - sigma * price, weight * w / (1.0 + w * sigma * weight)


@jit
def two_good_ces(share: float, first: float, second: float, a: float) -> tuple[float, float]:
    """Compute the log CES mean of two goods, and the after-shock weight of the first."""
    mean = share * first + (1.0 - share) * second
    one = a * (first - mean)
    two = a * (second - mean)
    if max(abs(one), abs(two)) == 0.0:
        return mean, share
    if max(abs(one), abs(two)) <= _LARGE_EXPONENT:
        level = mean + np.log1p(share * np.expm1(one) + (1.0 - share) * np.expm1(two)) / a
    else:
        top = max(one, two)
        level = mean + (top + np.log(share * np.exp(one - top) + (1.0 - share) * np.exp(two - top))) / a
    return level, share * np.exp(a * (first - level))


@jit
def top_logs(x: float, share: float, kappa: float, eta: float, w: float) -> tuple[float, float]:
    """Compute the log price y of imports and domestic goods together given import price x, and dy/dx.

    `share` is that of imports, `w` the inverse domestic supply elasticity: ln P_D = c y.
    """
    if share >= 1.0:
        return x, 1.0
    c = w * (kappa - eta) / (1.0 + kappa * w)
    low = min(0.0, x)
    high = max(0.0, x)
    y = share * x
    for _ in range(2 * _NEWTON_CAP + _BISECTION_CAP):
        level, weight = two_good_ces(share, x, c * y, 1.0 - kappa)
        slope = 1.0 - (1.0 - weight) * c
        if y > level:
            high = y
        else:
            low = y
        following = y - (y - level) / slope
        following = min(max(following, low), high) if slope > 0.0 else 0.5 * (low + high)
        moved = abs(following - y)
        y = following
        if moved <= _TOLERANCE * (1.0 + abs(y)):
            break
    level, weight = two_good_ces(share, x, c * y, 1.0 - kappa)
    return y, weight / (1.0 - (1.0 - weight) * c)


@jit
def import_gap(
    x: float,
    shares: Floats,
    w: Floats,
    freight: Floats,
    t0: Floats,
    t1: Floats,
    demand: Floats,
    logs: Floats,
    slopes: Floats,
) -> tuple[float, float]:
    """Compute F(x) = x - ln P_M(x) and its slope; `demand` = (sigma, eta, kappa, import share, domestic w)."""
    sigma, eta, kappa = demand[0], demand[1], demand[2]
    y, dy = top_logs(x, demand[3], kappa, eta, demand[4])
    g = (sigma - kappa) * x + (kappa - eta) * y
    for i in range(shares.size):
        price, _, _, slope = line_logs(g, w[i], freight[i], t0[i], t1[i], sigma)
        logs[i] = price
        slopes[i] = slope
    level = log_ces(shares, logs, 1.0 - sigma)
    total = 0.0
    for i in range(shares.size):
        if shares[i] > 0.0:
            total += shares[i] * np.exp((1.0 - sigma) * (logs[i] - level)) * slopes[i]
    return x - level, 1.0 - total * ((sigma - kappa) + (kappa - eta) * dy)


@jit
def solve_import_price(
    shares: Floats, w: Floats, freight: Floats, t0: Floats, t1: Floats, demand: Floats
) -> tuple[float, int]:
    """Find the root x = ln P_M of the increasing function `import_gap`, and its status."""
    low = 0.0
    high = 0.0
    for i in range(shares.size):
        if shares[i] > 0.0:
            power = np.log1p((t1[i] - t0[i]) / (1.0 + t0[i]))
            low = min(low, power)
            high = max(high, power)
    logs = np.empty(shares.size)
    slopes = np.empty(shares.size)
    x = 0.0
    for _ in range(_NEWTON_CAP):
        gap, slope = import_gap(x, shares, w, freight, t0, t1, demand, logs, slopes)
        if gap > 0.0:
            high = x
        else:
            low = x
        following = min(max(x - gap / slope, low), high) if slope > 0.0 else 0.5 * (low + high)
        moved = abs(following - x)
        x = following
        if moved <= _TOLERANCE * (1.0 + abs(x)):
            return x, NEWTON
    for _ in range(_BISECTION_CAP):
        x = 0.5 * (low + high)
        if high - low <= _TOLERANCE * (1.0 + abs(x)):
            break
        gap, _ = import_gap(x, shares, w, freight, t0, t1, demand, logs, slopes)
        if gap > 0.0:
            high = x
        else:
            low = x
    return x, BISECTED


@jit
def import_price(
    shares: Floats, w: Floats, freight: Floats, t0: Floats, t1: Floats, demand: Floats
) -> tuple[float, int]:
    """Compute the log of the import price index of one product, by closed form where there is one."""
    sigma, eta, kappa = demand[0], demand[1], demand[2]
    two_tier = demand[3] >= 1.0 or kappa == eta
    common = -1.0
    mixed = False
    plain = True
    for i in range(shares.size):
        if shares[i] > 0.0:
            if common < 0.0:
                common = w[i]
            mixed = mixed or w[i] != common
            plain = plain and freight[i] == 0.0
    closed = not mixed and (common == 0.0 or (plain and two_tier))
    if not closed:
        return solve_import_price(shares, w, freight, t0, t1, demand)
    logs = np.empty(shares.size)
    for i in range(shares.size):
        logs[i] = np.log1p((t1[i] - t0[i]) / (1.0 + t0[i] + freight[i]))
    # With a common w the index of prices is that of the powers with a damped exponent.
    damped = (1.0 - sigma) / (1.0 + sigma * common)
    return log_ces(shares, logs, damped) / (1.0 + eta * common), DIRECT


@jit
def armington_prices(
    first: int,
    last: int,
    order: Ints,
    offsets: Ints,
    v0: Floats,
    rates: Floats,
    w: Floats,
    freight: Floats,
    parameters: Floats,
    hats: Floats,
    nests: Floats,
    status: Ints,
) -> None:
    """Solve products [first, last).

    Reads `rates` (2, lines: t0, t1) and `parameters` (products, 5: sigma, eta, kappa, domestic value,
    domestic w). Writes `hats` (3, lines: landed price, exporter price, quantity) and `nests` (products, 3:
    logs of the import price and of the price of imports and domestic goods, and the import price).
    """
    for k in range(first, last):
        begin = offsets[k]
        count = offsets[k + 1] - begin
        shares = np.empty(count)
        line_w = np.empty(count)
        line_freight = np.empty(count)
        t0 = np.empty(count)
        t1 = np.empty(count)
        landed = 0.0
        for i in range(count):
            j = order[begin + i]
            t0[i] = rates[0, j]
            t1[i] = rates[1, j]
            line_w[i] = w[j]
            line_freight[i] = freight[j]
            shares[i] = v0[j] * (1.0 + t0[i] + freight[j])
            landed += shares[i]
        if landed <= 0.0:
            nests[k, 0] = 0.0
            nests[k, 1] = 0.0
            nests[k, 2] = 1.0
            status[k] = NO_TRADE
            for i in range(count):
                hats[:, order[begin + i]] = 1.0
            continue
        for i in range(count):
            shares[i] /= landed
        demand = np.empty(5)
        for p in range(3):
            demand[p] = parameters[k, p]
        demand[3] = landed / (landed + parameters[k, 3])
        demand[4] = parameters[k, 4]
        x, found = import_price(shares, line_w, line_freight, t0, t1, demand)
        y, _ = top_logs(x, demand[3], demand[2], demand[1], demand[4])
        g = (demand[0] - demand[2]) * x + (demand[2] - demand[1]) * y
        nests[k, 0] = x
        nests[k, 1] = y
        nests[k, 2] = np.exp(x)
        status[k] = found
        for i in range(count):
            j = order[begin + i]
            price, exporter, quantity, _ = line_logs(g, line_w[i], line_freight[i], t0[i], t1[i], demand[0])
            if v0[j] == 0.0:
                # Without trade a line has no weight in the index, so nothing bounds its own hats.
                price = min(price, _LARGEST_LOG)
                exporter = min(exporter, _LARGEST_LOG)
                quantity = min(quantity, _LARGEST_LOG)
            hats[0, j] = np.exp(price)
            hats[1, j] = np.exp(exporter)
            hats[2, j] = np.exp(quantity)


@jit
def growth(log_hat: float, power: float) -> float:
    """Compute (X^power - 1) / power for the hat X with that log; the log itself at power 0."""
    if power == 0.0:
        return log_hat
    return float(np.expm1(power * log_hat) / power)


@jit
def armington_accounts(
    first: int,
    last: int,
    order: Ints,
    offsets: Ints,
    v0: Floats,
    rates: Floats,
    w: Floats,
    freight: Floats,
    parameters: Floats,
    hats: Floats,
    nests: Floats,
    status: Ints,
    lines: Floats,
    products: Floats,
) -> None:
    """Value the solved products [first, last).

    Writes `lines` (9, lines: value, revenue before and after, landed before and after, creation, diversion,
    price effect, supplier surplus) and `products` (8, products: buyer surplus, terms of trade, welfare,
    deadweight loss, import price and quantity hats, domestic quantity hat, domestic supplier surplus).
    """
    for k in range(first, last):
        begin = offsets[k]
        end = offsets[k + 1]
        before = 0.0
        after = 0.0
        for i in range(begin, end):
            before += v0[order[i]]
            after += v0[order[i]] * hats[2, order[i]]
        growth_of_all = after / before if before > 0.0 else 1.0
        landed = 0.0
        revenue = 0.0
        terms = 0.0
        for i in range(begin, end):
            j = order[i]
            quantity = v0[j] * hats[2, j]
            value = quantity * hats[1, j]
            lines[0, j] = value
            lines[1, j] = rates[0, j] * v0[j]
            lines[2, j] = rates[1, j] * value
            lines[3, j] = v0[j] * (1.0 + rates[0, j] + freight[j])
            lines[4, j] = value * (1.0 + rates[1, j]) + freight[j] * quantity
            lines[5, j] = v0[j] * (growth_of_all - 1.0)
            lines[6, j] = quantity - v0[j] * growth_of_all
            lines[7, j] = value - quantity
            # (p*^(1 + eps) - 1) / (1 + eps) written in w = 1/eps, which holds for flat supply too.
            lines[8, j] = 0.0
            if w[j] > 0.0 and v0[j] > 0.0:
                lines[8, j] = v0[j] * w[j] * growth(np.log(hats[2, j]), 1.0 + w[j])
            landed += lines[3, j]
            revenue += lines[2, j] - lines[1, j]
            terms += quantity - value
        eta, kappa = parameters[k, 1], parameters[k, 2]
        x, y = nests[k, 0], nests[k, 1]
        domestic_w = parameters[k, 4]
        domestic = (kappa - eta) * y / (1.0 + kappa * domestic_w)
        if status[k] == NO_TRADE:
            products[:, k] = 0.0
            products[4:7, k] = 1.0
            continue
        products[0, k] = -(landed + parameters[k, 3]) * growth(y, 1.0 - eta)
        products[7, k] = parameters[k, 3] * domestic_w * growth(domestic, 1.0 + domestic_w)
        products[1, k] = terms
        products[2, k] = products[0, k] + products[7, k] + revenue
        products[3, k] = terms - products[2, k]
        products[4, k] = nests[k, 2]
        products[5, k] = np.exp((kappa - eta) * y - kappa * x)
        products[6, k] = np.exp(domestic)
