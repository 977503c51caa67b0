"""Compute duty and trade of a table over a period: the verb behind `tariffs timeline`.

Consecutive days with the same duties and response form a segment, which is computed once, at noon of its first day. The
table is a basket under the law of each day: its own entry dates are ignored. Segments with the same law are computed
once for all scenarios. With the horizon `path` the response goes on changing without an act: a segment has at most
SAMPLED_DAYS days, and is computed once for scenarios with the same law from the baseline on.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Unpack

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import (
    entry_instant,
    entry_moment,
    moment_notes,
    read_known_on,
    unread_of,
)
from tariffs.engine.runs.finish import group_rows, total_rows
from tariffs.engine.runs.forecast import Forecast
from tariffs.engine.runs.lanes.lane_responses import LawPart, RespondingLaws
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.runs.stepwise_run import RunArguments, RunEnd, StepwiseRun
from tariffs.engine.runs.sums import Sums, stacked
from tariffs.engine.scenario import Scenario, apply_scenario, components, scenario_notes
from tariffs.engine.table_duty.duties import Dated
from tariffs.engine.tables.prepare import Table
from tariffs.run_spec.option import TIMELINE

MOST_DAYS = 36_525
SAMPLED_DAYS = 30
"""Most days of a segment whose response changes without an act."""
SPAN = ("start", "end", "days")


@dataclass(frozen=True)
class ScenarioTimeline:
    """Results of one scenario over the period.

    `segments` and `totals` have a row per segment (and group): `start`, `end` (its last day), `days`, then the columns
    of the contract at the table's yearly values. `averages` and `average_total` are their means over the period,
    weighted by days. `score`, on request, has a row for each fiscal year; see `score`.
    """

    id: str
    segments: pl.DataFrame
    totals: pl.DataFrame
    averages: pl.DataFrame
    average_total: pl.DataFrame
    score: pl.DataFrame | None = None


@dataclass(frozen=True)
class TimelinePart:
    """Sums of one scenario over a table or a part of one: `sums` has a lane for each segment, `spans` a row.

    Notes are those of the run as a whole.
    """

    id: str
    spans: pl.DataFrame
    sums: Sums
    notes: tuple[Note, ...] = ()
    score: pl.DataFrame | None = None

    def finished(self) -> ScenarioTimeline:
        """Make results of the sums."""
        days, rows = self.spans["days"].to_numpy(), group_rows(self.sums)
        average = self.sums.weighted([(days / days.sum()).tolist()])
        return ScenarioTimeline(
            self.id,
            pl.concat([self.spans[rows.lane], rows.frame], how="horizontal"),
            pl.concat([self.spans, total_rows(self.sums)], how="horizontal"),
            group_rows(average).frame,
            total_rows(average),
            self.score,
        )


@dataclass(frozen=True, kw_only=True)
class Timeline(RunEnd):
    """Results of a timeline: a block per scenario, the number of times that the table was computed, and the end."""

    scenarios: tuple[ScenarioTimeline, ...]
    valued: int


@dataclass(frozen=True)
class _Segment:
    """Consecutive days, and the laws of the scenario at noon of the first."""

    start: date
    days: int
    parts: tuple[LawPart, ...]
    key: Hashable

    @property
    def end(self) -> date:
        return self.start + timedelta(days=self.days - 1)


def timeline(
    table: Table, scenarios: Sequence[Scenario], start: str, end: str, **how: Unpack[RunArguments]
) -> Timeline:
    """Compute a table, None for the embedded one, on every day of a period, both ends included, under each scenario.

    With `known_on` `entry` only acts published by each day count.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE for the period, or as `impact`.
        ScenarioError: a scenario cannot be applied.
        ServiceError: CANCELLED.
    """
    run = TimelineRun(table, scenarios, start, end, **how)
    return run.result(run.blocks())


class TimelineRun(StepwiseRun):
    """Timeline computed one scenario at a time; arguments and errors as `timeline`."""

    verb = TIMELINE

    def __init__(
        self, table: Table, scenarios: Sequence[Scenario], start: str, end: str, **how: Unpack[RunArguments]
    ) -> None:
        super().__init__(table, scenarios, len(scenarios), **how)
        law, options = self.table_run.law, self.table_run.options
        self._scenarios = list(scenarios)
        first, last = (entry_moment(law, text, self.table_run.market) for text in (start, end))
        notes = (*moment_notes("start", first), *moment_notes("end", last))
        days = _days(law, first.instant, last.instant, self.table_run.market)
        asked = [note for one in scenarios for note in scenario_notes(law, one, days[0][0], days[-1][0])]
        self._period_notes = (*notes, *unread_of(law, [days[-1][0]], options.known_on), *dict.fromkeys(asked))
        self._facts: dict[str, object] = {"start": days[0][0].isoformat(), "end": days[-1][0].isoformat()}
        self._segments = [_segments(self.table_run, scenario, days) for scenario in scenarios]
        self._parts = [part for segments in self._segments for each in segments for part in each.parts]
        self.table_run.share_compile([(part.law, part.dated) for part in self._parts])
        distinct = {each.key: each.parts for segments in self._segments for each in segments}
        counts = map(len, distinct.values())
        self._first_part = dict(zip(distinct, itertools.accumulate(counts, initial=0), strict=False))
        self._laws = RespondingLaws(self.table_run, list(itertools.chain.from_iterable(distinct.values())))
        self._forecast = Forecast.of(self.table_run)
        self._facts |= self._forecast.facts() if self._forecast else {}
        self._results: dict[Hashable, Sums] = {}
        self._done = 0

    def part(self, index: int) -> TimelinePart:
        """Sum the segments of one scenario."""
        scenario, segments = self._scenarios[index], self._segments[index]
        sums = stacked([self._sums(scenario, segment) for segment in segments])
        spans = pl.DataFrame(
            [(segment.start.isoformat(), segment.end.isoformat(), segment.days) for segment in segments],
            schema=dict(zip(SPAN, (pl.String, pl.String, pl.Int64), strict=True)),
            orient="row",
        )
        return TimelinePart(scenario.id, spans, sums)

    def _sums(self, scenario: Scenario, segment: _Segment) -> Sums:
        """Compute a segment, unless one with the same law was computed before."""
        run, count = self.table_run, sum(map(len, self._segments))
        self._context.step(f"{scenario.id} from {segment.start}", self._done / count)
        self._done += 1
        if segment.key not in self._results:
            first = self._first_part[segment.key]
            outcomes = [self._laws.outcome(first + index) for index in range(len(segment.parts))]
            sums = run.sums(outcomes)
            if self._forecast:
                sums = self._forecast.add(sums, outcomes, segment.start.isoformat())
            self._results[segment.key] = sums
        return self._results[segment.key]

    def result(self, blocks: Sequence[ScenarioTimeline]) -> Timeline:
        """Assemble the result, once every scenario is computed."""
        return Timeline(scenarios=tuple(blocks), valued=len(self._results), **vars(self.end()))

    def end(self, notes: Iterable[Note] = ()) -> RunEnd:
        """Assemble what ends the run, once every scenario is computed; scenarios have no notes of their own."""
        self._context.step("done", 1.0)
        run = self.table_run
        own = [*self._period_notes, *run.notes()]
        if "entry_date" in run.prepared.frame.columns:
            text = "The table is computed under the law of each day; its entry dates are ignored."
            own.append(Note("ENTRY_DATE_SET_ASIDE", text))
        # The quantity limits and commitments of the law that affect the table on some day, each once.
        constraints = (run.quantity_constraints(part.law, part.dated) for part in self._parts)
        own += dict.fromkeys(note for one in constraints if one for note in one.promised())
        provenance = run.provenance(self._scenarios, **self._facts)
        return RunEnd(notes=tuple(own), refused=run.refused(), provenance=provenance)


def spans(run: TableRun, scenario: Scenario, start: str, end: str) -> list[tuple[str, int]]:
    """List the segments of a period under a scenario: the first day of each, and its number of days."""
    first, last = (entry_moment(run.law, text, run.market).instant for text in (start, end))
    segments = _segments(run, scenario, _days(run.law, first, last, run.market))
    return [(segment.start.isoformat(), segment.days) for segment in segments]


def _days(law: Law, start: datetime, end: datetime, market: str) -> list[tuple[date, datetime]]:
    """List the days of the period with their noons in UTC."""
    first, last = (instant.astimezone(law.zones[market]).date() for instant in (start, end))
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        message, fix = f"The period {first} to {last} has {count:,} days.", f"Give 1 to {MOST_DAYS:,} days."
        if count < 1:
            message, fix = f"The period ends on {last}, before {first}.", "Give a later end."
        raise InputError("ENTRY_DATE_INVALID", message, field="end", fix=fix)
    days = (first + timedelta(days=index) for index in range(count))
    return [(day, entry_instant(law, day.isoformat(), market).astimezone(UTC)) for day in days]


def _segments(run: TableRun, scenario: Scenario, days: Sequence[tuple[date, datetime]]) -> list[_Segment]:
    """Split the period into segments with the same law, or the same laws of a mixture."""
    laws = [(float(weight), apply_scenario(run.law, part)) for weight, part in components(scenario)]
    segments: list[_Segment] = []
    for day, count in _undated_spans(run, [law for _, law in laws], days):
        parts = tuple(LawPart(weight, law, run.dated_alike(law, day.isoformat())) for weight, law in laws)
        key = tuple((part.weight, run.law_fingerprint(part.law, part.dated)) for part in parts)
        if segments and segments[-1].key == key:
            segments[-1] = replace(segments[-1], days=segments[-1].days + count)
        else:
            segments.append(_Segment(day, count, parts, key))
    if run.steps is None and run.expected is None and not run.options.trend:
        return segments
    return [sample for segment in segments for sample in _samples(run, segment)]


def _samples(run: TableRun, segment: _Segment) -> Iterator[_Segment]:
    """Split a segment into parts with a day of their own each, whose key is the history of their laws until then."""
    for start, count in _quarters(segment) if run.options.score else _months(segment):
        day = (start + timedelta(days=count // 2 if run.options.score else 0)).isoformat()
        laws = (_standing(run, part.law, day) if run.options.score else part.law for part in segment.parts)
        parts = tuple(
            LawPart(part.weight, law, run.dated_alike(law, day))
            for part, law in zip(segment.parts, laws, strict=True)
        )
        key = tuple((part.weight, start, _history(run, part.law, part.dated)) for part in parts)
        yield _Segment(start, count, parts, key)


def _months(segment: _Segment) -> Iterator[tuple[date, int]]:
    """Split a segment into parts of SAMPLED_DAYS: first days and numbers of days."""
    for passed in range(0, segment.days, SAMPLED_DAYS):
        yield segment.start + timedelta(days=passed), min(SAMPLED_DAYS, segment.days - passed)


def _quarters(segment: _Segment) -> Iterator[tuple[date, int]]:
    """Split a segment by quarters of the calendar, so that parts of scenarios have the same days."""
    days = (segment.start + timedelta(days=passed) for passed in range(segment.days))
    for _, same in itertools.groupby(days, lambda day: (day.year, (day.month - 1) // 3)):
        first, *rest = same
        yield first, 1 + len(rest)


def _standing(run: TableRun, law: Law, day: str) -> Law:
    """Return the law before scenarios where it has the same duties on a day: what a scenario ended leaves nothing."""
    found, own = (run.law_fingerprint(one, run.dated_alike(one, day)) for one in (law, run.law))
    return run.law if found == own else law


def _history(run: TableRun, law: Law, dated: Dated) -> Hashable:
    """Compute a value that is equal for laws with the same duties up to a day, and after it where they are expected."""
    if run.expected is not None:
        return id(law)
    return run.steps.history(law, dated) if run.steps else run.law_fingerprint(law, dated)


def _undated_spans(
    run: TableRun, laws: Sequence[Law], days: Sequence[tuple[date, datetime]]
) -> Iterator[tuple[date, int]]:
    """Yield first day and number of days between two dates of any law."""
    others = [market for market in run.clocks if market != run.market]

    def places(dated: tuple[date, datetime]) -> Hashable:
        day, noon = dated
        noons = (noon, *(entry_instant(laws[0], day.isoformat(), market) for market in others))
        known = (read_known_on(law, run.options.known_on, day) for law in laws)
        return tuple(
            (
                bisect_right(law.publication_days, then),
                *(bisect_right(law.boundaries, each) for each in noons),
            )
            for law, then in zip(laws, known, strict=True)
        )

    for _, span in itertools.groupby(days, places):
        (first, _), *rest = span
        yield first, 1 + len(rest)
