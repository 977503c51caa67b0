"""Solve the Armington response to several laws together: each law is a scenario of one sweep over merged varieties.

What does not depend on the law, such as the numbering of varieties, the state before the response, and varieties whose
rate no law moves, is computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools, sums_of
from tariffs.engine.base.chunks import checkpoint_here, thread_count
from tariffs.engine.law.law import Law
from tariffs.engine.response.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.lane_sweep import sweep_at_once
from tariffs.engine.response.sweep_inputs import SweepReference
from tariffs.engine.response.sweep_sums import SweepSums
from tariffs.engine.response.trade_response import PROHIBITIVE, is_loss_finite, products_of
from tariffs.engine.runs.column_names import BASE_DUTY, OWED_AFTER, PRODUCT_SUMS
from tariffs.engine.runs.merged_trade import Merged, has_merged_trade, kinds_of, trade_of
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.response_sums import AfterSums
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.table_duty.class_duties import ClassPairs, DutyPlaces, class_duties
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
        if not has_merged_trade(self._run):
            part = self._parts[place]
            return self._run.outcome(part.law, part.dated, part.weight), None
        index, at = divmod(place, LAWS_TOGETHER)
        if self._batch is None or self._batch.index != index:
            self._batch = self._prepared(index)
        outcome = self._batch.outcomes[at]
        self._run.record(outcome)
        responses = self._batch.responses.get(at)
        return outcome, None if responses is None else responses.solve(outcome)

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
        self._run = run
        self._outcomes = outcomes
        self._place = {id(outcome): place for place, outcome in enumerate(outcomes)}
        self._solved: tuple[int, SweepSums] | None = None
        v, grouping = run.response.varieties, run.grouping
        rated = outcomes[0].duties.rated[0]
        self._classes = common_classes(rated, [outcome.duties.rated[0].layers for outcome in outcomes])
        class_of, group = self._classes.of_atom[v.atom], grouping.of_line[v.line]
        form_of_class, rates = numbered_rows(self._rates())
        prohibited = (rated.layers.prohibited >= 0)[self._classes.combination]
        # A prohibited class has no form in common with one that bears no duty.
        number, form = np.unique(2 * form_of_class[class_of] + prohibited[class_of], return_inverse=True)
        barred, rates = (number % 2).astype(np.float64), rates[number // 2]
        rates[barred > 0.0] = PROHIBITIVE
        moves = (rates != rates[:, :1]).any(axis=1)
        self._pairs = None
        if run.grouping.by_authority or not all(outcome.duties.owes_all for outcome in outcomes):
            self._pairs = ClassPairs.of(class_of, group, self._classes.count, grouping.count)
        merged = Merged(form, barred, group, None if self._pairs is None else self._pairs.of_goods)
        self._kinds, kind = kinds_of(run.response)
        self._sweep = sweep_at_once(
            trade_of(run, run.response, kind, merged), SweepReference(rates[:, 0], moves, self._kinds)
        )
        self._moved_rates = rates[self._sweep.forms]
        self._before = sums_of(group, v.value, grouping.count)

    @classmethod
    def are_expressible(cls, run: TableRun, outcome: Outcome) -> bool:
        """Test whether sums over varieties express what a law prohibits: no buyer loses more than any amount."""
        response, rated = run.response, outcome.duties.rated[0]
        if response is None or not (rated.layers.prohibited >= 0).any():
            return response is not None
        if response.closes_apart(outcome.variety_rates):
            return False
        closed = (rated.layers.prohibited >= 0)[rated.family.combinations.of_atom[response.varieties.atom]]
        touched = products_of(response.varieties, closed, len(response.parameters.sigma))
        return not (touched & ~is_loss_finite(response, closed)).any()

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
            self._solved = block, self._sweep(rates, threads=thread_count())
        return self._sums(outcome, self._solved[1], lane)

    def _sums(self, outcome: Outcome, found: SweepSums, lane: int) -> AfterSums:
        value, duty = found.value[:, lane], found.duty[:, lane]
        columns = {
            "value_after": value,
            "duty_after": duty,
            "landed_after": value + found.charges[:, lane] + duty,
            "value_change": value - self._before,
            **{name: getattr(found, name)[:, lane] for name in ("quantity", "creation", "diversion")},
            BASE_DUTY: found.base_duty[:, lane],
            OWED_AFTER: self._owed(outcome, duty, found.values[:, lane : lane + 1]),
            **{name: getattr(found, name)[:, lane] for name in PRODUCT_SUMS},
        }
        total = {name: values.sum(keepdims=True) for name, values in columns.items()}
        if not self._run.grouping.product_pure:
            columns |= dict.fromkeys(PRODUCT_SUMS, np.full(len(value), np.nan))
        groups = {name: values[None] for name, values in columns.items()}
        return AfterSums(groups, total, self._by_authority(outcome, found.values[:, lane : lane + 1]))

    def _owed(self, outcome: Outcome, duty: F64, values: F64) -> F64:
        """Sum the duty owed by group, given that assessed."""
        if outcome.duties.owes_all:
            return duty
        whole = np.zeros_like(outcome.duties.authority_of_measure)
        return self._duties(outcome, whole, 1, outcome.duties.rated[0].layers.owed, values)[:, 0]

    def _by_authority(self, outcome: Outcome, values: F64) -> F64:
        """Sum duty by group and authority (1 x groups and authorities); none where results are not by authority."""
        if not self._run.grouping.by_authority:
            return np.zeros((1, 0))
        duties, assessed = outcome.duties, outcome.duties.rated[0].layers.assessed
        columns = duties.authority_of_measure, len(duties.authorities)
        return self._duties(outcome, *columns, assessed, values).T

    def _duties(
        self, outcome: Outcome, column_of_measure: I32, columns: int, charged: Bools, values: F64
    ) -> F64:
        """Sum the duty of the charged layers by group and column (groups and columns x 1)."""
        duties, rated = outcome.duties, outcome.duties.rated[0]
        assert self._pairs is not None
        places = DutyPlaces.all(self._run.grouping.count, columns)
        rates = rated.layers.slots.rate[:, None]
        return class_duties(
            duties.law, rated, self._classes, self._pairs, places, column_of_measure, charged, rates, values
        )
