"""Kernels that close products in lanes, and add their varieties to the sums of groups.

factors of all parts of a product: value e^(ln V), quantity e^(ln Q);  creation: quantity after / before - 1
welfare = duty after - duty at the baseline + surplus
sums per group += weight x hat
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.exp_log import LANES, exp_array
from tariffs.engine.response.kernels.lane_stages import (
    D_SUM,
    DUTY,
    PRICE,
    Q_LOG,
    Q_SUM,
    QUANTITY,
    SURPLUS,
    V_LOG,
    VALUE,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FACTORS = 4
F_VALUE, F_DUTY, F_QUANTITY, F_CREATION = (row * LANES for row in range(FACTORS))
"""Rows of the factors of a product; the first three stand as the hats of fixed varieties, value and duty alike."""
PARTS = 3
P_VALUE, P_DUTY, P_QUANTITY = (row * LANES for row in range(PARTS))
"""Rows of a part: hats of value and quantity, and rate times the former."""
SUMS = 8
S_VALUE, S_DUTY, S_CHARGES, S_CREATION, S_QUANTITY, S_BASE, S_TAX, S_OWED = (
    row * LANES for row in range(SUMS)
)
"""Rows of the sums of a group."""
WEIGHTS, TAXED_WEIGHTS = 6, 8


@jit
def fill_duty(h0: int, h1: int, n: int, final: Ints, rates: Floats, hats: Floats) -> None:
    """Compute rate times value hat of hats [h0, h1)."""
    for h in range(h0, h1):
        i, row = h - h0, final[h]
        for b in range(n):
            hats[i, DUTY + b] = hats[i, VALUE + b] * rates[row, b]


@jit
def sum_parts(
    k0: int, k1: int, n: int, start: Ints, hat_of: Ints, quantity: Floats, dutiable: Floats, h0: int, hats: Floats,
    state: Floats,
) -> None:  # fmt: skip
    """Add quantity and duty of the parts of products [k0, k1) without the factors of the products."""
    for k in range(k0, k1):
        own = k - k0
        for p in range(start[k], start[k + 1]):
            hat, x, y = hat_of[p] - h0, quantity[p], dutiable[p]
            for b in range(n):
                state[own, Q_SUM + b] += x * hats[hat, QUANTITY + b]
                state[own, D_SUM + b] += y * hats[hat, DUTY + b]


@jit
def keep_prices(k0: int, k1: int, n: int, state: Floats, prices: Floats) -> None:
    """Write the log prices of imports of products by themselves."""
    for k in range(k0, k1):
        for b in range(n):
            prices[k, b] = state[k - k0, PRICE + b]


@jit
def shift_products(
    k0: int, k1: int, n: int, shift: Ints, gain: Ints, shifts: Floats, gains: Floats, state: Floats
) -> None:
    """Shift the products of nests by the market above them, and take their surplus in it."""
    for k in range(k0, k1):
        own, row, borne = k - k0, shift[k], gain[k]
        if row >= 0:
            for b in range(n):
                state[own, V_LOG + b] += shifts[row, 0, b]
                state[own, Q_LOG + b] += shifts[row, 1, b]
                state[own, SURPLUS + b] = gains[borne, 0, b] if borne >= 0 else 0.0


@jit
def add_gains(k0: int, k1: int, n: int, gain: Ints, gains: Floats, state: Floats) -> None:
    """Add the gain of domestic producers by the products of nests to the welfare of the products."""
    for k in range(k0, k1):
        if gain[k] >= 0:
            for b in range(n):
                state[k - k0, D_SUM + b] += gains[gain[k], 1, b]


@jit
def close_products(
    k0: int, k1: int, n: int, before: Floats, revenue: Floats, state: Floats, factors: Floats,
    num: Floats, less: Floats, bits: Ints,
) -> None:  # fmt: skip
    """Compute the factors of products [k0, k1), and into the row of their duty their welfare."""
    half = k1 - k0
    for k in range(k0, k1):
        own = k - k0
        for b in range(n):
            num[own, b] = state[own, V_LOG + b]
        for b in range(n):
            num[half + own, b] = state[own, Q_LOG + b]
    exp_array(num.reshape(-1), less.reshape(-1), bits, 2 * half * n)
    for k in range(k0, k1):
        own = k - k0
        paid = revenue[k]
        was = before[k] if before[k] > 0.0 else 1.0
        less_one = 1.0 if before[k] > 0.0 else 0.0
        for b in range(n):
            factors[own, F_VALUE + b] = num[own, b]
            factors[own, F_DUTY + b] = num[own, b]
        for b in range(n):
            factors[own, F_QUANTITY + b] = num[half + own, b]
        for b in range(n):
            after = state[own, Q_SUM + b] * factors[own, F_QUANTITY + b]
            factors[own, F_CREATION + b] = np.true_divide(after, was) - less_one
            state[own, D_SUM + b] = (
                state[own, D_SUM + b] * factors[own, F_VALUE + b] - paid + state[own, SURPLUS + b]
            )


@jit
def fill_parts(
    k0: int, k1: int, n: int, start: Ints, hat_of: Ints, h0: int, hats: Floats, factors: Floats, parts: Floats
) -> None:  # fmt: skip
    """Compute the hats of the parts of products [k0, k1) with the factors of their products."""
    first = start[k0]
    for k in range(k0, k1):
        own = k - k0
        for p in range(start[k], start[k + 1]):
            hat, part = hat_of[p] - h0, p - first
            for b in range(n):
                parts[part, P_VALUE + b] = hats[hat, VALUE + b] * factors[own, F_VALUE + b]
                parts[part, P_DUTY + b] = hats[hat, DUTY + b] * factors[own, F_VALUE + b]
                parts[part, P_QUANTITY + b] = hats[hat, QUANTITY + b] * factors[own, F_QUANTITY + b]


@jit
def skip_lanes(
    k0: int, k1: int, n: int, place: Ints, skipped: Bools, start: Ints, state: Floats, factors: Floats, parts: Floats
) -> None:  # fmt: skip
    """Make products nothing in the lanes that row `place` of `skipped` marks; a place of -1 has none."""
    first = start[k0]
    for k in range(k0, k1):
        row, own = place[k], k - k0
        if row < 0:
            continue
        for b in range(n):
            if skipped[row, b]:
                state[own, SURPLUS + b] = 0.0
                state[own, D_SUM + b] = 0.0
                for column in range(FACTORS):
                    factors[own, column * LANES + b] = 0.0
                for p in range(start[k] - first, start[k + 1] - first):
                    for column in range(PARTS):
                        parts[p, column * LANES + b] = 0.0


@jit
def add_products(k0: int, k1: int, n: int, owner: Ints, state: Floats, owned: Floats) -> None:
    """Add surplus and welfare of products [k0, k1) to those of their owners."""
    for k in range(k0, k1):
        own, row = k - k0, owner[k]
        for b in range(n):
            owned[row, b] += state[own, SURPLUS + b]
            owned[row, LANES + b] += state[own, D_SUM + b]


@jit
def keep_hats(
    k0: int, k1: int, n: int, start: Ints, parts: Floats, factors: Floats, hats: Floats, growths: Floats
) -> None:  # fmt: skip
    """Write hats of value and quantity of parts (parts, 2, n) and growth of quantity of products (products, n)."""
    first = start[k0]
    for k in range(k0, k1):
        for b in range(n):
            growths[k, b] = 1.0 + factors[k - k0, F_CREATION + b]
        for p in range(start[k], start[k + 1]):
            for b in range(n):
                hats[p, 0, b] = parts[p - first, P_VALUE + b]
                hats[p, 1, b] = parts[p - first, P_QUANTITY + b]


ROWS = 4
"""Rows of one group that are added at once: its sums are read and written once for all of them."""


@jit
def add_four(
    i: int, n: int, product: Ints, row: int, weights: Floats, hat_of: Ints, hat0: int, hats: Floats, product0: int,
    factors: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Add `ROWS` rows of weights from i on to the sums of their group."""
    h, i1, i2, i3 = hat_of[i] - hat0, i + 1, i + 2, i + 3
    h1, h2, h3 = hat_of[i1] - hat0, hat_of[i2] - hat0, hat_of[i3] - hat0
    v, v1, v2, v3 = weights[i, 0], weights[i1, 0], weights[i2, 0], weights[i3, 0]
    d, d1, d2, d3 = weights[i, 1], weights[i1, 1], weights[i2, 1], weights[i3, 1]
    for b in range(n):
        x, x1 = hats[h, P_VALUE + b], hats[h1, P_VALUE + b]
        x2, x3 = hats[h2, P_VALUE + b], hats[h3, P_VALUE + b]
        y, y1, y2, y3 = hats[h, P_DUTY + b], hats[h1, P_DUTY + b], hats[h2, P_DUTY + b], hats[h3, P_DUTY + b]
        sums[row, S_VALUE + b] += v * x + v1 * x1 + v2 * x2 + v3 * x3
        sums[row, S_DUTY + b] += d * y + d1 * y1 + d2 * y2 + d3 * y3
    c, c1, c2, c3 = weights[i, 2], weights[i1, 2], weights[i2, 2], weights[i3, 2]
    q, q1, q2, q3 = weights[i, 4], weights[i1, 4], weights[i2, 4], weights[i3, 4]
    t, t1, t2, t3 = weights[i, 5], weights[i1, 5], weights[i2, 5], weights[i3, 5]
    for b in range(n):
        x, x1 = hats[h, P_QUANTITY + b], hats[h1, P_QUANTITY + b]
        x2, x3 = hats[h2, P_QUANTITY + b], hats[h3, P_QUANTITY + b]
        sums[row, S_CHARGES + b] += c * x + c1 * x1 + c2 * x2 + c3 * x3
        sums[row, S_QUANTITY + b] += q * x + q1 * x1 + q2 * x2 + q3 * x3
        sums[row, S_BASE + b] += t * x + t1 * x1 + t2 * x2 + t3 * x3
    k, k1 = product[i] - product0, product[i1] - product0
    k2, k3 = product[i2] - product0, product[i3] - product0
    v, v1, v2, v3 = weights[i, 3], weights[i1, 3], weights[i2, 3], weights[i3, 3]
    for b in range(n):
        x, x1 = factors[k, F_CREATION + b], factors[k1, F_CREATION + b]
        x2, x3 = factors[k2, F_CREATION + b], factors[k3, F_CREATION + b]
        sums[row, S_CREATION + b] += v * x + v1 * x1 + v2 * x2 + v3 * x3


@jit
def add_rows(
    first: int, last: int, n: int, product: Ints, group: Ints, weights: Floats, owed: Floats, values_of: Ints,
    hat_of: Ints, hat0: int, hats: Floats, product0: int, factors: Floats, sums: Floats, values: Floats,
) -> None:  # fmt: skip
    """Add rows [first, last) of weights to the sums of their groups, and to those of values if there are such."""
    i = first
    while i < last:
        row, own, hat = group[i], product[i] - product0, hat_of[i] - hat0
        if i + ROWS <= last and group[i + 1] == row and group[i + 2] == row and group[i + 3] == row:
            add_four(i, n, product, row, weights, hat_of, hat0, hats, product0, factors, sums)
            i += ROWS
            continue
        value, duty, charges, v0 = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
        quantity, base = weights[i, 4], weights[i, 5]
        for b in range(n):
            sums[row, S_VALUE + b] += value * hats[hat, P_VALUE + b]
            sums[row, S_DUTY + b] += duty * hats[hat, P_DUTY + b]
            sums[row, S_CHARGES + b] += charges * hats[hat, P_QUANTITY + b]
            sums[row, S_BASE + b] += base * hats[hat, P_QUANTITY + b]
            sums[row, S_CREATION + b] += v0 * factors[own, F_CREATION + b]
        for b in range(n):
            sums[row, S_QUANTITY + b] += quantity * hats[hat, P_QUANTITY + b]
        i += 1
    if weights.shape[1] == TAXED_WEIGHTS:
        for i in range(first, last):
            row, hat = group[i], hat_of[i] - hat0
            value, duty = weights[i, 6], weights[i, 7]
            for b in range(n):
                sums[row, S_TAX + b] += value * hats[hat, P_VALUE + b] + duty * hats[hat, P_DUTY + b]
    if owed.size > 0:
        for i in range(first, last):
            row, hat, value = group[i], hat_of[i] - hat0, owed[i]
            for b in range(n):
                sums[row, S_OWED + b] += value * hats[hat, P_VALUE + b]
    if values.shape[0] > 0:
        for i in range(first, last):
            row, hat, value = values_of[i], hat_of[i] - hat0, weights[i, 0]
            for b in range(n):
                values[row, b] += value * hats[hat, P_VALUE + b]
