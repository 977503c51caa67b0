"""Solve the Armington response to several laws together: each law is a scenario of one sweep over merged varieties.

What does not depend on the law, such as the numbering of varieties, the state before the response, and varieties whose
rate no law moves, is computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.chunks import checkpoint_here, thread_count
from tariffs.engine.law.law import Law
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lanes.sweep_sums import SweepSums
from tariffs.engine.response.trade.trade_response import PROHIBITIVE, is_loss_finite, products_of
from tariffs.engine.runs.lanes.lane_columns import PairDuties, after_sums, has_pairs
from tariffs.engine.runs.lanes.table_lanes import TableLanes, has_lanes
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.response_sums import AfterSums
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.table_duty.rate_classes import class_rates, common_classes, numbered_rows

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


@dataclass
class _Batch:
    """Outcomes of consecutive laws, and the responses that are solved together."""

    index: int
    outcomes: Sequence[Outcome]
    responses: dict[int, LawResponses] = field(default_factory=dict)


class RespondingLaws:
    """Outcomes of the laws of a run, whose responses are solved together where sums over varieties express them.

    Args:
        run: the table.
        parts: the laws, in the order in which their outcomes are going to be asked for.
    """

    def __init__(self, run: TableRun, parts: Sequence[LawPart]) -> None:
        self._run = run
        self._parts = parts
        self._batch: _Batch | None = None

    def outcome(self, place: int) -> Outcome:
        """Compute the outcome of a law, which has its sums after the response where laws are solved together."""
        outcome, sums = self.solved(place)
        if sums is not None:
            self._run.keep_response(outcome, sums)
        return outcome

    def solved(self, place: int) -> tuple[Outcome, AfterSums | None]:
        """Compute the outcome of a law, and its sums after the response; None where it is not solved with others."""
        if not has_laws_together(self._run):
            part = self._parts[place]
            return self._run.outcome(part.law, part.dated, part.weight), None
        index, at = divmod(place, LAWS_TOGETHER)
        if self._batch is None or self._batch.index != index:
            self._batch = self._prepared(index)
        outcome = self._batch.outcomes[at]
        self._run.record(outcome)
        responses = self._batch.responses.get(at)
        if responses is None:
            return outcome, None
        sums = responses.solve(outcome)
        return outcome, sums.unlimited() if self._run.has_limits else sums

    def _prepared(self, index: int) -> _Batch:
        run, first = self._run, index * LAWS_TOGETHER
        parts = self._parts[first : first + LAWS_TOGETHER]
        batch = _Batch(index, [Outcome(run, part.law, part.dated, part.weight) for part in parts])
        alike: dict[Hashable, list[int]] = {}
        for place, outcome in enumerate(batch.outcomes):
            run.check()
            if _is_of_one_day(run, outcome):
                alike.setdefault(_shape(outcome), []).append(place)
        for places in alike.values():
            outcomes = [batch.outcomes[place] for place in places]
            if len(places) >= LEAST_LAWS and LawResponses.are_expressible(run, outcomes[0]):
                responses = LawResponses(run, outcomes)
                batch.responses |= dict.fromkeys(places, responses)
        return batch


def has_laws_together(run: TableRun) -> bool:
    """Test whether laws of their own are solved together: at one horizon, for products by themselves."""
    return has_lanes(run) and run.steps is None and run.response is not None and run.response.market is None


def _is_of_one_day(run: TableRun, outcome: Outcome) -> bool:
    """Test whether all lines have one instant and the atoms of the response, and no law constrains quantities."""
    if run.response is None or not run.response.has_own_rates:
        return False
    if not outcome.has_plain_quantities or len(outcome.duties.rated) != 1:
        return False
    return outcome.duties.rated[0].family.atoms is run.response.varieties.atoms


def _shape(outcome: Outcome) -> Hashable:
    """Value that is equal for laws of one family that prohibit the same goods and have the same caps."""
    rated, law = outcome.duties.rated[0], outcome.duties.law
    return id(rated.family), (rated.layers.prohibited >= 0).tobytes(), tuple(sorted(law.caps.items()))


class LawResponses:
    """Sums after the response of outcomes of one family that prohibit the same goods.

    A law has the same bits whatever laws are asked for, in whatever order and on any number of threads; the laws that
    are solved together change the last bits.

    Args:
        run: the table, with a response that is summed by variety.
        outcomes: the outcomes, each with one instant of all lines.
    """

    def __init__(self, run: TableRun, outcomes: Sequence[Outcome]) -> None:
        assert run.response is not None
        self._run, self._outcomes = run, outcomes
        self._place = {id(outcome): place for place, outcome in enumerate(outcomes)}
        self._solved: tuple[int, SweepSums] | None = None
        v, grouping = run.response.varieties, run.grouping
        rated = outcomes[0].duties.rated[0]
        self._classes = common_classes(rated, [outcome.duties.rated[0].layers for outcome in outcomes])
        class_of = self._classes.of_atom[v.atom]
        form_of_class, rates = numbered_rows(self._rates())
        prohibited = (rated.layers.prohibited >= 0)[self._classes.combination]
        # A prohibited class has no form in common with one that bears no duty.
        number, form = np.unique(2 * form_of_class[class_of] + prohibited[class_of], return_inverse=True)
        rates = np.where((number % 2 > 0)[:, None], PROHIBITIVE, rates[number // 2])
        moves = (rates != rates[:, :1]).any(axis=1)
        pairs = None
        if any(has_pairs(run, outcome) for outcome in outcomes):
            pairs = ClassPairs.of(class_of, grouping.of_line[v.line], self._classes.count, grouping.count)
        paths, of_variety = RatePaths.at_once(run.response.base_rate, form, rates[:, 0], moves)
        self._lanes, self._moved_rates = TableLanes(run, paths, of_variety, pairs), rates[moves]

    @classmethod
    def are_expressible(cls, run: TableRun, outcome: Outcome) -> bool:
        """Test whether sums over varieties express what a law prohibits: no buyer loses more than any amount."""
        response, rated = run.response, outcome.duties.rated[0]
        if response is None or not (rated.layers.prohibited >= 0).any():
            return response is not None
        if response.prohibits_apart(outcome.variety_rates):
            return False
        prohibited = (rated.layers.prohibited >= 0)[
            rated.family.combinations.of_atom[response.varieties.atom]
        ]
        touched = products_of(response.varieties, prohibited, len(response.parameters.sigma))
        return not (touched & ~is_loss_finite(response, prohibited)).any()

    def _rates(self) -> list[F64]:
        """Rate of each class under each law."""
        check = checkpoint_here()

        def under(outcome: Outcome) -> F64:
            check()
            duties = outcome.duties
            columns = np.zeros(len(duties.rated[0].layers.slots.measure), dtype=np.int32)
            duty, _, _ = class_rates(duties.law, duties.rated[0], self._classes, columns, 1)
            return duty[:, 0]

        with ThreadPoolExecutor(thread_count()) as pool:
            return list(pool.map(under, self._outcomes))

    def solve(self, outcome: Outcome) -> AfterSums:
        """Compute the sums of an outcome after the response."""
        block, lane = divmod(self._place[id(outcome)], SIDE_BY_SIDE)
        if self._solved is None or self._solved[0] != block:
            self._run.check()
            rates = self._moved_rates[:, block * SIDE_BY_SIDE : (block + 1) * SIDE_BY_SIDE]
            self._solved = block, self._lanes(rates)
        found, pairs, duties = self._solved[1].lane(lane), self._lanes.pairs, outcome.duties
        owed, duty = None, None
        if pairs is not None:
            rates_of_rows = [each.layers.slots.rate[None] for each in duties.rated]
            of_pairs = PairDuties(duties, [self._classes], pairs, self._run.grouping.count)
            owed = None if duties.owes_all else of_pairs.owed(found.values, rates_of_rows)
            if self._run.grouping.by_authority:
                duty = of_pairs.by_authority(found.values, rates_of_rows, None)
        return after_sums(self._run, self._lanes, found, owed, duty)
