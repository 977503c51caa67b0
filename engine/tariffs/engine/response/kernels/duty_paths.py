"""Kernels of the adjustment path: steps of duty composed, each with the elasticities of its age, a few draws at a time.

The state of a product after some steps is a hat per variety times a factor of the product, so that a step touches only
the varieties whose duty it changes. A product has slots of its own: any split over threads gives the same bits. The
last axis is the draw, and no draw depends on those beside it.
"""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I64
from tariffs.engine.base.compiled_kernels import inlined, jit
from tariffs.engine.response.kernels.armington import top_logs
from tariffs.engine.response.kernels.domestic_index import index_under_supply
from tariffs.engine.response.kernels.exp_log import exp_array, log_array
from tariffs.engine.response.kernels.path_cells import MoveGroups

_REFRESH_BELOW = -0.5
"""Relative change of a sum below which it is computed again from its terms, since a difference would lose digits."""

_CHUNK = 16_384
"""Cells times draws that are computed together: enough for vector instructions, few enough for a processor's cache."""

_SIGMA, _ETA, _SUPPLY, _LOST, _POWER, _MEAN, _CHANGE, _LEVEL, _IMPORTS, _ALL, _RATIO, _SHIFT = range(12)
"""Rows of a step: elasticities, supply as its inverse; ln quantity lost per ln(1 + t), power of the CES terms; sums
over the moved cells; log of the CES mean of ln(1 + t), log prices of imports and of all goods, ratio of the sum of
weights to that before, and ln quantity gained by all cells."""
_STEP_ROWS = 12
_TOTAL, _LANDED, _SHIPMENTS, _QUANTITY, _PRICE, _SURPLUS = range(6)
"""Rows of a product after the steps so far: sum of the weights of its cells, dollars, and logs of its factors."""
_PRODUCT_ROWS = 6


@jit
def chunk_end(begin: int, last: int, offsets: I64, draws: int) -> int:
    """Find the end of the products from `begin` on that are computed together."""
    upto = begin + 1
    while upto < last and (offsets[upto + 1] - offsets[begin]) * draws <= _CHUNK:
        upto += 1
    return upto


@jit
def widest_chunk(first: int, last: int, offsets: I64, draws: int) -> tuple[int, int]:
    """Compute the most cells and the most products that are computed together of products [first, last)."""
    cells, products, begin = 0, 0, first
    while begin < last:
        upto = chunk_end(begin, last, offsets, draws)
        cells = max(cells, offsets[upto] - offsets[begin])
        products = max(products, upto - begin)
        begin = upto
    return cells, products


@inlined
def flattened(rows: F64) -> F64:
    """View rows of products and draws (rows, products, draws) as rows of one long loop."""
    return rows.reshape(rows.shape[0], rows.shape[1] * rows.shape[2])


@jit
def gather_stages(first: int, last: int, stages: F64, gathered: F64) -> None:
    """Gather elasticities of products [first, last) by horizon: (draws, 9, products) to (products, 9, draws)."""
    for k in range(first, last):
        for row in range(9):
            for b in range(stages.shape[0]):
                gathered[k - first, row, b] = stages[b, row, k]


@jit
def blend(count: int, active: I64, first: int, weights: F64, stages: F64, rows: F64) -> None:
    """Compute the elasticities of products at an age, given weights (3, 3) and those of `gather_stages`."""
    draws, flat = stages.shape[2], flattened(rows)
    for slot in range(count):
        k = active[slot] - first
        for row in range(_LOST):
            impact, short, long = weights[row]
            for b in range(draws):
                rows[row, slot, b] = (
                    impact * stages[k, row, b] + short * stages[k, 3 + row, b] + long * stages[k, 6 + row, b]
                )
    for i in range(count * draws):
        flat[_LOST, i] = np.true_divide(flat[_SIGMA, i], 1.0 + flat[_SIGMA, i] * flat[_SUPPLY, i])
    for i in range(count * draws):
        flat[_POWER, i] = np.true_divide(1.0 - flat[_SIGMA, i], 1.0 + flat[_SIGMA, i] * flat[_SUPPLY, i])
    rows[_MEAN, :count] = 0.0
    rows[_CHANGE, :count] = 0.0


@jit
def term_powers(here: int, count: int, moves: MoveGroups, rows: F64, work: F64) -> int:
    """Write the log growth of the CES term by distinct change of some groups, (changes, draws); count the numbers."""
    draws, first = work.shape[1], moves.first_change[here]
    for slot in range(count):
        for change in range(moves.first_change[here + slot], moves.first_change[here + slot + 1]):
            power = moves.power[change]
            for b in range(draws):
                work[change - first, b] = rows[_POWER, slot, b] * power
    numbers: int = (moves.first_change[here + count] - first) * draws
    return numbers


@jit
def move_cells(
    here: int, count: int, moves: MoveGroups, begin: int, grown: F64, rows: F64, weight: F64, logs: F64
) -> None:
    """Apply a step to the cells that it moves, without the factors of their products.

    Args:
        here, count: first group, and number of groups.
        moves: the groups.
        begin: first cell of the chunk.
        grown: growth of the CES term by distinct change, (changes, draws).
        rows: the rows of the step; adds to the sums over the cells.
        weight, logs: state of the cells: (cells, draws), and (cells, 2, draws) of quantity and price.
    """
    draws = weight.shape[1]
    before = moves.first_change[here]
    for slot in range(count):
        for move in range(moves.first_move[here + slot], moves.first_move[here + slot + 1]):
            cell, change = moves.cell[move] - begin, moves.change[move]
            power = moves.power[change]
            for b in range(draws):
                fall = rows[_LOST, slot, b] * power
                logs[cell, 0, b] -= fall
                logs[cell, 1, b] -= rows[_SUPPLY, slot, b] * fall
            for b in range(draws):
                own = weight[cell, b]
                more = own * grown[change - before, b]
                rows[_MEAN, slot, b] += own * power
                rows[_CHANGE, slot, b] += more
                weight[cell, b] = own + more


@jit
def mean_levels(
    count: int, active: I64, first: int, offsets: I64, weight: F64, rows: F64, state: F64, work: F64, lost: F64,
    bits: I64,
) -> None:  # fmt: skip
    """Compute the log CES means of the change of ln(1 + t) of products, and the sums of their weights."""
    draws, flat = weight.shape[1], flattened(rows)
    ratios = work.reshape(work.size // draws, draws)
    for slot in range(count):
        own = active[slot] - first
        for b in range(draws):
            ratios[slot, b] = np.true_divide(rows[_CHANGE, slot, b], state[_TOTAL, own, b])
            rows[_MEAN, slot, b] = np.true_divide(rows[_MEAN, slot, b], state[_TOTAL, own, b])
        for b in range(draws):
            state[_TOTAL, own, b] += rows[_CHANGE, slot, b]
    for i in range(count * draws):
        ratio = 1.0 + work[i]
        lost[i] = np.true_divide(work[i] - (ratio - 1.0), ratio)
        work[i] = ratio
    for i in range(count * draws):
        if not work[i] - 1.0 > _REFRESH_BELOW:
            k, b = active[i // draws], i % draws
            total = 0.0
            for cell in range(offsets[k] - offsets[first], offsets[k + 1] - offsets[first]):
                total += weight[cell, b]
            work[i] = total / (state[_TOTAL, k - first, b] - flat[_CHANGE, i])
            lost[i] = 0.0
            state[_TOTAL, k - first, b] = total
        flat[_RATIO, i] = work[i]
    log_array(work, lost, bits, count * draws)
    for i in range(count * draws):
        power = flat[_POWER, i]
        flat[_LEVEL, i] = flat[_MEAN, i] if power == 0.0 else np.true_divide(work[i], power)


@jit
def price_indices(
    count: int, active: I64, first: int, draws: int, kappas: F64, rows: F64, state: F64
) -> None:
    """Compute the log prices of imports, and of imports and domestic goods; a kappa of NaN is the eta of the step."""
    flat = flattened(rows)
    for i in range(count * draws):
        x = np.true_divide(flat[_LEVEL, i], 1.0 + flat[_ETA, i] * flat[_SUPPLY, i])
        flat[_IMPORTS, i] = x
        flat[_ALL, i] = x
    for slot in range(count):
        given, own = kappas[active[slot]], active[slot] - first
        if state[_SHIPMENTS, own, 0] <= 0.0:
            continue
        for b in range(draws):
            landed, shipments = state[_LANDED, own, b], state[_SHIPMENTS, own, b]
            eta, share = rows[_ETA, slot, b], landed / (landed + shipments)
            kappa = eta if np.isnan(given) else given
            if kappa == eta:
                rows[_ALL, slot, b], _ = top_logs(rows[_IMPORTS, slot, b], share, kappa, eta, 0.0)
            else:
                rows[_IMPORTS, slot, b], rows[_ALL, slot, b] = index_under_supply(
                    rows[_LEVEL, slot, b], rows[_SUPPLY, slot, b], rows[_SIGMA, slot, b], eta, kappa, share
                )


@jit
def shift_of_kappa(count: int, active: I64, draws: int, kappas: F64, rows: F64) -> None:
    """Compute the shift of demand of the products that have a kappa of their own."""
    for slot in range(count):
        kappa = kappas[active[slot]]
        if np.isnan(kappa):
            continue
        for b in range(draws):
            by_imports, by_all = rows[_SIGMA, slot, b] - kappa, kappa - rows[_ETA, slot, b]
            shift = by_imports * rows[_IMPORTS, slot, b] + by_all * rows[_ALL, slot, b]
            rows[_SHIFT, slot, b] = np.true_divide(
                shift, 1.0 + rows[_SIGMA, slot, b] * rows[_SUPPLY, slot, b]
            )


@jit
def scale_products(
    count: int, active: I64, first: int, draws: int, kappas: F64, rows: F64, state: F64, work: F64, less_one: F64,
    bits: I64,
) -> None:  # fmt: skip
    """Apply the price indices of a step to the dollars, logs and surplus of its products."""
    size, flat = count * draws, flattened(rows)
    grown = work.reshape(work.size // draws, draws)
    gained = less_one.reshape(work.size // draws, draws)
    for i in range(size):
        shift = (flat[_SIGMA, i] - flat[_ETA, i]) * flat[_IMPORTS, i]
        flat[_SHIFT, i] = np.true_divide(shift, 1.0 + flat[_SIGMA, i] * flat[_SUPPLY, i])
    shift_of_kappa(count, active, draws, kappas, rows)
    for i in range(size):
        work[i] = (1.0 - flat[_ETA, i]) * flat[_ALL, i]
    exp_array(work, less_one, bits, size)
    for i in range(size):
        power = 1.0 - flat[_ETA, i]
        less_one[i] = flat[_ALL, i] if power == 0.0 else np.true_divide(less_one[i], power)
    for slot in range(count):
        own = active[slot] - first
        for b in range(draws):
            spending = state[_LANDED, own, b] + state[_SHIPMENTS, own, b]
            state[_SURPLUS, own, b] -= spending * gained[slot, b]
        if state[_SHIPMENTS, own, 0] > 0.0:
            for b in range(draws):
                growth = np.exp((1.0 + rows[_SUPPLY, slot, b]) * rows[_SHIFT, slot, b])
                state[_LANDED, own, b] *= rows[_RATIO, slot, b] * growth
        else:
            # Without domestic goods all spending is on imports.
            for b in range(draws):
                state[_LANDED, own, b] *= grown[slot, b]
        for b in range(draws):
            state[_QUANTITY, own, b] += rows[_SHIFT, slot, b]
            state[_PRICE, own, b] += rows[_SUPPLY, slot, b] * rows[_SHIFT, slot, b]
        kappa = kappas[active[slot]]
        if not np.isnan(kappa):
            for b in range(draws):
                growth = np.exp((kappa - rows[_ETA, slot, b]) * rows[_ALL, slot, b])
                state[_SHIPMENTS, own, b] *= growth


@jit
def value_products(
    first: int, last: int, offsets: I64, v0: F64, t0: F64, rate: F64, state: F64, hats: F64, growths: F64, owned: F64
) -> None:  # fmt: skip
    """Value products [first, last), given the hats of their cells: growth, buyer surplus and welfare."""
    draws = hats.shape[2]
    for k in range(first, last):
        traded = 0.0
        for b in range(draws):
            growths[k, b] = 0.0
            owned[0, k, b] = state[_SURPLUS, k - first, b]
            owned[1, k, b] = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            traded += v0[i]
            before = t0[i] * v0[i]
            for b in range(draws):
                quantity = v0[i] * hats[i, 0, b]
                growths[k, b] += quantity
                owned[1, k, b] += rate[i] * quantity * hats[i, 1, b] - before
        for b in range(draws):
            growths[k, b] = np.true_divide(growths[k, b], traded) if traded > 0.0 else 1.0
            owned[1, k, b] += owned[0, k, b]


@jit
def open_products(
    first: int, last: int, offsets: I64, v0: F64, t0: F64, domestic: F64, draws: int, weight: F64, logs: F64,
    state: F64,
) -> None:  # fmt: skip
    """Write the state of products [first, last) and of their cells before the first step."""
    for k in range(first, last):
        spending = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            spending += v0[i] * (1.0 + t0[i])
        for i in range(offsets[k], offsets[k + 1]):
            share = v0[i] * (1.0 + t0[i]) / spending if spending > 0.0 else 0.0
            for b in range(draws):
                weight[i - offsets[first], b] = share
        for b in range(draws):
            state[_TOTAL, k - first, b] = 1.0
            state[_LANDED, k - first, b] = spending
            state[_SHIPMENTS, k - first, b] = domestic[k]
    logs[: offsets[last] - offsets[first]] = 0.0
    state[_QUANTITY : _SURPLUS + 1, : last - first] = 0.0


@jit
def compose_steps(
    first: int,
    last: int,
    offsets: I64,
    product: I64,
    v0: F64,
    t0: F64,
    moves: MoveGroups,
    weights: F64,
    stages: F64,
    kappas: F64,
    domestic: F64,
    rate: F64,
    hats: F64,
    growths: F64,
    owned: F64,
) -> None:
    """Compose the steps of products [first, last) under a few draws of elasticities.

    Args:
        first, last: products to compute.
        offsets: first variety of each product, one more than products.
        product, v0, t0: product, customs value and rate at the baseline per variety.
        moves: the moves at each step; varieties of products without trade have none.
        weights: of impact, short and long per step and parameter (steps, 3, 3).
        stages: sigma, eta and inverse supply by horizon (draws, 9, products).
        kappas: substitution between imports and domestic goods per product; NaN is the eta of the step.
        domestic: domestic shipments at the baseline per product, USD.
        rate: rate after the last step per variety.
        hats: output (varieties, 2, draws): quantity and exporter price, after / before.
        growths: output (products, draws): growth of quantity at base prices.
        owned: output (2, products, draws): buyer surplus and welfare.
    """
    steps, draws = moves.start.size - 1, stages.shape[0]
    cursor = np.empty(steps, dtype=np.int64)
    for j in range(steps):
        here = moves.start[j]
        cursor[j] = here + np.searchsorted(moves.product[here : moves.start[j + 1]], first)
    most_cells, most_products = widest_chunk(first, last, offsets, draws)
    # Landed value of each cell, and logs of its hats, without the factors that all cells of a product share.
    weight, logs = np.empty((most_cells, draws)), np.empty((most_cells, 2, draws))
    state = np.empty((_PRODUCT_ROWS, most_products, draws))
    rows = np.empty((_STEP_ROWS, most_products, draws))
    gathered = np.empty((most_products, 9, draws))
    size = 2 * max(most_cells, most_products)
    terms, grown = np.empty((size, draws)), np.empty((size, draws))
    work, less_one = terms.reshape(size * draws), grown.reshape(size * draws)
    bits = work.view(np.int64)
    upto = first
    while upto < last:
        begin_product, begin = upto, offsets[upto]
        upto = chunk_end(begin_product, last, offsets, draws)
        end = offsets[upto]
        open_products(begin_product, upto, offsets, v0, t0, domestic, draws, weight, logs, state)
        gather_stages(begin_product, upto, stages, gathered)
        for j in range(steps):
            here, stop = cursor[j], cursor[j]
            while stop < moves.start[j + 1] and moves.product[stop] < upto:
                stop += 1
            cursor[j], count = stop, stop - here
            if count == 0:
                continue
            active = moves.product[here:stop]
            blend(count, active, begin_product, weights[j], gathered, rows)
            exp_array(work, less_one, bits, term_powers(here, count, moves, rows, terms))
            move_cells(here, count, moves, begin, grown, rows, weight, logs)
            mean_levels(count, active, begin_product, offsets, weight, rows, state, work, less_one, bits)
            price_indices(count, active, begin_product, draws, kappas, rows, state)
            scale_products(count, active, begin_product, draws, kappas, rows, state, work, less_one, bits)
        for i in range(begin, end):
            own = product[i] - begin_product
            for b in range(draws):
                hats[i, 0, b] = logs[i - begin, 0, b] + state[_QUANTITY, own, b]
                hats[i, 1, b] = logs[i - begin, 1, b] + state[_PRICE, own, b]
        found = hats[begin:end].reshape(-1)
        exp_array(found, less_one, found.view(np.int64), found.size)
        value_products(begin_product, upto, offsets, v0, t0, rate, state, hats, growths, owned)
