"""Landed cost and trade volume of a table under scenarios: the public verb behind `tariffs impact`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import polars as pl

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_line import entry_instant, entry_moment, moment_notes, unread_of
from tariffs.engine.response.parameters import HORIZONS
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.port_fees import fee_notes
from tariffs.engine.runs.results import compared_groups, compared_totals
from tariffs.engine.runs.table_run import (
    RESPONSES,
    Cancelled,
    Options,
    Outcome,
    Point,
    Progress,
    RunContext,
    SwitchReport,
    Table,
    TableRun,
)
from tariffs.engine.runs.uncertainty import Drawing, Ranges
from tariffs.engine.scenario import Scenario, apply_scenario, components, library, lineage, problems_of
from tariffs.engine.scenario.describe import describe_change
from tariffs.engine.tables.prepare import OwnDates

__all__ = [
    "HORIZONS",
    "RESPONSES",
    "Impact",
    "Options",
    "Point",
    "PointRun",
    "ScenarioImpact",
    "SwitchReport",
    "Table",
    "impact",
]


@dataclass(frozen=True)
class ScenarioImpact:
    """The results of one point. `groups` and `total` have the columns of the contract; `lines` only if asked for.

    `ranges` are those over the draws, if there are any. `attribution`, if asked for, splits the difference from the
    first scenario of the day by change and authority; see `attribution`.
    """

    id: str
    on: str
    groups: pl.DataFrame
    total: Mapping[str, float | None]
    lines: pl.DataFrame | None
    notes: tuple[Note, ...]
    ranges: Ranges | None = None
    attribution: pl.DataFrame | None = None


@dataclass(frozen=True)
class Impact:
    """The answer: one block per point, remarks on the table, the refused rows, and what is needed to replay it."""

    scenarios: tuple[ScenarioImpact, ...]
    notes: tuple[Note, ...]
    refused: pl.DataFrame
    provenance: Mapping[str, object]


def impact(
    table: Table,
    points: Sequence[Point],
    *,
    law: Law,
    options: Options | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Impact:
    """Value a table under each point.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        points: scenarios with their dates; `*_vs` columns compare with the first of each date.
        law: the law before any scenario.
        options: how to value it.
        progress: called with a stage and a fraction done.
        cancelled: asked between stages and chunks; if it says yes the run stops.

    Raises:
        InputError: BASELINE_REQUIRED, GROUP_UNKNOWN, PARAMETER_INVALID, or a fault of the table as a whole.
        ScenarioError: a scenario cannot be applied.
        ServiceError: CANCELLED.
    """
    run = PointRun(table, points, law=law, options=options, progress=progress, cancelled=cancelled)
    return run.result([run.value(index) for index in range(len(points))])


def read_points(
    law: Law, points: Sequence[Point], direction: str
) -> tuple[tuple[Point, ...], tuple[Note, ...]]:
    """Points with their days as ISO text (the law's as-of day where none is given), and notes on repairs.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    moments = [entry_moment(law, point.on or law.as_of, direction) for point in points]
    notes = dict.fromkeys(note for moment in moments for note in moment_notes("on", moment))
    read = (replace(point, on=moment.text) for point, moment in zip(points, moments, strict=True))
    return tuple(read), tuple(notes)


class PointRun:
    """The points of an impact, valued one at a time: a run that was broken off goes on with those it lacks.

    Args:
        table: as of `impact`, and so are the others.
        points: scenarios with their dates.
        law: the law before any scenario.
        options: how to value it.
        progress: called with a stage and a fraction done.
        cancelled: asked between stages and chunks.

    Raises:
        TariffsError: as `impact`.
    """

    def __init__(
        self,
        table: Table,
        points: Sequence[Point],
        *,
        law: Law,
        options: Options | None = None,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        self._run = RunContext(progress, cancelled)
        self._valuer = TableRun(table, law, options or Options(), self._run)
        self._points, self._point_notes = read_points(law, points, self._valuer.options.direction)
        self._drawing = Drawing.of(self._valuer)
        self._first: dict[str, ScenarioImpact] = {}

    @property
    def refused(self) -> pl.DataFrame:
        """The rows that could not be used, as far as is known by now."""
        return self._valuer.refused()

    @property
    def touched(self) -> SwitchReport:
        """What the points valued so far have met."""
        return self._valuer.touched

    def recall(self, touched: SwitchReport) -> None:
        """Take over what the points that another run valued have met."""
        self._valuer.recall(touched)

    def value(self, index: int) -> ScenarioImpact:
        """The block of one point, with its differences from the first of its day, which is valued if it was not."""
        on = self._points[index].on
        leading = next(place for place, point in enumerate(self._points) if point.on == on)
        if leading != index and on not in self._first:
            self._keep_first(self._value(leading))
        found = self._value(index)
        if leading == index:
            self._keep_first(found)
        return _compared(found, self._first[on], self._valuer.options.by)

    def _keep_first(self, found: ScenarioImpact) -> None:
        # Only the sums are compared with: the lines would hold the memory of the whole table.
        self._first[found.on] = replace(found, lines=None)

    def result(self, blocks: Sequence[ScenarioImpact]) -> Impact:
        """The whole answer, once every point is valued."""
        self._run.step("done", 1.0)
        valuer = self._valuer
        marks = [f"{point.scenario.id}@{point.on}" for point in self._points]
        provenance = valuer.provenance(
            [point.scenario for point in self._points], points=marks, **_line_dates(valuer)
        )
        notes = (*self._point_notes, *valuer.notes(), *_unread(valuer, self._points))
        return Impact(tuple(blocks), notes, valuer.refused(), provenance)

    def _value(self, index: int) -> ScenarioImpact:
        point, valuer, run = self._points[index], self._valuer, self._run
        share = 1 / (len(self._points) + 1)
        stage, done = f"{point.scenario.id} on {point.on}", (index + 1) * share
        run.step(stage, done)
        outcomes = valuer.outcomes(point.scenario, point.on)
        found = _block(valuer, point, outcomes)
        if self._drawing is not None:
            tell = partial(_tell, run, stage, done, share)
            keep = valuer.kept(outcomes)
            ranges = self._drawing.ranges(point.on, found.groups, found.total, outcomes, keep, tell)
            found = replace(found, ranges=ranges)
        leading = next(one.scenario for one in self._points if one.on == point.on)
        if valuer.options.attribute and leading is not point.scenario:
            found = replace(found, attribution=attribute(valuer, leading, point.scenario, point.on).frame)
        return found


def _unread(valuer: TableRun, points: Sequence[Point]) -> tuple[Note, ...]:
    """The note on days, of points or of lines, after the last one to which acts have been read."""
    dates = valuer.own_dates
    days = [dates.last] if dates else []
    if not dates or dates.lines < dates.of:
        days += point_days(valuer.law, points, valuer.options.direction)
    return unread_of(valuer.law, days, valuer.options.known_on)


def point_days(law: Law, points: Sequence[Point], direction: str) -> list[date]:
    """The days of points on the clock of their direction."""
    zone = law.zones[direction]
    return [entry_instant(law, point.on, direction).astimezone(zone).date() for point in points]


def _block(valuer: TableRun, point: Point, outcomes: Sequence[Outcome]) -> ScenarioImpact:
    lines = valuer.lines(outcomes) if valuer.options.lines else None
    notes = [note for outcome in outcomes for note in outcome.notes]
    notes += [_dated_note(dates, point.on)] if (dates := valuer.own_dates) else []
    notes += remarks(valuer.law, point.scenario) + _fees(valuer, point)
    unique = tuple(dict.fromkeys(notes))
    return ScenarioImpact(
        point.scenario.id, point.on, valuer.groups(outcomes), valuer.total(outcomes), lines, unique
    )


def _line_dates(valuer: TableRun) -> dict[str, object]:
    """For the provenance: which of the lines were rated on a day of their own, and on which days."""
    dates = valuer.own_dates
    if dates is None:
        return {}
    days = {"first": dates.first.isoformat(), "last": dates.last.isoformat()}
    return {"line_dates": {"lines": dates.lines, "of": dates.of, **days}}


def _dated_note(dates: OwnDates, on: str) -> Note:
    days = f"{dates.first} to {dates.last}"
    if dates.lines == dates.of:
        text = f"Every line has an entry date of its own ({days}), so none is rated on {on}."
    else:
        text = f"{dates.lines:,} of {dates.of:,} lines have an entry date of their own ({days}); {on} dates the others."
    return Note("ENTRY_DATE_BEATS_ON", text)


def _fees(valuer: TableRun, point: Point) -> list[Note]:
    """What port fees cost on the voyages that the scenario states, if it states any."""
    stating = [part for _, part in components(point.scenario) if _states_voyages(part)]
    laws = [apply_scenario(valuer.law, part) for part in stating]
    return [note for law in laws for note in fee_notes(law, point.on, valuer.options.known_on)]


def _states_voyages(scenario: Scenario) -> bool:
    return any(step.assumptions.port_calls for step in lineage(scenario, library()))


def _tell(run: RunContext, stage: str, done: float, share: float, part: float) -> None:
    run.step(f"{stage}: drawing", done + share * part)


def remarks(law: Law, scenario: Scenario) -> list[Note]:
    """What checking a scenario against the law warns of, and what of it charges nothing by itself."""
    found = [Note(problem.reason, problem.message) for problem in problems_of(scenario, law)]
    for _, part in components(scenario):
        for step in lineage(part, library()):
            found += [note for change in step.changes if (note := _remark(change))]
    return found


def _remark(change: Change) -> Note | None:
    if change.op == "announce":
        return Note(
            "ANNOUNCED", f"{describe_change(change)}: announced, without an instrument; it charges nothing."
        )
    if change.op == "shock_quantity":
        return Note(
            "QUANTITY_SHOCK",
            f"{describe_change(change)}: it binds after the response, at the prices of the model; where it binds, "
            "surplus and welfare are not known. A static run does not move quantities.",
        )
    return None


def _compared(found: ScenarioImpact, first: ScenarioImpact, by: Sequence[str]) -> ScenarioImpact:
    """The block with its differences from the first scenario listed for the same date."""
    groups = compared_groups(found.groups, first.groups, by)
    return replace(found, groups=groups, total=compared_totals(found.total, first.total))
