"""Arrange the varieties of a response as the trade of a sweep, with those of one response merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.response.adjustment_profile import PathParameters
from tariffs.engine.response.lane_sweep import STEEP
from tariffs.engine.response.sector_market import SectorMarket, kappa_of, market_elasticities
from tariffs.engine.response.sweep_inputs import StageElasticities, SweepElasticities, SweepMarket, SweepTrade
from tariffs.engine.response.trade_response import ARMINGTON, Response, domestic_shipments
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.table_duty.rate_classes import bits, first_of, numbered

STEEPEST_PATH = 600.0
"""Largest exponent of a power on the path: those of a few steps together stay numbers."""
_HIGHEST = 1e6
"""A rate that no duty reaches, as a fraction: equivalents of specific duties on goods of little value are high."""


def has_merged_trade(run: TableRun) -> bool:
    """Test whether varieties with one response may be merged: Armington demand by product, no tax, and no path."""
    response = run.response
    if response is None or response.model != ARMINGTON or response.market:
        return False
    return run.prepared.lines.vat is None and run.steps is None


def has_swept_paths(run: TableRun) -> bool:
    """Test whether points may respond together on the adjustment path: Armington demand by product, no tax.

    Powers of the highest rate must be numbers.
    """
    response = run.response
    if (
        response is None
        or response.model != ARMINGTON
        or response.market
        or run.prepared.lines.vat is not None
    ):
        return False
    p = response.parameters
    if not isinstance(p, PathParameters):
        return False
    greatest = p.columns[:, :2].max(initial=0.0)
    return bool(greatest * np.log1p(_HIGHEST) < STEEPEST_PATH)


def has_swept_market(run: TableRun) -> bool:
    """Test whether points may respond together under a market of sectors: every product has its closed form.

    Products of a nest must have one supply elasticity, and powers of the highest rate must be numbers.
    """
    response = run.response
    if response is None or response.market is None or run.prepared.lines.vat is not None or run.steps:
        return False
    p, market = response.parameters, response.market
    supply = p.supply[market.inside]
    kappa = kappa_of(p.kappa, p.eta, p.eta)
    greatest = max(each.max(initial=0.0) for each in (p.sigma, p.eta, kappa))
    is_common = bool((supply == supply[market.first][market.nest]).all())
    return is_common and bool(greatest * np.log1p(_HIGHEST) < STEEP)


def has_swept_mean_age(run: TableRun) -> bool:
    """Test whether points may respond together under a market of sectors on the path, each at its mean age of duty.

    Products of a nest must have one eta, kappa and supply elasticity at every age, and powers of the highest rate must
    be numbers.
    """
    response = run.response
    if response is None or response.market is None or run.prepared.lines.vat is not None or not run.steps:
        return False
    p, market = response.parameters, response.market
    if not isinstance(p, PathParameters):
        return False
    columns, kappa = p.columns, np.where(np.isnan(p.kappa), -1.0, p.kappa)
    inside = np.concatenate([columns[:, 1], columns[:, 2], [kappa]])[:, market.inside]
    is_common = bool((inside == inside[:, market.first][:, market.nest]).all())
    greatest = max(columns[:, :2].max(initial=0.0), kappa.max(initial=0.0))
    return is_common and bool(greatest * np.log1p(_HIGHEST) < STEEP)


def has_paths_together(run: TableRun) -> bool:
    """Test whether points may respond together on the adjustment path."""
    return has_swept_paths(run) or has_swept_mean_age(run)


def responds_together(run: TableRun) -> bool:
    """Test whether points may respond together."""
    return has_merged_trade(run) or has_swept_market(run) or has_paths_together(run)


@dataclass(frozen=True)
class Merged:
    """Attributes by which varieties are merged, besides their product and their rate at the baseline.

    Attributes:
        form: per variety, number of its rate at all points.
        barred: per form, the share of its value that is prohibited.
        group: per variety, the group of results.
        pair: per variety, its pair of class and group; None if values are not summed by pair.
    """

    form: I64
    barred: F64
    group: I64
    pair: I64 | None


def trade_of(run: TableRun, response: Response, kind: I64, merged: Merged) -> SweepTrade:
    """Arrange the varieties; those of one product and group with one rate at the baseline and one form are merged."""
    v, parameters, count = response.varieties, response.parameters, len(response.parameters.sigma)
    form, group, pair = merged.form, merged.group, merged.pair
    alike = (group, form) if pair is None else (pair, form)
    number = numbered(v.product, *alike, bits(response.base_rate))
    first = first_of(number)
    size = len(first)
    product_group = run.grouping.of_product(run.prepared.product_of_line, count)
    owner = np.zeros(count, dtype=np.int64) if product_group is None else product_group
    domestic = np.zeros(count)
    if response.market is None:
        domestic = domestic_shipments(v.product, v.value, response.base_rate, parameters)
    return SweepTrade(
        product=v.product[first],
        v0=sums_of(number, v.value, size),
        t0=response.base_rate[first],
        rate_class=form[first],
        group=group[first],
        kind=kind[v.traded],
        product_group=owner[v.traded],
        charges=sums_of(number, v.charges, size),
        kept=np.where(merged.barred > 0.0, 0.0, 1.0)[form[first]],
        domestic=domestic[v.traded],
        value_group=None if pair is None else pair[first],
        market=None if response.market is None else _market(response, response.market),
    )


def _market(response: Response, market: SectorMarket) -> SweepMarket:
    """Arrange the market of sectors above the traded products."""
    v, p, count = response.varieties, response.parameters, int(market.nest.max(initial=-1)) + 1
    elasticities = market_elasticities()
    return SweepMarket(
        nest=market.nest_of_product[v.traded],
        goods=(market.ratio * sums_of(v.product, v.value, len(p.eta)))[v.traded],
        top=np.full(count, elasticities["top"][0]),
        supply_domestic=np.full(count, elasticities["supply_domestic"][0]),
    )


def stage_kinds_of(parameters: PathParameters) -> tuple[StageElasticities, I64]:
    """Distinct sets of elasticities of all horizons with the kappa given for each, else NaN, and the set of each."""
    columns = np.vstack([parameters.columns.reshape(9, -1), np.nan_to_num(parameters.kappa, nan=-1.0)])
    distinct, kind = np.unique(columns, axis=1, return_inverse=True)
    kappa = np.where(distinct[9] < 0.0, np.nan, distinct[9])
    stages = StageElasticities(distinct[:9].reshape(3, 3, -1), parameters.profile, kappa)
    return stages, kind.ravel().astype(np.int64)


def kinds_of(response: Response) -> tuple[SweepElasticities, I64]:
    """Distinct sets of elasticities, and the set of each product; kappa is that of its nest or of it by itself."""
    p = response.parameters
    kappa = np.where(np.isnan(p.kappa), p.eta, p.kappa)
    if response.market is not None:
        kappa = kappa_of(p.kappa, p.eta, p.eta)
    rows = np.column_stack([p.sigma, p.eta, p.supply, kappa])
    distinct, kind = np.unique(rows, axis=0, return_inverse=True)
    return SweepElasticities(*distinct.T), kind.astype(np.int64)
