"""Kernels of the adjustment path: steps of duty composed, each with the elasticities of its age, a few draws at a time.

The state of a product after some steps is a hat per variety times a factor of the product, so that a step touches only
the varieties whose duty it changes. A product has slots of its own: any split over threads gives the same bits. The
last axis is the draw, and no draw depends on those beside it.
"""

from __future__ import annotations

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64
from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import top_logs
from tariffs.engine.response.kernels.domestic_index import index_under_supply
from tariffs.engine.response.kernels.exp_log import exp_array, log_array

_REFRESH_BELOW = -0.5
"""Relative change of a sum below which it is computed again from its terms, since a difference would lose digits."""

_CHUNK = 32_768
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
def find_moves(
    here: int, stop: int, last: int, variety: I32, product: I64, power: F64, active: I64, firsts: I64, place: I64,
    opened: F64, owner: I64,
) -> tuple[int, int, int]:  # fmt: skip
    """List the products that the entries of a step from `here` on move, up to cell `last`.

    Args:
        here, stop: entries that are left of the step.
        last: end of the cells to compute.
        variety, power: per entry its cell, and the change of ln(1 + t).
        product: product of each cell.
        active, firsts: outputs: the products, and the first entry of each (one more than products).
        place, opened, owner: outputs: per entry the number of its change among the distinct ones of its product, and
            per distinct change its value and the place of its product in `active`.

    Returns:
        The end of the entries, the number of products and that of distinct changes.
    """
    count, distinct, opened_from, entry = 0, 0, 0, here
    while entry < stop and variety[entry] < last:
        k = product[variety[entry]]
        if count == 0 or active[count - 1] != k:
            active[count], firsts[count] = k, entry
            count += 1
            opened_from = distinct
        found = opened_from
        while found < distinct and opened[found] != power[entry]:
            found += 1
        if found == distinct:
            opened[distinct], owner[distinct] = power[entry], count - 1
            distinct += 1
        place[entry - here] = found
        entry += 1
    firsts[count] = entry
    return entry, count, distinct


@jit
def blend(count: int, active: I64, weights: F64, stages: F64, rows: F64) -> None:
    """Compute the elasticities of products at an age, given weights (3, 3) and the horizons' (products, 9, draws)."""
    draws = stages.shape[2]
    for slot in range(count):
        k, at = active[slot], slot * draws
        for row in range(_LOST):
            impact, short, long = weights[row]
            for b in range(draws):
                rows[row, at + b] = (
                    impact * stages[k, row, b] + short * stages[k, 3 + row, b] + long * stages[k, 6 + row, b]
                )
    for i in range(count * draws):
        rows[_LOST, i] = np.true_divide(rows[_SIGMA, i], 1.0 + rows[_SIGMA, i] * rows[_SUPPLY, i])
    for i in range(count * draws):
        rows[_POWER, i] = np.true_divide(1.0 - rows[_SIGMA, i], 1.0 + rows[_SIGMA, i] * rows[_SUPPLY, i])
    rows[_MEAN, : count * draws] = 0.0
    rows[_CHANGE, : count * draws] = 0.0


@jit
def move_cells(
    count: int, firsts: I64, variety: I32, begin: int, place: I64, opened: F64, grown: F64, rows: F64, weight: F64,
    logs: F64,
) -> None:  # fmt: skip
    """Apply a step to the cells that it moves, without the factors of their products.

    Args:
        count, firsts, place, opened: as from `find_moves`.
        variety: cell of each entry; those of the chunk begin at `begin`.
        grown: growth of the CES term by distinct change, (distinct, draws) flat.
        rows: the rows of the step; adds to the sums over the cells.
        weight, logs: state of the cells: (cells, draws), and (cells, 2, draws) of quantity and price.
    """
    draws = weight.shape[1]
    for slot in range(count):
        at = slot * draws
        for entry in range(firsts[slot], firsts[slot + 1]):
            cell, distinct = variety[entry] - begin, place[entry - firsts[0]]
            power = opened[distinct]
            for b in range(draws):
                fall = rows[_LOST, at + b] * power
                logs[cell, 0, b] -= fall
                logs[cell, 1, b] -= rows[_SUPPLY, at + b] * fall
            for b in range(draws):
                own = weight[cell, b]
                more = own * grown[distinct * draws + b]
                rows[_MEAN, at + b] += own * power
                rows[_CHANGE, at + b] += more
                weight[cell, b] = own + more


@jit
def mean_levels(
    count: int, active: I64, first: int, offsets: I64, weight: F64, rows: F64, state: F64, work: F64, lost: F64,
    bits: I64,
) -> None:  # fmt: skip
    """Compute the log CES means of the change of ln(1 + t) of products, and the sums of their weights."""
    draws = weight.shape[1]
    for slot in range(count):
        at, own = slot * draws, (active[slot] - first) * draws
        for b in range(draws):
            work[at + b] = np.true_divide(rows[_CHANGE, at + b], state[_TOTAL, own + b])
            rows[_MEAN, at + b] = np.true_divide(rows[_MEAN, at + b], state[_TOTAL, own + b])
        for b in range(draws):
            state[_TOTAL, own + b] += rows[_CHANGE, at + b]
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
            own = (k - first) * draws + b
            work[i] = total / (state[_TOTAL, own] - rows[_CHANGE, i])
            lost[i] = 0.0
            state[_TOTAL, own] = total
        rows[_RATIO, i] = work[i]
    log_array(work, lost, bits, count * draws)
    for i in range(count * draws):
        power = rows[_POWER, i]
        rows[_LEVEL, i] = rows[_MEAN, i] if power == 0.0 else np.true_divide(work[i], power)


@jit
def price_indices(
    count: int, active: I64, first: int, draws: int, kappas: F64, rows: F64, state: F64
) -> None:
    """Compute the log prices of imports, and of imports and domestic goods; a kappa of NaN is the eta of the step."""
    for i in range(count * draws):
        x = np.true_divide(rows[_LEVEL, i], 1.0 + rows[_ETA, i] * rows[_SUPPLY, i])
        rows[_IMPORTS, i] = x
        rows[_ALL, i] = x
    for slot in range(count):
        given = kappas[active[slot]]
        if state[_SHIPMENTS, (active[slot] - first) * draws] <= 0.0:
            continue
        for b in range(draws):
            i, own = slot * draws + b, (active[slot] - first) * draws + b
            landed, shipments = state[_LANDED, own], state[_SHIPMENTS, own]
            eta, share = rows[_ETA, i], landed / (landed + shipments)
            kappa = eta if np.isnan(given) else given
            if kappa == eta:
                rows[_ALL, i], _ = top_logs(rows[_IMPORTS, i], share, kappa, eta, 0.0)
            else:
                rows[_IMPORTS, i], rows[_ALL, i] = index_under_supply(
                    rows[_LEVEL, i], rows[_SUPPLY, i], rows[_SIGMA, i], eta, kappa, share
                )


@jit
def shift_of_kappa(count: int, active: I64, draws: int, kappas: F64, rows: F64) -> None:
    """Compute the shift of demand of the products that have a kappa of their own."""
    for slot in range(count):
        kappa = kappas[active[slot]]
        if np.isnan(kappa):
            continue
        for i in range(slot * draws, (slot + 1) * draws):
            by_imports, by_all = rows[_SIGMA, i] - kappa, kappa - rows[_ETA, i]
            shift = by_imports * rows[_IMPORTS, i] + by_all * rows[_ALL, i]
            rows[_SHIFT, i] = np.true_divide(shift, 1.0 + rows[_SIGMA, i] * rows[_SUPPLY, i])


@jit
def scale_products(
    count: int, active: I64, first: int, draws: int, kappas: F64, rows: F64, state: F64, work: F64, less_one: F64,
    bits: I64,
) -> None:  # fmt: skip
    """Apply the price indices of a step to the dollars, logs and surplus of its products."""
    size = count * draws
    for i in range(size):
        shift = (rows[_SIGMA, i] - rows[_ETA, i]) * rows[_IMPORTS, i]
        rows[_SHIFT, i] = np.true_divide(shift, 1.0 + rows[_SIGMA, i] * rows[_SUPPLY, i])
    shift_of_kappa(count, active, draws, kappas, rows)
    for i in range(size):
        work[i] = (1.0 - rows[_ETA, i]) * rows[_ALL, i]
    exp_array(work, less_one, bits, size)
    for i in range(size):
        power = 1.0 - rows[_ETA, i]
        less_one[i] = rows[_ALL, i] if power == 0.0 else np.true_divide(less_one[i], power)
    for slot in range(count):
        at, own = slot * draws, (active[slot] - first) * draws
        for b in range(draws):
            spending = state[_LANDED, own + b] + state[_SHIPMENTS, own + b]
            state[_SURPLUS, own + b] -= spending * less_one[at + b]
        if state[_SHIPMENTS, own] > 0.0:
            for b in range(draws):
                grown = np.exp((1.0 + rows[_SUPPLY, at + b]) * rows[_SHIFT, at + b])
                state[_LANDED, own + b] *= rows[_RATIO, at + b] * grown
        else:
            # Without domestic goods all spending is on imports.
            for b in range(draws):
                state[_LANDED, own + b] *= work[at + b]
        for b in range(draws):
            state[_QUANTITY, own + b] += rows[_SHIFT, at + b]
            state[_PRICE, own + b] += rows[_SUPPLY, at + b] * rows[_SHIFT, at + b]
        kappa = kappas[active[slot]]
        if not np.isnan(kappa):
            for b in range(draws):
                growth = np.exp((kappa - rows[_ETA, at + b]) * rows[_ALL, at + b])
                state[_SHIPMENTS, own + b] *= growth


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
            owned[0, k, b] = state[_SURPLUS, (k - first) * draws + b]
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
    first: int, last: int, offsets: I64, v0: F64, t0: F64, domestic: F64, draws: int, weight: F64, state: F64
) -> None:
    """Write the state of products [first, last) and of their cells before the first step."""
    for k in range(first, last):
        spending = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            spending += v0[i] * (1.0 + t0[i])
        for i in range(offsets[k], offsets[k + 1]):
            share = v0[i] * (1.0 + t0[i]) / spending if spending > 0.0 else 0.0
            for b in range(draws):
                weight[i - offsets[first], b] = share
        for i in range((k - first) * draws, (k - first + 1) * draws):
            state[_TOTAL, i] = 1.0
            state[_LANDED, i] = spending
            state[_SHIPMENTS, i] = domestic[k]
            state[_QUANTITY, i] = 0.0
            state[_PRICE, i] = 0.0
            state[_SURPLUS, i] = 0.0


@jit
def compose_steps(
    first: int,
    last: int,
    offsets: I64,
    product: I64,
    v0: F64,
    t0: F64,
    start: I64,
    variety: I32,
    power: F64,
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
        start: first entry of each step, one more than steps.
        variety, power: per entry the variety, ascending within a step, and the log change of its power of duty.
            Varieties of products without trade have none.
        weights: of impact, short and long per step and parameter (steps, 3, 3).
        stages: sigma, eta and inverse supply by horizon (products, 9, draws).
        kappas: substitution between imports and domestic goods per product; NaN is the eta of the step.
        domestic: domestic shipments at the baseline per product, USD.
        rate: rate after the last step per variety.
        hats: output (varieties, 2, draws): quantity and exporter price, after / before.
        growths: output (products, draws): growth of quantity at base prices.
        owned: output (2, products, draws): buyer surplus and welfare.
    """
    steps, draws = start.size - 1, stages.shape[2]
    cursor = np.empty(steps, dtype=np.int64)
    for j in range(steps):
        cursor[j] = start[j] + np.searchsorted(variety[start[j] : start[j + 1]], offsets[first])
    upto = first
    while upto < last:
        begin_product, begin = upto, offsets[upto]
        upto += 1
        while upto < last and (offsets[upto + 1] - begin) * draws <= _CHUNK:
            upto += 1
        cells, products, end = offsets[upto] - begin, upto - begin_product, offsets[upto]
        # Landed value of each cell, and logs of its hats, without the factors that all cells of a product share.
        weight, logs = np.empty((cells, draws)), np.zeros((cells, 2, draws))
        state, rows = np.empty((_PRODUCT_ROWS, products * draws)), np.empty((_STEP_ROWS, products * draws))
        size = 2 * max(cells, products) * draws
        work, less_one = np.empty(size), np.empty(size)
        bits = work.view(np.int64)
        active, firsts = np.empty(products, dtype=np.int64), np.empty(products + 1, dtype=np.int64)
        place, opened, owner = (
            np.empty(cells, dtype=np.int64),
            np.empty(cells),
            np.empty(cells, dtype=np.int64),
        )
        open_products(begin_product, upto, offsets, v0, t0, domestic, draws, weight, state)
        for j in range(steps):
            cursor[j], count, distinct = find_moves(
                cursor[j], start[j + 1], end, variety, product, power, active, firsts, place, opened, owner
            )
            if count == 0:
                continue
            blend(count, active, weights[j], stages, rows)
            for d in range(distinct):
                for b in range(draws):
                    work[d * draws + b] = rows[_POWER, owner[d] * draws + b] * opened[d]
            exp_array(work, less_one, bits, distinct * draws)
            move_cells(count, firsts, variety, begin, place, opened, less_one, rows, weight, logs)
            mean_levels(count, active, begin_product, offsets, weight, rows, state, work, less_one, bits)
            price_indices(count, active, begin_product, draws, kappas, rows, state)
            scale_products(count, active, begin_product, draws, kappas, rows, state, work, less_one, bits)
        for i in range(cells):
            own = (product[begin + i] - begin_product) * draws
            for b in range(draws):
                work[2 * i * draws + b] = logs[i, 0, b] + state[_QUANTITY, own + b]
                work[(2 * i + 1) * draws + b] = logs[i, 1, b] + state[_PRICE, own + b]
        exp_array(work, less_one, bits, 2 * cells * draws)
        hats[begin:end] = work[: 2 * cells * draws].reshape(cells, 2, draws)
        value_products(begin_product, upto, offsets, v0, t0, rate, state, hats, growths, owned)
