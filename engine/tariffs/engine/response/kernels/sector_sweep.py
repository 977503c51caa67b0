"""Kernels of the market above products for many scenarios: several scenarios side by side, nest by nest.

All products of a nest have one export supply elasticity, so the shift of demand moves their prices by one factor, and
the price of the nest's imports needs the exponential of each product's price once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import growth, two_good_ces
from tariffs.engine.response.kernels.armington_sweep import (
    GROWTH,
    fill_cell,
    index_row,
)
from tariffs.engine.response.kernels.exp_log import LANES, SECOND, exp_row
from tariffs.engine.response.kernels.sweep_products import SweepPack

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_INDEX, _IMPORTS = 0, 3 * LANES
# Rows of a product in `kernels.armington_sweep`: its index at index 1, and the log of its import price.
_OWN, _WORK = 8, 5
_ROUNDS = 60
_TOLERANCE = 1e-15
_LEAST_LOG = 1e-5


class NestPack(NamedTuple):
    """Nests of some products of a sweep.

    Attributes:
        offsets: first place of each nest in `order`, one more than nests.
        order: products by nest.
        landed, goods: landed imports and domestic goods of each product at the baseline, USD.
        parameters: (nests, 5) eta, kappa, top, inverse supply of domestic goods, inverse supply of imports.
    """

    offsets: Ints
    order: Ints
    landed: Floats
    goods: Floats
    parameters: Floats


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
            for b in range(LANES):
                own[_INDEX + b] = pack.sums[k, 0]
            for i in range(pack.offsets[k], pack.offsets[k + 1]):
                cell = table[pack.cell[i] - first_cell]
                for b in range(LANES):
                    own[_INDEX + b] += pack.share[i] * cell[GROWTH + b]
            index_row(pack, k, rates, terms[pack.kind[k]], table, first_cell, own, work, bits)
            for b in range(LANES):
                prices[k, b] = own[_IMPORTS + b]


@jit
def solve_price(price: float, share: float, demand: Floats) -> tuple[float, float]:
    """Find the log prices of a nest's imports, and of these and domestic goods, given the former without a shift.

    `demand` = (eta, kappa, top, inverse supply of domestic goods, inverse supply of imports).
    """
    eta, kappa, top, domestic_w, w = demand[0], demand[1], demand[2], demand[3], demand[4]
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
    begin: int, end: int, nests: NestPack, prices: Floats, power: float, imports: float, growths: Floats, work: Floats,
    alone: Floats,
) -> None:  # fmt: skip
    """Compute the log price of a nest's imports without a shift of demand, in every lane, into `alone`.

    `growths` gets the exponential of `power` times the price of each product, less one.
    """
    bits = work.view(np.int64)
    alone[:] = 0.0
    for i in range(begin, end):
        j = nests.order[i]
        within = nests.landed[j] / imports
        for b in range(LANES):
            work[b] = power * prices[j, b]
        exp_row(work, bits)
        for b in range(LANES):
            growths[i - begin, b] = work[SECOND + b]
            alone[b] += within * (prices[j, b] if power == 0.0 else work[SECOND + b])
    if power != 0.0:
        for b in range(LANES):
            alone[b] = np.log1p(alone[b]) / power


@jit
def divide_surplus(
    begin: int, end: int, nests: NestPack, prices: Floats, power: float, imports: float, growths: Floats,
    alone: Floats, moved: Floats, of_imports: Floats, of_goods: Floats, gain: Floats, owned: Floats,
) -> None:  # fmt: skip
    """Divide the surplus of a nest over its products by their part of the log of its price, in every lane.

    `moved` is what the shift of demand adds to log prices, `of_imports` and `of_goods` the surplus of either. The parts
    have Sato-Vartia weights, so they add up exactly. Overwrites `growths`.
    """
    total, whole = np.zeros(LANES), np.exp(power * alone)
    goods = 0.0
    for i in range(begin, end):
        j = nests.order[i]
        goods += nests.goods[j]
        within = nests.landed[j] / imports
        for b in range(LANES):
            log = power * (prices[j, b] - alone[b])
            if abs(log) <= _LEAST_LOG:
                weight = within * (1.0 + 0.5 * log)
            else:
                weight = within * (np.true_divide(1.0 + growths[i - begin, b], whole[b]) - 1.0) / log
            total[b] += weight
            growths[i - begin, b] = weight * (prices[j, b] + moved[b])
    for i in range(begin, end):
        j = nests.order[i]
        own = nests.goods[j] / goods if goods > 0.0 else 0.0
        for b in range(LANES):
            owned[j, 0, b] = (
                of_imports[b] * np.true_divide(growths[i - begin, b], total[b]) + of_goods[b] * own
            )
            owned[j, 1, b] = gain[b] * own


@jit
def nest_rows(
    first: int, last: int, nests: NestPack, prices: Floats, factors: Floats, domestic: Floats, owned: Floats
) -> None:
    """Solve nests [first, last) in every lane.

    Reads `prices` (products, LANES): logs of the import prices of products by themselves. Writes `factors` (nests, 2,
    LANES) on value and quantity, `domestic` (nests, 3, LANES): hats of price and quantity, and gain of producers, and
    `owned` (products, 2, LANES): buyers' surplus and gain of producers.
    """
    most = 0
    for n in range(first, last):
        most = max(most, nests.offsets[n + 1] - nests.offsets[n])
    growths, work = np.empty((most, LANES)), np.empty(_WORK * LANES)
    alone, moved = np.empty(LANES), np.empty(LANES)
    of_imports, of_goods = np.empty(LANES), np.empty(LANES)
    for n in range(first, last):
        begin, end = nests.offsets[n], nests.offsets[n + 1]
        demand = nests.parameters[n]
        eta, kappa, top, domestic_w, w = demand[0], demand[1], demand[2], demand[3], demand[4]
        imports, goods = 0.0, 0.0
        for i in range(begin, end):
            imports += nests.landed[nests.order[i]]
            goods += nests.goods[nests.order[i]]
        if imports <= 0.0:
            factors[n] = 1.0
            domestic[n, :2] = 1.0
            domestic[n, 2] = 0.0
            for i in range(begin, end):
                owned[nests.order[i]] = 0.0
            continue
        price_of_imports(begin, end, nests, prices, 1.0 - eta, imports, growths, work, alone)
        spent, share = imports + goods, imports / (imports + goods)
        for b in range(LANES):
            x, y = solve_price(alone[b], share, demand)
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
            begin, end, nests, prices, 1.0 - eta, imports, growths, alone, moved, of_imports, of_goods,
            domestic[n, 2], owned,
        )  # fmt: skip
