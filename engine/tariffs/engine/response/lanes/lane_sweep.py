"""Armington response to many laws, several at a time in lanes, summed by group. See docs/models/armington.md."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.base.workspace import Workspace
from tariffs.engine.errors import InputError
from tariffs.engine.response.inputs import invalid
from tariffs.engine.response.lanes.adjustment import DutyPath, LawDuty
from tariffs.engine.response.lanes.lane_fixed import StillProducts, compose, start_of
from tariffs.engine.response.lanes.lane_pack import PackedLanes, pack_lanes
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import LaneSums, LaneTask
from tariffs.engine.response.lanes.lane_table import SweptTrade
from tariffs.engine.response.lanes.steep_lanes import add_steep
from tariffs.engine.response.sectors.lane_market import LaneMarket

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LaneRates

STEEP = 250.0
"""Largest exponent that a power may reach: a product of two stays a number."""
_TAME = np.array([2.0, 1.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the products, arranged for the kernel: their marks, the kind of each, and the market above them.

    `creation` is that of merged products by themselves, by group.
    """

    products: Bools
    kind: I64
    lanes: PackedLanes
    task: LaneTask
    market: LaneMarket | None
    creation: F64 | float


class LaneSweep:
    """Solver of many laws over the same trade, whose sums agree with those of `armington` to 1e-12.

    What no law moves before the first step that some law moves is composed once. From then on products with a variety
    that moves are solved in every lane, and the others are summed once. A lane has the same bits in any block and on
    any number of threads; other marks of what moves change the last bits.

    Args:
        paths: rates of the paths.
        elasticities: sigma, eta, kappa and inverse supply of the kinds by day (4, kinds, days), the same in all lanes;
            without them every call gives its own, and all varieties move on the only day. Kappa is that of nests.

    Attributes:
        forms: forms of the paths that calls give rates for, ascending: the moved ones.
    """

    def __init__(self, swept: SweptTrade, paths: RatePaths, elasticities: F64 | None = None) -> None:
        self._swept, self._paths = swept, paths
        kinds, self._room = int(swept.kind.max(initial=-1)) + 1, Workspace()
        self.forms: I64 = np.flatnonzero(paths.moved)
        self._held = held = np.zeros((4, kinds, paths.days)) if elasticities is None else elasticities
        self._terms = terms_of_all(held)
        self._row = np.where(paths.moved, np.cumsum(paths.moved) - 1, -1)
        self._bounds = paths.known.min(initial=0.0), paths.known.max(initial=0.0)
        trade, moves = swept.table.trade, np.any(paths.moves, axis=1)
        fixed: Bools = ~moves[swept.path] | (swept.table.landed <= 0.0)[trade.product]
        touched = np.zeros(trade.products, dtype=bool)
        touched[trade.product[~fixed]] = True
        still = np.zeros_like(touched)
        if swept.market is not None:
            nest = swept.market.nest
            still = (nest >= 0) & np.isin(nest, nest[touched]) & ~touched
        rest = self._part(~(touched | still), np.zeros_like(still), fixed, 0)
        self._constant = self._sums(rest, np.zeros((self.forms.size, 1)), held[..., None], 1)
        self._moving = self._part(touched, still, fixed, self._first_day(fixed))
        self._constant.lines[:, 3, 0] += self._moving.creation

    def _first_day(self, fixed: Bools) -> int:
        """Find the first day on which some lane moves a variety."""
        swept, paths = self._swept, self._paths
        used = np.zeros(len(paths.form), dtype=bool)
        used[swept.path[~fixed]] = True
        on_days: Bools = np.any(paths.moves[used], axis=0)
        # The state of domestic goods is that of the kernel, from the first step on.
        return int(np.argmax(on_days)) if on_days.any() and not swept.table.domestic.any() else 0

    def _part(self, chosen: Bools, still: Bools, fixed: Bools, first: int) -> _Part:
        """Arrange products from a day on, and still ones, which only their nest moves."""
        swept, paths, terms = self._swept, self._paths, self._terms
        part, merged, market = swept.of(chosen), None, None
        start = start_of(part, paths, first, terms)
        marks = fixed[chosen[swept.table.trade.product]]
        state = compose(part, marks, paths, slice(first, paths.days), start.share, terms)
        if swept.market is not None:
            alone, place, price = (
                swept.of(still),
                np.where(chosen, np.cumsum(chosen) - 1, -1),
                np.full(still.size, np.nan),
            )
            end = start_of(alone, paths, paths.days, terms)
            rate = paths.known[paths.form[alone.path, -1]]
            merged = StillProducts.of(alone, swept.market.nest[still], end, rate)
            place[still], price[still] = part.kind.size + merged.place, end.price
            owner = swept.table.groups.of_product
            market = LaneMarket.of(swept.market, swept.table.landed, swept.kind, owner, place, price)
        lanes = pack_lanes(part, paths, first, start, state, merged)
        groups, values = swept.table.groups, -1 if swept.values is None else int(swept.values.max(initial=-1))
        counts = groups.varieties, groups.products, values + 1
        task = LaneTask(lanes.pack, lanes.sections, *counts, lanes.steps == 1)
        if merged is None:
            return _Part(chosen, part.kind, lanes, task, market, 0.0)
        # Merged products are steep in no lane.
        kind = np.append(part.kind, np.full(merged.owner.size, -1))
        return _Part(chosen, kind, lanes, task, market, merged.creation)

    def __call__(self, rates: F64, elasticities: F64 | None = None, *, threads: int = 1) -> LaneSums:
        """Solve a block of lanes.

        Args:
            rates: (forms, lanes) rate of each of `forms` in at most `SIDE_BY_SIDE` lanes.
            elasticities: of the lanes (4, kinds, lanes), where they are not those of all.

        Raises:
            InputError: PARAMETER_INVALID: a lane without finite answer.
        """
        held = self._held[..., None] if elasticities is None else elasticities[:, :, None]
        sums = self._sums(self._moving, rates, held, threads) + self._constant
        # Sums of values are finite if all sums of lines are.
        finite = np.isfinite(sums.lines).all(axis=(0, 1)) & np.isfinite(sums.owned).all(axis=(0, 1))
        if not finite.all():
            raise unbounded(int(np.argmin(finite)))
        return sums

    def _sums(self, part: _Part, rates: F64, elasticities: F64, threads: int) -> LaneSums:
        """Sum the products of a part, given elasticities (4, kinds, days, lanes)."""
        from tariffs.engine.response.kernels.lane_terms import LaneDemand
        from tariffs.engine.response.kernels.lanes import LaneSkips

        lanes, count = part.lanes, rates.shape[1]
        held = np.broadcast_to(elasticities, (*elasticities.shape[:3], count))
        steep = self._steep(rates, held)
        tame = np.where(steep[None, :, None], _TAME[:, None, None, None], held) if steep.any() else held
        duty = self._duty(lanes, rates)
        demand = LaneDemand(lane_terms(tame[:, :, tame.shape[2] - lanes.steps :]), *_NO_STAGES)
        market = None
        if part.market is not None:
            above = functools.partial(
                part.market, elasticities=tame[1:, :, -1], room=self._room, threads=threads
            )
            market = self._room("prices", (part.market.prices, count)), above
        skips = LaneSkips(part.kind, steep) if steep.any() else None
        sums = part.task.sums(duty, demand, skips=skips, market=market, threads=threads)
        if steep.any():
            self._add_steep(part.products, steep, rates, held, sums)
        return sums

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
        swept, paths = self._swept, self._paths
        every = paths.known.copy()
        for lane in np.flatnonzero(steep.any(axis=0)).tolist():
            if paths.days > 1 or swept.market is not None:
                raise unbounded(lane)
            every[self.forms] = rates[:, lane]
            rate = every[paths.form[swept.path, -1]]
            path = DutyPath.at_once(swept.table.trade.t0, rate)
            duty = LawDuty(path, rate, rate, swept.kept, values=swept.values)
            columns = held[[0, 1, 3]][None, :, swept.kind, 0, lane]
            try:
                add_steep(swept.table, duty, columns, products & steep[swept.kind, lane], lane, out)
            except InputError as error:
                raise unbounded(lane) from error


def unbounded(lane: int) -> InputError:
    """Make the error of a lane without finite answer."""
    return invalid(
        "rates",
        f"scenario {lane} of the block: the response to its change of duty is not finite.",
        fix="Lower the elasticity, or use the ces form of demand.",
        scenario=lane,
    )


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
