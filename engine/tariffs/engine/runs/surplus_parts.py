"""Parts of buyers' surplus: what is prohibited, and on the path ended duties and quantities that have not adjusted.

Two laws with the same duties today have the same surplus once trade has adjusted, whatever their history. See
docs/models/adjustment.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.chunks import thread_count
from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.law import Law
from tariffs.engine.response.elasticities.adjustment_profile import adjustment_profile
from tariffs.engine.response.elasticities.thetas import LASTING
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
from tariffs.engine.runs.column_names import ENDED_SURPLUS, PROHIBITED_SURPLUS, UNADJUSTED_SURPLUS
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import is_summed_by_variety
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.scenario import Scenario, apply_scenario, components

_SURPLUS = "buyer_surplus"


class SurplusParts:
    """Surplus of a point less that of two other lanes: adjusted trade, and the law without duties that have ended."""

    def __init__(self, run: TableRun, scenarios: Sequence[Scenario], context: RunContext) -> None:
        self._run = run
        options = replace(run.options, horizon=LASTING, memory=False, draws=0, attribute=False)
        self._adjusted = TableRun(run.prepared, run.law, options, context, scenarios)

    def add(self, sums: Sums, scenario: Scenario, on: str) -> Sums:
        """Add the parts of a day to the sums of a lane; a mixture gives expected values."""
        run, adjusted = self._run, self._adjusted
        laws = [(float(weight), apply_scenario(run.law, part)) for weight, part in components(scenario)]
        standing = [(weight, self._standing(law, on)) for weight, law in laws]
        lasting = [run.outcome(law, run.dated(law, on), weight) for weight, law in standing]
        others = {
            UNADJUSTED_SURPLUS: adjusted.sums(adjusted.outcomes(scenario, on)),
            ENDED_SURPLUS: run.sums(lasting),
        }
        for name, other in others.items():
            groups = sums.groups[_SURPLUS] - other.groups[_SURPLUS]
            sums = sums.adding(name, groups, sums.total[_SURPLUS] - other.total[_SURPLUS])
        return sums

    def _standing(self, law: Law, on: str) -> Law:
        """Take measures that charge nobody on a day out of a law from the day after the baseline on."""
        run = self._run
        baseline = date.fromisoformat(run.options.baseline or run.prepared.baseline)
        moments = run.dated_alike(law, on).moments
        active = {one.measure.id for moment in moments for one in law.in_force(*moment).actives}
        own = (m for m in law.measures.values() if m.market == run.market and m.modelled and not m.announced)
        start = (baseline + timedelta(days=1)).isoformat()
        ended = (measure.id for measure in own if measure.id not in active)
        return law.with_changes([Change("terminate", Selector(ids=(name,)), start=start) for name in ended])


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
