"""Arrays of the products and varieties of a sweep, as its kernels read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class SweepPack(NamedTuple):
    """Products of a sweep with their varieties, in chunks that share tables of cells, and bundles of chunks.

    The parts of product k are `offsets[k]` to `offsets[k + 1]`: its moved varieties by cell. The moved varieties are
    listed by chunk and group, and the fixed ones, merged by product, by bundle and group, so that the sums of a group
    stay in the nearest cache.

    Attributes:
        chunk_products, chunk_cells: first product and cell of each chunk (one more than chunks).
        bundle_chunks: first chunk of each bundle (one more than bundles).
        cell_row, cell_kind, cell_base, cell_freight: row of the rates, kind, baseline rate and freight of each cell.
        kind, product_group: per product.
        sums: (products, 4) of fixed varieties: index, quantity, duty of what counts, and landed cost at index 1.
        landed, before, revenue, domestic: per product, at the baseline.
        value, dutiable, quantity, share, freight, cell, row: per part; `value` and `quantity` are
            those that the hats of its cell multiply, `dutiable` the part of the value that counts in the sums, `row` is
            that of the rates.
        moved_start: first moved variety by group of each chunk (one more than chunks).
        moved_product, moved_group, moved_part, moved_v0, moved_weight, moved_quantity, moved_charges, moved_base_duty:
            per moved variety, by group; `moved_weight` and `moved_quantity` are what counts in the sums,
            `moved_base_duty` the duty on it at the baseline.
        moved_value_group, fixed_value_group: likewise; empty without such sums.
        fixed_start: first fixed row of each bundle (one more than bundles).
        fixed_product, fixed_group: per fixed row.
        weights: per fixed row value, duty and charges at index 1, v0, quantity and baseline duty at index 1.
    """

    chunk_products: Ints
    chunk_cells: Ints
    bundle_chunks: Ints
    cell_row: Ints
    cell_kind: Ints
    cell_base: Floats
    cell_freight: Floats
    offsets: Ints
    kind: Ints
    product_group: Ints
    sums: Floats
    landed: Floats
    before: Floats
    revenue: Floats
    domestic: Floats
    value: Floats
    dutiable: Floats
    quantity: Floats
    share: Floats
    freight: Floats
    cell: Ints
    row: Ints
    moved_start: Ints
    moved_product: Ints
    moved_group: Ints
    moved_value_group: Ints
    moved_part: Ints
    moved_v0: Floats
    moved_weight: Floats
    moved_quantity: Floats
    moved_charges: Floats
    moved_base_duty: Floats
    fixed_start: Ints
    fixed_product: Ints
    fixed_group: Ints
    fixed_value_group: Ints
    weights: Floats
