"""Response of points of a sweep whose laws differ in rates: only varieties whose rate moves are solved."""

from __future__ import annotations

from collections.abc import Callable

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.runs.lanes.lane_columns import BlockColumns, at_places, has_pairs
from tariffs.engine.runs.lanes.point_laws import PointGroup
from tariffs.engine.runs.lanes.rate_paths import VarietyPaths
from tariffs.engine.runs.lanes.table_lanes import TableLanes
from tariffs.engine.runs.outcomes.duty_sums import PointDuties
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import AfterSums
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.table_duty.rate_classes import RateClasses, rate_classes

Responding = Callable[[PointGroup, PointDuties], AfterSums]
_LANES: KeptWith[TableLanes] = KeptWith(2)
"""Some 60 to 120 MB each for the embedded table."""
_KEPT_VARIETIES = 1_000_000
"""Most varieties of a table whose lanes are kept; some 200 bytes each."""


def is_summed_exactly(run: TableRun, outcome: Outcome) -> bool:
    """Test whether sums over varieties express what a law does to quantities and shares."""
    if run.response is None or not run.response.has_own_rates or not outcome.has_plain_quantities:
        return False
    atoms = run.response.varieties.atoms
    if any(rated.family.atoms is not atoms for rated in outcome.duties.rated):
        return False
    rates = outcome.variety_rates
    if run.response.prohibits_apart(rates):
        return False
    return run.response.prohibits_whole(rates) and not run.response.unbounded_loss(rates).any()


def point_response(run: TableRun, outcome: Outcome, group: PointGroup, dated: Dated) -> Responding | None:
    """Prepare the response of points; None if sums over varieties cannot express the days before them.

    Args:
        run: the table, with a response that is summed by variety.
        outcome: results under the law.
        group: points of the law.
        dated: the instants of the lines.
    """
    if group.history is None:
        return lambda group, before: at_places(run, run.after(outcome), before)
    found = VarietyPaths.of(run, outcome, group, dated)
    if found is None:
        return None
    paths, classes = found, [rate_classes(rated) for rated in outcome.duties.rated]
    columns = BlockColumns(run, outcome.duties, classes, _lanes(run, outcome, classes, paths))

    def respond(group: PointGroup, before: PointDuties) -> AfterSums:
        def rates(first: int) -> F64:
            return paths.history.at(group.values[first : first + SIDE_BY_SIDE])

        return columns(group, before, rates)

    return respond


def _lanes(run: TableRun, outcome: Outcome, classes: list[RateClasses], paths: VarietyPaths) -> TableLanes:
    """Arrange the table for the points of one law; kept with it for sweeps of other values of the parameters."""
    response, grouping = run.response, run.grouping
    assert response is not None
    v, class_of = response.varieties, outcome.variety_rates.of_variety

    def made() -> TableLanes:
        pairs = None
        if has_pairs(run, outcome):
            count = sum(each.count for each in classes)
            pairs = ClassPairs.of(class_of, grouping.of_line[v.line], count, grouping.count)
        return TableLanes(run, paths.forms, paths.of_variety, pairs)

    if v.count > _KEPT_VARIETIES:
        return made()
    parts = v, response.base_rate, response.parameters, response.market, paths.forms, class_of
    return _LANES.get(run.prepared.lines.cache, parts, (grouping.id, has_pairs(run, outcome)), made)
