"""Split buyers' surplus on the adjustment path: what quantities that have not adjusted cost, and ended duties of it.

Two laws with the same duties today have the same surplus once trade has adjusted, whatever their history. See
docs/models/adjustment.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from tariffs.engine.law.amendments import Change, Selector
from tariffs.engine.law.law import Law
from tariffs.engine.response.elasticities.thetas import LASTING
from tariffs.engine.runs.column_names import ENDED_SURPLUS, UNADJUSTED_SURPLUS
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
