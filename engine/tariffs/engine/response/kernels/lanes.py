"""Kernel of nested CES demand in lanes: one law through time with one set of elasticities each, summed by group.

Products by themselves, one or many steps, rates and elasticities that are those of a lane or of all. Logs and
exponentials run over long rows of (changes, lanes) and (products, lanes). A lane has the same bits beside any others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.compiled_kernels import jit
from tariffs.engine.response.kernels.exp_log import LANES
from tariffs.engine.response.kernels.lane_stages import (
    CHANGES,
    STATE,
    close_parts,
    fill_changes,
    open_parts,
    open_products,
    take_steps,
)
from tariffs.engine.response.kernels.lane_sums import (
    FACTORS,
    PARTS,
    add_gains,
    add_products,
    add_rows,
    close_products,
    fill_duty,
    fill_parts,
    keep_hats,
    keep_prices,
    shift_products,
    skip_lanes,
    sum_parts,
)
from tariffs.engine.response.kernels.lane_terms import TERMS, LaneDemand, LanePack, LaneRates, mix_terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ALONE, PRICES, SHIFTED = range(3)
"""Passes: products by themselves; log prices of their imports alone; sums with the shifts of their nests."""


class LaneNests(NamedTuple):
    """Market above products, between two passes.

    Attributes:
        prices: output of the pass `PRICES`: (products, n) log price of imports by themselves.
        shift, gain: row of each product in `shifts` and `gains`, -1 without one; read in `SHIFTED`, as the rest.
        shifts: (rows, 2, n) shift of the logs of value and quantity.
        gains: (rows, 2, n) surplus of buyers, and gain of domestic producers; USD.
    """

    prices: Floats
    shift: Ints
    gain: Ints
    shifts: Floats
    gains: Floats


class LaneSkips(NamedTuple):
    """Lanes of products that are left out, for the caller to add: those too steep or without a closed form.

    Attributes:
        place: per product its row of `skipped`, else -1; empty if nothing is left out.
        skipped: (rows, n).
    """

    place: Ints
    skipped: Bools


class LaneSinks(NamedTuple):
    """Arrays that a call adds to; of a sink that is not wanted the length is 0.

    Attributes:
        sums: (groups, SUMS * LANES), rows as in `lane_sums`.
        owned: (owners, 2 * LANES) surplus of buyers and welfare.
        values: (value groups, LANES) customs value after.
        hats: written, (parts, 2, n) hats of value and quantity.
        growths: written with `hats`, (products, n) growth of quantity at baseline prices.
    """

    sums: Floats
    owned: Floats
    values: Floats
    hats: Floats
    growths: Floats


@jit
def widest(first: int, last: int, pack: LanePack) -> Ints:
    """Find the most products, changes, parts and stages of a chunk, and the most products of a bundle."""
    most = np.ones(5, dtype=np.int64)
    for bundle in range(first, last):
        x, y = pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]
        most[4] = max(most[4], pack.chunk_products[y] - pack.chunk_products[x])
        for chunk in range(x, y):
            k0, k1 = pack.chunk_products[chunk], pack.chunk_products[chunk + 1]
            most[0] = max(most[0], k1 - k0)
            most[1] = max(most[1], pack.chunk_changes[chunk + 1] - pack.chunk_changes[chunk])
            most[2] = max(most[2], pack.part_start[k1] - pack.part_start[k0])
            most[3] = max(most[3], pack.chunk_stages[chunk + 1] - pack.chunk_stages[chunk])
    return most


@jit
def solve(
    first: int,
    last: int,
    pack: LanePack,
    duty: LaneRates,
    demand: LaneDemand,
    nests: LaneNests,
    skips: LaneSkips,
    sinks: LaneSinks,
    one_step: bool,
    mode: int,
) -> None:
    """Solve the products of bundles [first, last) in n lanes and add them to the sinks.

    Args:
        first, last: bundles to solve.
        pack, duty, demand, nests, skips, sinks: see their types; n is the width of the powers.
        one_step: a part is its change.
        mode: ALONE, PRICES or SHIFTED.
    """
    n, has_stages, has_skips = duty.powers.shape[1], demand.stages.size > 0, skips.place.size > 0
    has_hats = sinks.hats.size > 0
    most = widest(first, last, pack)
    several = 0 if one_step else 1
    changes, weight = np.empty((most[1], CHANGES * LANES)), np.empty((several * most[2] + 1, 2 * LANES))
    of_parts = np.empty((several * most[2] + 1, CHANGES * LANES))
    hats = changes if one_step else of_parts
    parts, state = np.empty((most[2], PARTS * LANES)), np.empty((most[0], STATE * LANES))
    factors = np.empty((most[4], FACTORS * LANES))
    made_terms = np.empty((most[3] if has_stages else 1, TERMS * LANES))
    size = max(most[1], most[2], 2 * most[0])
    num, less = np.empty((2 * size, n)), np.empty((size, n))
    bits = num.reshape(-1).view(np.int64)
    for bundle in range(first, last):
        product0 = pack.chunk_products[pack.bundle_chunks[bundle]]
        for chunk in range(pack.bundle_chunks[bundle], pack.bundle_chunks[bundle + 1]):
            k0, k1 = pack.chunk_products[chunk], pack.chunk_products[chunk + 1]
            h0, h1 = pack.chunk_changes[chunk], pack.chunk_changes[chunk + 1]
            s0, s1 = pack.chunk_stages[chunk], pack.chunk_stages[chunk + 1]
            p0, p1 = pack.part_start[k0], pack.part_start[k1]
            terms, term0 = demand.terms, 0
            if has_stages:
                mix_terms(s0, s1, pack.stage_kind, pack.stage_step, demand.stages, demand.weights, made_terms)
                terms, term0 = made_terms, s0
            fill_changes(
                h0, h1, n, pack.change_term, pack.change_row, term0, terms, duty.powers, duty.inverse,
                one_step and mode != PRICES, changes, num, less, bits,
            )  # fmt: skip
            open_products(k0, k1, n, pack.landed, pack.surplus, pack.domestic, pack.sums, state)
            if not one_step:
                open_parts(p0, p1, n, weight)
            take_steps(
                s0, s1, n, pack, k0, h0, p0, term0, one_step, terms, changes, weight, state, num, less, bits
            )
            if mode == PRICES:
                keep_prices(k0, k1, n, state, nests.prices)
                continue
            if mode == SHIFTED:
                shift_products(k0, k1, n, nests.shift, nests.gain, nests.shifts, nests.gains, state)
            hat0, hat1 = h0, h1
            if not one_step:
                hat0, hat1 = p0, p1
                close_parts(p0, p1, n, pack.final_row, duty.inverse, weight, of_parts, num, less, bits)
            fill_duty(hat0, hat1, n, pack.final_row, duty.rates, hats)
            sum_parts(
                k0, k1, n, pack.part_start, pack.part_hat, pack.quantity, pack.dutiable, hat0, hats, state
            )
            own = factors[k0 - product0 :]
            close_products(k0, k1, n, pack.before, pack.revenue, state, own, num, less, bits)
            fill_parts(k0, k1, n, pack.part_start, pack.part_hat, hat0, hats, own, parts)
            if mode == SHIFTED:
                add_gains(k0, k1, n, nests.gain, nests.gains, state)
            if has_skips:
                skip_lanes(k0, k1, n, skips.place, skips.skipped, pack.part_start, state, own, parts)
            add_products(k0, k1, n, pack.owner, state, sinks.owned)
            if has_hats:
                keep_hats(k0, k1, n, pack.part_start, parts, own, sinks.hats, sinks.growths)
            add_rows(
                pack.moved_start[chunk], pack.moved_start[chunk + 1], n, pack.moved_product, pack.moved_group,
                pack.moved_weight, pack.moved_owed, pack.moved_values, pack.moved_part, p0, parts, product0, factors,
                sinks.sums, sinks.values,
            )  # fmt: skip
        if mode != PRICES:
            add_rows(
                pack.fixed_start[bundle], pack.fixed_start[bundle + 1], n, pack.fixed_product, pack.fixed_group,
                pack.fixed_weight, pack.moved_owed[:0], pack.fixed_values, pack.fixed_product, product0, factors,
                product0, factors, sinks.sums, sinks.values,
            )  # fmt: skip
