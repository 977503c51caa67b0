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
from tariffs.engine.response.kernels.armington_sweep import (
    add_spending,
    fill_cell,
    index_row,
    price_rows,
    sum_index,
)
from tariffs.engine.response.kernels.exp_log import LANES, SECOND, exp_row
from tariffs.engine.response.kernels.sweep_products import SweepPack

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_IMPORTS = 3 * LANES
# Row of a product in `kernels.armington_sweep`: the log of its import price.
_OWN, _WORK = 8, 5
_ROUNDS = 60
_TOLERANCE = 1e-15
_LEAST_LOG = 1e-5


class NestPack(NamedTuple):
    """Nests of some products of a sweep; a member is a product, or one of several that are one product of the sweep.

    Attributes:
        offsets: first member of each nest, one more than nests.
        still: first member of each nest whose price no scenario moves; those before it have that of their product.
        product: product of the sweep of each member, whose surplus it adds to.
        landed, goods: landed imports and domestic goods of each member at the baseline, USD.
        price: per member the log of its import price by itself, if no scenario moves it.
        growth: the exponential of 1 - eta times `price`, less one.
    """

    offsets: Ints
    still: Ints
    product: Ints
    landed: Floats
    goods: Floats
    price: Floats
    growth: Floats


@jit
def index_bundles(
    first: int, last: int, pack: SweepPack, rates: Floats, terms: Floats, prices: Floats
) -> None:
    """Compute the log import price of the products of bundles [first, last): `prices` (products, LANES)."""
    from_chunk, to_chunk, most = pack.bundle_chunks[first], pack.bundle_chunks[last], 0
    for chunk in range(from_chunk, to_chunk):
        most = max(most, pack.chunk_cells[chunk + 1] - pack.chunk_cells[chunk])
    table = np.empty((most, 4 * LANES))
    own = np.empty(_OWN * LANES)
    work = np.empty(_WORK * LANES)
    bits = work.view(np.int64)
    for chunk in range(from_chunk, to_chunk):
        first_cell = pack.chunk_cells[chunk]
        for c in range(first_cell, pack.chunk_cells[chunk + 1]):
            row, kind = rates[pack.cell_row[c]], terms[pack.cell_kind[c]]
            fill_cell(
                table[c - first_cell], row, kind, pack.cell_base[c], pack.cell_freight[c], True, work, bits
            )
        for k in range(pack.chunk_products[chunk], pack.chunk_products[chunk + 1]):
            kind = terms[pack.kind[k]]
            sum_index(pack, k, table, first_cell, own)
            if index_row(own, kind, work) > 0:
                add_spending(pack, k, rates, kind, table, first_cell, own, work)
            price_rows(pack.landed[k], pack.domestic[k], kind, own, work, bits)
            for b in range(LANES):
                prices[k, b] = own[_IMPORTS + b]


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
    n: int, nests: NestPack, prices: Floats, power: Floats, imports: float, growths: Floats, work: Floats,
    alone: Floats,
) -> None:  # fmt: skip
    """Compute the log price of the imports of nest n without a shift of demand, in every lane, into `alone`.

    `growths` gets the exponential of `power` times the price of each member whose price moves, less one.
    """
    bits = work.view(np.int64)
    begin, still, end = nests.offsets[n], nests.still[n], nests.offsets[n + 1]
    alone[:] = 0.0
    for i in range(begin, still):
        price, within = prices[nests.product[i]], nests.landed[i] / imports
        for b in range(LANES):
            work[b] = power[b] * price[b]
        exp_row(work, bits)
        for b in range(LANES):
            growths[i - begin, b] = work[SECOND + b]
            alone[b] += within * (price[b] if power[b] == 0.0 else work[SECOND + b])
    constant, level = 0.0, 0.0
    for i in range(still, end):
        within = nests.landed[i] / imports
        constant += within * nests.growth[i]
        level += within * nests.price[i]
    for b in range(LANES):
        if power[b] == 0.0:
            alone[b] += level
        else:
            alone[b] = np.log1p(alone[b] + constant) / power[b]


@inlined
def weigh_member(
    within: float, price: Floats, growth: Floats, power: Floats, alone: Floats, inverse: Floats, moved: Floats,
    part: Floats, total: Floats,
) -> None:  # fmt: skip
    """Compute the Sato-Vartia weight of a member, add it to `total`, and write it times its log price into `part`.

    `part` may be `growth`.
    """
    for b in range(LANES):
        log = power[b] * (price[b] - alone[b])
        is_small = abs(log) <= _LEAST_LOG
        mean = np.true_divide((1.0 + growth[b]) * inverse[b] - 1.0, 1.0 if is_small else log)
        weight = within * (1.0 + 0.5 * log if is_small else mean)
        total[b] += weight
        part[b] = weight * (price[b] + moved[b])


@jit
def divide_surplus(
    n: int, nests: NestPack, prices: Floats, power: Floats, imports: float, goods: float, growths: Floats,
    alone: Floats, moved: Floats, of_imports: Floats, of_goods: Floats, gain: Floats, owned: Floats,
) -> None:  # fmt: skip
    """Divide the surplus of nest n over its members by their part of the log of its price, in every lane.

    `moved` is what the shift of demand adds to log prices, `of_imports` and `of_goods` the surplus of either. The parts
    have Sato-Vartia weights, so they add up exactly. Overwrites `growths`.
    """
    begin, still, end = nests.offsets[n], nests.still[n], nests.offsets[n + 1]
    total, inverse = np.zeros(LANES), np.exp(-power * alone)
    price, growth = np.empty(LANES), np.empty(LANES)
    for i in range(begin, still):
        row, within = growths[i - begin], nests.landed[i] / imports
        weigh_member(within, prices[nests.product[i]], row, power, alone, inverse, moved, row, total)
    for i in range(still, end):
        price[:] = nests.price[i]
        growth[:] = nests.growth[i]
        within = nests.landed[i] / imports
        weigh_member(within, price, growth, power, alone, inverse, moved, growths[i - begin], total)
    for i in range(begin, end):
        owned[nests.product[i]] = 0.0
    each = np.true_divide(of_imports, total)
    for i in range(begin, end):
        j, own = nests.product[i], nests.goods[i] / goods if goods > 0.0 else 0.0
        for b in range(LANES):
            owned[j, 0, b] += each[b] * growths[i - begin, b] + of_goods[b] * own
            owned[j, 1, b] += gain[b] * own


@jit
def nest_rows(
    first: int, last: int, nests: NestPack, parameters: Floats, prices: Floats, factors: Floats, domestic: Floats,
    owned: Floats,
) -> None:  # fmt: skip
    """Solve nests [first, last) in every lane.

    Reads `parameters` (nests, 5, LANES): eta, kappa, top, inverse supply of domestic goods and of imports, and `prices`
    (products, LANES): logs of the import prices of products by themselves. Writes `factors` (nests, 2, LANES) on value
    and quantity, `domestic` (nests, 3, LANES): hats of price and quantity, and gain of producers, and `owned`
    (products, 2, LANES): buyers' surplus and gain of producers.
    """
    most = 0
    for n in range(first, last):
        most = max(most, nests.offsets[n + 1] - nests.offsets[n])
    growths, work = np.empty((most, LANES)), np.empty(_WORK * LANES)
    alone, moved = np.empty(LANES), np.empty(LANES)
    of_imports, of_goods = np.empty(LANES), np.empty(LANES)
    for n in range(first, last):
        imports, goods = 0.0, 0.0
        for i in range(nests.offsets[n], nests.offsets[n + 1]):
            imports += nests.landed[i]
            goods += nests.goods[i]
        if imports <= 0.0:
            factors[n] = 1.0
            domestic[n, :2] = 1.0
            domestic[n, 2] = 0.0
            for i in range(nests.offsets[n], nests.offsets[n + 1]):
                owned[nests.product[i]] = 0.0
            continue
        power = 1.0 - parameters[n, 0]
        price_of_imports(n, nests, prices, power, imports, growths, work, alone)
        spent, share = imports + goods, imports / (imports + goods)
        for b in range(LANES):
            eta, kappa, top = parameters[n, 0, b], parameters[n, 1, b], parameters[n, 2, b]
            domestic_w, w = parameters[n, 3, b], parameters[n, 4, b]
            x, y = solve_price(alone[b], share, eta, kappa, top, domestic_w, w)
            shift = ((eta - kappa) * x + (kappa - top) * y) / (1.0 + eta * w)
            factors[n, 0, b] = np.exp((1.0 + w) * shift)
            factors[n, 1, b] = np.exp(shift)
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
        divide_surplus(
            n, nests, prices, power, imports, goods, growths, alone, moved, of_imports, of_goods,
            domestic[n, 2], owned,
        )  # fmt: skip
