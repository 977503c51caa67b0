"""Sum one outcome after its response by group, for any elasticities: a plain run has one draw of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.base.stages import stage
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.equal_numbers import numbered
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.limits.limited_response import LimitedResponse
from tariffs.engine.response.sectors.sector_market import DomesticGoods
from tariffs.engine.response.trade.trade_response import ARMINGTON, Response, VolumeSolver
from tariffs.engine.response.trade.variety_rates import VarietyRates
from tariffs.engine.runs.column_names import AFTER, DOMESTIC_SUMS, LIMIT_SUMS, PRODUCT_SUMS
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.limit_columns import rent_columns
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.results import after_columns
from tariffs.engine.tables.prepare import PreparedTable


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
        owner = grouping.of_product(prepared.product_of_line, products)
        self._group_of_product = owner
        self._groups, self._has_limits = grouping.count, outcome.has_limits
        self._owners = (np.zeros(products, dtype=np.int64), 1) if owner is None else (owner, grouping.count)
        rates, response = outcome.variety_rates, outcome.responding(response)
        column_of_measure = _columns_of(outcome, authorities)
        charged = _Charged.of(rates, column_of_measure, len(authorities))
        group = np.where(keep, grouping.of_line, -1) if not keep.all() else grouping.of_line
        self._run: _Runner
        if is_summed_by_variety(response, outcome):
            self.at_once = SIDE_BY_SIDE
            v, vat = response.varieties, prepared.lines.vat
            groups = LaneGroups(group[v.line], self._owners[0], grouping.count, self._owners[1])
            table = response.lane_table(groups, None if vat is None else vat[v.line])
            self._run = _ByVariety(response, rates, table, charged, threads, room)
        else:
            self.at_once = 1
            self._run = _ByLine(prepared, response, outcome, grouping, self._owners, keep, charged)

    def __call__(self, parameters: Sequence[ProductParameters]) -> AfterSums:
        """Sum the lines under each of the parameters: one lane each."""
        trade = self._run(parameters)
        # Contiguous, so that numpy adds the groups of a lane in one order for any number of lanes.
        lines, owned = (np.ascontiguousarray(np.moveaxis(each, 2, 0)) for each in (trade.lines, trade.owned))
        groups = {name: lines[:, :, place] for place, name in enumerate(AFTER)}
        total = {name: lines[:, :, place].sum(axis=1) for place, name in enumerate(AFTER)}
        for place, name in enumerate(PRODUCT_SUMS):
            of_owners = owned[:, :, place]
            groups[name] = np.full(lines.shape[:2], np.nan) if self._group_of_product is None else of_owners
            total[name] = of_owners.sum(axis=1)
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
        and outcome.has_plain_quantities
        and response.prohibits_whole(outcome.variety_rates)
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

    def sums(self, groups: int, group: I64, class_of: I64, after: F64) -> F64:
        """Sum duty by group and column (groups x columns, lanes), given groups, classes and values after of goods."""
        from tariffs.engine.response.kernels.authority_duties import sum_duties

        out = np.zeros((groups * self.columns, after.shape[1]))
        sum_duties(group, class_of, self.start, self.column, self.rate, self.columns, after, out)
        return out


@dataclass(frozen=True)
class _DrawnTrade:
    """Sums under a few draws.

    Attributes:
        lines: (groups, columns of AFTER, draws).
        owned: surplus and welfare by group of products (groups of products, 2, draws).
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
    """Sums over varieties in lanes of elasticities."""

    def __init__(
        self,
        response: Response,
        rates: VarietyRates,
        table: LaneTable,
        charged: _Charged,
        threads: int,
        room: Room,
    ) -> None:
        self._groups, self._charged, self._room = table.groups.varieties, charged, room
        group, values = table.groups.of_variety, None
        if charged.columns:
            # Duty is that of a class, so that values are summed by group and class.
            classes = int(rates.of_variety.max(initial=0)) + 1
            keys = np.maximum(group, 0) * classes + rates.of_variety
            values, first = numbered(keys.view(np.uint64))
            self._pairs = group[first], rates.of_variety[first].astype(np.int64)
        self._solve = response.sum_solver(table, rates, threads, values)
        self._base = table.base_sums
        self._unbounded = np.unique(table.groups.of_product[response.unbounded_loss(rates)])

    def __call__(self, parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        sums = self._solve(parameters, self._room)
        value, duty, charges, creation, quantity, base_duty, tax = np.moveaxis(sums.lines, 1, 0)

        before = self._base[:, None]
        landed = value + duty + tax + charges
        owed = duty if sums.owed is None else sums.owed
        columns = (
            value, duty, landed, value - before, quantity, creation, quantity - before - creation, base_duty, owed
        )  # fmt: skip
        duties = np.zeros((0, len(parameters)))
        if self._charged.columns:
            duties = self._charged.sums(self._groups, *self._pairs, sums.values)
        # An unbounded loss is unknown.
        sums.owned[self._unbounded] = np.nan
        return _DrawnTrade(np.stack(columns, axis=1), sums.owned, duties, sums.domestic)


class _ByLine:
    """Sums over lines, one draw at a time, for models or laws that sums over varieties cannot express."""

    def __init__(
        self,
        prepared: PreparedTable,
        response: Response,
        outcome: Outcome,
        grouping: Grouping,
        owners: tuple[I64, int],
        keep: Bools,
        charged: _Charged,
    ) -> None:
        self._prepared, self._response, self._grouping, self._keep = prepared, response, grouping, keep
        self._owners = owners
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
        lines = self._grouping.sums([columns[name] for name in AFTER], self._keep)[:, :, None]
        duties = np.zeros((0, 1))
        if self._charged.columns:
            duties = self._duties(volume.value_of_varieties)
        owned = [
            sums_of(self._owners[0], each, self._owners[1]) for each in (volume.buyer_surplus, volume.welfare)
        ]
        rents = rent_columns(self._prepared.lines, volume.rents) if volume.rents else None
        held = self._grouping.sums(list(rents.values()), self._keep) if rents else None
        domestic = () if volume.domestic is None else (volume.domestic,)
        return _DrawnTrade(lines, np.stack(owned, axis=1)[:, :, None], duties, domestic, held)

    def _duties(self, value: F64) -> F64:
        """Sum duty by group and authority, given the value after of each variety."""
        group = np.where(self._keep, self._grouping.of_line, -1)[self._response.varieties.line]
        return self._charged.sums(
            self._grouping.count, group, self._rates.of_variety.astype(np.int64), value[:, None]
        )
