"""Sum one outcome after its response by group, for any elasticities: a plain run has one draw of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools, sums_of
from tariffs.engine.base.workspace import Room, new_room
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.equal_numbers import numbered
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.sectors.sector_market import DomesticGoods
from tariffs.engine.response.trade.trade_response import ARMINGTON, Response
from tariffs.engine.response.trade.varieties import VarietyRates
from tariffs.engine.runs.column_names import AFTER, DOMESTIC_SUMS, LIMIT_SUMS, PRODUCT_SUMS
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.results import after_columns, rent_columns
from tariffs.engine.runs.sums import AfterSums
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import PreparedTable


def by_name(lines: F64, owned: F64, is_known: bool) -> tuple[dict[str, F64], dict[str, F64]]:
    """Name sums of groups in lanes, and add them over groups.

    `lines` are (groups, columns of AFTER, lanes), surplus and welfare (groups of products, 2, lanes); those of groups
    are known where groups are of whole products.
    """
    # Contiguous, so that numpy adds the groups of a lane in one order for any number of lanes.
    lines, owned = (np.ascontiguousarray(np.moveaxis(each, 2, 0)) for each in (lines, owned))
    groups = {name: lines[:, :, place] for place, name in enumerate(AFTER)}
    total = {name: values.sum(axis=1) for name, values in groups.items()}
    for place, name in enumerate(PRODUCT_SUMS):
        groups[name] = owned[:, :, place] if is_known else np.full(lines.shape[:2], np.nan)
        total[name] = owned[:, :, place].sum(axis=1)
    return groups, total


class ResponseSums:
    """Sums of one outcome for any elasticities.

    Args:
        prepared, grouping: the table, and the groups of the results.
        response: the response, with its central parameters.
        outcome, keep: the lines under one law, and those that are usable.
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
        owner = self._owner = grouping.of_product(prepared.product_of_line, products)
        self._groups, self._has_limits = grouping.count, outcome.has_limits
        owners = (np.zeros(products, dtype=np.int64), 1) if owner is None else (owner, grouping.count)
        charged, v = _Charged.of(outcome, authorities), response.varieties
        group = np.where(keep, grouping.of_line, -1)[v.line]
        response = outcome.responding(response)
        self._run: _Runner
        if is_summed_by_variety(response, outcome):
            self.at_once = SIDE_BY_SIDE
            vat = prepared.lines.vat
            groups = LaneGroups(group, owners[0], grouping.count, owners[1])
            table = response.lane_table(groups, None if vat is None else vat[v.line])
            self._run = _by_variety(response, outcome.variety_rates, table, charged, threads, room)
        else:
            self.at_once = 1
            self._run = _by_line(prepared.lines, outcome, grouping, owners, keep, charged, group)

    def __call__(self, parameters: Sequence[ProductParameters]) -> AfterSums:
        """Sum the lines under each of the parameters: one lane each."""
        trade = self._run(parameters)
        groups, total = by_name(trade.lines, trade.owned, self._owner is not None)
        if self._has_limits and trade.rents is not None:
            groups |= {name: values[None] for name, values in zip(LIMIT_SUMS, trade.rents.T, strict=True)}
            total |= dict(zip(LIMIT_SUMS, trade.rents.sum(axis=0)[:, None], strict=True))
        if trade.domestic:
            amounts = np.stack([goods.amounts for goods in trade.domestic], axis=1)
            groups |= {name: self._by_group(own) for name, own in zip(DOMESTIC_SUMS, amounts, strict=True)}
            total |= dict(zip(DOMESTIC_SUMS, amounts.sum(axis=2), strict=True))
        found = AfterSums(groups, total, trade.duties.T)
        return found.unlimited() if self._has_limits and trade.rents is None else found

    def _by_group(self, of_products: F64) -> F64:
        """Sum (lanes, products) by group: (lanes, groups); unknown where groups cut through products."""
        if self._owner is None:
            return np.full((len(of_products), self._groups), np.nan)
        return np.stack([sums_of(self._owner, values, self._groups) for values in of_products])


def is_summed_by_variety(response: Response, outcome: Outcome) -> bool:
    """Test whether results are sums over varieties: Armington demand answers all that the law does to quantities."""
    return (
        response.model == ARMINGTON
        and outcome.has_plain_quantities
        and response.prohibits_whole(outcome.variety_rates)
    )


@dataclass(frozen=True)
class _Charged:
    """Duty over value of each class of varieties in each column in which it is charged."""

    columns: int
    start: I64
    column: I64
    rate: F64

    @classmethod
    def of(cls, outcome: Outcome, authorities: Sequence[str]) -> _Charged:
        nothing, rates, duties = np.zeros(0, dtype=np.int64), outcome.variety_rates, outcome.duties
        if not authorities:
            return cls(0, nothing, nothing, np.zeros(0))
        index = {name: number for number, name in enumerate(authorities)}
        columns = np.array([index.get(name, -1) for name in duties.authorities], dtype=np.int32)
        column_of_measure = columns[duties.authority_of_measure]
        used = np.unique(column_of_measure[rates.charging])
        used = used[used >= 0]
        # A table of all columns would be mostly empty: few authorities charge under one law. The last place is that of
        # no column, -1.
        place = np.full(len(authorities) + 1, -1, dtype=np.int32)
        place[used] = np.arange(len(used))
        duty = rates.columns(place[column_of_measure], len(used)).duty
        row, column = np.nonzero(duty)
        start = np.searchsorted(row, np.arange(len(duty) + 1))
        return cls(len(authorities), start, used[column].astype(np.int64), duty[row, column])

    def sums(self, groups: int, group: I64, class_of: I64, after: F64) -> F64:
        """Sum duty by group and column (groups x columns, lanes), given groups, classes and values after of goods."""
        from tariffs.engine.response.kernels.authority_duties import sum_duties

        out = np.zeros((groups * self.columns, after.shape[1]))
        if self.columns:
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
    domestic: Sequence[DomesticGoods] = ()
    rents: F64 | None = None


_Runner = Callable[[Sequence[ProductParameters]], _DrawnTrade]


def _by_variety(
    response: Response, rates: VarietyRates, table: LaneTable, charged: _Charged, threads: int, room: Room
) -> _Runner:
    """Sum over varieties in lanes of elasticities."""
    group, class_of, values = table.groups.of_variety, rates.of_variety.astype(np.int64), None
    if charged.columns:
        # Duty is that of a class, so that values are summed by group and class.
        keys = np.maximum(group, 0) * (int(class_of.max(initial=0)) + 1) + class_of
        values, first = numbered(keys.view(np.uint64))
        group, class_of = group[first], class_of[first]
    solve = response.sum_solver(table, rates, threads, values)
    unbounded = np.unique(table.groups.of_product[response.unbounded_loss(rates)])

    def run(parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        sums, market = solve(parameters, room), response.market
        duties = np.zeros((0, len(parameters)))
        if charged.columns:
            duties = charged.sums(table.groups.varieties, group, class_of, sums.values)
        # An unbounded loss is unknown.
        sums.owned[unbounded] = np.nan
        domestic: Sequence[DomesticGoods] = ()
        if market is not None and sums.nests is not None:
            domestic = market.domestic(table.before, sums.nests)
        return _DrawnTrade(sums.after(table.base_sums), sums.owned, duties, domestic)

    return run


def _by_line(
    lines: LineArrays, outcome: Outcome, grouping: Grouping, owners: tuple[I64, int], keep: Bools,
    charged: _Charged, group: I64,
) -> _Runner:  # fmt: skip
    """Sum over lines, one draw at a time, for models or laws that sums over varieties cannot express."""
    solve, class_of = outcome.solver(), outcome.variety_rates.of_variety.astype(np.int64)

    def run(parameters: Sequence[ProductParameters]) -> _DrawnTrade:
        (only,) = parameters
        volume = solve(only)
        columns = after_columns(lines, volume)
        if volume.rents is not None:
            columns |= rent_columns(volume.rents, lines.count)
        sums = grouping.sums(list(columns.values()), keep)
        owned = [sums_of(owners[0], one, owners[1]) for one in (volume.buyer_surplus, volume.welfare)]
        return _DrawnTrade(
            sums[:, : len(AFTER), None],
            np.stack(owned, axis=1)[:, :, None],
            charged.sums(grouping.count, group, class_of, volume.value_of_varieties[:, None]),
            () if volume.domestic is None else (volume.domestic,),
            None if volume.rents is None else sums[:, len(AFTER) :],
        )

    return run
