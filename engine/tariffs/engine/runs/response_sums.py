"""Sum one outcome after its response by group, for any elasticities: a plain run has one draw of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, sums_of
from tariffs.engine.base.chunks import checkpoint_here, metered, thread_count
from tariffs.engine.base.stages import stage
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.limited_response import LimitedResponse
from tariffs.engine.response.parameters import ProductParameters
from tariffs.engine.response.sector_market import DomesticGoods
from tariffs.engine.response.trade_response import ARMINGTON, PROHIBITIVE, Response, VolumeSolver
from tariffs.engine.response.variety_rates import VarietyRates
from tariffs.engine.runs.column_names import AFTER, DOMESTIC_SUMS, LIMIT_SUMS, PRODUCT_SUMS
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.limit_columns import rent_columns
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.results import after_columns
from tariffs.engine.tables.prepare import PreparedTable

SIDE_BY_SIDE = 16
"""Draws computed together: those of `kernels.variety_sums.sum_lanes`."""
_PART_VARIETIES = 65_536
_PARTED_GROUPS = 4_096
"""Most groups of which parts of the varieties have sums of their own."""


@dataclass(frozen=True)
class AfterSums:
    """Sums of lanes after the response, in dollars; NaN where unknown.

    Attributes:
        groups: (lanes, groups) by name: RESPONSE_SUMS, and those of limits and domestic goods in runs that have them.
        total: (lanes,) by name.
        duty_after: (lanes, places) duty by group and authority, the authorities of a group adjacent unless the caller
            chose places; no place where results are not by authority.
    """

    groups: Mapping[str, F64]
    total: Mapping[str, F64]
    duty_after: F64


class ResponseSums:
    """Sums of one outcome for any elasticities.

    Args:
        prepared: the table.
        grouping: the groups of the results.
        response: the response, with its central parameters.
        outcome: the lines under one law.
        keep: the usable lines.
        authorities: the authorities whose duty is summed by group.
        threads: threads to use; the sums have the same bits on any number.
        room: where arrays of the draws lie, for many calls a workspace.

    Attributes:
        at_once: most draws of one call.
    """

    def __init__(
        self,
        prepared: PreparedTable,
        grouping: Grouping,
        response: Response,
        outcome: Outcome,
        keep: Bools,
        authorities: Sequence[str],
        threads: int = 1,
        room: Room = new_room,
    ) -> None:
        products = len(prepared.products)
        self._group_of_product = grouping.of_product(prepared.product_of_line, products)
        self._groups, self._has_limits = grouping.count, outcome.has_limits
        rates, response = outcome.variety_rates, outcome.responding(response)
        column_of_measure = _columns_of(outcome, authorities)
        charged = _Charged.of(rates, column_of_measure, len(authorities))
        group = np.where(keep, grouping.of_line, -1) if not keep.all() else grouping.of_line
        self._run: _Runner
        if is_summed_by_variety(response, outcome):
            self.at_once = SIDE_BY_SIDE
            self._run = _ByVariety(prepared, response, rates, group, grouping.count, charged, threads, room)
        else:
            self.at_once = 1
            self._run = _ByLine(prepared, response, outcome, grouping, keep, charged)

    def __call__(self, parameters: Sequence[ProductParameters]) -> AfterSums:
        """Sum the lines under each of the parameters: one lane each."""
        trade, lanes = self._run(parameters), len(parameters)
        lines = np.moveaxis(trade.lines.reshape(self._groups, len(AFTER), lanes), 2, 0)
        # Contiguous, so that numpy adds the products of a lane in one order for any number of lanes.
        owned = np.ascontiguousarray(np.moveaxis(trade.owned, 2, 0))
        whole = trade.lines.sum(axis=0).reshape(len(AFTER), lanes)
        groups = {name: lines[:, :, place] for place, name in enumerate(AFTER)}
        total = {name: whole[place] for place, name in enumerate(AFTER)}
        for place, name in enumerate(PRODUCT_SUMS):
            groups[name] = self._by_group(owned[:, place])
            total[name] = owned[:, place].sum(axis=1)
        if self._has_limits:
            rents = np.zeros((self._groups, len(LIMIT_SUMS))) if trade.rents is None else trade.rents
            groups |= {name: values[None] for name, values in zip(LIMIT_SUMS, rents.T, strict=True)}
            total |= dict(zip(LIMIT_SUMS, rents.sum(axis=0)[:, None], strict=True))
        if trade.domestic:
            amounts = np.stack([goods.amounts for goods in trade.domestic], axis=1)
            groups |= {name: self._by_group(own) for name, own in zip(DOMESTIC_SUMS, amounts, strict=True)}
            total |= dict(zip(DOMESTIC_SUMS, amounts.sum(axis=2), strict=True))
        return AfterSums(groups, total, trade.duties.T)

    def _by_group(self, of_products: F64) -> F64:
        """Sum (lanes, products) by group: (lanes, groups); unknown where groups cut through products."""
        group = self._group_of_product
        if group is None:
            return np.full((len(of_products), self._groups), np.nan)
        return np.stack([sums_of(group, values, self._groups) for values in of_products])


class PlainSums:
    """Sums of the outcomes of a run at its own elasticities; kept with each outcome.

    Args:
        prepared: the table.
        grouping: the groups of the results.
    """

    def __init__(self, prepared: PreparedTable, grouping: Grouping) -> None:
        self._prepared = prepared
        self._grouping = grouping
        self._kept: WeakKeyDictionary[Outcome, tuple[Response, bool, AfterSums]] = WeakKeyDictionary()

    def keep(self, response: Response, outcome: Outcome, sums: AfterSums, by_authority: bool) -> None:
        """Keep the sums of an outcome that are computed already."""
        self._kept[outcome] = response, by_authority, sums

    @stage("respond")
    def __call__(self, response: Response, outcome: Outcome, keep: Bools, by_authority: bool) -> AfterSums:
        """Sum an outcome after its response.

        Args:
            response: the response.
            outcome: the lines under one law.
            keep: the usable lines.
            by_authority: sum the duty of every authority of the law too.
        """
        kept = self._kept.get(outcome)
        if kept is None or kept[0] is not response or (by_authority and not kept[1]):
            authorities = outcome.duties.authorities if by_authority else ()
            run = ResponseSums(
                self._prepared, self._grouping, response, outcome, keep, authorities, thread_count()
            )
            kept = self._kept[outcome] = (response, by_authority, run([response.parameters]))
        return kept[2]


def is_summed_by_variety(response: Response, outcome: Outcome) -> bool:
    """Test whether results are sums over varieties: Armington demand answers all that the law does to quantities."""
    return (
        response.model == ARMINGTON
        and not response.has_domestic_goods
        and outcome.has_plain_quantities
        and response.closes_whole(outcome.variety_rates)
    )


def _columns_of(outcome: Outcome, authorities: Sequence[str]) -> I32:
    """Column of each measure of the law among some authorities, -1 for the others."""
    place = {name: index for index, name in enumerate(authorities)}
    columns = [place.get(name, -1) for name in outcome.duties.authorities]
    return np.array(columns, dtype=np.int32)[outcome.duties.authority_of_measure]


@dataclass(frozen=True)
class _Charged:
    """Duty over value of each class of varieties in each column in which it is charged."""

    columns: int
    start: I64
    column: I64
    rate: F64

    @classmethod
    def of(cls, rates: VarietyRates, column_of_measure: I32, columns: int) -> _Charged:
        nothing = np.zeros(0, dtype=np.int64)
        if not columns:
            return cls(0, nothing, nothing, np.zeros(0))
        used = np.unique(column_of_measure[rates.charging])
        used = used[used >= 0]
        # A table of all columns would be mostly empty: few authorities charge under one law. The last place is that of
        # no column, -1.
        place = np.full(columns + 1, -1, dtype=np.int32)
        place[used] = np.arange(len(used))
        duty = rates.columns(place[column_of_measure], len(used)).duty
        row, column = np.nonzero(duty)
        start = np.searchsorted(row, np.arange(len(duty) + 1))
        return cls(columns, start, used[column].astype(np.int64), duty[row, column])

    @classmethod
    def owed(cls, rates: VarietyRates) -> _Charged:
        """Duty owed, in one column."""
        duty = rates.total.owed[:, 0]
        return cls(1, np.arange(len(duty) + 1), np.zeros(len(duty), dtype=np.int64), duty)


@dataclass(frozen=True)
class _DrawnTrade:
    """Sums under a few draws.

    Attributes:
        lines: (groups, 9 x draws).
        owned: surplus and welfare (2, products, draws).
        duties: (groups x authorities, draws).
        domestic: domestic goods of a market of sectors, of each draw.
        rents: of limits on quantities (groups, 5).
    """

    lines: F64
    owned: F64
    duties: F64
    domestic: tuple[DomesticGoods, ...] = ()
    rents: F64 | None = None


_Runner = Callable[[Sequence[ProductParameters]], _DrawnTrade]


class _ByVariety:
    """Sums over varieties, whose hats are those of their cells."""

    def __init__(
        self,
        prepared: PreparedTable,
        response: Response,
        rates: VarietyRates,
        group_of_line: I64,
        groups: int,
        charged: _Charged,
        threads: int,
        room: Room,
    ) -> None:
        v, vat = response.varieties, prepared.lines.vat
        self._varieties, self._groups, self._charged, self._threads = v, groups, charged, threads
        self._room = room
        self._class_of = rates.of_variety
        self._owed = None if rates.owes_all else _Charged.owed(rates)
        self._rate = rates.rate
        self._base_rate = response.base_rate
        self._solve = response.draw_solver(rates, threads)
        self._closed = np.flatnonzero(rates.closed)
        self._unbounded = response.unbounded_loss(rates)
        self._group = group_of_line[v.line]
        self._taxed = np.zeros(0) if vat is None else (1.0 + vat)[v.line]

    def __call__(self, parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        from tariffs.engine.response.kernels.variety_sums import (
            COLUMNS,
            DUTY,
            LANES,
            sum_duties,
            sum_lanes,
            sum_varieties,
        )

        volume = self._solve([p.terms for p in parameters], self._room)
        v, hats = self._varieties, volume.hats
        if self._closed.size:
            # Nothing is left of goods at the prohibitive rate, so nobody pays duty on them.
            cell = self._solve.cell_of[self._closed]
            unpaid = PROHIBITIVE * v.value[self._closed, None] * hats[cell, 0] * hats[cell, 1]
            np.subtract.at(volume.owned[1], v.product[self._closed], unpaid)
            hats[cell, 0] = 0.0
        # An unbounded loss is unknown.
        volume.owned[:, self._unbounded] = np.nan
        cell_of, draws, charged = self._solve.cell_of, len(parameters), self._charged
        full = draws == LANES
        sum_draws = sum_lanes if full else sum_varieties
        hats = hats.reshape(-1, 2 * LANES) if full else hats

        def add(first: int, last: int, out: F64) -> None:
            sum_draws(
                first, last, self._group, cell_of, v.product, v.value, v.charges, self._rate, self._base_rate,
                self._taxed, hats, volume.growths, out,
            )  # fmt: skip

        def duties_in(charged: _Charged) -> F64:
            def add_duties(first: int, last: int, out: F64) -> None:
                sum_duties(
                    first, last, self._group, self._class_of, charged.start, charged.column, charged.rate,
                    charged.columns, cell_of, v.value, volume.hats, out,
                )  # fmt: skip

            return self._summed(add_duties, (self._groups * charged.columns, draws))

        lines = self._summed(add, (self._groups, draws * COLUMNS))
        owed = lines[:, DUTY * draws : (DUTY + 1) * draws] if self._owed is None else duties_in(self._owed)
        duties = duties_in(charged) if charged.columns else np.zeros((0, draws))
        return _DrawnTrade(np.hstack([lines, owed]), volume.owned, duties, volume.domestic)

    def _summed(self, add: Callable[[int, int, F64], None], shape: tuple[int, int]) -> F64:
        """Sum all varieties: in parts of a fixed size, so that threads change no bit, or at once by many groups."""
        count = self._varieties.count
        step = _PART_VARIETIES if shape[0] <= _PARTED_GROUPS else max(1, count)
        firsts, check = range(0, count, step), checkpoint_here()

        def part(first: int) -> F64:
            check()
            out, last = np.zeros(shape), min(first + step, count)
            with metered(last - first):
                add(first, last, out)
            return out

        total: F64 = np.zeros(shape)
        with ThreadPoolExecutor(self._threads) as pool:
            for out in map(part, firsts) if self._threads == 1 else pool.map(part, firsts):
                total += out
        return total


class _ByLine:
    """Sums over lines, one draw at a time, for models or laws that sums over varieties cannot express."""

    def __init__(
        self,
        prepared: PreparedTable,
        response: Response,
        outcome: Outcome,
        grouping: Grouping,
        keep: Bools,
        charged: _Charged,
    ) -> None:
        self._prepared, self._response, self._grouping, self._keep = prepared, response, grouping, keep
        self._rates, self._charged, limits = outcome.variety_rates, charged, outcome.constraints
        self._limited = LimitedResponse(response, self._rates, limits) if limits else None
        self._moved = outcome.moved
        self._solve: VolumeSolver = response.solver(outcome.variety_rates)

    def __call__(self, parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        (only,) = parameters
        free = self._solve(only)
        limited = self._limited(free, only) if self._limited else free
        volume = self._moved(self._response.to_lines(limited, self._rates), self._response)
        columns = after_columns(self._prepared.lines, volume)
        lines = self._grouping.sums([columns[name] for name in AFTER], self._keep)
        duties = np.zeros((0, 1))
        if self._charged.columns:
            duties = self._duties(volume.value_of_varieties)
        owned = np.stack([volume.buyer_surplus, volume.welfare])[:, :, None]
        rents = rent_columns(self._prepared.lines, volume.rents) if volume.rents else None
        held = self._grouping.sums(list(rents.values()), self._keep) if rents else None
        domestic = () if volume.domestic is None else (volume.domestic,)
        return _DrawnTrade(lines, owned, duties, domestic, held)

    def _duties(self, value: F64) -> F64:
        """Sum duty by group and authority, given the value after of each variety."""
        from tariffs.engine.response.kernels.variety_sums import sum_duties

        charged, count = self._charged, self._response.varieties.count
        group = np.where(self._keep, self._grouping.of_line, -1)[self._response.varieties.line]
        duties = np.zeros((self._grouping.count * charged.columns, 1))
        as_is = np.ones((1, 2, 1))
        sum_duties(
            0, count, group, self._rates.of_variety, charged.start, charged.column, charged.rate, charged.columns,
            np.zeros(count, dtype=np.int64), value, as_is, duties,
        )  # fmt: skip
        return duties
