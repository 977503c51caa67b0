"""Solve nested CES demand under the steps of one law for many elasticities, in lanes. See `kernels.lanes`.

A step is one call of `armington` on the trade after the older steps: hats multiply, surplus and welfare add. A change
of duty at one horizon is a path of one step, and prohibitions at elasticities of their own are a second step.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.equal_numbers import numbered
from tariffs.engine.response.inputs import bounded, over_products
from tariffs.engine.response.lanes.adjustment import HorizonElasticities, LawDuty
from tariffs.engine.response.lanes.lane_sections import (
    LaneSection,
    LaneSums,
    LaneTask,
    lane_pack,
    numbered_within,
)
from tariffs.engine.response.lanes.lane_table import LaneTable
from tariffs.engine.response.lanes.steep_lanes import STEEP, add_steep, steep_products
from tariffs.engine.response.sectors.sector_market import SectorMarket

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.lane_terms import LaneRates
    from tariffs.engine.response.kernels.law_lanes import LawParts

_NOTHING = np.zeros(0)


class LawLanes:
    """Solver of one law for elasticities in lanes.

    Args:
        market: market of sectors above the products, all of whose steps are one.
        threads: threads to use; the result has the same bits on any number.

    Attributes:
        part_of: part of each variety, whose hats are those of the variety.
        parts: number of parts.
    """

    def __init__(
        self, table: LaneTable, duty: LawDuty, market: SectorMarket | None = None, threads: int = 1
    ) -> None:
        steps, weights = duty.path.steps, duty.path.weights
        moving = [place for place, step in enumerate(steps) if step.moves.count]
        self._table, self._duty, self._market, self._threads = table, duty, market, threads
        self._steps = [steps[place] for place in moving]
        # A law that moves nothing has one step all the same, so that elasticities are read.
        self._weights = np.ascontiguousarray(weights[moving or [0]])
        self._one_step = len(moving) < 2
        parts = self._parts()
        self.part_of: I64 = parts.part
        self.parts = parts.first.size
        self._task = self._packed(parts)
        # At most that of a variety, so that hardly any run needs those of products.
        self._most_reach = sum(step.moves.most for step in self._steps)

    def _parts(self) -> LawParts:
        """Find the parts: varieties of a product with the same rates at every step."""
        from tariffs.engine.response.kernels.law_lanes import LawParts, mark_paths, number_parts, sum_parts_of

        trade, size = self._table.trade, self._table.trade.v0.size
        marks = np.zeros(size, dtype=np.uint64)
        for place, step in enumerate(self._steps):
            mark_paths(step.moves.variety, step.moves.power.view(np.uint64), place, marks)
        part, opened = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
        counts = np.zeros(trade.products, dtype=np.int64)

        def number(first: int, last: int) -> None:
            number_parts(first, last, trade.offsets, trade.t0, marks, part, opened, counts)

        over_products(number, trade.offsets, self._threads)
        start = np.concatenate([[0], np.cumsum(counts)])
        count = int(start[-1])
        share, value, dutiable = np.zeros((3, count))
        parts = LawParts(
            start,
            part,
            np.empty(count, dtype=np.int64),
            share,
            value,
            dutiable,
            np.empty(count, dtype=np.uint64),
        )
        bits, landed = trade.t0.view(np.uint64), self._table.landed
        kept = _NOTHING if self._duty.kept is None else self._duty.kept

        def fill(first: int, last: int) -> None:
            sum_parts_of(
                first, last, trade.offsets, trade.v0, trade.t0, bits, landed, kept, marks, opened, parts
            )

        over_products(fill, trade.offsets, self._threads)
        return parts

    @cached_property
    def _reach(self) -> F64:
        """Largest sum of the absolute changes of ln(1 + t) of a variety, per product."""
        trade, reach = self._table.trade, np.zeros(self._table.trade.v0.size)
        for step in self._steps:
            reach[step.moves.variety] += np.abs(step.moves.power)
        found, filled = np.zeros(trade.products), np.diff(trade.offsets) > 0
        if filled.any():
            found[filled] = np.maximum.reduceat(reach, trade.offsets[:-1][filled])
        return found

    def _packed(self, parts: LawParts) -> LaneTask:
        """Arrange the law for the kernel, and write the rows of duty that all lanes share."""
        table, duty = self._table, self._duty
        pack, sections = table.arranged
        numbers, product = np.arange(parts.first.size), table.trade.product[parts.first]
        path, first = numbered(parts.key)
        of_path = parts.first[first]
        inverse = (1.0 + table.trade.t0[of_path]) / (1.0 + duty.responding[of_path])
        if duty.price is not None:
            inverse = inverse * duty.price[of_path]
        stages, self._powers = (
            self._at_once(parts, path, of_path) if self._one_step else self._in_steps(parts)
        )
        self._final = inverse, duty.rate[of_path]
        nothing = np.zeros(stages["stage_product"].size)
        of_law: dict[str, I64 | F64] = {
            "stage_kind": stages["stage_product"],
            "stage_term": np.arange(nothing.size),
            "stage_change": nothing,
            "stage_total": nothing,
            # Summed in the order of the parts, so that products that do not move keep every bit.
            "before": sums_of(product, parts.value, table.trade.products),
            "revenue": sums_of(product, parts.value * table.trade.t0[parts.first], table.trade.products),
            "part_start": parts.start,
            "part_hat": numbers,
            "final_row": path,
            "share": parts.share,
            "dutiable": parts.dutiable,
            "quantity": parts.value,
            "moved_part": parts.part[table.rows],
            "moved_weight": table.weights if duty.kept is None else table.kept_weights(duty.kept[table.rows]),
        }
        if duty.owed is not None:
            # What is prohibited has no weight of value, and owes nothing.
            of_law["moved_owed"] = of_law["moved_weight"][:, 0] * duty.owed[table.rows]
        values = 0
        if duty.values is not None:
            values = int(duty.values.max(initial=-1)) + 1
            of_rows = duty.values[table.rows]
            bounds = [pack.moved_start[pack.bundle_chunks[[part.first, part.last]]] for part in sections]
            (of_sections,), distinct = numbered_within((of_rows, [slice(*each) for each in bounds]))
            of_law["moved_values"] = of_sections
            sections = [
                LaneSection(each.first, each.last, each.groups, each.owners, own)
                for each, own in zip(sections, distinct, strict=True)
            ]
        pack = lane_pack(pack._asdict() | of_law | stages)
        counts = table.groups.varieties, table.groups.products, values
        return LaneTask(pack, sections, *counts, self._one_step)

    def _at_once(self, parts: LawParts, path: I64, of_path: I64) -> tuple[dict[str, I64 | F64], F64]:
        """Stages of one step, one of each product, whose moves are its parts; and powers by path.

        `of_path` is a variety of each path. Products without trade share one path, whose power is 0; it has the rate of
        one of them, as there is no customs value that the rate could reach.
        """
        trade = self._table.trade
        powers = np.zeros(trade.v0.size)
        for step in self._steps:
            powers[step.moves.variety] = step.moves.power
        products, numbers = np.arange(trade.products), np.arange(parts.first.size)
        chunks = self._table.layout.chunk_products
        stages: dict[str, I64 | F64] = {
            "chunk_changes": parts.start[chunks],
            "chunk_stages": chunks,
            "change_term": np.repeat(products, np.diff(parts.start)),
            "change_row": path,
            "stage_product": products,
            "stage_step": np.zeros_like(products),
            "move_start": parts.start,
            "move_part": numbers,
            "move_change": numbers,
        }
        is_traded = self._table.landed[trade.product[of_path]] > 0.0
        return stages, np.where(is_traded, powers[of_path], 0.0)

    def _in_steps(self, parts: LawParts) -> tuple[dict[str, I64 | F64], F64]:
        """Stages of several steps, and their distinct powers."""
        from tariffs.engine.response.kernels.law_lanes import LawStages, pack_stages

        table, trade = self._table, self._table.trade
        landed = table.landed
        variety = np.concatenate([step.moves.variety for step in self._steps])
        row = np.concatenate([step.moves.rows[0] for step in self._steps])
        powers = [step.moves.rows[1] for step in self._steps]
        row_start = np.cumsum([0, *(each.size for each in powers)])
        start = np.cumsum([0, *(step.moves.count for step in self._steps)])
        chunks, room = table.layout.chunk_products, variety.size
        # Memory that is not written is not taken.
        sizes = chunks.size, chunks.size, room, room, room + 1, room, room, room, room
        found = LawStages(*(np.empty(size, dtype=np.int64) for size in sizes))
        count, moves, changes = pack_stages(
            trade.offsets[chunks], start, variety, row_start, row, parts, trade.product, landed, found
        )
        taken = chunks.size, chunks.size, count, count, count + 1, moves, moves, changes, changes
        stages: dict[str, I64 | F64] = {
            name: values[:size] for (name, values), size in zip(found._asdict().items(), taken, strict=True)
        }
        return stages, np.concatenate(powers)

    def __call__(
        self,
        lanes: Sequence[HorizonElasticities],
        room: Room = new_room,
        *,
        hats: tuple[F64, F64] | None = None,
    ) -> LaneSums:
        """Solve each of the lanes, at most `SIDE_BY_SIDE`.

        Args:
            lanes: elasticities of each lane.
            room: where arrays of the call lie.
            hats: to be filled, (parts, 2, lanes) hats of value and quantity, and (products, lanes) growth of quantity.

        Raises:
            InputError: PARAMETER_INVALID with the first variety whose response is not finite.
        """
        from tariffs.engine.response.kernels.lane_terms import TERMS, LaneDemand
        from tariffs.engine.response.kernels.lanes import LaneSkips

        columns = [self._duty.path.columns(each) for each in lanes]
        stages = room("stages", (columns[0].shape[2], *columns[0].shape[:2], len(columns)))
        for lane, each in enumerate(columns):
            stages[..., lane] = np.moveaxis(each, 2, 0)
        duty, demand = self._rates(len(columns)), LaneDemand(np.empty((0, TERMS)), stages, self._weights)
        market, steep = None, None
        if self._market is not None:
            above = functools.partial(
                self._market, self._table.before, self._table.landed, stages, self._weights[0],
                room=room, threads=self._threads,
            )  # fmt: skip
            market = room("prices", (self._table.trade.products, len(columns))), above
        else:
            steep = self._steep(stages)
        skips = None if steep is None else LaneSkips(np.arange(len(steep)), steep)

        def sums_with(hats: tuple[F64, F64] | None, skips: LaneSkips | None = None) -> LaneSums:
            return self._task.sums(duty, demand, skips=skips, market=market, hats=hats, threads=self._threads)

        sums = sums_with(hats, skips)
        if steep is not None:
            self._add_steep(steep, columns, sums, hats)
        if not (np.isfinite(sums.owned).all() and np.isfinite(sums.lines).all()):
            # The error is that of the first variety whose hats are not finite.
            found = np.empty((self.parts, 2, len(columns)))
            sums_with((found, np.empty((self._table.trade.products, len(columns)))))
            of_varieties = found.reshape(self.parts, -1)[self.part_of]
            bounded(np.where(self._table.trade.v0[:, None] > 0.0, of_varieties, 1.0).T)
        return sums

    def _steep(self, stages: F64) -> Bools | None:
        """Mark products and lanes whose powers leave the range of numbers; None if there are none."""
        if max(1.0, float(stages[:, :, :2].max(initial=0.0))) * self._most_reach <= STEEP:
            return None
        return steep_products(stages, self._reach, self._table.domestic)

    def _add_steep(
        self, steep: Bools, columns: Sequence[F64], sums: LaneSums, hats: tuple[F64, F64] | None
    ) -> None:
        """Add the products that `steep` marks by lane, and write their hats."""
        for lane in np.flatnonzero(steep.any(axis=0)).tolist():
            chosen, trade = steep[:, lane], self._table.trade
            lines, value, quantity = add_steep(self._table, self._duty, columns[lane], chosen, lane, sums)
            if hats is not None:
                hats[0][self.part_of[lines], :, lane] = np.stack([value, quantity], axis=1)
                after = sums_of(trade.product[lines], trade.v0[lines] * quantity, trade.products)
                hats[1][chosen, lane] = ratio(after, self._table.before, 1.0)[chosen]

    def _rates(self, lanes: int) -> LaneRates:
        """Repeat the rows of duty, which all lanes share."""
        from tariffs.engine.response.kernels.lane_terms import LaneRates

        return LaneRates(*(np.repeat(each[:, None], lanes, axis=1) for each in (self._powers, *self._final)))
