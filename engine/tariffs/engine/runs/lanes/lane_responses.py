"""Sum the response of several laws at once, in lanes: points of a sweep that differ in rates, and laws of their own.

What does not depend on the law, such as the numbering of varieties, the state before the response, and varieties whose
rate no law moves, is computed once for all of them. Duty by authority is computed from the customs value of each class
of goods and group.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools, sums_of
from tariffs.engine.base.bounded_cache import KeptWith, brief
from tariffs.engine.base.chunks import checkpoint_here, over_threads
from tariffs.engine.law.law import Law
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE, LaneSums, side_by_side
from tariffs.engine.response.trade.trade_response import PROHIBITIVE
from tariffs.engine.runs.lanes.point_laws import PointGroup
from tariffs.engine.runs.lanes.rate_paths import VarietyPaths
from tariffs.engine.runs.lanes.table_lanes import TableLanes, has_lanes
from tariffs.engine.runs.outcomes.duty_sums import PointDuties
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import by_name
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import AfterSums
from tariffs.engine.table_duty.class_duties import ClassPairs, DutyPlaces, class_duties
from tariffs.engine.table_duty.duties import Dated, Duties
from tariffs.engine.table_duty.rate_classes import (
    RateClasses,
    class_rates,
    common_classes,
    numbered_rows,
    rate_classes,
)

Responding = Callable[[PointGroup, PointDuties], AfterSums]
_LANES: KeptWith[TableLanes] = KeptWith(2, brief)
"""Some 60 to 120 MB each for the embedded table."""
_KEPT_VARIETIES = 1_000_000
"""Most varieties of a table whose lanes are kept; some 200 bytes each."""
LAWS_TOGETHER = 128
"""Laws of one sweep; their rates take some 130 MB for the embedded table."""
LEAST_LAWS = 3
"""Laws from which on it pays to solve them together."""


@dataclass(frozen=True)
class LawPart:
    """One law of a mixture, or a law by itself: its weight, the law, and the instants of the lines."""

    weight: float
    law: Law
    dated: Dated


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
    """Prepare the response of points with one law but for rates; None if sums over varieties cannot express it."""
    found = VarietyPaths.of(run, outcome, group, dated) if is_summed_exactly(run, outcome) else None
    if found is None:
        return None
    history, duties = found.history, outcome.duties
    classes = [rate_classes(rated) for rated in duties.rated]
    lanes = _lanes(run, outcome, classes, found)

    def respond(group: PointGroup, before: PointDuties) -> AfterSums:
        rates, blocks = history.at(group.values), []
        for first in range(0, len(group.points), SIDE_BY_SIDE):
            run.check()
            blocks.append(lanes(rates[:, first : first + SIDE_BY_SIDE]))
        return _after_sums(
            run, duties, classes, lanes, side_by_side(blocks), group.rates(duties.rated), before
        )

    return respond


def _lanes(
    run: TableRun, outcome: Outcome, classes: Sequence[RateClasses], paths: VarietyPaths
) -> TableLanes:
    """Arrange the table for the points of one law; kept with it for sweeps of other values of the parameters."""
    response = run.response
    assert response is not None
    v, class_of = response.varieties, outcome.variety_rates.of_variety

    def made() -> TableLanes:
        pairs = _pairs_of(run, [outcome], class_of, sum(each.count for each in classes))
        return TableLanes(run, *paths.find(), pairs)

    if v.count > _KEPT_VARIETIES:
        return made()
    parts = v, response.base_rate, response.parameters, response.market, paths.before, class_of
    key = paths.key, run.grouping.id, _has_pairs(run, outcome.duties)
    return _LANES.get(run.prepared.lines.cache, parts, key, made)


class RespondingLaws:
    """Outcomes of the laws of a run, whose responses are solved together where sums over varieties express them.

    At one horizon they are; on the adjustment path each law has days of its own.

    Args:
        parts: the laws, in the order in which their outcomes are going to be asked for.
    """

    def __init__(self, run: TableRun, parts: Sequence[LawPart]) -> None:
        self._run, self._parts = run, parts
        self._batch = -1
        self._outcomes: Sequence[Outcome] = []
        self._responses: dict[int, _LawResponses] = {}

    def outcome(self, place: int) -> Outcome:
        """Compute the outcome of a law, which has its sums after the response where laws are solved together."""
        outcome, sums = self.solved(place)
        if sums is not None:
            self._run.keep_response(outcome, sums)
        return outcome

    def solved(self, place: int) -> tuple[Outcome, AfterSums | None]:
        """Compute the outcome of a law, and its sums after the response; None where it is not solved with others."""
        if self._run.steps is not None or not has_lanes(self._run):
            part = self._parts[place]
            return self._run.outcome(part.law, part.dated, part.weight), None
        batch, at = divmod(place, LAWS_TOGETHER)
        if self._batch != batch:
            self._prepare(batch)
        outcome = self._outcomes[at]
        self._run.record(outcome)
        responses = self._responses.get(at)
        if responses is None:
            return outcome, None
        sums = responses.solve(outcome)
        return outcome, sums.unlimited() if self._run.has_limits else sums

    def _prepare(self, batch: int) -> None:
        """Make the outcomes of consecutive laws, and find those that are solved together."""
        run, first = self._run, batch * LAWS_TOGETHER
        self._batch, self._responses = batch, {}
        parts = self._parts[first : first + LAWS_TOGETHER]
        self._outcomes = [Outcome(run, part.law, part.dated, part.weight) for part in parts]
        alike: dict[Hashable, list[int]] = {}
        for place, outcome in enumerate(self._outcomes):
            run.check()
            if outcome.has_plain_quantities and len(outcome.duties.rated) == 1:
                alike.setdefault(_shape(outcome), []).append(place)
        for places in alike.values():
            outcomes = [self._outcomes[place] for place in places]
            if len(places) >= LEAST_LAWS and is_summed_exactly(run, outcomes[0]):
                self._responses |= dict.fromkeys(places, _LawResponses(run, outcomes))


def _shape(outcome: Outcome) -> Hashable:
    """Value that is equal for laws of one family that prohibit the same goods and have the same caps."""
    rated, law = outcome.duties.rated[0], outcome.duties.law
    return id(rated.family), (rated.layers.prohibited >= 0).tobytes(), tuple(sorted(law.caps.items()))


class _LawResponses:
    """Sums after the response of outcomes of one family, each with one instant of all lines, that prohibit the same.

    A law has the same bits whatever laws are asked for, in whatever order and on any number of threads; the laws that
    are solved together change the last bits.
    """

    def __init__(self, run: TableRun, outcomes: Sequence[Outcome]) -> None:
        assert run.response is not None
        self._run, self._outcomes = run, outcomes
        self._place = {id(outcome): place for place, outcome in enumerate(outcomes)}
        self._solved: tuple[int, LaneSums] | None = None
        layers = [outcome.duties.rated[0].layers for outcome in outcomes]
        self._classes = common_classes(outcomes[0].duties.rated[0], layers)
        class_of = self._classes.of_atom[run.response.varieties.atom]
        form_of_class, rates = numbered_rows(self._rates())
        moves = (rates != rates[:, :1]).any(axis=1)
        paths, of_variety = RatePaths.at_once(
            run.response.base_rate, form_of_class[class_of], rates[:, 0], moves
        )
        pairs = _pairs_of(run, outcomes, class_of, self._classes.count)
        self._lanes, self._moved_rates = TableLanes(run, paths, of_variety, pairs), rates[moves]

    def _rates(self) -> list[F64]:
        """Rate of each class under each law."""
        check = checkpoint_here()

        def under(outcome: Outcome) -> F64:
            check()
            duties = outcome.duties
            columns = np.zeros(len(duties.rated[0].layers.slots.measure), dtype=np.int32)
            duty, _, prohibited = class_rates(duties.law, duties.rated[0], self._classes, columns, 1)
            return np.where(prohibited > 0.0, PROHIBITIVE, duty[:, 0])

        return over_threads(under, self._outcomes)

    def solve(self, outcome: Outcome) -> AfterSums:
        """Compute the sums of an outcome after the response."""
        block, lane = divmod(self._place[id(outcome)], SIDE_BY_SIDE)
        if self._solved is None or self._solved[0] != block:
            self._run.check()
            rates = self._moved_rates[:, block * SIDE_BY_SIDE : (block + 1) * SIDE_BY_SIDE]
            self._solved = block, self._lanes(rates)
        rates_of_rows = [rated.layers.slots.rate[None] for rated in outcome.duties.rated]
        sums = self._solved[1].lane(lane)
        return _after_sums(self._run, outcome.duties, [self._classes], self._lanes, sums, rates_of_rows)


def _has_pairs(run: TableRun, duties: Duties) -> bool:
    """Test whether values are summed by class: results are by authority, or not all that is assessed is owed."""
    return run.grouping.by_authority or not duties.owes_all


def _pairs_of(run: TableRun, outcomes: Sequence[Outcome], class_of: I32, classes: int) -> ClassPairs | None:
    """Number the pairs of a class of goods and a group by which values are summed; None where none needs them."""
    assert run.response is not None
    if not any(_has_pairs(run, outcome.duties) for outcome in outcomes):
        return None
    grouping = run.grouping
    return ClassPairs.of(class_of, grouping.of_line[run.response.varieties.line], classes, grouping.count)


def _after_sums(
    run: TableRun,
    duties: Duties,
    classes: Sequence[RateClasses],
    lanes: TableLanes,
    sums: LaneSums,
    rates: Sequence[F64],
    before: PointDuties | None = None,
) -> AfterSums:
    """Arrange the sums of lanes as those of a run.

    Args:
        classes: classes of the atoms by instant.
        rates: by instant the rate of each row of the law (lanes x rows).
        before: duty before the response, at whose places that by authority is summed; without it all groups and
            authorities.
    """
    assert run.response is not None
    v, grouping, pairs = run.response.varieties, run.grouping, lanes.pairs
    owed, by_authority = None, np.zeros((0, sums.values.shape[1]))
    firsts = np.cumsum([0, *(each.count for each in classes)])

    def charged(places: DutyPlaces, column_of_measure: I32, marks: Sequence[Bools]) -> F64:
        """Sum the duty of marked layers (places x lanes)."""
        assert pairs is not None
        total: F64 = np.zeros((places.count, sums.values.shape[1]))
        for place, (rated, own) in enumerate(zip(duties.rated, classes, strict=True)):
            of_classes = pairs.of_classes(firsts[place], firsts[place + 1])
            total += class_duties(
                duties.law, rated, own, of_classes, places, column_of_measure, marks[place], rates[place].T, sums.values
            )  # fmt: skip
        return total

    columns, count = duties.authority_of_measure, len(duties.authorities)
    if not duties.owes_all:
        marks = [rated.layers.owed for rated in duties.rated]
        owed = charged(DutyPlaces.all(grouping.count, 1), np.zeros_like(columns), marks)
    if grouping.by_authority:
        places = DutyPlaces.all(grouping.count, count)
        if before is not None:
            places = DutyPlaces.at(before.group, before.column, grouping.count, count)
        by_authority = charged(places, columns, [rated.layers.assessed for rated in duties.rated])
    base = sums_of(grouping.of_line[v.line], v.value, grouping.count)
    amounts = replace(sums, owed=owed).after(base)
    groups, total = by_name(amounts, sums.owned, grouping.product_pure)
    domestic, of_table = lanes.goods(sums)
    if not grouping.product_pure:
        domestic = dict.fromkeys(domestic, np.full(groups["quantity"].shape, np.nan))
    return AfterSums(groups | domestic, total | of_table, by_authority.T)
