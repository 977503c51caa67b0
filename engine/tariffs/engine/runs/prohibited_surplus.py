"""Change of buyers' surplus by what is prohibited: a part of `buyer_surplus`. See docs/models/adjustment.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.response.adjustment import AgeElasticities, DutyStep, PathDraws, PathTrade, RateMoves
from tariffs.engine.response.adjustment_profile import PathParameters
from tariffs.engine.response.closing_draws import AtOnce
from tariffs.engine.response.path_response import PathResponse
from tariffs.engine.response.sweep_inputs import StageElasticities
from tariffs.engine.response.trade_response import PROHIBITIVE, Response, products_of
from tariffs.engine.runs.column_names import PROHIBITED_SURPLUS
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.response_sums import is_summed_by_variety
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.table_run import TableRun


def add_prohibited_surplus(run: TableRun, outcomes: Sequence[Outcome], sums: Sums) -> Sums:
    """Add the sum to those of a lane with a response, USD; a mixture gives expected values.

    NaN where the response is not Armington demand for products by themselves at a fixed exchange rate.
    """
    if run.response is None:
        return sums
    found = np.zeros(len(run.prepared.products))
    for outcome in outcomes:
        if outcome.variety_rates.barred is not None:
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
    has_own_goods = bool(response.parameters.domestic_ratio.any())
    if (
        response.market
        or not response.has_own_rates
        or has_own_goods
        or not is_summed_by_variety(response, outcome)
    ):
        return np.full(len(found), np.nan)
    chosen = np.flatnonzero(products_of(v, rates.closed, len(found)))
    lines = np.flatnonzero(np.isin(v.product, chosen))
    product = np.searchsorted(chosen, v.product[lines])
    offsets = np.searchsorted(product, np.arange(len(chosen) + 1)).astype(np.int64)
    trade = PathTrade(offsets, product, v.value[lines], response.base_rate[lines])
    rate = np.where(rates.closed, PROHIBITIVE, rates.rate)
    nothing = np.zeros(len(chosen))
    surplus = []
    elasticities, steps = _parts(response, chosen, lines, rate)
    for part in (steps, [step for step in steps if not (step.moves.after == PROHIBITIVE).any()]):
        solve = PathDraws(
            trade,
            part,
            rate[lines],
            kappa=response.parameters.kappa[chosen],
            domestic=nothing,
            threads=thread_count(),
        )
        surplus.append(solve([elasticities]).owned[0, :, 0].copy())
    found[chosen] = surplus[0] - surplus[1]
    return np.where(response.unbounded_loss(rates), np.nan, found)


def _parts(response: Response, chosen: I64, lines: I64, rate: F64) -> tuple[AgeElasticities, list[DutyStep]]:
    """Elasticities and steps of chosen products and their varieties, those of prohibitions apart."""
    p = response.parameters
    if isinstance(response, PathResponse) and isinstance(p, PathParameters):
        place = np.full(response.varieties.count, -1)
        place[lines] = np.arange(len(lines))
        steps = []
        for step in response.steps:
            moves = step.moves.where(place[step.moves.variety] >= 0)
            own = RateMoves(place[moves.variety].astype(np.int32), moves.before, moves.after, moves.power)
            steps.append(DutyStep(step.years, own))
        return StageElasticities(p.columns[:, :, chosen], p.profile), steps
    least = p if response.closing is None else response.closing
    of_least = np.array([least.sigma, least.eta, 1.0 / least.supply])[:, chosen]
    elasticities = AtOnce.of(p.sigma[chosen], p.eta[chosen], p.supply[chosen], of_least)
    return elasticities, AtOnce.steps(response.base_rate[lines], rate[lines], rate[lines] == PROHIBITIVE)
