"""Kernels of the Armington response to many scenarios: several scenarios side by side, summed by group.

A scenario is a lane of rows that are `LANES` long. Varieties with the same baseline rate, rate class and elasticities
share a *cell*, whose powers of the change of duty are computed once, and those of one product are a *part* of it.
Varieties whose rate no scenario of the sweep moves are *fixed*: they enter a product's index and sums as constants and
scale by its factors. A lane is computed without regard to the others, so it has the same bits in any block.

Lanes in which a product has no closed form are left out of the sums, for the caller to add.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import inlined, jit
from tariffs.engine.response.kernels.armington import top_logs
from tariffs.engine.response.kernels.exp_log import LANES, SECOND, exp_row, log_row
from tariffs.engine.response.kernels.sweep_groups import (
    CREATION_FACTOR,
    DUTY,
    FACTORS,
    GROWTH,
    PARTS,
    QUANTITY,
    QUANTITY_FACTOR,
    VALUE,
    VALUE_FACTOR,
    add_fixed_rows,
    add_moved_rows,
    most_parts,
)
from tariffs.engine.response.kernels.sweep_products import SweepPack

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_, ETA, KAPPA, INVERSE_SUPPLY = (row * LANES for row in range(4))
POWER, INVERSE_POWER, GEOMETRIC, QUANTITY_POWER = (row * LANES for row in range(4, 8))
INDEX_SCALE, BY_IMPORTS, BY_ALL, VALUE_SCALE = (row * LANES for row in range(8, 12))
SURPLUS_POWER, INVERSE_SURPLUS_POWER, LOG_SURPLUS = (row * LANES for row in range(12, 15))
"""Rows of the terms of a kind of product, in the order of `elasticity_terms`."""

_LOG, _INVERSE = 3 * LANES, 4 * LANES
_WORK = 5
# Rows of a product: first its index, quantity and duty at index 1, then in their places the factors that scale them.
_INDEX, _QUANTITY_SUM, _DUTY_SUM = VALUE_FACTOR, CREATION_FACTOR, QUANTITY_FACTOR
_IMPORTS, _ALL, _SURPLUS, _WELFARE, _SPENDING = (row * LANES for row in range(3, 8))
_OWN = 8
# Below this power index, log(1 + sum) loses digits that the log of spending at index 1 keeps.
_LEAST_SUM = -0.5


@jit
def rate_bounds(rates: Floats, low: Floats, high: Floats) -> bool:
    """Widen the bounds of each lane by the rates (rows, LANES); False if one is not a finite number above -1."""
    odd = np.zeros(LANES)
    for row in range(rates.shape[0]):
        lanes = rates[row]
        for b in range(LANES):
            low[b] = min(low[b], lanes[b])
            high[b] = max(high[b], lanes[b])
            odd[b] += lanes[b] - lanes[b]
    return not odd.any() and low.min() > -1.0


@inlined
def fill_cell(
    cell: Floats,
    rates: Floats,
    terms: Floats,
    base: float,
    freight: float,
    flat: bool,
    work: Floats,
    bits: Ints,
) -> None:
    """Compute the powers of one cell in every lane; without `flat` the quantity hat differs from the value hat."""
    inverse_base = 1.0 / (1.0 + base + freight)
    for b in range(LANES):
        change = (rates[b] - base) * inverse_base
        ratio = 1.0 + change
        inverse = np.true_divide(1.0, ratio)
        work[b] = ratio
        work[SECOND + b] = (change - (ratio - 1.0)) * inverse
        work[_INVERSE + b] = inverse
    log_row(work, bits)
    for b in range(LANES):
        work[_LOG + b] = work[b]
        work[b] = terms[POWER + b] * work[b]
    exp_row(work, bits)
    for b in range(LANES):
        value = work[b] * work[_INVERSE + b]
        cell[VALUE + b] = value
        cell[DUTY + b] = value * rates[b]
        cell[GROWTH + b] = work[SECOND + b] * terms[INVERSE_POWER + b] + terms[GEOMETRIC + b] * work[_LOG + b]
    if not flat:
        for b in range(LANES):
            work[b] = terms[QUANTITY_POWER + b] * work[_LOG + b]
        exp_row(work, bits)
        for b in range(LANES):
            # With flat supply the two are one; the same number, so that other lanes change no bit.
            cell[QUANTITY + b] = cell[VALUE + b] if terms[INVERSE_SUPPLY + b] == 0.0 else work[b]


@inlined
def sum_index(pack: SweepPack, k: int, table: Floats, first_cell: int, own: Floats) -> None:
    """Sum the index of product k from its cells."""
    for b in range(LANES):
        own[_INDEX + b] = pack.sums[k, 0]
    for i in range(pack.offsets[k], pack.offsets[k + 1]):
        cell, share = table[pack.cell[i] - first_cell], pack.share[i]
        for b in range(LANES):
            own[_INDEX + b] += share * cell[GROWTH + b]


@inlined
def add_to_product(own: Floats, cell: Floats, row: int, dutiable: float, quantity: float) -> None:
    """Add a part to the quantity and duty of its product; `row` is that of the quantity hat of its cell."""
    for b in range(LANES):
        own[_QUANTITY_SUM + b] += quantity * cell[row + b]
        own[_DUTY_SUM + b] += dutiable * cell[DUTY + b]


@inlined
def index_row(own: Floats, terms: Floats, work: Floats) -> int:
    """Write one plus the growth of the CES sum of a product to `work`, and count the lanes for `add_spending`."""
    below = 0
    for b in range(LANES):
        # Counting vectorises; the least of floats would not.
        below += 1 if terms[POWER + b] * own[_INDEX + b] < _LEAST_SUM else 0
    for b in range(LANES):
        growth = terms[POWER + b] * own[_INDEX + b]
        growth = growth if growth > _LEAST_SUM else _LEAST_SUM
        total = 1.0 + growth
        work[b] = total
        work[SECOND + b] = np.true_divide(growth - (total - 1.0), total)
    return below


@jit
def add_spending(
    pack: SweepPack, k: int, rates: Floats, terms: Floats, table: Floats, first_cell: int, own: Floats, work: Floats
) -> None:  # fmt: skip
    """Write landed spending of product k at index 1, over that at the baseline, where its CES sum loses digits.

    For the kernels themselves to call: in a function that they inline, numba would count the references to every array
    of the pack for each product.
    """
    for b in range(LANES):
        own[_SPENDING + b] = pack.sums[k, 3]
    for i in range(pack.offsets[k], pack.offsets[k + 1]):
        row = rates[pack.row[i]]
        cell = table[pack.cell[i] - first_cell]
        for b in range(LANES):
            own[_SPENDING + b] += pack.value[i] * (cell[VALUE + b] * (1.0 + pack.freight[i] + row[b]))
    for b in range(LANES):
        if terms[POWER + b] * own[_INDEX + b] < _LEAST_SUM:
            work[b] = np.true_divide(own[_SPENDING + b], pack.landed[k])
            work[SECOND + b] = 0.0


@inlined
def price_rows(landed: float, domestic: float, terms: Floats, own: Floats, work: Floats, bits: Ints) -> None:
    """Compute the logs of the import price of a product and of the price of imports and domestic goods."""
    log_row(work, bits)
    for b in range(LANES):
        level = work[b] * terms[INVERSE_POWER + b] + terms[GEOMETRIC + b] * own[_INDEX + b]
        own[_IMPORTS + b] = level * terms[INDEX_SCALE + b]
        own[_ALL + b] = level * terms[INDEX_SCALE + b]
    if domestic > 0.0:
        share = landed / (landed + domestic)
        for b in range(LANES):
            y, _ = top_logs(own[_IMPORTS + b], share, terms[KAPPA + b], terms[ETA + b], 0.0)
            own[_ALL + b] = y


@inlined
def factor_rows(
    pack: SweepPack, k: int, terms: Floats, flat: bool, own: Floats, work: Floats, bits: Ints
) -> None:
    """Compute the factors of product k, and its duty less that at the baseline, from its price indices."""
    for b in range(LANES):
        demand = terms[BY_IMPORTS + b] * own[_IMPORTS + b] + terms[BY_ALL + b] * own[_ALL + b]
        own[_IMPORTS + b] = demand
        work[b] = demand * terms[VALUE_SCALE + b]
    exp_row(work, bits)
    before, revenue = pack.before[k], pack.revenue[k]
    for b in range(LANES):
        own[_WELFARE + b] = own[_DUTY_SUM + b] * work[b] - revenue
        own[VALUE_FACTOR + b] = work[b]
    if not flat:
        for b in range(LANES):
            work[b] = own[_IMPORTS + b]
        exp_row(work, bits)
    for b in range(LANES):
        own[QUANTITY_FACTOR + b] = work[b]
        if before > 0.0:
            own[CREATION_FACTOR + b] = np.true_divide(own[_QUANTITY_SUM + b] * work[b], before) - 1.0
        else:
            own[CREATION_FACTOR + b] = 0.0


@inlined
def surplus_rows(pack: SweepPack, k: int, terms: Floats, own: Floats, work: Floats, bits: Ints) -> None:
    """Compute the surplus of product k by itself, and add it to its welfare."""
    for b in range(LANES):
        work[b] = terms[SURPLUS_POWER + b] * own[_ALL + b]
    exp_row(work, bits)
    spending = pack.landed[k] + pack.domestic[k]
    for b in range(LANES):
        growth = work[SECOND + b] * terms[INVERSE_SURPLUS_POWER + b] + terms[LOG_SURPLUS + b] * own[_ALL + b]
        own[_SURPLUS + b] = -spending * growth
        own[_WELFARE + b] += -spending * growth


@inlined
def shift_by_market(pack: SweepPack, k: int, factors: Floats, surplus: Floats, own: Floats) -> None:
    """Scale product k by the factors of its nest on value and quantity, and take its surplus in the nest."""
    before, revenue = pack.before[k], pack.revenue[k]
    for b in range(LANES):
        duty = own[_WELFARE + b] + revenue
        own[VALUE_FACTOR + b] *= factors[0, b]
        own[QUANTITY_FACTOR + b] *= factors[1, b]
        if before > 0.0:
            own[CREATION_FACTOR + b] = (own[CREATION_FACTOR + b] + 1.0) * factors[1, b] - 1.0
        own[_SURPLUS + b] = surplus[0, b]
        own[_WELFARE + b] = duty * factors[0, b] - revenue + surplus[0, b] + surplus[1, b]


@jit
def sweep_bundles(
    first: int,
    last: int,
    pack: SweepPack,
    rates: Floats,
    terms: Floats,
    place: Ints,
    unclosed: Bools,
    flat: bool,
    nest: Ints,
    prices: Floats,
    shifts: Floats,
    surplus: Floats,
    sums: Floats,
    owned: Floats,
    values: Floats,
) -> None:
    """Solve the products of bundles [first, last) in every lane and add them to the sums.

    Reads `rates` (rows, LANES) and `terms` (kinds, 15 * LANES). The rows of `unclosed` mark the lanes to leave out, for
    the products that `place` gives one, else -1. With `flat`, all supply is flat: quantity equals value, and only the
    value is summed. `nest` is that of each product in a market above, else -1, with the `shifts` (nests, 2, LANES) and
    `surplus` (products, 2, LANES) that the market gives; `prices` (products, LANES) are then the logs of the import
    prices of products by themselves, and else empty. Adds to `sums` (groups, 6 * LANES), `owned` (product groups,
    2 * LANES: buyer surplus, welfare) and `values` (value groups, LANES), which is empty without such groups.
    """
    most, products = 0, 0
    for bundle in range(first, last):
        from_chunk, to_chunk = pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]
        products = max(products, pack.chunk_products[to_chunk] - pack.chunk_products[from_chunk])
        for chunk in range(from_chunk, to_chunk):
            most = max(most, pack.chunk_cells[chunk + 1] - pack.chunk_cells[chunk])
    table, parts = np.empty((most, 4 * LANES)), np.empty((most_parts(pack, first, last), PARTS * LANES))
    factors = np.empty((products, FACTORS * LANES))
    own = np.empty(_OWN * LANES)
    work = np.empty(_WORK * LANES)
    bits = work.view(np.int64)
    quantity = VALUE if flat else QUANTITY
    for bundle in range(first, last):
        first_product = pack.chunk_products[pack.bundle_chunks[bundle]]
        for chunk in range(pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]):
            first_cell = pack.chunk_cells[chunk]
            for c in range(first_cell, pack.chunk_cells[chunk + 1]):
                row, kind = rates[pack.cell_row[c]], terms[pack.cell_kind[c]]
                base, freight = pack.cell_base[c], pack.cell_freight[c]
                fill_cell(table[c - first_cell], row, kind, base, freight, flat, work, bits)
            for k in range(pack.chunk_products[chunk], pack.chunk_products[chunk + 1]):
                kind = terms[pack.kind[k]]
                for b in range(LANES):
                    own[_QUANTITY_SUM + b] = pack.sums[k, 1]
                    own[_DUTY_SUM + b] = pack.sums[k, 2]
                for i in range(pack.offsets[k], pack.offsets[k + 1]):
                    cell = table[pack.cell[i] - first_cell]
                    add_to_product(own, cell, quantity, pack.dutiable[i], pack.quantity[i])
                if prices.shape[0] > 0:
                    for b in range(LANES):
                        own[_IMPORTS + b] = prices[k, b]
                        own[_ALL + b] = prices[k, b]
                else:
                    sum_index(pack, k, table, first_cell, own)
                    if index_row(own, kind, work) > 0:
                        add_spending(pack, k, rates, kind, table, first_cell, own, work)
                    price_rows(pack.landed[k], pack.domestic[k], kind, own, work, bits)
                factor_rows(pack, k, kind, flat, own, work, bits)
                if nest[k] >= 0:
                    shift_by_market(pack, k, shifts[nest[k]], surplus[k], own)
                else:
                    surplus_rows(pack, k, kind, own, work, bits)
                if place[k] >= 0:
                    for b in range(LANES):
                        if unclosed[place[k], b]:
                            own[b::LANES] = 0.0
                row = owned[pack.product_group[k]]
                for b in range(LANES):
                    row[b] += own[_SURPLUS + b]
                    row[LANES + b] += own[_WELFARE + b]
                factors[k - first_product] = own[: FACTORS * LANES]
            add_moved_rows(pack, chunk, first_product, factors, table, first_cell, flat, parts, sums, values)
        add_fixed_rows(pack, bundle, first_product, factors, flat, sums, values)
