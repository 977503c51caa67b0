"""Kernels that take the steps of products in lanes: prices of nested CES demand, and what they shift.

For product k, lane b and step j, with the terms of `lane_terms` and l the change of ln(1 + t) of a part:

    growth of a part    G = (e^(a l) - 1) / a, or l at a = 0;  its weight W becomes W e^(a l)
    sum of weights      C = sum of share W G over the parts that move;  T' = T + a C
    price               x = [ln(T' / T) / a, or C / T at a = 0] / (1 + eta w)
    all parts           ln quantity += (sigma - eta) / D * x;  ln value += (1 + w) times that
    buyers              surplus -= Z (e^((1 - eta) x) - 1) / (1 - eta);  landed cost Z *= e^((1 - eta) x)

Functions take arrays, not the pack: with views of rows or the pack numba counts references in the loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.exp_log import LANES, exp_array, log_array
from tariffs.engine.response.kernels.lane_terms import (
    INVERSE_POWER,
    INVERSE_S,
    IS_GEOMETRIC,
    IS_LOG,
    LOST,
    ONE_W,
    POWER,
    S_POWER,
    SCALE,
    SHIFT,
    LanePack,
)
from tariffs.engine.response.kernels.nests import solve_price

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHANGES = 5
WEIGHT, GROWTH, VALUE, QUANTITY, DUTY = (row * LANES for row in range(CHANGES))
"""Rows of a change: e^(a l), its growth over a, and where it is a part its hats of value and quantity and rate times
the former, all without the factors of its product. With several steps the quantity is a log, and parts have rows
like these."""
STATE = 11
TOTAL, LANDED, SURPLUS, Q_LOG, V_LOG, CHANGE, AFTER, PRICE, Q_SUM, D_SUM, SHIPMENTS = (
    row * LANES for row in range(STATE)
)
"""Rows of a product: sum of weights; landed cost and surplus; logs of its factors of quantity and value; of a step the
change of the sum of weights, the sum after, and log price; sums of quantity and duty over parts; domestic shipments."""
# Relative change of a sum below which it is computed again from its terms, since a difference would lose digits.
_REFRESH_BELOW = -0.5


@jit
def fill_changes(
    first: int, last: int, n: int, of_term: Ints, of_row: Ints, term0: int, terms: Floats, powers: Floats,
    inverse: Floats, has_hats: bool, table: Floats, num: Floats, less: Floats, bits: Ints,
) -> None:  # fmt: skip
    """Compute the rows of changes [first, last) into `table`; hats only where they are asked for."""
    count = (last - first) * n
    for c in range(first, last):
        term, row, i = of_term[c] - term0, of_row[c], c - first
        for b in range(n):
            num[i, b] = terms[term, POWER + b] * powers[row, b]
    exp_array(num.reshape(-1), less.reshape(-1), bits, count)
    for c in range(first, last):
        term, row, i = of_term[c] - term0, of_row[c], c - first
        for b in range(n):
            table[i, WEIGHT + b] = num[i, b]
            table[i, GROWTH + b] = (
                less[i, b] * terms[term, INVERSE_POWER + b] + terms[term, IS_GEOMETRIC + b] * powers[row, b]
            )
        for b in range(n):
            num[i, b] = -terms[term, LOST + b] * powers[row, b]
    if has_hats:
        exp_array(num.reshape(-1), less.reshape(-1), bits, count)
    for c in range(first, last):
        row, i = of_row[c], c - first
        if has_hats:
            for b in range(n):
                table[i, VALUE + b] = table[i, WEIGHT + b] * inverse[row, b]
        for b in range(n):
            table[i, QUANTITY + b] = num[i, b]


@jit
def open_parts(p0: int, p1: int, n: int, weight: Floats) -> None:
    """Write weight 1 and log of quantity 0 of parts [p0, p1)."""
    for i in range(p1 - p0):
        for b in range(n):
            weight[i, WEIGHT + b] = 1.0
            weight[i, LANES + b] = 0.0


@jit
def close_parts(
    p0: int, p1: int, n: int, final: Ints, inverse: Floats, weight: Floats, hats: Floats, num: Floats, less: Floats,
    bits: Ints,
) -> None:  # fmt: skip
    """Compute the hats of parts [p0, p1) after all steps, without the factors of their products."""
    for p in range(p0, p1):
        i, row = p - p0, final[p]
        for b in range(n):
            hats[i, VALUE + b] = weight[i, WEIGHT + b] * inverse[row, b]
        for b in range(n):
            num[i, b] = weight[i, LANES + b]
    exp_array(num.reshape(-1), less.reshape(-1), bits, (p1 - p0) * n)
    for i in range(p1 - p0):
        for b in range(n):
            hats[i, QUANTITY + b] = num[i, b]


@jit
def open_products(
    k0: int, k1: int, n: int, landed: Floats, surplus: Floats, domestic: Floats, sums: Floats, state: Floats
) -> None:  # fmt: skip
    """Write the state of products [k0, k1) before the first step."""
    for k in range(k0, k1):
        own = k - k0
        spent, gain, home, quantity, duty = landed[k], surplus[k], domestic[k], sums[k, 0], sums[k, 1]
        for b in range(n):
            state[own, TOTAL + b] = 1.0
            state[own, LANDED + b] = spent
            state[own, SURPLUS + b] = gain
            state[own, Q_LOG + b] = 0.0
            state[own, V_LOG + b] = 0.0
            state[own, PRICE + b] = 0.0
            state[own, Q_SUM + b] = quantity
            state[own, D_SUM + b] = duty
            state[own, SHIPMENTS + b] = home


@jit
def grow_stages(
    s0: int, s1: int, n: int, product: Ints, of_term: Ints, fixed: Floats, start: Ints, move_part: Ints,
    move_change: Ints, share: Floats, k0: int, h0: int, p0: int, term0: int, one_step: bool, terms: Floats,
    changes: Floats, weight: Floats, state: Floats, num: Floats, less: Floats,
) -> int:  # fmt: skip
    """Write the ratios of sums of weights by stages [s0, s1) to `num`, and weights after; count lanes to refresh."""
    below = 0
    for s in range(s0, s1):
        own, term, i, still = product[s] - k0, of_term[s] - term0, s - s0, fixed[s]
        for b in range(n):
            state[own, CHANGE + b] = still
        if one_step:
            for m in range(start[s], start[s + 1]):
                change, part = move_change[m] - h0, share[move_part[m]]
                for b in range(n):
                    state[own, CHANGE + b] += part * changes[change, GROWTH + b]
        else:
            for m in range(start[s], start[s + 1]):
                change, place, part = move_change[m] - h0, move_part[m] - p0, share[move_part[m]]
                for b in range(n):
                    before = weight[place, WEIGHT + b]
                    state[own, CHANGE + b] += part * before * changes[change, GROWTH + b]
                    weight[place, WEIGHT + b] = before * changes[change, WEIGHT + b]
                    weight[place, LANES + b] += changes[change, QUANTITY + b]
        for b in range(n):
            more = terms[term, POWER + b] * state[own, CHANGE + b]
            growth = np.true_divide(more, state[own, TOTAL + b])
            # Counting vectorises; the least of floats would not.
            below += 1 if growth < _REFRESH_BELOW else 0
            state[own, AFTER + b] = state[own, TOTAL + b] + more
            state[own, PRICE + b] = growth if growth > _REFRESH_BELOW else _REFRESH_BELOW
        for b in range(n):
            growth = state[own, PRICE + b]
            ratio = 1.0 + growth
            num[i, b] = ratio
            less[i, b] = np.true_divide(growth - (ratio - 1.0), ratio)
    return below


@jit
def refresh(
    n: int, pack: LanePack, s: int, k0: int, h0: int, p0: int, term0: int, one_step: bool, terms: Floats,
    changes: Floats, weight: Floats, state: Floats, num: Floats, less: Floats, i: int,
) -> None:  # fmt: skip
    """Compute the sum of weights of a product after a stage from its terms, in lanes where it fell far."""
    k = pack.stage_product[s]
    own, term = k - k0, pack.stage_term[s] - term0
    for b in range(n):
        grown = np.true_divide(terms[term, POWER + b] * state[own, CHANGE + b], state[own, TOTAL + b])
        if grown < _REFRESH_BELOW:
            whole = pack.stage_total[s]
            for p in range(pack.part_start[k], pack.part_start[k + 1]):
                part = changes[pack.part_hat[p] - h0, WEIGHT + b] if one_step else weight[p - p0, WEIGHT + b]
                whole += pack.share[p] * part
            num[i, b], less[i, b] = np.true_divide(whole, state[own, TOTAL + b]), 0.0
            state[own, AFTER + b] = whole


@jit
def price_beside_domestic(
    n: int, own: int, term: int, i: int, given: float, terms: Floats, state: Floats, num: Floats
) -> None:
    """Compute the prices of a product with domestic goods; `num` has the log of the ratio of its sum of weights.

    Writes the price of imports and domestic goods, and in the rows of the change and the sum after the growth of landed
    cost and of domestic shipments. Sigma, eta and w are those of the terms.
    """
    for b in range(n):
        # 1 / (1 + sigma w)
        damping = terms[term, POWER + b] + terms[term, LOST + b]
        sigma, eta = terms[term, LOST + b] / damping, 1.0 - terms[term, S_POWER + b]
        w, kappa = terms[term, ONE_W + b] - 1.0, eta if np.isnan(given) else given
        landed, shipments = state[own, LANDED + b], state[own, SHIPMENTS + b]
        share = landed / (landed + shipments)
        mean = state[own, CHANGE + b] / state[own, TOTAL + b]
        level = num[i, b] * terms[term, INVERSE_POWER + b] + terms[term, IS_GEOMETRIC + b] * mean
        imports, whole = solve_price(level * damping, share, sigma, kappa, eta, 0.0, w)
        shift = ((sigma - kappa) * imports + (kappa - eta) * whole) * damping
        state[own, Q_LOG + b] += shift
        state[own, V_LOG + b] += terms[term, ONE_W + b] * shift
        state[own, PRICE + b] = whole
        total = state[own, TOTAL + b]
        state[own, TOTAL + b] = state[own, AFTER + b]
        state[own, CHANGE + b] = state[own, AFTER + b] / total * np.exp(terms[term, ONE_W + b] * shift)
        state[own, AFTER + b] = np.exp((kappa - eta) * whole)


@jit
def price_stages(
    s0: int, s1: int, n: int, product: Ints, of_term: Ints, kappa: Floats, k0: int, term0: int, terms: Floats,
    state: Floats, num: Floats,
) -> None:  # fmt: skip
    """Compute prices of products from the logs of the ratios of their sums of weights, and what the prices shift."""
    for s in range(s0, s1):
        own, term, i = product[s] - k0, of_term[s] - term0, s - s0
        if state[own, SHIPMENTS] > 0.0:
            price_beside_domestic(n, own, term, i, kappa[product[s]], terms, state, num)
        else:
            for b in range(n):
                mean = np.true_divide(state[own, CHANGE + b], state[own, TOTAL + b])
                level = num[i, b] * terms[term, INVERSE_POWER + b] + terms[term, IS_GEOMETRIC + b] * mean
                price = level * terms[term, SCALE + b]
                shift = terms[term, SHIFT + b] * price
                state[own, Q_LOG + b] += shift
                state[own, V_LOG + b] += terms[term, ONE_W + b] * shift
                state[own, TOTAL + b] = state[own, AFTER + b]
                state[own, PRICE + b] = price
        for b in range(n):
            num[i, b] = terms[term, S_POWER + b] * state[own, PRICE + b]


@jit
def gain_stages(
    s0: int, s1: int, n: int, product: Ints, of_term: Ints, k0: int, term0: int, terms: Floats, state: Floats,
    num: Floats, less: Floats,
) -> None:  # fmt: skip
    """Compute surplus of buyers, and landed cost and domestic shipments after a step."""
    for s in range(s0, s1):
        own, term, i = product[s] - k0, of_term[s] - term0, s - s0
        if state[own, SHIPMENTS] > 0.0:
            for b in range(n):
                growth = (
                    less[i, b] * terms[term, INVERSE_S + b] + terms[term, IS_LOG + b] * state[own, PRICE + b]
                )
                state[own, SURPLUS + b] -= (state[own, LANDED + b] + state[own, SHIPMENTS + b]) * growth
                state[own, LANDED + b] *= state[own, CHANGE + b]
                state[own, SHIPMENTS + b] *= state[own, AFTER + b]
        else:
            # Without domestic goods all spending is on imports.
            for b in range(n):
                growth = (
                    less[i, b] * terms[term, INVERSE_S + b] + terms[term, IS_LOG + b] * state[own, PRICE + b]
                )
                state[own, SURPLUS + b] -= state[own, LANDED + b] * growth
                state[own, LANDED + b] *= num[i, b]


@jit
def take_steps(
    s0: int, s1: int, n: int, pack: LanePack, k0: int, h0: int, p0: int, term0: int, one_step: bool, terms: Floats,
    changes: Floats, weight: Floats, state: Floats, num: Floats, less: Floats, bits: Ints,
) -> None:  # fmt: skip
    """Take the steps of the products of a chunk, whose stages [s0, s1) are in the order of the steps."""
    product, of_term, step = pack.stage_product, pack.stage_term, pack.stage_step
    s = s0
    while s < s1:
        upto = s + 1
        while upto < s1 and step[upto] == step[s]:
            upto += 1
        below = grow_stages(
            s, upto, n, product, of_term, pack.stage_change, pack.move_start, pack.move_part, pack.move_change,
            pack.share, k0, h0, p0, term0, one_step, terms, changes, weight, state, num, less,
        )  # fmt: skip
        if below > 0:
            for i in range(s, upto):
                refresh(
                    n, pack, i, k0, h0, p0, term0, one_step, terms, changes, weight, state, num, less, i - s
                )
        count = (upto - s) * n
        log_array(num.reshape(-1), less.reshape(-1), bits, count)
        price_stages(s, upto, n, product, of_term, pack.kappa, k0, term0, terms, state, num)
        exp_array(num.reshape(-1), less.reshape(-1), bits, count)
        gain_stages(s, upto, n, product, of_term, k0, term0, terms, state, num, less)
        s = upto
