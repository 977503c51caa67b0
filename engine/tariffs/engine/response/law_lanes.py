"""Solve nested CES demand under the steps of one law for many elasticities, in lanes. See `kernels.lanes`.

A step is one call of `armington` on the trade after the older steps: hats multiply, surplus and welfare add. A change
of duty at one horizon is a path of one step, and prohibitions at elasticities of their own are a second step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.adjustment import DutyStep, PathTrade
from tariffs.engine.response.inputs import over_products
from tariffs.engine.response.lane_sections import (
    LaneLayout,
    LaneSection,
    LaneSums,
    LaneTask,
    cut_sections,
    lane_pack,
    numbered_within,
)

if TYPE_CHECKING:
    from tariffs.engine.response.kernels.draws import Words
    from tariffs.engine.response.kernels.lane_terms import LaneDemand, LanePack, LaneRates
    from tariffs.engine.response.kernels.law_lanes import LawParts

_CHUNK_VARIETIES = 512
_NOTHING = np.zeros(0)


@dataclass(frozen=True, eq=False)
class LaneTable:
    """Trade arranged for the lanes of any law: what no law and no elasticity changes.

    Attributes:
        trade: varieties by product.
        group: per variety its group in the sums, negative for none.
        owner: per product its group in the sums of surplus and welfare.
        charges: cost that follows the quantity and enters no price, USD per variety.
        vat: value added tax per variety, a fraction; None without one.
        domestic: domestic shipments at the baseline per product, USD; their supply is flat.
        kappa: substitution between imports and domestic goods per product; NaN is eta.
    """

    trade: PathTrade
    group: I64
    owner: I64
    charges: F64
    vat: F64 | None
    domestic: F64
    kappa: F64

    @cached_property
    def layout(self) -> LaneLayout:
        """Products in chunks."""
        return LaneLayout.of(self.trade.offsets, _CHUNK_VARIETIES)

    @cached_property
    def before(self) -> F64:
        """Customs value at the baseline per product."""
        return sums_of(self.trade.product, self.trade.v0, self.trade.products)

    @cached_property
    def revenue(self) -> F64:
        """Duty at the baseline per product."""
        return sums_of(self.trade.product, self.trade.v0 * self.trade.t0, self.trade.products)

    @cached_property
    def landed(self) -> F64:
        """Landed cost at the baseline per product."""
        return self.before + self.revenue

    @cached_property
    def rows(self) -> slice | I64:
        """Varieties that are summed by group."""
        return slice(None) if (self.group >= 0).all() else np.flatnonzero(self.group >= 0)

    @cached_property
    def weights(self) -> F64:
        """Weights of the rows as in `LanePack`, if all trade counts."""
        v, charges = self.trade.v0[self.rows], self.charges[self.rows]
        columns = [v, v, charges, v, v, v * self.trade.t0[self.rows]]
        if self.vat is not None:
            tax = v * self.vat[self.rows]
            columns += [tax, tax]
        return np.column_stack(columns)

    @cached_property
    def arranged(self) -> tuple[LanePack, list[LaneSection]]:
        """Pack without the arrays of a law, and its sections."""
        trade, layout, products = self.trade, self.layout, self.trade.products
        first = trade.offsets[layout.chunk_products]
        rows = np.arange(trade.v0.size)[self.rows]
        pack = lane_pack(
            {
                "chunk_products": layout.chunk_products,
                "bundle_chunks": layout.bundle_chunks,
                "owner": self.owner,
                "landed": self.landed,
                "surplus": np.zeros(products),
                "before": self.before,
                "revenue": self.revenue,
                "domestic": self.domestic,
                "kappa": self.kappa,
                "sums": np.zeros((products, 2)),
                "moved_start": np.searchsorted(rows, first),
                "moved_product": trade.product[rows],
                "moved_group": self.group[rows],
                "moved_weight": self.weights,
                "fixed_start": np.zeros_like(layout.bundle_chunks),
            }
        )
        return cut_sections(pack)


@dataclass(frozen=True, eq=False)
class LawDuty:
    """Duty of one law on the varieties of a table.

    Attributes:
        steps: changes of duty with their ages, oldest first.
        rate: rate after the last step that is charged, per variety, over the value in dollars.
        responding: rate that trade responds to after the last step; with `price` it is not the one that is charged.
        kept: share of each variety that counts after the response, 0 of what is prohibited; None if all does.
        price: factor on exporters' prices in dollars per variety; None if the exchange rate stays.
        values: group of values of each variety, for sums of values by class and group; None without such.
    """

    steps: Sequence[DutyStep]
    rate: F64
    responding: F64
    kept: F64 | None = None
    price: F64 | None = None
    values: I64 | None = None


class LawLanes:
    """Solver of one law for elasticities in lanes.

    Args:
        table: the trade.
        duty: duty of the law.
        weights: of the horizons (steps, 3, horizons), for all steps of the law.
        threads: threads to use; the result has the same bits on any number.

    Attributes:
        part_of: part of each variety, whose hats are those of the variety.
    """

    def __init__(self, table: LaneTable, duty: LawDuty, weights: F64, threads: int = 1) -> None:
        moving = [place for place, step in enumerate(duty.steps) if step.moves.count]
        self._table, self._duty, self._threads = table, duty, threads
        self._steps = [duty.steps[place] for place in moving]
        # A law that moves nothing has one step all the same, so that elasticities are read.
        self._weights = np.ascontiguousarray(weights[moving or [0]])
        self._one_step = len(moving) < 2
        parts = self._parts()
        self.part_of: I64 = parts.part
        self._task = self._packed(parts)

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

    def _packed(self, parts: LawParts) -> LaneTask:
        """Arrange the law for the kernel, and write the rows of duty that all lanes share."""
        table, duty = self._table, self._duty
        pack, sections = table.arranged
        numbers = np.arange(parts.first.size)
        path, first = _numbered(parts.key)
        of_path = parts.first[first]
        inverse = (1.0 + table.trade.t0[of_path]) / (1.0 + duty.responding[of_path])
        if duty.price is not None:
            inverse = inverse * duty.price[of_path]
        stages, self._powers = self._at_once(parts, path, first) if self._one_step else self._in_steps(parts)
        self._final = inverse, duty.rate[of_path]
        of_law: dict[str, I64 | F64] = {
            "part_start": parts.start,
            "part_hat": numbers,
            "final_row": path,
            "share": parts.share,
            "value": parts.value,
            "dutiable": parts.dutiable,
            "quantity": parts.value,
            "moved_part": parts.part[table.rows],
            "moved_weight": self._row_weights(),
        }
        values = 0
        if duty.values is not None:
            values = int(duty.values.max(initial=-1)) + 1
            of_rows = duty.values[table.rows]
            bounds = [pack.moved_start[pack.bundle_chunks[[part.first, part.last]]] for part in sections]
            (numbered,), distinct = numbered_within((of_rows, [slice(*each) for each in bounds]))
            of_law["moved_values"] = numbered
            sections = [
                LaneSection(each.first, each.last, each.groups, each.owners, own)
                for each, own in zip(sections, distinct, strict=True)
            ]
        groups, owners = (int(each.max(initial=-1)) + 1 for each in (table.group, table.owner))
        pack = lane_pack(pack._asdict() | of_law | stages)
        return LaneTask(pack, sections, groups, owners, values, self._one_step, flat=False)

    def _row_weights(self) -> F64:
        """Weights of the rows: of what does not count, all but that of the creation are 0."""
        kept = self._duty.kept
        if kept is None:
            return self._table.weights
        weights, kept = self._table.weights.copy(), kept[self._table.rows]
        weights[:, [0, 1, 2, 4, 5, *range(6, weights.shape[1])]] *= kept[:, None]
        return weights

    def _at_once(self, parts: LawParts, path: I64, first: I64) -> tuple[dict[str, I64 | F64], F64]:
        """Stages of one step, one of each product, whose moves are its parts; and powers by path."""
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
            "stage_kind": products,
            "stage_step": np.zeros_like(products),
            "stage_term": products,
            "stage_change": np.zeros(products.size),
            "stage_total": np.zeros(products.size),
            "move_start": parts.start,
            "move_part": numbers,
            "move_change": numbers,
        }
        return stages, powers[parts.first[first]]

    def _in_steps(self, parts: LawParts) -> tuple[dict[str, I64 | F64], F64]:
        """Stages of several steps, and their distinct powers."""
        from tariffs.engine.response.kernels.law_lanes import LawStages, count_moves, pack_stages

        table, trade = self._table, self._table.trade
        landed = table.landed
        variety = np.concatenate([step.moves.variety for step in self._steps])
        power = np.concatenate([step.moves.power for step in self._steps])
        start = np.cumsum([0, *(step.moves.count for step in self._steps)])
        moves = count_moves(variety, parts.part, parts.first, trade.product, landed)
        chunks = table.layout.chunk_products

        def numbers(size: int) -> I64:
            return np.empty(size, dtype=np.int64)

        found = LawStages(
            numbers(chunks.size), numbers(chunks.size), numbers(moves), numbers(moves), numbers(moves + 1),
            numbers(moves), numbers(moves), numbers(moves), np.empty(moves),
        )  # fmt: skip
        count, changes = pack_stages(
            trade.offsets[chunks], start, variety, power, parts, trade.product, landed, found
        )
        row, first = _numbered(found.power[:changes].view(np.uint64))
        product, nothing = found.product[:count], np.zeros(count)
        stages: dict[str, I64 | F64] = {
            "chunk_changes": found.chunk_changes,
            "chunk_stages": found.chunk_stages,
            "change_term": found.change_stage[:changes],
            "change_row": row,
            "stage_product": product,
            "stage_kind": product,
            "stage_step": found.step[:count],
            "stage_term": np.arange(count),
            "stage_change": nothing,
            "stage_total": nothing,
            "move_start": found.move_start[: count + 1],
            "move_part": found.move_part,
            "move_change": found.move_change,
        }
        return stages, found.power[first]

    def __call__(
        self, columns: Sequence[F64], room: Room = new_room, *, hats: tuple[F64, F64] | None = None
    ) -> LaneSums:
        """Solve each of the lanes.

        Args:
            columns: sigma, eta and inverse supply of each lane, (horizons, 3, products).
            room: where arrays of the call lie.
            hats: to be filled, (parts, 2, lanes) hats of value and quantity, and (products, lanes) growth of quantity.
        """
        stages = room("stages", (columns[0].shape[2], *columns[0].shape[:2], len(columns)))
        for lane, each in enumerate(columns):
            stages[..., lane] = np.moveaxis(each, 2, 0)
        return self._task.sums(
            self._rates(len(columns)), self._demand(stages), hats=hats, threads=self._threads
        )

    def _rates(self, lanes: int) -> LaneRates:
        """Repeat the rows of duty, which all lanes share."""
        from tariffs.engine.response.kernels.lane_terms import LaneRates

        return LaneRates(*(np.repeat(each[:, None], lanes, axis=1) for each in (self._powers, *self._final)))

    def _demand(self, stages: F64) -> LaneDemand:
        from tariffs.engine.response.kernels.lane_terms import TERMS, LaneDemand

        return LaneDemand(np.empty((0, TERMS)), stages, self._weights)


def _numbered(keys: Words) -> tuple[I64, I64]:
    """Number equal keys; return the number of each key and the first place of each number."""
    from tariffs.engine.response.kernels.law_lanes import number_rows

    number, first = np.empty(keys.size, dtype=np.int64), np.empty(keys.size, dtype=np.int64)
    return number, first[: number_rows(keys, number, first)]
