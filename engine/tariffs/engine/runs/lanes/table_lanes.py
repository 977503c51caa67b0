"""Lanes over a table: its varieties arranged for laws that differ in rates, with those of one response merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, first_of, ratio, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.lanes.adjustment import PathTrade, StageElasticities
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import LaneSums
from tariffs.engine.response.lanes.lane_sweep import STEEP, LaneSweep
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable, SweptTrade
from tariffs.engine.response.lanes.mean_ages import MeanAges
from tariffs.engine.response.sectors.sector_market import kappa_of
from tariffs.engine.response.trade.trade_response import ARMINGTON, PROHIBITIVE, Response, domestic_shipments
from tariffs.engine.runs.column_names import DOMESTIC_SUMS
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs
from tariffs.engine.table_duty.rate_classes import numbered

_HIGHEST = 1e6
"""A rate that no duty reaches, as a fraction: equivalents of specific duties on goods of little value are high."""


def has_lanes(run: TableRun) -> bool:
    """Test whether laws may respond together: Armington demand without tax.

    On the adjustment path and under a market of sectors powers of the highest rate must be numbers, and products of a
    nest have one eta, kappa and supply elasticity at every age.
    """
    response = run.response
    if response is None or response.model != ARMINGTON or run.prepared.lines.vat is not None:
        return False
    if run.steps is None and response.market is None:
        return True
    p = response.parameters
    columns = p.columns if isinstance(p, PathParameters) else np.array([[p.sigma, p.eta, 1.0 / p.supply]])
    kappa = np.where(np.isnan(p.kappa), -1.0, p.kappa)
    greatest = max(columns[:, :2].max(initial=0.0), kappa.max(initial=0.0))
    if greatest * np.log1p(_HIGHEST) >= STEEP:
        return False
    if response.market is None:
        return True
    market = response.market
    inside = np.concatenate([columns[:, 1], columns[:, 2], [kappa]])[:, market.inside]
    return bool((inside == inside[:, market.first][:, market.nest]).all())


class TableLanes:
    """Solver of laws over the varieties of a table.

    Args:
        of_variety: path of each variety.
        pairs: pairs of class and group, by which values are summed as well; None without such sums.
    """

    def __init__(self, run: TableRun, paths: RatePaths, of_variety: I64, pairs: ClassPairs | None) -> None:
        assert run.response is not None
        response, self.pairs, self._ages = run.response, pairs, None
        p = response.parameters
        if isinstance(p, PathParameters) and response.market is not None:
            stages, kind = _stages_of(p)
            value = sums_of(of_variety, response.varieties.value, len(paths.form))
            self._ages = MeanAges(paths, value, stages)
            paths, of_variety, held = self._ages.at_once, self._ages.of_path[of_variety], None
        elif isinstance(p, PathParameters):
            stages, kind = _stages_of(p)
            held = stages.at(paths.years)
        else:
            held, kind = _kinds_of(response)
        trade = _trade_of(run, response, kind, paths, of_variety, pairs)
        self._sweep = LaneSweep(trade, paths, held)
        self._market, self._groups = trade.market, trade.table.groups

    def __call__(self, rates: F64) -> LaneSums:
        """Solve a block of laws, given the rates of the moved forms of the paths (forms x laws)."""
        if self._ages is None:
            return self._sweep(rates, threads=thread_count())
        return self._sweep(*self._ages.lanes(rates), threads=thread_count())

    def goods(self, sums: LaneSums) -> tuple[dict[str, F64], dict[str, F64]]:
        """Sum domestic goods, of which there are none without a market of sectors.

        Returns:
            DOMESTIC_SUMS by group of whole products (laws x groups), and of the whole table (laws).
        """
        if self._market is None or sums.nests is None or not sums.nests.size:
            return {}, {}
        nest_of, goods, owner = self._market.nest, self._market.goods, self._groups.of_product
        inside, count = nest_of >= 0, len(sums.nests)
        nests, of_nest = nest_of[inside], sums_of(nest_of[inside], goods[inside], count)
        pairs, place = np.unique(owner[inside] * count + nests, return_inverse=True)
        group, nest = np.divmod(pairs, count)
        amount = sums_of(place, goods[inside], pairs.size)
        price, quantity, gain = np.moveaxis(sums.nests[nest, :3], 1, 0)
        shipments = np.broadcast_to(amount[:, None], price.shape)
        part = ratio(amount, of_nest[nest], 0.0)[:, None]
        rows = (shipments, shipments * price, shipments * quantity, part * gain)
        whole = _by_group(rows, np.zeros_like(group), 1)
        return _by_group(rows, group, self._groups.varieties), {
            name: values[:, 0] for name, values in whole.items()
        }


def _by_group(rows: Sequence[F64], group: I64, count: int) -> dict[str, F64]:
    """Sum amounts of pairs of group and nest by group: (laws, groups) of each sum."""
    sums = np.zeros((len(rows), count, rows[0].shape[1]))
    for values, out in zip(rows, sums, strict=True):
        sum_by_group(group, np.ascontiguousarray(values), out)
    return dict(zip(DOMESTIC_SUMS, np.moveaxis(sums, 2, 1), strict=True))


def _trade_of(
    run: TableRun, response: Response, kind: I64, paths: RatePaths, of_variety: I64, pairs: ClassPairs | None
) -> SweptTrade:
    """Arrange the varieties; those of one product and group with one path are merged."""
    v, parameters, count = response.varieties, response.parameters, len(response.parameters.sigma)
    group = run.grouping.of_line[v.line]
    number = numbered(v.product, group if pairs is None else pairs.of_goods, of_variety)
    first = first_of(number)
    product_group = run.grouping.of_product(run.prepared.product_of_line, count)
    owner, owners = (
        (np.zeros(count, dtype=np.int64), 1) if product_group is None else (product_group, run.grouping.count)
    )
    domestic = np.zeros(count)
    market = None
    if response.market is None:
        domestic = domestic_shipments(v.product, v.value, response.base_rate, parameters)
    else:
        market = response.market.above(sums_of(v.product, v.value, count))
        market = replace(market, nest=market.nest[v.traded], goods=market.goods[v.traded])
    # What is prohibited on the last day is not in the sums.
    last = paths.form[of_variety[first], -1]
    kept = np.where(paths.rates[last] == PROHIBITIVE, 0.0, 1.0)
    traded, number_of = v.traded, np.searchsorted(v.traded, v.product[first])
    table = LaneTable(
        PathTrade.of(number_of, sums_of(number, v.value, len(first)), response.base_rate[first], len(traded)),
        LaneGroups(group[first], owner[traded], run.grouping.count, owners),
        sums_of(number, v.charges, len(first)),
        None,
        domestic[traded],
        parameters.kappa[traded],
    )
    values = None if pairs is None else pairs.of_goods[first]
    return SweptTrade(table, of_variety[first], kind[traded], kept, values, market)


def _stages_of(parameters: PathParameters) -> tuple[StageElasticities, I64]:
    """Distinct sets of elasticities of all horizons with the kappa given, else NaN, and the set of each product."""
    rows = np.vstack([parameters.columns.reshape(9, -1), np.nan_to_num(parameters.kappa, nan=-1.0)])
    distinct, kind = np.unique(rows, axis=1, return_inverse=True)
    kappa = np.where(distinct[9] < 0.0, np.nan, distinct[9])
    stages = StageElasticities(distinct[:9].reshape(3, 3, -1), parameters.profile, kappa)
    return stages, kind.ravel().astype(np.int64)


def _kinds_of(response: Response) -> tuple[F64, I64]:
    """Distinct sets of sigma, eta, kappa and inverse supply (4, kinds, 1), and the set of each product.

    Kappa is that of its nest or of the product by itself.
    """
    p = response.parameters
    kappa = np.where(np.isnan(p.kappa), p.eta, p.kappa)
    if response.market is not None:
        kappa = kappa_of(p.kappa, p.eta, p.eta)
    distinct, kind = np.unique(np.stack([p.sigma, p.eta, kappa, 1.0 / p.supply]), axis=1, return_inverse=True)
    return distinct[:, :, None], kind.ravel().astype(np.int64)
