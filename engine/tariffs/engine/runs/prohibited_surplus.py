"""Change of buyers' surplus by what is prohibited: a part of `buyer_surplus`. See docs/models/adjustment.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.elasticities.adjustment_profile import adjustment_profile
from tariffs.engine.response.lanes.adjustment import (
    DutyPath,
    DutyStep,
    LawDuty,
    PathTrade,
    RateMoves,
    StageElasticities,
)
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.lanes.law_lanes import LawLanes
from tariffs.engine.response.trade.responses import PathResponse
from tariffs.engine.response.trade.trade_response import PROHIBITIVE, products_of
from tariffs.engine.runs.column_names import PROHIBITED_SURPLUS
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import is_summed_by_variety
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import Sums


def add_prohibited_surplus(run: TableRun, outcomes: Sequence[Outcome], sums: Sums) -> Sums:
    """Add the sum to those of a lane with a response, USD; a mixture gives expected values.

    NaN where the response is not Armington demand for products by themselves at a fixed exchange rate.
    """
    if run.response is None:
        return sums
    found = np.zeros(len(run.prepared.products))
    for outcome in outcomes:
        if outcome.variety_rates.prohibited_share is not None:
            found += outcome.weight * _lost(run, outcome)
    owner = run.grouping.of_product(run.prepared.product_of_line, len(found))
    if owner is not None:
        groups = sums_of(owner, found, sums.count)
    else:
        groups = np.full(sums.count, np.nan if found.any() else 0.0)
    return sums.adding(PROHIBITED_SURPLUS, groups[None], found.sum(keepdims=True))


def _lost(run: TableRun, outcome: Outcome) -> F64:
    """Surplus of each product less that without its prohibitions, whose goods keep the rate of the baseline."""
    assert run.response is not None
    response, rates = outcome.responding(run.response), outcome.variety_rates
    v, found = response.varieties, np.zeros(len(run.prepared.products))
    is_alone = not response.market and not response.parameters.domestic_ratio.any()
    if not (is_alone and response.has_own_rates and is_summed_by_variety(response, outcome)):
        return np.full(len(found), np.nan)
    chosen = np.flatnonzero(products_of(v, rates.prohibited, len(found)))
    lines = np.flatnonzero(np.isin(v.product, chosen))
    product = np.searchsorted(chosen, v.product[lines])
    offsets = np.searchsorted(product, np.arange(len(chosen) + 1)).astype(np.int64)
    trade = PathTrade(offsets, product, v.value[lines], response.base_rate[lines])
    rate = np.where(rates.prohibited, PROHIBITIVE, rates.rate)
    if isinstance(response, PathResponse):
        path = _of_lines(response.path_to(rate), chosen, lines)
    else:
        # At one horizon duties and then prohibitions are the whole change, so that the latter can be left out.
        least = (response.prohibition or response.parameters).columns[0][:, chosen]
        path = DutyPath.with_prohibitions(trade.t0, rate[lines], rates.prohibited[lines], least)
    nothing = np.zeros(len(chosen))
    elasticities = StageElasticities(response.parameters.columns[:, :, chosen], adjustment_profile())
    table = LaneTable(
        trade, LaneGroups.of_products(lines.size, len(chosen)), 0.0 * trade.v0, None, nothing,
        response.parameters.kappa[chosen],
    )  # fmt: skip
    surplus = []
    for part in (path, _without_prohibitions(path)):
        solve = LawLanes(table, LawDuty(part, rate[lines], rate[lines]), threads=thread_count())
        surplus.append(solve([elasticities]).owned[:, 0, 0])
    found[chosen] = surplus[0] - surplus[1]
    return np.where(response.unbounded_loss(rates), np.nan, found)


def _of_lines(path: DutyPath, chosen: I64, lines: I64) -> DutyPath:
    """Take the steps of chosen products and their varieties, which are `lines`."""
    place = np.full(int(lines.max(initial=-1)) + 1, -1)
    place[lines] = np.arange(len(lines))
    steps = []
    for step in path.steps:
        moves = step.moves.where(step.moves.variety < place.size)
        moves = moves.where(place[moves.variety] >= 0)
        own = RateMoves.numbered(place[moves.variety], moves.number, moves.changes)
        steps.append(DutyStep(step.years, own))
    least = None if path.least is None else path.least[:, chosen]
    return DutyPath(steps, path.weights, least)


def _without_prohibitions(path: DutyPath) -> DutyPath:
    """Leave out the steps that are prohibitions; a path without a step moves nothing."""
    is_open = [not (step.moves.after == PROHIBITIVE).any() for step in path.steps]
    if not any(is_open):
        return replace(path, steps=())
    steps = [step for step, kept in zip(path.steps, is_open, strict=True) if kept]
    return replace(path, steps=steps, weights=path.weights[np.array(is_open)])
