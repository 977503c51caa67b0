"""Kernels of the market above products for many scenarios: several scenarios side by side, nest by nest.

All products of a nest have one export supply elasticity, so the shift of demand moves their prices by one factor, and
the price of the nest's imports needs the exponential of each product's price once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import inlined, jit
from tariffs.engine.response.kernels.armington import growth, two_good_ces
from tariffs.engine.response.kernels.exp_log import exp_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ROUNDS = 60
_TOLERANCE = 1e-15
_LEAST_LOG = 1e-5


class NestPack(NamedTuple):
    """Nests of some products.

    Attributes:
        offsets: first member of each nest, one more than nests.
        still: first member of each nest whose price no lane moves; they come last, with one elasticity in all lanes.
        product, row: product of each member, whose surplus it adds to, and row of its price.
        landed, goods: landed imports and domestic goods of each member at the baseline, USD.
        is_owned: per nest, whether all its members have one owner, so that the first product bears the surplus of all.
    """

    offsets: Ints
    still: Ints
    product: Ints
    row: Ints
    landed: Floats
    goods: Floats
    is_owned: Bools


@jit
def solve_price(
    price: float, share: float, eta: float, kappa: float, top: float, domestic_w: float, w: float
) -> tuple[float, float]:
    """Find the log prices of a nest's imports, and of these and domestic goods, given the former without a shift.

    `domestic_w` and `w` are the inverse supply of domestic goods and of imports.
    """
    slope = w / (1.0 + eta * w)
    c = domestic_w * (kappa - top) / (1.0 + kappa * domestic_w)
    held = 1.0 - slope * (eta - kappa)
    rise = slope * (kappa - top) / held
    y = share * price
    for _ in range(_ROUNDS):
        level, weight = two_good_ces(share, price / held + rise * y, c * y, 1.0 - kappa)
        step = (level - y) / (1.0 - weight * rise - (1.0 - weight) * c)
        y += step
        if abs(step) <= _TOLERANCE * (1.0 + abs(y)):
            break
    return price / held + rise * y, y


@jit
def _mean_growth(log: float) -> float:
    """Compute the mean of exp over [0, log]: the logarithmic mean of 1 and exp(log)."""
    return 1.0 + 0.5 * log if abs(log) <= _LEAST_LOG else float(np.expm1(log) / log)


@jit
def price_of_imports(
    n: int, nests: NestPack, prices: Floats, power: Floats, imports: float, growths: Floats, num: Floats, bits: Ints,
    alone: Floats,
) -> None:  # fmt: skip
    """Compute the log price of the imports of nest n without a shift of demand, in every lane, into `alone`.

    `growths` gets the exponential of `power` times the price of each member, less one.
    """
    lanes, begin, still, end = power.size, nests.offsets[n], nests.still[n], nests.offsets[n + 1]
    for i in range(begin, still):
        row = nests.row[i]
        for b in range(lanes):
            num[i - begin, b] = power[b] * prices[row, b]
    exp_array(num.reshape(-1), growths.reshape(-1), bits, (still - begin) * lanes)
    constant = 0.0
    for i in range(still, end):
        price = prices[nests.row[i], 0]
        grown = np.expm1(power[0] * price)
        constant += nests.landed[i] / imports * (price if power[0] == 0.0 else grown)
        if not nests.is_owned[n]:
            growths[i - begin] = grown
    alone[:] = constant
    for i in range(begin, still):
        row, within = nests.row[i], nests.landed[i] / imports
        for b in range(lanes):
            alone[b] += within * (prices[row, b] if power[b] == 0.0 else growths[i - begin, b])
    for b in range(lanes):
        if power[b] != 0.0:
            alone[b] = np.log1p(alone[b]) / power[b]


@inlined
def weigh_member(
    within: float, price: Floats, growth: Floats, power: Floats, alone: Floats, inverse: Floats, moved: Floats,
    total: Floats,
) -> None:  # fmt: skip
    """Compute the Sato-Vartia weight of a member, add it to `total`, and write it times its log price into `growth`."""
    for b in range(power.size):
        log = power[b] * (price[b] - alone[b])
        is_small = abs(log) <= _LEAST_LOG
        mean = np.true_divide((1.0 + growth[b]) * inverse[b] - 1.0, 1.0 if is_small else log)
        weight = within * (1.0 + 0.5 * log if is_small else mean)
        total[b] += weight
        growth[b] = weight * (price[b] + moved[b])


@jit
def divide_surplus(
    n: int, nests: NestPack, prices: Floats, power: Floats, imports: float, goods: float, growths: Floats,
    alone: Floats, moved: Floats, of_imports: Floats, of_goods: Floats, gain: Floats, owned: Floats,
) -> None:  # fmt: skip
    """Divide the surplus of nest n over its members by their part of the log of its price, in every lane.

    `moved` is what the shift of demand adds to log prices, `of_imports` and `of_goods` the surplus of either. The parts
    have Sato-Vartia weights, so they add up exactly. Overwrites `growths`.
    """
    lanes, begin, end = power.size, nests.offsets[n], nests.offsets[n + 1]
    total, inverse = np.zeros(lanes), np.exp(-power * alone)
    for i in range(begin, end):
        row, within = growths[i - begin], nests.landed[i] / imports
        weigh_member(within, prices[nests.row[i]], row, power, alone, inverse, moved, total)
    for i in range(begin, end):
        owned[nests.product[i]] = 0.0
    each = np.true_divide(of_imports, total)
    for i in range(begin, end):
        j, own = nests.product[i], nests.goods[i] / goods if goods > 0.0 else 0.0
        for b in range(lanes):
            owned[j, 0, b] += each[b] * growths[i - begin, b] + of_goods[b] * own
            owned[j, 1, b] += gain[b] * own


@jit
def nest_rows(
    first: int, last: int, nests: NestPack, parameters: Floats, prices: Floats, shifts: Floats, domestic: Floats,
    owned: Floats,
) -> None:  # fmt: skip
    """Solve nests [first, last) in every lane.

    Reads `parameters` (nests, 5, lanes): eta, kappa, top, inverse supply of domestic goods and of imports, and `prices`
    (prices, lanes): logs of the import prices of products by themselves. Writes `shifts` (nests, 2, lanes) of the
    logs of value and quantity, `domestic` (nests, 3, lanes): hats of price and quantity, and gain of producers, and
    `owned` (products, 2, lanes): buyers' surplus and gain of producers.
    """
    most, lanes = 0, parameters.shape[2]
    for n in range(first, last):
        most = max(most, nests.offsets[n + 1] - nests.offsets[n])
    growths, num = np.empty((most, lanes)), np.empty((most, lanes))
    bits = num.reshape(-1).view(np.int64)
    alone, moved = np.empty(lanes), np.empty(lanes)
    of_imports, of_goods = np.empty(lanes), np.empty(lanes)
    for n in range(first, last):
        imports, goods = 0.0, 0.0
        for i in range(nests.offsets[n], nests.offsets[n + 1]):
            imports += nests.landed[i]
            goods += nests.goods[i]
        if imports <= 0.0:
            shifts[n] = 0.0
            domestic[n, :2] = 1.0
            domestic[n, 2] = 0.0
            for i in range(nests.offsets[n], nests.offsets[n + 1]):
                owned[nests.product[i]] = 0.0
            continue
        power = 1.0 - parameters[n, 0]
        price_of_imports(n, nests, prices, power, imports, growths, num, bits, alone)
        spent, share = imports + goods, imports / (imports + goods)
        for b in range(lanes):
            eta, kappa, top = parameters[n, 0, b], parameters[n, 1, b], parameters[n, 2, b]
            domestic_w, w = parameters[n, 3, b], parameters[n, 4, b]
            x, y = solve_price(alone[b], share, eta, kappa, top, domestic_w, w)
            shift = ((eta - kappa) * x + (kappa - top) * y) / (1.0 + eta * w)
            shifts[n, 0, b] = (1.0 + w) * shift
            shifts[n, 1, b] = shift
            price = domestic_w * (kappa - top) / (1.0 + kappa * domestic_w) * y
            quantity = (kappa - top) * y - kappa * price
            domestic[n, 0, b] = np.exp(price)
            domestic[n, 1, b] = np.exp(quantity)
            domestic[n, 2, b] = goods * domestic_w * growth(quantity, 1.0 + domestic_w)
            per_log = -spent * growth(y, 1.0 - top) / y if y != 0.0 else -spent
            middle = share * _mean_growth((1.0 - kappa) * (x - y))
            other = (1.0 - share) * _mean_growth((1.0 - kappa) * (price - y))
            of_imports[b] = per_log * middle / (middle + other)
            of_goods[b] = per_log * other / (middle + other) * price
            moved[b] = x - alone[b]
        if nests.is_owned[n]:
            for i in range(nests.offsets[n], nests.offsets[n + 1]):
                owned[nests.product[i]] = 0.0
            first_product = nests.product[nests.offsets[n]]
            for b in range(lanes):
                owned[first_product, 0, b] = of_imports[b] * (alone[b] + moved[b]) + of_goods[b]
                owned[first_product, 1, b] = domestic[n, 2, b]
        else:
            divide_surplus(
                n, nests, prices, power, imports, goods, growths, alone, moved, of_imports, of_goods,
                domestic[n, 2], owned,
            )  # fmt: skip
