"""Compute a table at points of a scenario's parameters: the one place where sweeps and seeks evaluate it.

Without a response, points whose laws differ in rates alone are priced together from sums that do not depend on rates.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I64, ratio
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.stages import stage
from tariffs.engine.law.law import InForce, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.duty_sums import PointDuties
from tariffs.engine.runs.grouping import (
    AUTHORITY,
    COLUMNS,
    DOMESTIC_COLUMNS,
    Grouping,
    authority_columns,
    result_frame,
)
from tariffs.engine.runs.incidence import (
    add_incidence,
    duty_at_baseline,
    has_incidence,
    incidence,
    total_incidence,
)
from tariffs.engine.runs.law_responses import LEAST_LAWS, LawPart, RespondingLaws
from tariffs.engine.runs.merged_trade import has_merged_trade, has_paths_together, responds_together
from tariffs.engine.runs.outcome import Outcome
from tariffs.engine.runs.path_points import path_response
from tariffs.engine.runs.point_laws import PointGroup, PointLaws, Values
from tariffs.engine.runs.point_response import (
    PointResponse,
    ResponseColumns,
    columns_of_law,
    is_closed_exactly,
)
from tariffs.engine.runs.response_sums import DrawSums
from tariffs.engine.runs.results import PROHIBITED_VALUE, with_rates
from tariffs.engine.runs.table_run import TableRun
from tariffs.engine.scenario import Scenario, apply_scenario
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.default_shares import is_responding

Step = Callable[[int], None]
Responding = Callable[[PointGroup, PointDuties], ResponseColumns]
_OUTCOMES_KEPT = 64
_RESPONSES_KEPT = 2
"""Some 200 MB each for the embedded table."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """Point of a sweep: values of the scenario's parameters, as text, and factors on elasticities by name."""

    values: Values
    factors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PointSums:
    """Results of one point: rows by group, and the total of the table."""

    groups: pl.DataFrame
    total: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class PointResults:
    """Results of points: rows by group of all points in order, how many of each point, totals, and notes."""

    groups: pl.DataFrame
    rows: Sequence[int]
    totals: pl.DataFrame
    notes: tuple[Note, ...]

    def each(self) -> Iterable[PointSums]:
        """Yield the results of each point."""
        first = 0
        for rows, total in zip(self.rows, self.totals.iter_rows(named=True), strict=True):
            yield PointSums(self.groups.slice(first, rows), total)
            first += rows


@dataclass(frozen=True)
class _LawsOfPoints:
    """Laws that points have, and their days; apart from the evaluator, which would else refer to itself."""

    run: TableRun
    scenario: Scenario
    on: str

    def law(self, values: Values) -> Law:
        """Apply the scenario with values of its parameters."""
        return apply_scenario(self.run.law, self.scenario.with_parameters(values))

    def in_force(self, law: Law) -> list[InForce]:
        """List the law at the instants of the lines."""
        dated = self.run.dated(law, self.on)
        return [law.in_force(*moment) for moment in dated.moments]

    def history(self, law: Law) -> list[InForce]:
        """List the law on the days since the baseline, where changes of duty respond by their age."""
        run = self.run
        if run.steps is None or not has_paths_together(run):
            return []
        days = run.steps.days(law, run.dated(law, self.on))
        return [law.in_force(*moment) for _, then in days for moment in then.moments]


class PointEvaluator:
    """Evaluates a table at points of one scenario; laws that points share are made once.

    Args:
        run: the table with its options.
        scenario: the scenario with its parameters.
        on: day of the law, ISO text.
        points: values of the parameters at all points that may be evaluated, or at some of each range.
    """

    def __init__(self, run: TableRun, scenario: Scenario, on: str, points: Sequence[Values]) -> None:
        self._run = run
        self._scenario = scenario
        self._on = on
        laws = _LawsOfPoints(run, scenario, on)
        self._laws = PointLaws(scenario, laws.law, laws.in_force, laws.history, points)
        # An outcome refers to its law, so that the id is not reused while it is kept.
        self._outcomes: BoundedCache[int, Outcome] = BoundedCache(_OUTCOMES_KEPT)
        self._responses: BoundedCache[tuple[int, int], tuple[Outcome, TableRun, Responding]]
        self._responses = BoundedCache(_RESPONSES_KEPT)

    @stage("compute points")
    def __call__(self, points: Sequence[SweepPoint], step: Step) -> PointResults:
        """Compute points.

        Args:
            points: the points.
            step: called with the number of points done before each part of the work; it may raise CANCELLED.

        Raises:
            ScenarioError: a value does not fit its parameter, or the scenario cannot be applied with it.
        """
        factors = list({tuple(sorted(point.factors.items())): point.factors for point in points}.values())
        # Of a table of which every row was refused there are no sums to share, and sums know no rents of limits.
        alike = len(factors) == 1 and not self._scenario.mixture and not self._run.has_limits
        if alike and self._run.prepared.frame.height:
            run = _with_factors(self._run, factors[0])
            if run.is_static or responds_together(run):
                results = self._together(run, [point.values for point in points], step)
                if results is not None:
                    return results
        return self._one_by_one(points, step)

    # -- points whose laws differ in rates -------------------------------------------------------------------------

    def _together(self, run: TableRun, points: Sequence[Values], step: Step) -> PointResults | None:
        """Compute points by groups of one law; None if sums cannot express a law."""
        columns = _Blocks(len(points), run.grouping, AUTHORITY in run.options.by)
        notes: dict[Note, None] = {}
        groups, done = self._laws.groups(points), 0
        if any(is_responding(group.law) for group in groups):
            return None  # claims respond to the rates of each point
        run.share_compile([(group.law, run.dated(group.law, self._on)) for group in groups])
        lone = _LonePoints(run, groups, lambda law: run.dated(law, self._on))
        for group in groups:
            step(done)
            outcome, sums = lone.solved(group) or (self._outcome(group.law), None)
            notes |= dict.fromkeys(outcome.static_notes)
            before, after = columns.priced(outcome, group), None
            if sums is not None:
                after = columns_of_law(run, sums, before)
            elif run.response is not None:
                respond = self._response(run, outcome, group)
                if respond is None:
                    return None
                after = respond(group, before)
            columns.add(run, outcome, group, before, after)
            done += len(group.points)
        return columns.results(run, tuple(notes))

    def _response(self, run: TableRun, outcome: Outcome, group: PointGroup) -> Responding | None:
        """Response under a law, kept for the points of later blocks; None if sums cannot express the law."""
        key = id(outcome), id(run.response)
        found = self._responses.find(key)
        if found is None:
            if not is_closed_exactly(run, outcome):
                return None
            respond = self._prepared(run, outcome, group)
            if respond is None:
                return None
            found = self._responses.keep(key, (outcome, run, respond))
        return found[2]

    def _prepared(self, run: TableRun, outcome: Outcome, group: PointGroup) -> Responding | None:
        """Prepare the response under a law; None if sums cannot express the days before it."""
        if run.steps is None:
            return PointResponse(run, outcome, group)
        if group.history is None:
            return lambda group, before: columns_of_law(run, run.response_sums(outcome), before)
        return path_response(run, outcome, group, run.dated(group.law, self._on))

    def _outcome(self, law: Law) -> Outcome:
        """Outcome of a law, kept for the points of later blocks."""
        return self._outcomes.get(id(law), lambda: self._run.outcome(law, self._run.dated(law, self._on)))

    # -- points computed one by one ----------------------------------------------------------------------------------

    def _one_by_one(self, points: Sequence[SweepPoint], step: Step) -> PointResults:
        groups, totals, notes = [], [], dict[Note, None]()
        for place, point in enumerate(points):
            step(place)
            run = _with_factors(self._run, point.factors)
            outcomes = run.outcomes(self._scenario.with_parameters(point.values), self._on)
            notes |= dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
            groups.append(add_incidence(run, outcomes, run.groups(outcomes)))
            totals.append({**run.total(outcomes), **total_incidence(run, outcomes)})
        schema = dict.fromkeys(totals[0], pl.Float64)
        return PointResults(
            pl.concat(groups), [frame.height for frame in groups], pl.DataFrame(totals, schema), tuple(notes)
        )


class _LonePoints:
    """Points whose law no other point has: their responses are solved together, from a few such points on.

    Args:
        run: the table.
        groups: all points of a block.
        dated: gives the instants of the lines under a law.
    """

    def __init__(self, run: TableRun, groups: Sequence[PointGroup], dated: Callable[[Law], Dated]) -> None:
        lone = [group for group in groups if len(group.points) == 1 and not any(m.any() for m in group.moved)]
        if not has_merged_trade(run) or len(lone) < LEAST_LAWS:
            lone = []
        self._place = {id(group): place for place, group in enumerate(lone)}
        self._laws = RespondingLaws(run, [LawPart(1.0, group.law, dated(group.law)) for group in lone])

    def solved(self, group: PointGroup) -> tuple[Outcome, DrawSums | None] | None:
        """Compute the outcome of a lone point, and its sums after the response; None for points that share a law."""
        place = self._place.get(id(group))
        return None if place is None else self._laws.solved(place)


@dataclass(frozen=True)
class _AuthorityBlock:
    """Duty of points that share a law (points x rows), whose rows have keys (rows): by authority, then group.

    `after` is the duty after the response; None without one.
    """

    points: I64
    keys: pl.DataFrame
    duty: F64
    owed: F64
    rate: F64
    after: F64 | None


class _Blocks:
    """Result columns of points by group (points x groups), or by group and authority, and in total."""

    def __init__(self, points: int, grouping: Grouping, by_authority: bool) -> None:
        self._points = points
        self._grouping = grouping
        self._by_authority = by_authority
        self._groups: dict[str, F64] = {}
        self._authorities: list[_AuthorityBlock] = []
        self._surplus: dict[str, F64] = {}

    def priced(self, outcome: Outcome, group: PointGroup) -> PointDuties:
        """Compute the duty of a group of points before the response."""
        duties, grouped = outcome.duties, outcome.grouped(self._grouping)
        columns = (duties.authority_of_measure, len(duties.authorities))
        if not self._by_authority:
            columns = (np.zeros_like(columns[0]), 1)
        return grouped.at_points(group.rates, group.moved, *columns)

    def add(
        self,
        run: TableRun,
        outcome: Outcome,
        group: PointGroup,
        before: PointDuties,
        after: ResponseColumns | None,
    ) -> None:
        """Add the results of a group of points."""
        static = run.static_columns(self._grouping, before.sums)
        self._put(group, static)
        if after is not None:
            self._put(group, after.groups)
            self._put_surplus(group, after.surplus)
        if self._by_authority:
            entered = (static["customs_value"] - static[PROHIBITED_VALUE])[before.group]
            names = pl.Series(AUTHORITY, outcome.duties.authorities, dtype=pl.String).gather(before.column)
            self._authorities.append(
                _AuthorityBlock(
                    np.array(group.points),
                    self._grouping.with_keys_at(before.group, names.to_frame()),
                    before.assessed,
                    before.owed,
                    ratio(before.assessed, np.broadcast_to(entered, before.assessed.shape)),
                    None if after is None else after.duty,
                )
            )

    def _put(self, group: PointGroup, columns: Mapping[str, F64]) -> None:
        for name, values in columns.items():
            kept = self._groups.setdefault(name, np.full((self._points, self._grouping.count), np.nan))
            kept[np.array(group.points)] = values

    def _put_surplus(self, group: PointGroup, surplus: Mapping[str, F64]) -> None:
        """Set the surplus of the whole table at a group of points; groups that cut through products have none."""
        for name, values in surplus.items():
            self._surplus.setdefault(name, np.full(self._points, np.nan))[np.array(group.points)] = values

    def results(self, run: TableRun, notes: tuple[Note, ...]) -> PointResults:
        """Arrange the columns as frames."""
        sums = {name: values.sum(axis=1) for name, values in self._groups.items()} | self._surplus
        names = (*COLUMNS, *DOMESTIC_COLUMNS) if run.response and run.response.market else COLUMNS
        totals = result_frame(with_rates(sums), self._points, names)
        if has_incidence(run):
            base = duty_at_baseline(run)
            totals = totals.hstack(_incidence_frame(incidence(sums, base.sum(keepdims=True))))
        if self._by_authority:
            frame, rows = self._by_authorities()
            return PointResults(frame, rows, totals, notes)
        present = np.flatnonzero(self._grouping.present(run.usable))
        groups = {name: values[:, present] for name, values in self._groups.items()}
        numbers = result_frame(with_rates(groups), self._points * len(present), names)
        if has_incidence(run):
            numbers = numbers.hstack(_incidence_frame(incidence(groups, base[present])))
        frame = self._grouping.with_keys_at(np.tile(present, self._points), numbers)
        return PointResults(frame, [len(present)] * self._points, totals, notes)

    def _by_authorities(self) -> tuple[pl.DataFrame, list[int]]:
        """Rows of point, authority and group with duty, in this order, and how many of each point."""
        blocks, rows = self._authorities, np.zeros(self._points, dtype=np.int64)
        is_charged = [block.duty != 0.0 for block in blocks]
        for block, marks in zip(blocks, is_charged, strict=True):
            rows[block.points] = marks.sum(axis=1)
        end_of_point = np.cumsum(rows)
        places = [_ranges(end_of_point[block.points], rows[block.points]) for block in blocks]
        first_key = np.cumsum([0, *(block.keys.height for block in blocks)])

        def column(of_block: Sequence[NDArray[Any]]) -> NDArray[Any]:
            values: NDArray[Any] = np.empty(int(rows.sum()), dtype=of_block[0].dtype)
            for place, marks, block in zip(places, is_charged, of_block, strict=True):
                values[place] = np.broadcast_to(block, marks.shape)[marks]
            return values

        key = [first + np.arange(block.keys.height) for first, block in zip(first_key, blocks, strict=False)]
        duty = column([block.duty for block in blocks])
        is_same = all(block.owed is block.duty for block in blocks)
        owed = duty if is_same else column([block.owed for block in blocks])
        responded = [block.after for block in blocks if block.after is not None]
        after = column(responded) if responded else None
        numbers = authority_columns(duty, owed, column([block.rate for block in blocks]), after)
        keys = pl.concat([block.keys for block in blocks])[column(key)]
        return pl.concat([keys, numbers], how="horizontal"), rows.tolist()


def _incidence_frame(columns: Mapping[str, F64]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(name, np.ravel(each), nan_to_null=True) for name, each in columns.items()])


def _ranges(end: I64, length: I64) -> I64:
    """Concatenate ranges of integers, each with its end and length."""
    before = np.cumsum(length) - length
    return np.repeat(end - length - before, length) + np.arange(int(length.sum()))


def _with_factors(run: TableRun, factors: Mapping[str, float]) -> TableRun:
    """Multiply elasticities of a run's response; without factors or response the run itself."""
    if not factors or run.response is None:
        return run
    other = copy.copy(run)
    other.response = replace(run.response, parameters=run.response.parameters.scaled(factors))
    return other
