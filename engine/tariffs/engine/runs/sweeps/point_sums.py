"""Compute a table at points of a scenario's parameters: the one place where sweeps and seeks evaluate it.

Without a response, points whose laws differ in rates alone are priced together from sums that do not depend on rates.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.bounded_cache import KeptWith, brief
from tariffs.engine.base.stages import stage
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.column_names import BASELINE_DUTY, LINES
from tariffs.engine.runs.lanes.lane_responses import (
    LawPart,
    Responding,
    RespondingLaws,
    is_summed_exactly,
    point_response,
)
from tariffs.engine.runs.lanes.point_laws import PointGroup, PointLaws, Values
from tariffs.engine.runs.lanes.table_lanes import has_lanes
from tariffs.engine.runs.outcomes.duty_sums import PointDuties
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.sums import AfterSums, ChargedDuties, Sums, placed, stacked
from tariffs.engine.scenario import Scenario
from tariffs.engine.tables.default_shares import is_responding

Step = Callable[[int], None]
_OUTCOMES: KeptWith[Outcome] = KeptWith(64)
_RESPONSES: KeptWith[Responding | None] = KeptWith(2, brief)
"""Some 200 MB each for the embedded table."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """Point of a sweep: values of the scenario's parameters, as text, and factors on elasticities by name."""

    values: Values
    factors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PointResults:
    """Sums of points, a lane each, notes, and with the response of the world the countries of each point."""

    sums: Sums
    notes: tuple[Note, ...]
    countries: tuple[pl.DataFrame, ...] = ()


class PointEvaluator:
    """Evaluates a table at points of one scenario; laws that points share are made once.

    Args:
        run: the table with its options.
        on: day of the law, ISO text.
        points: values of the parameters at all points that may be evaluated, or at some of each range.
    """

    def __init__(self, run: TableRun, scenario: Scenario, on: str, points: Sequence[Values]) -> None:
        self._run = run
        self._scenario = scenario
        self._on = on
        self._laws = PointLaws(run, scenario, on, points)
        self._kept: dict[Any, Any] = {}

    @stage("compute points")
    def __call__(self, points: Sequence[SweepPoint], step: Step) -> PointResults:
        """Compute points.

        Args:
            step: called with the number of points done before each part of the work; it may raise CANCELLED.

        Raises:
            ScenarioError: a value does not fit its parameter, or the scenario cannot be applied with it.
        """
        factors = list({tuple(sorted(point.factors.items())): point.factors for point in points}.values())
        # Of a table of which every row was refused there are no sums to share, and sums know no rents of limits.
        alike = len(factors) == 1 and not self._scenario.mixture and not self._run.has_limits
        if alike and self._run.prepared.frame.height:
            run = _with_factors(self._run, factors[0])
            if run.is_static or has_lanes(run):
                results = self._together(run, [point.values for point in points], step)
                if results is not None:
                    return results
        return self._one_by_one(points, step)

    # -- points whose laws differ in rates -------------------------------------------------------------------------

    def _together(self, run: TableRun, points: Sequence[Values], step: Step) -> PointResults | None:
        """Compute points by groups of one law; None if sums cannot express a law."""
        notes: dict[Note, None] = {}
        groups, done, parts = self._laws.groups(points), 0, list[Sums]()
        if any(is_responding(group.law) for group in groups):
            return None  # claims respond to the rates of each point
        laws = [(group.law, run.dated(group.law, self._on)) for group in groups]
        run.share_compile(laws)
        alone = [LawPart(1.0, *law) for group, law in zip(groups, laws, strict=True) if group.history is None]
        solved = map(RespondingLaws(run, alone).solved, itertools.count())
        for group in groups:
            step(done)
            outcome, after = next(solved) if group.history is None else (self._outcome(group.law), None)
            notes |= dict.fromkeys(outcome.static_notes)
            before = _priced(run, outcome, group)
            if run.response is not None:
                after = self._after(run, outcome, after, group, before)
                if after is None:
                    return None
            parts.append(_lane_sums(run, self._unmoved, outcome, before, after))
            done += len(group.points)
        return PointResults(placed(parts, [np.array(group.points) for group in groups]), tuple(notes))

    @cached_property
    def _unmoved(self) -> Mapping[str, F64]:
        """Sums by group that are the same at all points: lines, and duty at the baseline where results need it."""
        run = self._run
        baseline = {BASELINE_DUTY: run.baseline_duty} if run.has_incidence else {}
        return {LINES: run.grouping.lines(run.usable), **baseline}

    def _after(
        self,
        run: TableRun,
        outcome: Outcome,
        solved: AfterSums | None,
        group: PointGroup,
        before: PointDuties,
    ) -> AfterSums | None:
        """Sums of points after the response, at the places of duty before it; None if sums cannot express the law."""
        if group.history is not None:
            respond = self._response(run, outcome, group)
            return None if respond is None else respond(group, before)
        if solved is None and not is_summed_exactly(run, outcome):
            return None
        sums = solved or run.after(outcome)
        if not run.grouping.by_authority:
            return sums
        duty = sums.duty_after.reshape(run.grouping.count, -1)[before.group, before.column]
        return replace(sums, duty_after=duty[None])

    def _response(self, run: TableRun, outcome: Outcome, group: PointGroup) -> Responding | None:
        """Response under a law, kept for the points of later blocks; None if sums cannot express the law."""

        def prepared() -> Responding | None:
            return point_response(run, outcome, group, run.dated(group.law, self._on))

        return _RESPONSES.get(self._kept, (outcome, run.response), None, prepared)

    def _outcome(self, law: Law) -> Outcome:
        """Outcome of a law, kept for the points of later blocks."""
        run = self._run
        return _OUTCOMES.get(self._kept, (law,), None, lambda: run.outcome(law, run.dated(law, self._on)))

    # -- points computed one by one ----------------------------------------------------------------------------------

    def _one_by_one(self, points: Sequence[SweepPoint], step: Step) -> PointResults:
        lanes, notes, countries = list[Sums](), dict[Note, None](), list[pl.DataFrame]()
        for place, point in enumerate(points):
            step(place)
            run = _with_factors(self._run, point.factors)
            outcomes = run.outcomes(self._scenario.with_parameters(point.values), self._on)
            notes |= dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
            lanes.append(run.sums(outcomes))
            if (found := run.countries(outcomes)) is not None:
                countries.append(found)
        return PointResults(stacked(lanes), tuple(notes), tuple(countries))


def _priced(run: TableRun, outcome: Outcome, group: PointGroup) -> PointDuties:
    """Compute the duty of a group of points before the response, by authority if results are."""
    duties, grouped = outcome.duties, outcome.grouped(run.grouping)
    columns = (duties.authority_of_measure, len(duties.authorities))
    if not run.grouping.by_authority:
        columns = (np.zeros_like(columns[0]), 1)
    moved = [function >= 0 for function in group.now]
    return grouped.at_points(group.rates(duties.rated), moved, *columns)


def _lane_sums(
    run: TableRun, unmoved: Mapping[str, F64], outcome: Outcome, before: PointDuties, after: AfterSums | None
) -> Sums:
    """Sum points of one law, a lane each, given sums that none moves, duty before the response and sums after it."""
    static = {**unmoved, **run.static_columns(run.grouping, before.sums)}
    shape = len(before.assessed), run.grouping.count
    groups = {name: np.broadcast_to(values, shape) for name, values in static.items()}
    total = {name: values.sum(axis=1) for name, values in groups.items()}
    columns = {"duty": before.assessed, "duty_owed": before.owed}
    if after is not None:
        groups, total = {**groups, **after.groups}, {**total, **after.total}
        columns["duty_after"] = after.duty_after
    names = tuple(outcome.duties.authorities)
    charged = (
        ChargedDuties(names, before.column, before.group, columns) if run.grouping.by_authority else None
    )
    return Sums(run.grouping.keys, groups, total, charged)


def _with_factors(run: TableRun, factors: Mapping[str, float]) -> TableRun:
    """Multiply elasticities of a run's response; without factors or response the run itself."""
    if not factors or run.response is None:
        return run
    other = copy.copy(run)
    other.response = replace(run.response, parameters=run.response.parameters.scaled(factors))
    return other
