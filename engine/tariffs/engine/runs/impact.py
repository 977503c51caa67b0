"""Compute landed cost and trade volume of a table under scenarios: the verb behind `tariffs impact`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Unpack

import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_instant, entry_moment, moment_notes, unread_of
from tariffs.engine.response.consumer_prices import FACTS, fit_text
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.collections.basis import COLLECTED, collected_sums
from tariffs.engine.runs.collections.frozen import frozen
from tariffs.engine.runs.draws.ranges import DrawnPoint, Ranges
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.finish import group_rows, total_row
from tariffs.engine.runs.forecast import Forecast
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.port_fees import fee_notes
from tariffs.engine.runs.price_effect import household_effect, industry_duties, method_facts, price_effect
from tariffs.engine.runs.reactions import Reactions
from tariffs.engine.runs.results import compared_groups, compared_totals
from tariffs.engine.runs.stepwise_run import RunArguments, RunEnd, StepwiseRun
from tariffs.engine.runs.sums import Sums
from tariffs.engine.runs.surplus_parts import SurplusParts, add_prohibited_surplus
from tariffs.engine.scenario import (
    apply_scenario,
    components,
    library,
    lineage,
    scenario_notes,
)
from tariffs.engine.tables.prepare import OwnDates, Table
from tariffs.run_spec.option import IMPACT

POINTS_OF_ANY_SIZE = 64
ROWS_AT_MOST = 25_000_000
"""Rows of the groups and lines of all points; some 300 bytes each, until they are sent."""
FirstPoints = dict[str, tuple[pl.DataFrame, Mapping[str, float | None], Sums | None]]
"""Results of the first point of each day: groups, total and sums of draws."""

__all__ = ["FirstPoints", "Impact", "ImpactRun", "Options", "Point", "PointPart", "ScenarioImpact", "impact"]


@dataclass(frozen=True)
class ScenarioImpact:
    """Results of one point. `groups` and `total` have the columns of the contract; `lines` only on request.

    `ranges` are those over the draws, if there are any. `attribution`, on request, splits the difference from the
    first scenario of the day by change and authority; see `attribution`. `consumer_prices`, on request, is the effect
    on the price of consumption, and `households` its division over tenths of households; see `price_effect`.
    `world`, with the response of the world, has a row a country.
    """

    id: str
    on: str
    groups: pl.DataFrame
    total: Mapping[str, float | None]
    lines: pl.DataFrame | None
    notes: tuple[Note, ...]
    ranges: Ranges | None = None
    attribution: pl.DataFrame | None = None
    consumer_prices: pl.DataFrame | None = None
    households: pl.DataFrame | None = None
    world: pl.DataFrame | None = None


@dataclass(frozen=True)
class PointPart:
    """Sums of one point over a table or a part of one: what results are made of.

    `drawn` has the sums of draws, `industry_duties` those added since the baseline by industry; None where the options
    do not ask for them.
    """

    id: str
    on: str
    sums: Sums
    notes: tuple[Note, ...]
    lines: pl.DataFrame | None = None
    drawn: DrawnPoint | None = None
    attribution: pl.DataFrame | None = None
    industry_duties: F64 | None = None
    world: pl.DataFrame | None = None

    def finished(self, options: Options, first: FirstPoints) -> ScenarioImpact:
        """Make results of the sums; differences are from the first point of the day, which is kept in `first`."""
        groups, total = group_rows(self.sums).frame, total_row(self.sums)
        own = groups, total, None if self.drawn is None else self.drawn.sums
        first_groups, first_total, draws = first.setdefault(self.on, own)
        method, duties = options.consumer_prices, self.industry_duties
        prices = None if duties is None else price_effect(duties, method)
        costs = household_effect(prices, method) if prices is not None and options.by_decile else None
        return ScenarioImpact(
            self.id,
            self.on,
            compared_groups(groups, first_groups, options.keys),
            compared_totals(total, first_total),
            self.lines,
            self.notes if costs is None else (*self.notes, Note("HOUSEHOLD_FIT", fit_text(costs))),
            None if self.drawn is None or draws is None else self.drawn.ranges(draws, groups, total),
            self.attribution,
            prices,
            costs,
            self.world,
        )


@dataclass(frozen=True, kw_only=True)
class Impact(RunEnd):
    """Results of an impact: one block per point, and the end of the run."""

    scenarios: tuple[ScenarioImpact, ...]


def impact(table: Table, points: Sequence[Point], **how: Unpack[RunArguments]) -> Impact:
    """Compute a table under each point.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        points: scenarios with their dates; `*_vs` columns compare with the first of each date.
        how: law, options, progress and cancellation.

    Raises:
        InputError: BASELINE_REQUIRED, GROUP_UNKNOWN, PARAMETER_INVALID, BATCH_TOO_LARGE as `ImpactRun.check_rows`, or
            a fault of the table as a whole.
        ScenarioError: a scenario cannot be applied.
        ServiceError: CANCELLED.
    """
    run = ImpactRun(table, points, **how)
    run.check_rows()
    return run.result(run.blocks())


def read_points(law: Law, points: Sequence[Point], market: str) -> tuple[tuple[Point, ...], tuple[Note, ...]]:
    """Read the days of points as ISO text (the law's as-of day where none is given), with notes on repairs.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    moments = [entry_moment(law, point.on or law.as_of, market) for point in points]
    notes = dict.fromkeys(note for moment in moments for note in moment_notes("on", moment))
    dated = (replace(point, on=moment.text) for point, moment in zip(points, moments, strict=True))
    return tuple(dated), tuple(notes)


class ImpactRun(StepwiseRun):
    """Impact computed one point at a time; arguments and errors as `impact`."""

    verb = IMPACT

    def __init__(self, table: Table, points: Sequence[Point], **how: Unpack[RunArguments]) -> None:
        super().__init__(table, [point.scenario for point in points], len(points), **how)
        law = how["law"]
        self._points, self._point_notes = read_points(law, points, self.table_run.market)
        run = self.table_run
        self._reactions = Reactions(law, run.options, self._context) if run.options.reaction else None
        self._uncertainty = UncertaintyRun(run) if run.options.draws else None
        scenarios = [point.scenario for point in points]
        self._surplus_parts = SurplusParts(run, scenarios, self._context) if run.options.memory else None
        self._forecast = Forecast.of(run)
        self._first: FirstPoints = {}

    def check_rows(self) -> None:
        """Refuse more rows than an answer that is held as a whole may have; 64 points may have any number."""
        run, points = self.table_run, len(self._points)
        each = run.grouping.count + (run.prepared.lines.count if run.options.include_lines else 0)
        if points > POINTS_OF_ANY_SIZE and points * each > ROWS_AT_MOST:
            most = max(POINTS_OF_ANY_SIZE, ROWS_AT_MOST // each)
            raise InputError(
                "BATCH_TOO_LARGE",
                f"{points:,} points have {points * each:,} rows; the limit is {ROWS_AT_MOST:,}.",
                field="points",
                fix=f"Use coarser keys or at most {most:,} points; a long run (--detach) has no such limit.",
                metadata={"found": str(points * each), "limit": str(ROWS_AT_MOST)},
            )

    def value(self, index: int) -> ScenarioImpact:
        """Compute the block of one point, with its differences from the first point of its day."""
        on = self._points[index].on
        if on not in self._first and (leading := self._leading(on)) != index:
            self.finish(self.part(leading))
        return self.finish(self.part(index))

    def finish(self, part: PointPart) -> ScenarioImpact:
        """Make the results of a point from its sums."""
        return part.finished(self.table_run.options, self._first)

    def _answered(self, index: int) -> Point:
        """Point of which partners have answered the duties, where the run has reactions."""
        point = self._points[index]
        return self._reactions.answered(point) if self._reactions else point

    def _leading(self, on: str) -> int:
        return next(place for place, point in enumerate(self._points) if point.on == on)

    def result(self, blocks: Sequence[ScenarioImpact]) -> Impact:
        """Assemble the result, once every point is computed."""
        return Impact(scenarios=tuple(blocks), **vars(self.end()))

    def end(self, notes: Iterable[Note] = ()) -> RunEnd:
        """Assemble what ends the run, once every point is computed; notes on points stay with their points."""
        self._context.step("done", 1.0)
        run = self.table_run
        facts = self._reactions.facts(self._points) if self._reactions else {}
        if self._forecast:
            facts |= self._forecast.facts()
        if method := run.options.consumer_prices:
            facts = {"consumer_prices": method_facts(method), **facts}
        if run.options.by_decile:
            facts = {"households": FACTS, **facts}
        if run.options.basis == COLLECTED:
            facts = {"basis": {"name": COLLECTED, **frozen().facts}, **facts}
        if dates := run.own_dates:
            days = {"first": dates.first.isoformat(), "last": dates.last.isoformat()}
            facts = {"line_dates": {"lines": dates.lines, "of": dates.of, **days}, **facts}
        unread = unread_of(run.law, _asked_days(run, self._points), run.options.known_on)
        labels = [f"{point.scenario.id}@{point.on}" for point in self._points]
        provenance = run.provenance([point.scenario for point in self._points], points=labels, **facts)
        notes = (*self._point_notes, *run.notes(), *unread)
        return RunEnd(notes=notes, refused=run.refused(), provenance=provenance)

    def part(self, index: int) -> PointPart:
        """Sum one point."""
        point, run = self._points[index], self.table_run
        share = 1 / (len(self._points) + 1)
        stage, done = f"{point.scenario.id} on {point.on}", (index + 1) * share
        self._context.step(stage, done)
        outcomes = run.outcomes(self._answered(index).scenario, point.on)
        lines = run.lines(outcomes) if run.options.include_lines else None
        notes = list(dict.fromkeys(_point_notes(run, point, outcomes)))
        if self._reactions:
            notes += self._reactions.notes(point)
        sums = add_prohibited_surplus(run, outcomes, run.sums(outcomes))
        if self._surplus_parts:
            sums = self._surplus_parts.add(sums, self._answered(index).scenario, point.on)
        if self._forecast:
            sums = self._forecast.add(sums, outcomes, point.on)
        if run.options.basis == COLLECTED:
            sums = collected_sums(run, outcomes, sums)
        part = PointPart(point.scenario.id, point.on, sums, tuple(notes), lines)
        if self._uncertainty is not None:

            def report(drawn: float) -> None:
                self._context.step(f"{stage}: drawing", done + share * drawn)

            part = replace(part, drawn=self._uncertainty.point(outcomes, run.kept(outcomes), report))
        part = replace(part, world=run.countries(outcomes))
        if run.options.consumer_prices:
            part = replace(part, industry_duties=industry_duties(run, outcomes))
        leading = self._leading(point.on)
        if run.options.attribute and self._points[leading].scenario is not point.scenario:
            before, after = (self._answered(place).scenario for place in (leading, index))
            part = replace(part, attribution=attribute(run, before, after, point.on).frame)
        return part


def point_days(law: Law, points: Sequence[Point], market: str) -> list[date]:
    """List the days of points on the clock of their market."""
    zone = law.zones[market]
    return [entry_instant(law, point.on, market).astimezone(zone).date() for point in points]


def _point_notes(run: TableRun, point: Point, outcomes: Sequence[Outcome]) -> list[Note]:
    """List notes on a point, with the cost of port fees on the voyages that its scenario states."""
    notes = [note for outcome in outcomes for note in outcome.notes]
    notes += [_dated_note(dates, point.on)] if (dates := run.own_dates) else []
    days = _asked_days(run, [point])
    notes += scenario_notes(run.law, point.scenario, min(days), max(days))
    for _, part in components(point.scenario):
        if any(step.assumptions.port_calls for step in lineage(part, library())):
            notes += fee_notes(apply_scenario(run.law, part), point.on, run.options.known_on)
    return notes


def _asked_days(run: TableRun, points: Sequence[Point]) -> list[date]:
    """Days that points ask about: first and last of lines with an entry date, and their own for the others."""
    dates = run.own_dates
    days = [dates.first, dates.last] if dates else []
    if not dates or dates.lines < dates.of:
        days += point_days(run.law, points, run.market)
    return days


def _dated_note(dates: OwnDates, on: str) -> Note:
    days = f"{dates.first} to {dates.last}"
    if dates.lines == dates.of:
        text = f"Every line has its own entry date ({days}), so none is computed on {on}."
    else:
        text = f"{dates.lines:,} of {dates.of:,} lines have their own entry date ({days}); the others enter on {on}."
    return Note("ENTRY_DATE_BEATS_ON", text)
