"""Duty and trade through time: days on which the law stands alike form a segment, and each is valued once.

A day is valued at its noon. The table is a basket that is held against the law of each day: its own entry dates, if
it has any, are set aside. Laws that are alike for the table are valued once, whichever scenario they belong to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_line import (
    entry_instant,
    entry_moment,
    moment_notes,
    read_known_on,
    unread_of,
)
from tariffs.engine.runs.expectation import averaged_frames
from tariffs.engine.runs.table_run import (
    Cancelled,
    Options,
    Progress,
    RunContext,
    SwitchReport,
    Table,
    TableRun,
)
from tariffs.engine.scenario import Scenario, apply_scenario, components
from tariffs.engine.table_duty.duties import Dated

DAYS_AT_MOST = 36_525
SPAN = ("start", "end", "days")


@dataclass(frozen=True)
class ScenarioTimeline:
    """One scenario through time.

    `segments` and `totals` have a row per segment (and group): `start`, `end` (its last day), `days`, then the columns
    of the contract at the table's yearly values. `averages` and `average_total` are their means over the period,
    weighted by days.
    """

    id: str
    segments: pl.DataFrame
    totals: pl.DataFrame
    averages: pl.DataFrame
    average_total: pl.DataFrame


@dataclass(frozen=True)
class Timeline:
    """The answer: one block per scenario, remarks, the refused rows, and what is needed to replay it."""

    scenarios: tuple[ScenarioTimeline, ...]
    notes: tuple[Note, ...]
    refused: pl.DataFrame
    valued: int
    provenance: Mapping[str, object]


@dataclass(frozen=True)
class _Segment:
    """A run of days, and the laws of the scenario at the noon of the first with their weights."""

    start: date
    days: int
    dated: tuple[tuple[Decimal, Law, Dated], ...]
    key: Hashable

    @property
    def end(self) -> date:
        return self.start + timedelta(days=self.days - 1)


def timeline(
    table: Table,
    scenarios: Sequence[Scenario],
    start: str,
    end: str,
    *,
    law: Law,
    options: Options | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Timeline:
    """Value a table on every day of a period under each scenario.

    Args:
        table: a frame, a path, or None for the embedded table of US imports 2024.
        scenarios: the scenarios.
        start: the first day.
        end: the last day.
        law: the law before any scenario.
        options: how to value it; `known_on` `entry` lets each day know only what was published by then.
        progress: called with a stage and a fraction done.
        cancelled: asked between segments and chunks; if it says yes the run stops.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE for the period, or what `impact` raises.
        ScenarioError: a scenario cannot be applied.
        ServiceError: CANCELLED.
    """
    run = PeriodRun(
        table, scenarios, start, end, law=law, options=options, progress=progress, cancelled=cancelled
    )
    return run.result([run.value(index) for index in range(len(scenarios))])


class PeriodRun:
    """The scenarios of a timeline, valued one at a time: a run that was broken off goes on with those it lacks.

    Args:
        table: as of `timeline`, and so are the others.
        scenarios: the scenarios.
        start: the first day.
        end: the last day.
        law: the law before any scenario.
        options: how to value it.
        progress: called with a stage and a fraction done.
        cancelled: asked between segments and chunks.

    Raises:
        TariffsError: as `timeline`.
    """

    def __init__(
        self,
        table: Table,
        scenarios: Sequence[Scenario],
        start: str,
        end: str,
        *,
        law: Law,
        options: Options | None = None,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        self._run = RunContext(progress, cancelled)
        self._valuer = TableRun(table, law, options or Options(), self._run)
        law, direction = self._valuer.law, self._valuer.options.direction
        self._scenarios = list(scenarios)
        ends = [entry_moment(law, text, direction) for text in (start, end)]
        told = (*moment_notes("start", ends[0]), *moment_notes("end", ends[1]))
        days = _days(law, ends[0].instant, ends[1].instant, direction)
        self._period_notes = (*told, *unread_of(law, [days[-1][0]], self._valuer.options.known_on))
        self._period = {"start": days[0][0].isoformat(), "end": days[-1][0].isoformat()}
        self._segments = [_segments(self._valuer, scenario, days) for scenario in scenarios]
        self._book = _SegmentLedger(self._valuer, sum(map(len, self._segments)))

    @property
    def refused(self) -> pl.DataFrame:
        """The rows that could not be used, as far as is known by now."""
        return self._valuer.refused()

    @property
    def touched(self) -> SwitchReport:
        """What the scenarios valued so far have met."""
        return self._valuer.touched

    def recall(self, touched: SwitchReport) -> None:
        """Take over what the scenarios that another run valued have met."""
        self._valuer.recall(touched)

    def value(self, index: int) -> ScenarioTimeline:
        """The block of one scenario."""
        return _block(self._book, self._scenarios[index], self._segments[index])

    def result(self, blocks: Sequence[ScenarioTimeline]) -> Timeline:
        """The whole answer, once every scenario is valued."""
        self._run.step("done", 1.0)
        return Timeline(
            tuple(blocks),
            (*self._period_notes, *self._valuer.notes(), *_set_aside(self._valuer), *self._bounds()),
            self._valuer.refused(),
            self._book.valued,
            self._valuer.provenance(self._scenarios, **self._period),
        )

    def _bounds(self) -> tuple[Note, ...]:
        """The limits and promises of the law that bear on the table on some day, each once."""
        dated = (one for segments in self._segments for segment in segments for one in segment.dated)
        found = (self._valuer.bounds(law, when) for _, law, when in dated)
        return tuple(dict.fromkeys(note for bounds in found if bounds for note in bounds.promised()))


def _days(law: Law, start: datetime, end: datetime, direction: str) -> list[tuple[date, datetime]]:
    """The days of the period with their noons in UTC."""
    first, last = (instant.astimezone(law.zones[direction]).date() for instant in (start, end))
    count = (last - first).days + 1
    if not 1 <= count <= DAYS_AT_MOST:
        raise InputError(
            "ENTRY_DATE_INVALID",
            f"The period {first} to {last} has {count:,} days.",
            field="end",
            fix=f"Give 1 to {DAYS_AT_MOST:,} days.",
        )
    found = (first + timedelta(days=index) for index in range(count))
    return [(day, entry_instant(law, day.isoformat(), direction).astimezone(UTC)) for day in found]


def _segments(valuer: TableRun, scenario: Scenario, days: Sequence[tuple[date, datetime]]) -> list[_Segment]:
    """The runs of days on which the scenario's law, or each law of its mixture, stands alike."""
    laws = [(weight, apply_scenario(valuer.law, part)) for weight, part in components(scenario)]
    found: list[_Segment] = []
    for day, noon, count in _steps(valuer, [law for _, law in laws], days):
        dated = tuple((weight, law, _at(valuer, law, noon, day)) for weight, law in laws)
        key = tuple((weight, valuer.law_fingerprint(law, when)) for weight, law, when in dated)
        if found and found[-1].key == key:
            found[-1] = _Segment(found[-1].start, found[-1].days + count, found[-1].dated, key)
        else:
            found.append(_Segment(day, count, dated, key))
    return found


def _steps(
    valuer: TableRun, laws: Sequence[Law], days: Sequence[tuple[date, datetime]]
) -> Iterator[tuple[date, datetime, int]]:
    """Runs of days between which no law has a date at all: first day, its noon, how many."""
    held: tuple[tuple[date, datetime], Hashable] | None = None
    count = 0
    for day, noon in days:
        places = tuple(
            (bisect_right(law.boundaries, noon), bisect_right(law.publication_days, _known(valuer, law, day)))
            for law in laws
        )
        if held is None or places != held[1]:
            if held is not None:
                yield *held[0], count
            held, count = ((day, noon), places), 0
        count += 1
    if held is not None:
        yield *held[0], count


def _known(valuer: TableRun, law: Law, day: date) -> date:
    return read_known_on(law, valuer.options.known_on, day)


def _at(valuer: TableRun, law: Law, noon: datetime, day: date) -> Dated:
    return Dated([noon], [_known(valuer, law, day)], None, valuer.options.direction)


class _SegmentLedger:
    """Results by what the law is like, so that nothing is valued twice."""

    def __init__(self, valuer: TableRun, segments: int) -> None:
        self._valuer = valuer
        self._segments = segments
        self._done = 0
        self._found: dict[Hashable, tuple[pl.DataFrame, pl.DataFrame]] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the groups."""
        return self._valuer.options.by

    @property
    def valued(self) -> int:
        """How many times the table was valued."""
        return len(self._found)

    def groups_and_total(self, scenario: Scenario, segment: _Segment) -> tuple[pl.DataFrame, pl.DataFrame]:
        valuer = self._valuer
        valuer.run.step(f"{scenario.id} from {segment.start}", self._done / self._segments)
        self._done += 1
        if segment.key not in self._found:
            outcomes = [valuer.outcome(law, dated, float(weight)) for weight, law, dated in segment.dated]
            total = pl.DataFrame({name: [value] for name, value in valuer.total(outcomes).items()})
            self._found[segment.key] = (valuer.groups(outcomes), total.cast(pl.Float64))
        return self._found[segment.key]


def _block(book: _SegmentLedger, scenario: Scenario, segments: Sequence[_Segment]) -> ScenarioTimeline:
    found = [(segment, *book.groups_and_total(scenario, segment)) for segment in segments]
    keys = list(book.keys)
    days = sum(segment.days for segment in segments)
    weights = [segment.days / days for segment in segments]
    return ScenarioTimeline(
        scenario.id,
        pl.concat(_spanned(segment, groups) for segment, groups, _ in found),
        pl.concat(_spanned(segment, total) for segment, _, total in found),
        averaged_frames([(weight, item[1]) for weight, item in zip(weights, found, strict=True)], keys),
        averaged_frames([(weight, item[2]) for weight, item in zip(weights, found, strict=True)], []),
    )


def _spanned(segment: _Segment, frame: pl.DataFrame) -> pl.DataFrame:
    span = [
        pl.lit(segment.start.isoformat()).alias("start"),
        pl.lit(segment.end.isoformat()).alias("end"),
        pl.lit(segment.days, dtype=pl.Int64).alias("days"),
    ]
    return frame.select(*span, pl.all())


def _set_aside(valuer: TableRun) -> list[Note]:
    if "entry_date" not in valuer.prepared.frame.columns:
        return []
    return [
        Note(
            "ENTRY_DATE_SET_ASIDE",
            "The table is held against the law of each day; its entry dates do not count.",
        )
    ]
