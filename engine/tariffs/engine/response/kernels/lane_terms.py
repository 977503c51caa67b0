"""Rows that the lane kernels read: changes of duty by lane, and terms of the elasticities by lane.

A lane is one law through time with one set of elasticities. A call computes n lanes, at most `LANES`, side by side;
rows of one thing lie `LANES` apart in one array, so that one compilation serves every n and no two rows overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.exp_log import LANES, log_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Below this power the power mean is the geometric one to every digit.
_GEOMETRIC = 1e-30

TERMS = 10
POWER, INVERSE_POWER, IS_GEOMETRIC, LOST, SCALE, SHIFT, ONE_W, S_POWER, INVERSE_S, IS_LOG = (
    row * LANES for row in range(TERMS)
)
"""Rows of the terms of a kind of product at a step, with sigma, eta and inverse supply w, and D = 1 + sigma w:
a = (1 - sigma) / D, 1 / a, a = 0, sigma / D, 1 / (1 + eta w), (sigma - eta) / D, 1 + w, 1 - eta, 1 / (1 - eta),
eta = 1."""


class LanePack(NamedTuple):
    """Products with their varieties and steps, in chunks of products and bundles of chunks.

    A *change* is a kind of product, a step and a row of changes of ln(1 + t); a *part* is the varieties of a product
    with one path of duty; a *stage* is a step of a product, a *move* a part that a stage moves. With one step every
    part points to its change.

    Attributes:
        chunk_products, chunk_changes, chunk_stages: first of each chunk (one more than chunks).
        bundle_chunks: first chunk of each bundle (one more than bundles).
        owner: per product, place of its surplus and welfare in `owned`.
        landed, surplus: per product, landed cost and buyers' surplus before the first step, USD.
        before, revenue: per product, customs value and duty at the baseline, USD.
        domestic: per product, domestic shipments before the first step, USD; their supply is flat.
        kappa: per product, substitution between imports and domestic goods; NaN is the eta of the step.
        sums: (products, 2) quantity at baseline prices and duty of what counts of fixed varieties, at index 1.
        change_term, change_row: per change its row of terms and of powers.
        part_start: first part of each product (one more than products).
        part_hat: with one step the change of each part, else its own number.
        final_row: row of `rates` and `inverse`: with one step per change, else per part.
        share: per part, share in the landed cost of its product before the first step.
        dutiable, quantity: per part, USD that the hats multiply; of the value what counts in sums.
        stage_product, stage_kind, stage_step, stage_term: per stage, by chunk and step.
        stage_change, stage_total: what fixed varieties add to the sum of weights over the power, and have in it after.
        move_start: first move of each stage (one more than stages).
        move_part, move_change: per move.
        moved_start: first row of each chunk among the varieties that move (one more than chunks).
        moved_product, moved_group, moved_part: per row.
        moved_weight: (rows, 6) USD that their hats multiply: value, duty, charges, baseline value, quantity and duty at
            the baseline; with a value added tax (rows, 8) the tax on value and on duty too.
        moved_owed: per row USD of duty owed that the value hat multiplies, where it is not that assessed; else empty.
        moved_values: per row a group of values; empty without such sums.
        fixed_start, fixed_product, fixed_group, fixed_weight, fixed_values: likewise by bundle for
            varieties that move in no lane; amounts are those at index 1.
    """

    chunk_products: Ints
    chunk_changes: Ints
    chunk_stages: Ints
    bundle_chunks: Ints
    owner: Ints
    landed: Floats
    surplus: Floats
    before: Floats
    revenue: Floats
    domestic: Floats
    kappa: Floats
    sums: Floats
    change_term: Ints
    change_row: Ints
    part_start: Ints
    part_hat: Ints
    final_row: Ints
    share: Floats
    dutiable: Floats
    quantity: Floats
    stage_product: Ints
    stage_kind: Ints
    stage_step: Ints
    stage_term: Ints
    stage_change: Floats
    stage_total: Floats
    move_start: Ints
    move_part: Ints
    move_change: Ints
    moved_start: Ints
    moved_product: Ints
    moved_group: Ints
    moved_part: Ints
    moved_weight: Floats
    moved_owed: Floats
    moved_values: Ints
    fixed_start: Ints
    fixed_product: Ints
    fixed_group: Ints
    fixed_weight: Floats
    fixed_values: Ints


FLOATS = frozenset({
    "landed", "surplus", "before", "revenue", "domestic", "kappa", "sums", "share", "dutiable", "quantity",
    "stage_change", "stage_total", "moved_weight", "fixed_weight", "moved_owed",
})  # fmt: skip
"""Fields of a pack of float64; the others are of int64."""


class LaneRates(NamedTuple):
    """Duty in lanes.

    Attributes:
        powers: (rows, n) change of ln(1 + t) of a step.
        inverse: (final rows, n) (1 + rate before the first step) / (1 + rate after the last), which no lane moves at
            first; with one step its rows are those of `powers`.
        rates: (final rows, n) duty after, over the value before duty.
    """

    powers: Floats
    inverse: Floats
    rates: Floats


class LaneDemand(NamedTuple):
    """Elasticities in lanes: `terms` of kinds and steps, or with stages those of every stage made of these.

    Attributes:
        terms: (rows, TERMS * LANES), as `fill_terms` writes them; not read with stages.
        stages: (kinds, horizons, 3, n) sigma, eta and inverse supply; empty without elasticities by stage.
        weights: (steps, 3, horizons) of the horizons by step and elasticity.
    """

    terms: Floats
    stages: Floats
    weights: Floats


@jit
def pair_rows(before: Ints, after: Ints, rates: Floats, same: float, powers: Floats) -> None:
    """Compute the changes of ln(1 + t) between rows `before` and `after` of `rates` (rows, n) into `powers`.

    Relative changes of 1 + t up to `same` are rounding.
    """
    n = rates.shape[1]
    work, lost = np.empty(2 * n), np.empty(n)
    bits = work.view(np.int64)
    for row in range(before.size):
        start, end = before[row], after[row]
        for b in range(n):
            change = np.true_divide(rates[end, b] - rates[start, b], 1.0 + rates[start, b])
            change = change if abs(change) > same else 0.0
            ratio = 1.0 + change
            work[b] = ratio
            lost[b] = np.true_divide(change - (ratio - 1.0), ratio)
        log_array(work, lost, bits, n)
        for b in range(n):
            powers[row, b] = work[b]


@jit
def fill_terms(n: int, mixed: Floats, row: int, terms: Floats) -> None:
    """Compute a row of `terms` (rows, TERMS * LANES) from sigma, eta and inverse supply, `LANES` apart in `mixed`."""
    for b in range(n):
        sigma, eta, w = mixed[b], mixed[LANES + b], mixed[2 * LANES + b]
        damping = np.true_divide(1.0, 1.0 + sigma * w)
        power, surplus = (1.0 - sigma) * damping, 1.0 - eta
        is_geometric, is_log = abs(power) < _GEOMETRIC, surplus == 0.0
        terms[row, POWER + b] = power
        terms[row, INVERSE_POWER + b] = np.true_divide(
            0.0 if is_geometric else 1.0, 1.0 if is_geometric else power
        )
        terms[row, IS_GEOMETRIC + b] = 1.0 if is_geometric else 0.0
        terms[row, LOST + b] = sigma * damping
        terms[row, SCALE + b] = np.true_divide(1.0, 1.0 + eta * w)
        terms[row, SHIFT + b] = (sigma - eta) * damping
        terms[row, ONE_W + b] = 1.0 + w
        terms[row, S_POWER + b] = surplus
        terms[row, INVERSE_S + b] = np.true_divide(0.0 if is_log else 1.0, 1.0 if is_log else surplus)
        terms[row, IS_LOG + b] = 1.0 if is_log else 0.0


@jit
def mix_terms(
    first: int, last: int, kinds: Ints, steps: Ints, stages: Floats, weights: Floats, terms: Floats
) -> None:
    """Compute the terms of pairs [first, last) of kind and step into rows 0, 1, ... of `terms` (rows, TERMS * LANES).

    Mixes `stages` (kinds, horizons, 3, n) by `weights` (steps, 3, horizons).
    """
    n = stages.shape[3]
    mixed = np.empty(3 * LANES)
    for s in range(first, last):
        kind, step = kinds[s], steps[s]
        for row in range(3):
            weight = weights[step, row, 0]
            for b in range(n):
                mixed[row * LANES + b] = weight * stages[kind, 0, row, b]
            for h in range(1, stages.shape[1]):
                weight = weights[step, row, h]
                for b in range(n):
                    mixed[row * LANES + b] += weight * stages[kind, h, row, b]
        fill_terms(n, mixed, s - first, terms)
