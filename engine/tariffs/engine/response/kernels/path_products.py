"""Kernels of the adjustment path for many scenarios: several scenarios side by side, summed by group.

A scenario is a lane of rows that are `LANES` long. What all scenarios have in common before the first step that some
scenario moves is in the numbers that these kernels start from. Varieties with the same changes of duty and elasticities
share a *cell*; a change of it is an *entry*. A *stage* is a step that touches a product. A lane is computed without
regard to the others, so it has the same bits in any block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import inlined, jit
from tariffs.engine.response.kernels.exp_log import LANES, SECOND, exp_row, log_row
from tariffs.engine.response.kernels.sweep_groups import (
    CREATION_FACTOR,
    DUTY,
    FACTORS,
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

POWER, LOST, VALUE_LOST, INVERSE_POWER, INDEX_SCALE, SHIFT, VALUE_SHIFT = range(7)
SURPLUS_POWER, INVERSE_SURPLUS_POWER, LOG_SURPLUS = range(7, 10)
TERMS = 10
"""Terms of a kind of product at a step: power of the CES terms; ln quantity and ln value lost per ln(1 + t); inverse
of the power; ln price of imports per log mean; ln quantity and ln value gained by all varieties per ln price; one less
eta, its inverse or 0, and 1 where it is 0."""

# Rows of a product, behind the factors that the sums by group read.
_QUANTITY_SUM, _DUTY_SUM, _TOTAL, _CHANGE, _LANDED = (row * LANES for row in range(3, 8))
_QUANTITY_LOG, _VALUE_LOG, _SURPLUS, _WELFARE = (row * LANES for row in range(8, 12))
_OWN = 12
# Rows of the work array, behind those of exponential and logarithm.
_FIRST, _OTHER, _RUNNING = 3 * LANES, 4 * LANES, 5 * LANES
_WORK = 6
# Relative change of a sum below which it is computed again from its terms, since a difference would lose digits.
_REFRESH_BELOW = -0.5


class PathPack(NamedTuple):
    """Steps of the products of a `SweepPack`, from the first that some scenario moves.

    Attributes:
        entry_start: first entry of each cell (one more than cells).
        entry_step, entry_row: per entry its step, and its row of the changes of ln(1 + t).
        final_row: per cell the row of its rate after the last step.
        stage_start: first stage of each product (one more than products).
        stage_step, stage_change, stage_total: per stage its step, and what fixed varieties add to the sum of weights by
            it, and have in it after it.
        move_start: first move of each stage (one more than stages).
        move_share, move_entry: per move the share of a cell in the product's landed cost, and its entry.
        part_share: share of each part in the product's landed cost.
        landed, surplus: per product landed cost and buyers' surplus before the first step.
    """

    entry_start: Ints
    entry_step: Ints
    entry_row: Ints
    final_row: Ints
    stage_start: Ints
    stage_step: Ints
    stage_change: Floats
    stage_total: Floats
    move_start: Ints
    move_share: Floats
    move_entry: Ints
    part_share: Floats
    landed: Floats
    surplus: Floats


@jit
def change_rows(before: Ints, after: Ints, rates: Floats, same: float, powers: Floats) -> None:
    """Compute the changes of ln(1 + t) between rows of rates (rows, LANES) into `powers`.

    Relative changes of 1 + t up to `same` are rounding.
    """
    work = np.empty(3 * LANES)
    bits = work.view(np.int64)
    for row in range(before.size):
        start, end = rates[before[row]], rates[after[row]]
        for b in range(LANES):
            change = (end[b] - start[b]) / (1.0 + start[b])
            change = change if abs(change) > same else 0.0
            ratio = 1.0 + change
            work[b] = ratio
            work[SECOND + b] = (change - (ratio - 1.0)) / ratio
        log_row(work, bits)
        for b in range(LANES):
            powers[row, b] = work[b]


@inlined
def fill_path_cell(
    c: int,
    first_entry: int,
    path: PathPack,
    powers: Floats,
    rate: Floats,
    terms: Floats,
    cell: Floats,
    weights: Floats,
    work: Floats,
    bits: Ints,
) -> None:
    """Compute the hats of cell c, and the weight and its growth by each of its entries into `weights`."""
    for b in range(LANES):
        work[_FIRST + b] = 0.0
        work[_OTHER + b] = 0.0
        work[_RUNNING + b] = 1.0
    for e in range(path.entry_start[c], path.entry_start[c + 1]):
        term, power, row = terms[path.entry_step[e]], powers[path.entry_row[e]], weights[e - first_entry]
        for b in range(LANES):
            work[b] = term[POWER] * power[b]
        exp_row(work, bits)
        for b in range(LANES):
            row[LANES + b] = work[_RUNNING + b] * work[SECOND + b]
            work[_RUNNING + b] *= work[b]
            row[b] = work[_RUNNING + b]
            work[_FIRST + b] -= term[LOST] * power[b]
            work[_OTHER + b] -= term[VALUE_LOST] * power[b]
    for b in range(LANES):
        work[b] = work[_FIRST + b]
    exp_row(work, bits)
    for b in range(LANES):
        cell[QUANTITY + b] = work[b]
        work[b] = work[_OTHER + b]
    exp_row(work, bits)
    for b in range(LANES):
        cell[VALUE + b] = work[b]
        cell[DUTY + b] = work[b] * rate[b]


@jit
def sum_weights(
    pack: SweepPack, k: int, stage: int, first_entry: int, path: PathPack, weights: Floats, total: Floats
) -> None:
    """Sum the weights of the cells of product k after a stage from their terms."""
    total[:] = path.stage_total[stage]
    step = path.stage_step[stage]
    for part in range(pack.offsets[k], pack.offsets[k + 1]):
        cell, share, last = pack.cell[part], path.part_share[part], -1
        for e in range(path.entry_start[cell], path.entry_start[cell + 1]):
            if path.entry_step[e] <= step:
                last = e
        for b in range(LANES):
            total[b] += share if last < 0 else share * weights[last - first_entry, b]


@inlined
def open_product(pack: SweepPack, k: int, path: PathPack, own: Floats) -> None:
    """Write the rows of product k before the first step."""
    for b in range(LANES):
        own[_QUANTITY_SUM + b] = pack.sums[k, 1]
        own[_DUTY_SUM + b] = pack.sums[k, 2]
        own[_TOTAL + b] = 1.0
        own[_LANDED + b] = path.landed[k]
        own[_SURPLUS + b] = path.surplus[k]
        own[_QUANTITY_LOG + b] = 0.0
        own[_VALUE_LOG + b] = 0.0


@inlined
def grow_stage(
    stage: int, first_entry: int, path: PathPack, weights: Floats, own: Floats, work: Floats
) -> int:
    """Write the ratio of a product's sum of weights by a step to `work`, and count the lanes for `refresh_stage`."""
    for b in range(LANES):
        own[_CHANGE + b] = path.stage_change[stage]
    for move in range(path.move_start[stage], path.move_start[stage + 1]):
        share, row = path.move_share[move], weights[path.move_entry[move] - first_entry]
        for b in range(LANES):
            own[_CHANGE + b] += share * row[LANES + b]
    below = 0
    for b in range(LANES):
        growth = np.true_divide(own[_CHANGE + b], own[_TOTAL + b])
        # Counting vectorises; the least of floats would not.
        below += 1 if growth < _REFRESH_BELOW else 0
        growth = growth if growth > _REFRESH_BELOW else _REFRESH_BELOW
        ratio = 1.0 + growth
        work[b] = ratio
        work[SECOND + b] = np.true_divide(growth - (ratio - 1.0), ratio)
    return below


@jit
def refresh_stage(
    pack: SweepPack, k: int, stage: int, first_entry: int, path: PathPack, weights: Floats, own: Floats, work: Floats
) -> None:  # fmt: skip
    """Compute the ratio of product k's sum of weights by a stage from its terms, where it fell far.

    For the kernel itself to call: in a function that it inlines, numba would count the references to every array of the
    path at each stage.
    """
    total = np.empty(LANES)
    sum_weights(pack, k, stage, first_entry, path, weights, total)
    for b in range(LANES):
        if np.true_divide(own[_CHANGE + b], own[_TOTAL + b]) < _REFRESH_BELOW:
            work[b] = np.true_divide(total[b], own[_TOTAL + b])
            work[SECOND + b] = 0.0
            own[_CHANGE + b] = total[b]
            own[_TOTAL + b] = 0.0


@inlined
def take_stage(term: Floats, own: Floats, work: Floats, bits: Ints) -> None:
    """Take one step of a product: its price, and what follows for all its varieties and its buyers."""
    for b in range(LANES):
        own[_TOTAL + b] += own[_CHANGE + b]
    log_row(work, bits)
    for b in range(LANES):
        price = work[b] * term[INVERSE_POWER] * term[INDEX_SCALE]
        own[_QUANTITY_LOG + b] += term[SHIFT] * price
        own[_VALUE_LOG + b] += term[VALUE_SHIFT] * price
        work[_FIRST + b] = price
        work[b] = term[SURPLUS_POWER] * price
    exp_row(work, bits)
    for b in range(LANES):
        growth = work[SECOND + b] * term[INVERSE_SURPLUS_POWER] + term[LOG_SURPLUS] * work[_FIRST + b]
        own[_SURPLUS + b] -= own[_LANDED + b] * growth
        own[_LANDED + b] *= work[b]


@inlined
def close_product(
    pack: SweepPack, k: int, table: Floats, first_cell: int, own: Floats, work: Floats, bits: Ints
) -> None:
    """Compute the factors and welfare of product k after its last step."""
    for i in range(pack.offsets[k], pack.offsets[k + 1]):
        cell, quantity, dutiable = table[pack.cell[i] - first_cell], pack.quantity[i], pack.dutiable[i]
        for b in range(LANES):
            own[_QUANTITY_SUM + b] += quantity * cell[QUANTITY + b]
            own[_DUTY_SUM + b] += dutiable * cell[DUTY + b]
    before, revenue = pack.before[k], pack.revenue[k]
    for b in range(LANES):
        work[b] = own[_VALUE_LOG + b]
    exp_row(work, bits)
    for b in range(LANES):
        own[VALUE_FACTOR + b] = work[b]
        own[_WELFARE + b] = own[_DUTY_SUM + b] * work[b] - revenue + own[_SURPLUS + b]
        work[b] = own[_QUANTITY_LOG + b]
    exp_row(work, bits)
    for b in range(LANES):
        own[QUANTITY_FACTOR + b] = work[b]
        own[CREATION_FACTOR + b] = np.true_divide(own[_QUANTITY_SUM + b] * work[b], before) - 1.0


@jit
def path_bundles(
    first: int,
    last: int,
    pack: SweepPack,
    path: PathPack,
    powers: Floats,
    rates: Floats,
    terms: Floats,
    sums: Floats,
    owned: Floats,
    values: Floats,
) -> None:
    """Compose the steps of the products of bundles [first, last) in every lane and add them to the sums.

    Reads `powers` (rows, LANES), changes of ln(1 + t), `rates` (rows, LANES) and `terms` (kinds, steps, TERMS). Adds to
    `sums`, `owned` and `values` as `sweep_bundles` does.
    """
    most, products, entries = 0, 0, 0
    for bundle in range(first, last):
        from_chunk, to_chunk = pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]
        products = max(products, pack.chunk_products[to_chunk] - pack.chunk_products[from_chunk])
        for chunk in range(from_chunk, to_chunk):
            cells = pack.chunk_cells[chunk], pack.chunk_cells[chunk + 1]
            most = max(most, cells[1] - cells[0])
            entries = max(entries, path.entry_start[cells[1]] - path.entry_start[cells[0]])
    table, weights = np.empty((most, 4 * LANES)), np.empty((entries, 2 * LANES))
    parts = np.empty((most_parts(pack, first, last), PARTS * LANES))
    factors = np.empty((products, FACTORS * LANES))
    own, work = np.empty(_OWN * LANES), np.empty(_WORK * LANES)
    bits = work.view(np.int64)
    for bundle in range(first, last):
        first_product = pack.chunk_products[pack.bundle_chunks[bundle]]
        for chunk in range(pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]):
            first_cell = pack.chunk_cells[chunk]
            first_entry = path.entry_start[first_cell]
            for c in range(first_cell, pack.chunk_cells[chunk + 1]):
                fill_path_cell(
                    c, first_entry, path, powers, rates[path.final_row[c]], terms[pack.cell_kind[c]],
                    table[c - first_cell], weights, work, bits,
                )  # fmt: skip
            for k in range(pack.chunk_products[chunk], pack.chunk_products[chunk + 1]):
                open_product(pack, k, path, own)
                for stage in range(path.stage_start[k], path.stage_start[k + 1]):
                    if grow_stage(stage, first_entry, path, weights, own, work) > 0:
                        refresh_stage(pack, k, stage, first_entry, path, weights, own, work)
                    take_stage(terms[pack.kind[k], path.stage_step[stage]], own, work, bits)
                close_product(pack, k, table, first_cell, own, work, bits)
                row = owned[pack.product_group[k]]
                for b in range(LANES):
                    row[b] += own[_SURPLUS + b]
                    row[LANES + b] += own[_WELFARE + b]
                factors[k - first_product] = own[: FACTORS * LANES]
            add_moved_rows(pack, chunk, first_product, factors, table, first_cell, False, parts, sums, values)
        add_fixed_rows(pack, bundle, first_product, factors, False, sums, values)
