"""Kernels of the Armington response to one change of duty for many elasticities, several draws at a time.

Varieties of a product whose duty changes alike have one price and one quantity in every draw: they share a *cell*.
Powers and exponents are worked out once per cell; sums go over varieties in their order, so that the bits are those of
`respond`. Supply is one per product, freight is left out and there are no domestic goods, so every product has its
closed form. Varieties come ordered by product; the last axis of what is written is the draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.armington import _LARGE_EXPONENT, _LARGEST_LOG, growth

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNTRADED = 0
WEIGHTLESS = 1
WEIGHED = 2
"""Kinds of a cell: its varieties have no trade, trade too small for a share of the product's, or a share."""

_OVERFLOW = np.log(np.finfo(np.float64).max)


_SEARCHED = 64
# Cells of a product that are searched for the rates of a variety; a cell found twice costs work and changes no digit.


@jit
def number_cells(
    first: int, last: int, offsets: Ints, v0: Floats, t0: Floats, t1: Floats, shares: Floats, cell: Ints,
    opened: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Number the cells of products [first, last), each from 0.

    Writes per variety its share of the product's landed cost and its cell, per product the number of its cells, and to
    `opened`, from the first variety of the product on, the first variety of each cell.
    """
    for k in range(first, last):
        begin, end = offsets[k], offsets[k + 1]
        landed = 0.0
        for i in range(begin, end):
            landed += v0[i] * (1.0 + t0[i])
        count = 0
        for i in range(begin, end):
            shares[i] = v0[i] * (1.0 + t0[i]) / landed if landed > 0.0 else 0.0
            found = -1
            for c in range(count - 1, max(count - _SEARCHED, 0) - 1, -1):
                j = opened[begin + c]
                same = t0[j] == t0[i] and t1[j] == t1[i]
                if same and (v0[j] == 0.0) == (v0[i] == 0.0) and (shares[j] > 0.0) == (shares[i] > 0.0):
                    found = c
                    break
            if found < 0:
                found = count
                opened[begin + count] = i
                count += 1
            cell[i] = found
        counts[k] = count


@jit
def open_cells(
    first: int, last: int, offsets: Ints, cell_offsets: Ints, v0: Floats, t0: Floats, t1: Floats, shares: Floats,
    opened: Ints, cell: Ints, logs: Floats, kinds: Ints,
) -> None:  # fmt: skip
    """Number the cells of products [first, last) through; write their log change of one plus the rate, and kind."""
    for k in range(first, last):
        for i in range(offsets[k], offsets[k + 1]):
            cell[i] += cell_offsets[k]
        for c in range(cell_offsets[k], cell_offsets[k + 1]):
            i = opened[offsets[k] + c - cell_offsets[k]]
            logs[c] = np.log1p((t1[i] - t0[i]) / (1.0 + t0[i]))
            if v0[i] == 0.0:
                kinds[c] = UNTRADED
            else:
                kinds[c] = WEIGHED if shares[i] > 0.0 else WEIGHTLESS


@jit
def index_logs(
    first: int, last: int, logs: Floats, kinds: Ints, mean: float, damped: float, exponents: Floats
) -> tuple[float, float]:
    """Prepare the price index of cells [first, last): fill `exponents`, return the largest power and the shift.

    The index is the mean plus `log1p(sum) / damped` of what `exponents` sum to with the shares, or beyond
    `_LARGE_EXPONENT` the mean plus `(shift + log(sum)) / damped`.
    """
    largest = 0.0
    top = -np.inf
    for cell in range(first, last):
        if kinds[cell] == WEIGHED:
            power = damped * (logs[cell] - mean)
            largest = max(largest, abs(power))
            top = max(top, power)
    for cell in range(first, last):
        if kinds[cell] != WEIGHED or largest == 0.0:
            exponents[cell - first] = 0.0
        elif largest <= _LARGE_EXPONENT:
            exponents[cell - first] = np.expm1(damped * (logs[cell] - mean))
        else:
            exponents[cell - first] = np.exp(damped * (logs[cell] - mean) - top)
    return largest, top


@jit
def cell_hats(
    first: int,
    last: int,
    logs: Floats,
    kinds: Ints,
    g: float,
    sigma: float,
    w: float,
    draw: int,
    hats: Floats,
) -> None:
    """Compute quantity and exporter price of cells [first, last) given the demand shift g; infinite if the price is."""
    for cell in range(first, last):
        quantity = (g - sigma * logs[cell]) / (1.0 + sigma * w)
        exporter = w * quantity
        price = logs[cell] + exporter
        if kinds[cell] == UNTRADED:
            price = min(price, _LARGEST_LOG)
            exporter = min(exporter, _LARGEST_LOG)
            quantity = min(quantity, _LARGEST_LOG)
        hats[cell, 0, draw] = np.exp(quantity)
        if price <= _OVERFLOW:
            hats[cell, 1, draw] = np.exp(exporter) if w > 0.0 else 1.0
        else:
            hats[cell, 1, draw] = np.inf


@jit
def run_draws(
    first_product: int,
    last_product: int,
    offsets: Ints,
    cell_offsets: Ints,
    cell_of: Ints,
    v0: Floats,
    t0: Floats,
    t1: Floats,
    logs: Floats,
    kinds: Ints,
    shares: Floats,
    parameters: Floats,
    hats: Floats,
    growths: Floats,
    owned: Floats,
) -> None:
    """Solve and value products [first_product, last_product) for a few draws.

    The varieties of product k are `offsets[k]` to `offsets[k + 1]`, its cells `cell_offsets[k]` to the next. Reads
    `logs` and `kinds` per cell, `shares` of each variety in its product's landed cost, and `parameters` (products, 4,
    draws: sigma, eta, kappa, inverse supply). Writes `hats` (cells, 2, draws: quantity, exporter price), `growths`
    (products, draws) of quantity at base prices, and `owned` (2, products, draws: buyer surplus, welfare).
    """
    draws = parameters.shape[2]
    widest = 0
    for k in range(first_product, last_product):
        widest = max(widest, cell_offsets[k + 1] - cell_offsets[k])
    one = np.empty(widest)
    exponents = np.empty((widest, draws))
    largest, shift, damped, index = np.empty(draws), np.empty(draws), np.empty(draws), np.empty(draws)
    total, after, revenue = np.empty(draws), np.empty(draws), np.empty(draws)
    for k in range(first_product, last_product):
        begin, end = offsets[k], offsets[k + 1]
        first, last = cell_offsets[k], cell_offsets[k + 1]
        before, landed, mean = 0.0, 0.0, 0.0
        for i in range(begin, end):
            before += v0[i]
            landed += v0[i] * (1.0 + t0[i])
            mean += shares[i] * logs[cell_of[i]]
        if landed <= 0.0:
            hats[first:last] = 1.0
            growths[k] = 1.0
            owned[:, k] = 0.0
            continue
        for b in range(draws):
            sigma, w = parameters[k, 0, b], parameters[k, 3, b]
            damped[b] = (1.0 - sigma) / (1.0 + sigma * w)
            largest[b], shift[b] = index_logs(first, last, logs, kinds, mean, damped[b], one)
            for c in range(last - first):
                exponents[c, b] = one[c]
        total[:] = 0.0
        for i in range(begin, end):
            for b in range(draws):
                total[b] += shares[i] * exponents[cell_of[i] - first, b]
        for b in range(draws):
            sigma, eta = parameters[k, 0, b], parameters[k, 1, b]
            kappa, w = parameters[k, 2, b], parameters[k, 3, b]
            level = mean
            if largest[b] > _LARGE_EXPONENT:
                level = mean + (shift[b] + np.log(total[b])) / damped[b]
            elif largest[b] > 0.0:
                level = mean + np.log1p(total[b]) / damped[b]
            x = level / (1.0 + eta * w)
            index[b] = x
            cell_hats(first, last, logs, kinds, (sigma - kappa) * x + (kappa - eta) * x, sigma, w, b, hats)
        after[:] = 0.0
        revenue[:] = 0.0
        for i in range(begin, end):
            cell = cell_of[i]
            for b in range(draws):
                quantity = v0[i] * hats[cell, 0, b]
                after[b] += quantity
                revenue[b] += t1[i] * (quantity * hats[cell, 1, b]) - t0[i] * v0[i]
        for b in range(draws):
            growths[k, b] = after[b] / before if before > 0.0 else 1.0
            owned[0, k, b] = -landed * growth(index[b], 1.0 - parameters[k, 1, b])
            owned[1, k, b] = owned[0, k, b] + revenue[b]
