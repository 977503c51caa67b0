"""Kernels of the market above products in lanes: one root per nest of products and domestic goods, and its accounts.

Where all products of a nest have one export supply elasticity, the shift of demand moves their prices by one factor, so
that the price of the nest's imports needs the exponential of each product's price once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import growth, log_ces, top_logs, two_good_ces
from tariffs.engine.response.kernels.exp_log import exp_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ROUNDS = 60
_BISECTION_CAP = 200
_TOLERANCE = 1e-15
_LEAST_LOG = 1e-5
# Relative fall of a sum of weights from which on its log has lost digits.
_FAR_BELOW = -0.9

NEST_ROWS = 5
"""Rows of a nest: hats of price and quantity of domestic goods, gain of their producers, and the logs of the prices of
imports and of both."""


class NestPack(NamedTuple):
    """Nests of some products.

    Attributes:
        offsets: first member of each nest, one more than nests.
        still: first member of each nest whose price no lane moves; they come last, with one elasticity in all lanes.
        row, supply, shift, gain: rows of the price, the inverse supply, the shifts and the gains of each member.
        landed, goods: landed imports and domestic goods of each member at the baseline, USD.
        is_owned: per nest, whether all its members have one owner, so that they have one row of gains.
        shifts: first row of shifts of each nest, one more than nests: one for each inverse supply among its members.
        shift_supply: row of the inverse supply of each row of shifts.
    """

    offsets: Ints
    still: Ints
    row: Ints
    supply: Ints
    shift: Ints
    gain: Ints
    landed: Floats
    goods: Floats
    is_owned: Bools
    shifts: Ints
    shift_supply: Ints


@jit
def nest_gap(
    a: float, shares: Floats, base: Floats, slope: Floats, demand: tuple[float, ...], logs: Floats
) -> tuple[float, float, float, float]:
    """Compute F(a) = a - (eta - kappa) x - (kappa - top) y, its slope, x and y.

    `a` is the log shift of demand for every product of the nest, x the log price of its imports and y that of imports
    and domestic goods. `demand` = (eta, kappa, top, import share, domestic w); `logs` is working space.
    """
    eta, kappa, top, share, domestic_w = demand
    for i in range(shares.size):
        logs[i] = base[i] + a * slope[i]
    x = log_ces(shares, logs, 1.0 - eta)
    y, dy = top_logs(x, share, kappa, top, domestic_w)
    rise = 0.0
    for i in range(shares.size):
        if slope[i] > 0.0:
            rise += shares[i] * np.exp((1.0 - eta) * (logs[i] - x)) * slope[i]
    gap = a - (eta - kappa) * x - (kappa - top) * y
    return gap, 1.0 - ((eta - kappa) + (kappa - top) * dy) * rise, x, y


@jit
def solve_nest(
    shares: Floats, base: Floats, slope: Floats, demand: tuple[float, ...], logs: Floats
) -> tuple[float, float, float]:
    """Find the root a of the increasing function `nest_gap`; gives a, x and y."""
    gap, _, x, y = nest_gap(0.0, shares, base, slope, demand, logs)
    # The slope of the gap is at least 1 - eta slope, so the root is within this distance.
    reach = abs(gap) / (1.0 - demand[0] * slope.max()) + _TOLERANCE
    low, high = -reach, reach
    a = 0.0
    for _ in range(_ROUNDS + _BISECTION_CAP):
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
        if moved <= 10.0 * _TOLERANCE * (1.0 + abs(a)):
            break
    _, _, x, y = nest_gap(a, shares, base, slope, demand, logs)
    return a, x, y


@jit
def solve_price(
    price: float, share: float, eta: float, kappa: float, top: float, domestic_w: float, w: float
) -> tuple[float, float]:
    """Find the log prices of a nest's imports, and of these and domestic goods, given the former without a shift.

    `domestic_w` and `w` are the inverse supply of domestic goods and of imports. A product with domestic goods of its
    own is a nest of its varieties. The function of y falls and is convex or concave, so that Newton's method cannot
    miss.
    """
    c = domestic_w * (kappa - top) / (1.0 + kappa * domestic_w)
    held, rise = (1.0 + kappa * w) / (1.0 + eta * w), w * (kappa - top) / (1.0 + kappa * w)
    y = share * price
    for _ in range(_ROUNDS):
        level, weight = two_good_ces(share, price / held + rise * y, c * y, 1.0 - kappa)
        step = (level - y) / (1.0 - weight * rise - (1.0 - weight) * c)
        y += step
        if abs(step) <= _TOLERANCE * (1.0 + abs(y)):
            break
    return price / held + rise * y, y


@jit
def price_of_imports(
    n: int, nests: NestPack, prices: Floats, power: Floats, shares: Floats, num: Floats, less: Floats, bits: Ints,
    logs: Floats, alone: Floats,
) -> None:  # fmt: skip
    """Compute the log price of the imports of nest n without a shift of demand, in every lane, into `alone`."""
    lanes, begin, still, end = power.size, nests.offsets[n], nests.still[n], nests.offsets[n + 1]
    for i in range(begin, still):
        row = nests.row[i]
        for b in range(lanes):
            num[i - begin, b] = power[b] * prices[row, b]
    exp_array(num.reshape(-1), less.reshape(-1), bits, (still - begin) * lanes)
    constant = 0.0
    for i in range(still, end):
        price = prices[nests.row[i], 0]
        constant += shares[i - begin] * (price if power[0] == 0.0 else np.expm1(power[0] * price))
    alone[:] = constant
    for i in range(begin, still):
        row, within = nests.row[i], shares[i - begin]
        for b in range(lanes):
            alone[b] += within * (prices[row, b] if power[b] == 0.0 else less[i - begin, b])
    for b in range(lanes):
        if power[b] != 0.0 and alone[b] > _FAR_BELOW:
            alone[b] = np.log1p(alone[b]) / power[b]
        elif power[b] != 0.0:
            for i in range(begin, end):
                logs[i - begin] = prices[nests.row[i], b]
            alone[b] = log_ces(shares[: end - begin], logs[: end - begin], power[b])


@jit
def mean_growth(log: float) -> float:
    """Compute the mean of exp over [0, log]: the logarithmic mean of 1 and exp(log)."""
    return 1.0 + 0.5 * log if abs(log) <= _LEAST_LOG else float(np.expm1(log) / log)


@jit
def divide_surplus(
    n: int, nests: NestPack, shares: Floats, goods: float, logs: Floats, num: Floats, less: Floats, bits: Ints,
    of_imports: Floats, of_goods: Floats, gain: Floats, owned: Floats,
) -> None:  # fmt: skip
    """Divide the surplus of nest n over its members by their part of the log of its price, in every lane.

    `logs` are those of the members' prices, `num` the logs of the growth of their shares, `of_imports` and `of_goods`
    the surplus of either. The parts have Sato-Vartia weights, so they add up exactly.
    """
    lanes, begin = of_imports.size, nests.offsets[n]
    count, total = nests.offsets[n + 1] - begin, np.zeros(lanes)
    weights = num[:count].copy()
    exp_array(num.reshape(-1), less.reshape(-1), bits, count * lanes)
    for i in range(count):
        for b in range(lanes):
            log = weights[i, b]
            is_small = abs(log) <= _LEAST_LOG
            mean = np.true_divide(less[i, b], 1.0 if is_small else log)
            weights[i, b] = shares[i] * (1.0 + 0.5 * log if is_small else mean)
            total[b] += weights[i, b]
    each = np.true_divide(of_imports, total)
    for i in range(count):
        j, own = nests.gain[begin + i], nests.goods[begin + i] / goods if goods > 0.0 else 0.0
        for b in range(lanes):
            owned[j, 0, b] += each[b] * weights[i, b] * logs[i, b] + of_goods[b] * own
            owned[j, 1, b] += gain[b] * own


@jit
def solve_lane(
    n: int, b: int, nests: NestPack, demand: tuple[float, ...], alone: float, supply: Floats, prices: Floats,
    shares: Floats, work: Floats,
) -> tuple[float, float, float]:  # fmt: skip
    """Find the shift of demand of nest n in lane b, and the log prices of its imports and of all; see `nest_gap`."""
    begin, end, eta = nests.offsets[n], nests.offsets[n + 1], demand[0]
    w, is_even = supply[nests.supply[begin], b], True
    for i in range(begin + 1, end):
        is_even = is_even and supply[nests.supply[i], b] == w
    if is_even:
        x, y = solve_price(alone, demand[3], eta, demand[1], demand[2], demand[4], w)
        return (eta - demand[1]) * x + (demand[1] - demand[2]) * y, x, y
    for i in range(begin, end):
        w = supply[nests.supply[i], b]
        work[0, i - begin], work[1, i - begin] = prices[nests.row[i], b], w / (1.0 + eta * w)
    count = end - begin
    return solve_nest(shares[:count], work[0, :count], work[1, :count], demand, work[2, :count])


@jit
def nest_rows(
    first: int, last: int, nests: NestPack, parameters: Floats, supply: Floats, prices: Floats, shifts: Floats,
    domestic: Floats, owned: Floats,
) -> None:  # fmt: skip
    """Solve nests [first, last) in every lane.

    Reads `parameters` (nests, 4, lanes): eta, kappa, top and inverse supply of domestic goods; `supply` (rows, lanes),
    the inverse of that of imports, and `prices` (prices, lanes): logs of the import prices of products by themselves.
    Writes `shifts` (rows, 2, lanes) of the logs of value and quantity, `domestic` (nests, NEST_ROWS, lanes), and
    `owned` (rows, 2, lanes): buyers' surplus and gain of producers.
    """
    most, lanes = 1, parameters.shape[2]
    for n in range(first, last):
        most = max(most, nests.offsets[n + 1] - nests.offsets[n])
    num, less, final = np.empty((most, lanes)), np.empty((most, lanes)), np.empty((most, lanes))
    bits, shares, work = num.reshape(-1).view(np.int64), np.empty(most), np.empty((3, most))
    alone, shift, of_imports, of_goods = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    for n in range(first, last):
        begin, end, found = nests.offsets[n], nests.offsets[n + 1], domestic[n]
        imports, goods = 0.0, 0.0
        for i in range(begin, end):
            imports += nests.landed[i]
            goods += nests.goods[i]
            owned[nests.gain[i]] = 0.0
        shifts[nests.shifts[n] : nests.shifts[n + 1]] = 0.0
        found[:2], found[2:] = 1.0, 0.0
        if imports <= 0.0:
            continue
        for i in range(begin, end):
            shares[i - begin] = nests.landed[i] / imports
        power = 1.0 - parameters[n, 0]
        price_of_imports(n, nests, prices, power, shares, num, less, bits, work[0], alone)
        spent, share = imports + goods, imports / (imports + goods)
        for b in range(lanes):
            eta, kappa, top = parameters[n, 0, b], parameters[n, 1, b], parameters[n, 2, b]
            domestic_w = parameters[n, 3, b]
            demand = eta, kappa, top, share, domestic_w
            shift[b], x, y = solve_lane(n, b, nests, demand, alone[b], supply, prices, shares, work)
            price = domestic_w * (kappa - top) / (1.0 + kappa * domestic_w) * y
            quantity = (kappa - top) * y - kappa * price
            found[0, b], found[1, b] = np.exp(price), np.exp(quantity)
            found[2, b] = goods * domestic_w * growth(quantity, 1.0 + domestic_w)
            found[3, b], found[4, b] = x, y
            per_log = -spent * growth(y, 1.0 - top) / y if y != 0.0 else -spent
            middle = share * mean_growth((1.0 - kappa) * (x - y))
            other = (1.0 - share) * mean_growth((1.0 - kappa) * (price - y))
            of_imports[b] = per_log * middle / (middle + other)
            of_goods[b] = per_log * other / (middle + other) * price
        for j in range(nests.shifts[n], nests.shifts[n + 1]):
            for b in range(lanes):
                w = supply[nests.shift_supply[j], b]
                moved = shift[b] / (1.0 + parameters[n, 0, b] * w)
                shifts[j, 0, b], shifts[j, 1, b] = (1.0 + w) * moved, moved
        if nests.is_owned[n]:
            for b in range(lanes):
                owned[nests.gain[begin], 0, b] = of_imports[b] * found[3, b] + of_goods[b]
                owned[nests.gain[begin], 1, b] = found[2, b]
        else:
            for i in range(begin, end):
                j, row, own = nests.shift[i], nests.row[i], nests.supply[i]
                for b in range(lanes):
                    final[i - begin, b] = prices[row, b] + supply[own, b] * shifts[j, 1, b]
                    num[i - begin, b] = power[b] * (final[i - begin, b] - found[3, b])
            divide_surplus(
                n, nests, shares, goods, final, num, less, bits, of_imports, of_goods, found[2], owned
            )
