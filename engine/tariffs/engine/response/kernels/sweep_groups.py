"""Kernels of the sums of a sweep by group, once the factors of products are known, several scenarios side by side.

Moved varieties of a product that share a cell are a *part*: its hats are computed once, and each variety weights them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import inlined
from tariffs.engine.response.kernels.exp_log import LANES
from tariffs.engine.response.kernels.sweep_products import SweepPack

Floats = NDArray[np.float64]

GROWTH, VALUE, DUTY, QUANTITY = (row * LANES for row in range(4))
"""Rows of a cell: growth of the price power, hats of value and quantity at index 1, rate times value hat."""

VALUE_FACTOR, CREATION_FACTOR, QUANTITY_FACTOR = (row * LANES for row in range(3))
FACTORS = 3
"""Rows of the factors of a product."""

SUM_VALUE, SUM_DUTY, SUM_CHARGES, SUM_CREATION, SUM_QUANTITY, SUM_BASE_DUTY = (
    row * LANES for row in range(6)
)
"""Rows of the sums of a group."""

PARTS = 3
"""Rows of a part: hats of value and quantity, rate times value hat, with the factors of its product."""
_PART_VALUE, _PART_DUTY, _PART_QUANTITY = (row * LANES for row in range(PARTS))


@inlined
def add_fixed_rows(
    pack: SweepPack,
    bundle: int,
    first_product: int,
    factors: Floats,
    flat: bool,
    sums: Floats,
    values: Floats,
) -> None:
    """Add the fixed varieties of a bundle, whose weights are amounts at index 1, to the sums of their groups."""
    first, last = pack.fixed_start[bundle], pack.fixed_start[bundle + 1]
    for i in range(first, last):
        own, weights = factors[pack.fixed_product[i] - first_product], pack.weights[i]
        row = sums[pack.fixed_group[i]]
        value, duty, charges, v0, base_duty = weights[0], weights[1], weights[2], weights[3], weights[5]
        for b in range(LANES):
            row[SUM_VALUE + b] += value * own[VALUE_FACTOR + b]
            row[SUM_DUTY + b] += duty * own[VALUE_FACTOR + b]
            row[SUM_CHARGES + b] += charges * own[QUANTITY_FACTOR + b]
            row[SUM_BASE_DUTY + b] += base_duty * own[QUANTITY_FACTOR + b]
            row[SUM_CREATION + b] += v0 * own[CREATION_FACTOR + b]
    if not flat:
        for i in range(first, last):
            own, row = factors[pack.fixed_product[i] - first_product], sums[pack.fixed_group[i]]
            for b in range(LANES):
                row[SUM_QUANTITY + b] += pack.weights[i, 4] * own[QUANTITY_FACTOR + b]
    if values.shape[0] > 0:
        for i in range(first, last):
            own, row = factors[pack.fixed_product[i] - first_product], values[pack.fixed_value_group[i]]
            for b in range(LANES):
                row[b] += pack.weights[i, 0] * own[VALUE_FACTOR + b]


@inlined
def fill_parts(
    pack: SweepPack,
    chunk: int,
    first_product: int,
    factors: Floats,
    table: Floats,
    first_cell: int,
    quantity: int,
    parts: Floats,
) -> None:
    """Compute the parts of a chunk; `quantity` is the row of the quantity hat of a cell."""
    first = pack.chunk_products[chunk]
    first_part = pack.offsets[first]
    for k in range(first, pack.chunk_products[chunk + 1]):
        own = factors[k - first_product]
        for i in range(pack.offsets[k], pack.offsets[k + 1]):
            cell, part = table[pack.cell[i] - first_cell], parts[i - first_part]
            for b in range(LANES):
                part[_PART_VALUE + b] = cell[VALUE + b] * own[VALUE_FACTOR + b]
                part[_PART_DUTY + b] = cell[DUTY + b] * own[VALUE_FACTOR + b]
                part[_PART_QUANTITY + b] = cell[quantity + b] * own[QUANTITY_FACTOR + b]


@inlined
def add_moved_rows(
    pack: SweepPack,
    chunk: int,
    first_product: int,
    factors: Floats,
    table: Floats,
    first_cell: int,
    flat: bool,
    parts: Floats,
    sums: Floats,
    values: Floats,
) -> None:
    """Add the moved varieties of a chunk to the sums of their groups; `parts` is room for its parts."""
    quantity = VALUE if flat else QUANTITY
    fill_parts(pack, chunk, first_product, factors, table, first_cell, quantity, parts)
    first_part = pack.offsets[pack.chunk_products[chunk]]
    first, last = pack.moved_start[chunk], pack.moved_start[chunk + 1]
    for i in range(first, last):
        part, own = parts[pack.moved_part[i] - first_part], factors[pack.moved_product[i] - first_product]
        row = sums[pack.moved_group[i]]
        v0, weight, charges = pack.moved_v0[i], pack.moved_weight[i], pack.moved_charges[i]
        base_duty = pack.moved_base_duty[i]
        for b in range(LANES):
            row[SUM_VALUE + b] += weight * part[_PART_VALUE + b]
            row[SUM_DUTY + b] += weight * part[_PART_DUTY + b]
            row[SUM_CHARGES + b] += charges * part[_PART_QUANTITY + b]
            row[SUM_BASE_DUTY + b] += base_duty * part[_PART_QUANTITY + b]
            row[SUM_CREATION + b] += v0 * own[CREATION_FACTOR + b]
        if not flat:
            counted = pack.moved_quantity[i]
            for b in range(LANES):
                row[SUM_QUANTITY + b] += counted * part[_PART_QUANTITY + b]
    if values.shape[0] > 0:
        for i in range(first, last):
            part, row = parts[pack.moved_part[i] - first_part], values[pack.moved_value_group[i]]
            weight = pack.moved_weight[i]
            for b in range(LANES):
                row[b] += weight * part[_PART_VALUE + b]


@inlined
def most_parts(pack: SweepPack, first: int, last: int) -> int:
    """Find the largest number of parts of a chunk of bundles [first, last)."""
    most = 0
    for chunk in range(pack.bundle_chunks[first], pack.bundle_chunks[last]):
        products = pack.chunk_products[chunk], pack.chunk_products[chunk + 1]
        most = max(most, pack.offsets[products[1]] - pack.offsets[products[0]])
    return most
