"""Armington response to many laws, several at a time in lanes, summed by group. See docs/models/armington.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.base.workspace import Workspace
from tariffs.engine.errors import InputError
from tariffs.engine.response.inputs import RATE, invalid
from tariffs.engine.response.lanes.lane_fixed import compose, start_of
from tariffs.engine.response.lanes.lane_pack import PackedLanes, pack_lanes
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE, LaneSums, LaneTask
from tariffs.engine.response.lanes.lane_still import StillTrade
from tariffs.engine.response.lanes.sweep_inputs import (
    SweepElasticities,
    SweepTrade,
    checked_trade,
    stacked_elasticities,
)
from tariffs.engine.response.lanes.sweep_sums import SweepSums, answer, unbounded
from tariffs.engine.response.models.armington import armington
from tariffs.engine.response.sectors.lane_market import LaneMarket

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LaneRates

STEEP = 250.0
"""Largest exponent that a power may reach: a product of two stays a number."""
_TAME = np.array([2.0, 1.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the products, arranged for the kernel: their marks, and kinds of those that are left of them."""

    products: Bools
    kind: I64
    lanes: PackedLanes
    task: LaneTask
    market: LaneMarket | None


class LaneSweep:
    """Solver of many laws over the same trade, whose sums agree with those of `armington` to 1e-12.

    What no law moves before the first step that some law moves is composed once. From then on products with a variety
    that moves are solved in every lane, and the others are summed once. A lane has the same bits in any block and on
    any number of threads; other marks of what moves change the last bits.

    Args:
        trade: the varieties and products; the rate class of a variety is its path.
        paths: rates of the paths.
        elasticities: sigma, eta, kappa and inverse supply of the kinds by day (4, kinds, days), the same in all lanes;
            without them every call gives its own, and all varieties move on the only day.

    Attributes:
        forms: forms of the paths that calls give rates for, ascending: the moved ones.

    Raises:
        InputError: PARAMETER_INVALID with the field at fault.
    """

    def __init__(self, trade: SweepTrade, paths: RatePaths, elasticities: F64 | None = None) -> None:
        self._varieties = v = checked_trade(trade)
        self._paths, self._given = paths, elasticities
        self._kinds, self._room = int(v.kind.max(initial=-1)) + 1, Workspace()
        self.forms: I64 = np.flatnonzero(paths.moved)
        if elasticities is None and v.domestic.any():
            raise invalid("domestic", "domestic goods need elasticities that are the same in all lanes.")
        held = np.zeros((4, self._kinds, paths.days)) if elasticities is None else elasticities
        self._held = held
        self._terms = terms_of_all(held)
        self._row = np.where(paths.moved, np.cumsum(paths.moved) - 1, -1)
        self._bounds = paths.known.min(initial=0.0), paths.known.max(initial=0.0)
        self._before = sums_of(v.group, v.v0, int(v.group.max(initial=-1)) + 1)
        moves: Bools = np.any(paths.moves, axis=1)
        fixed = ~moves[v.rate_class] | (v.landed <= 0.0)[v.product]
        touched = np.zeros(v.kind.size, dtype=bool)
        touched[v.product[~fixed]] = True
        first = self._first_day(fixed)
        still = np.zeros_like(touched)
        if v.market is not None:
            nest = v.market.nest
            still = (nest >= 0) & np.isin(nest, nest[touched]) & ~touched
        (rest, _), (self._moving, merged) = (
            self._part(~(touched | still), np.zeros_like(still), fixed, 0),
            self._part(touched, still, fixed, first),
        )
        self._constant = self._sums(rest, np.zeros((self.forms.size, 1)), held[..., None], 1)
        if merged is not None:
            self._constant[0].lines[:, 3, 0] += merged.creation
            self._constant[0].owned[:, 1, 0] += merged.revenue

    def _first_day(self, fixed: Bools) -> int:
        """Find the first day on which some lane moves a variety."""
        v, paths = self._varieties, self._paths
        used = np.zeros(len(paths.form), dtype=bool)
        used[v.rate_class[~fixed]] = True
        on_days: Bools = np.any(paths.moves[used], axis=0)
        # The state of domestic goods is that of the kernel, from the first step on.
        return int(np.argmax(on_days)) if on_days.any() and not v.domestic.any() else 0

    def _part(self, chosen: Bools, still: Bools, fixed: Bools, first: int) -> tuple[_Part, StillTrade | None]:
        """Arrange products from a day on, and still ones, which only their nest moves."""
        v, paths, terms = self._varieties, self._paths, self._terms
        start = start_of(v, chosen, paths, first, terms)
        marks = fixed & chosen[v.product]
        state = compose(v, marks, paths, slice(first, paths.days), start.share, terms)
        market, merged, members = None, None, chosen
        if v.market is not None:
            end, inside = start_of(v, still, paths, paths.days, terms), still[v.product]
            start = replace(start, hats=np.where(inside, end.hats, start.hats))
            state = replace(state, varieties=state.varieties | inside)
            merged = StillTrade.of(v, v.market, chosen, still, start, state)
            price = np.where(still, end.price, np.nan)
            market = LaneMarket.of(v.market, v.landed, v.kind, v.product_group, merged.place, price)
            v, start, state = merged.varieties, merged.start, merged.state
            members = np.ones(v.kind.size, dtype=bool)
        lanes = pack_lanes(v, members, self._held[2, :, 0], paths, first, start, state)
        kind = v.kind[members]
        v, is_flat = self._varieties, self._given is not None and not self._given[3].any()
        groups, owners, values = (
            int(each.max(initial=-1)) + 1 for each in (v.group, v.product_group, v.value_group)
        )
        task = LaneTask(lanes.pack, lanes.sections, groups, owners, values, lanes.steps == 1, is_flat)
        return _Part(chosen, kind, lanes, task, market), merged

    def __call__(
        self, rates: ArrayLike, elasticities: SweepElasticities | None = None, *, threads: int = 1
    ) -> SweepSums:
        """Solve a block of lanes.

        Args:
            rates: (forms, lanes) rate of each of `forms` in at most `SIDE_BY_SIDE` lanes.
            elasticities: of the lanes, where they are not those of all.
            threads: threads to use.

        Raises:
            InputError: PARAMETER_INVALID: a rate or an elasticity out of range, or a lane without finite answer.
        """
        block = np.asarray(rates, dtype=np.float64)
        if block.ndim != 2 or len(block) != self.forms.size or not 1 <= block.shape[1] <= SIDE_BY_SIDE:
            fix = f"Give ({self.forms.size}, 1 to {SIDE_BY_SIDE})."
            raise invalid("rates", f"rates have shape {block.shape}.", fix=fix)
        broken = RATE.broken(block)
        if broken.any():
            row, lane = np.argwhere(broken)[0]
            text = f"form {self.forms[row]}, scenario {lane} of the block: the rate is {block[row, lane]:g}."
            raise invalid("rates", text, fix=f"It must be {RATE}.", scenario=lane)
        count = block.shape[1]
        if (elasticities is None) == (self._given is None):
            raise invalid(
                "elasticities", "elasticities are given for all lanes in advance, or for each block."
            )
        held = self._held[..., None]
        if elasticities is not None:
            held = stacked_elasticities(elasticities, self._kinds, count)[:, :, None]
        sums, domestic = self._sums(self._moving, block, held, threads)
        return answer(sums + self._constant[0], domestic + self._constant[1], self._before)

    def _sums(self, part: _Part, rates: F64, elasticities: F64, threads: int) -> tuple[LaneSums, F64]:
        """Sum the products of a part, given elasticities (4, kinds, days, lanes), and list its domestic goods."""
        from tariffs.engine.response.kernels.lane_terms import LaneDemand
        from tariffs.engine.response.kernels.lanes import LaneSkips

        lanes, count = part.lanes, rates.shape[1]
        held = np.broadcast_to(elasticities, (*elasticities.shape[:3], count))
        steep = self._steep(rates, held)
        tame = np.where(steep[None, :, None], _TAME[:, None, None, None], held) if steep.any() else held
        duty = self._duty(lanes, rates)
        demand = LaneDemand(lane_terms(tame[:, :, tame.shape[2] - lanes.steps :]), *_NO_STAGES)
        nests, domestic = None, np.zeros((0, 3, count))
        if part.market is not None:
            prices = self._room("prices", (part.market.prices, count))
            part.task.prices(duty, demand, prices, threads=threads)
            nests, found = part.market(prices, tame[1:, :, -1], self._room, threads)
            domestic = found[:, :3]
        skips = LaneSkips(part.kind, steep) if steep.any() else None
        sums = part.task.sums(duty, demand, skips=skips, nests=nests, threads=threads)
        if steep.any():
            self._add_steep(part.products, steep, rates, held, sums)
        return sums, domestic

    def _duty(self, lanes: PackedLanes, rates: F64) -> LaneRates:
        """Compute the duty of a part in lanes, in the room of this thread."""
        from tariffs.engine.response.kernels.lane_terms import LaneRates, pair_rows

        def room(name: str, rows: int) -> F64:
            return self._room(name, (rows, rates.shape[1]))

        every, powers = room("rates", lanes.forms.size), room("powers", lanes.before.size)
        after, inverse = room("after", lanes.final.size), room("inverse", lanes.final.size)
        row = self._row[lanes.forms]
        every[:] = self._paths.known[lanes.forms, None]
        every[row >= 0] = rates[row[row >= 0]]
        pair_rows(lanes.before, lanes.after, every, self._paths.same, powers)
        np.take(every, lanes.final, axis=0, out=after, mode="clip")
        np.divide((1.0 + lanes.base)[:, None], np.add(after, 1.0, out=inverse), out=inverse)
        return LaneRates(powers, inverse, after)

    def _steep(self, rates: F64, elasticities: F64) -> Bools:
        """Mark kinds and lanes with powers that leave the range of numbers (kinds, lanes)."""
        low, high = self._bounds
        span = np.log1p(rates.max(axis=0, initial=high)) - np.log1p(rates.min(axis=0, initial=low))
        greatest = np.nan_to_num(elasticities[:3]).max(axis=(0, 2), initial=1.0)
        steep: Bools = greatest * span > STEEP
        return steep

    def _add_steep(self, products: Bools, steep: Bools, rates: F64, held: F64, out: LaneSums) -> None:
        """Add the products of a part in the lanes in which their kind is steep, each lane by `armington`."""
        v, paths = self._varieties, self._paths
        every = paths.known.copy()
        for lane in np.flatnonzero(steep.any(axis=0)).tolist():
            chosen = products & steep[v.kind, lane]
            lines = np.flatnonzero(chosen[v.product])
            sigma, eta, kappa, w = held[:, v.kind, 0, lane]
            with np.errstate(divide="ignore"):
                supply = 1.0 / w
            every[self.forms] = rates[:, lane]
            if paths.days > 1 or v.market is not None:
                raise unbounded(lane)
            try:
                after = armington(
                    v.product[lines], v.v0[lines], v.base[lines], every[paths.form[v.rate_class[lines], -1]],
                    sigma[chosen], eta[chosen], supply=supply[v.product[lines]], kappa=kappa[chosen],
                    domestic=v.domestic[chosen],
                )  # fmt: skip
            except InputError as error:
                raise unbounded(lane) from error
            quantity = v.v0[lines] * after.quantity_hat
            kept, charges = v.kept[lines], v.charges[lines] * after.quantity_hat
            columns = (
                after.value * kept,
                after.revenue * kept,
                charges * kept,
                after.creation,
                quantity * kept,
                quantity * kept * v.base[lines],
            )
            for place, column in enumerate(columns):
                out.lines[:, place, lane] += sums_of(v.group[lines], column, len(out.lines))
            if len(out.values):
                out.values[:, lane] += sums_of(v.value_group[lines], columns[0], len(out.values))
            # Nothing is paid on what is not kept.
            unpaid = sums_of(v.product[lines], after.revenue * (1.0 - kept), v.kind.size)[chosen]
            for place, column in enumerate((after.buyer_surplus, after.welfare - unpaid)):
                out.owned[:, place, lane] += sums_of(v.product_group[chosen], column, len(out.owned))


def lane_terms(elasticities: F64) -> F64:
    """Compute the rows of terms (kinds and days, terms) that the kernel reads, from (4, kinds, days, lanes)."""
    from tariffs.engine.response.kernels.exp_log import LANES
    from tariffs.engine.response.kernels.lane_terms import TERMS, mix_terms

    lanes = elasticities.shape[-1]
    stages = np.moveaxis(elasticities[[0, 1, 3]].reshape(3, -1, lanes), 0, 1)[:, None]
    rows, each = len(stages), np.arange(len(stages))
    terms = np.empty((rows, TERMS * LANES))
    mix_terms(0, rows, each, np.zeros_like(each), np.ascontiguousarray(stages), np.ones((1, 3, 1)), terms)
    return terms


def terms_of_all(elasticities: F64) -> F64:
    """Compute the terms of kinds on days (kinds, days, terms) from elasticities of all lanes (4, kinds, days)."""
    from tariffs.engine.response.kernels.exp_log import LANES
    from tariffs.engine.response.kernels.lane_terms import TERMS

    _, kinds, days = elasticities.shape
    return lane_terms(elasticities[..., None]).reshape(kinds, days, TERMS, LANES)[..., 0].copy()


_NO_STAGES = np.empty((0, 0, 0, 0)), np.empty((0, 0, 0))
