"""Read entry dates and the days whose acts count, and what lines of one law and date share."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.provenance import law_facts
from tariffs.engine.errors import InputError
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note, unread
from tariffs.engine.line_duty.fees import DayFees, fees_on
from tariffs.engine.line_duty.segment import LawSegment, cached_segment, segment_of
from tariffs.engine.tables.dates import DateError, Moment, read_moment

ENTRY = "entry"
READ_AT_MOST = 4096
"""Number of instants that are cached; some 0.5 KB each."""
_DAYS_KEPT = 1024
"""Number of entry dates that are kept with a law; some 1 KB each."""


class LocalTime(NamedTuple):
    """Instant in a time zone: its day, and its ISO text."""

    day: date
    text: str


@lru_cache(maxsize=READ_AT_MOST)
def local_time(instant: datetime, zone: ZoneInfo) -> LocalTime:
    """Convert an instant to a time zone."""
    local = instant.astimezone(zone)
    return LocalTime(local.date(), local.isoformat())


def entry_moment(
    law: Law, entry: str | date | datetime | None, market: str = IMPORT, date_format: str = ""
) -> Moment:
    """Read an entry date: a day means its noon, None the as-of day of the law.

    Days and instants without an offset are local time of the market; `date_format` is that of `read_moment`.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    return covered_moment(law, entry or law.as_of, ENTRY_DATE, market, date_format)


def entry_instant(law: Law, entry: str | date | datetime | None, market: str = IMPORT) -> datetime:
    """Instant of `entry_moment` in UTC; raises as it does."""
    return entry_moment(law, entry, market).instant


def covered_moment(
    law: Law, given: str | date | datetime, name: str, market: str = IMPORT, date_format: str = ""
) -> Moment:
    """Read a day or instant of the field `name`; refused outside the coverage of the law, as by `entry_moment`."""
    return _covered(_text_of(given), name, law.zones[market], law.covered(market), date_format)


@lru_cache(maxsize=READ_AT_MOST)
def _covered(
    text: str, name: str, zone: ZoneInfo, coverage: tuple[datetime, datetime], date_format: str
) -> Moment:
    moment = read_user_moment(text, zone, name, date_format)
    first, last = (end.astimezone(zone) for end in coverage)
    if not first <= moment.instant < last:
        label = "the entry" if name == ENTRY_DATE else name
        raise InputError(
            "ENTRY_DATE_OUT_OF_COVERAGE",
            f"The law data covers {first:%Y-%m-%d} up to {last:%Y-%m-%d}; {label} is {text}.",
            field=name,
            fix="Choose a day in that range.",
            metadata={"first": f"{first:%Y-%m-%d}", "last": f"{last:%Y-%m-%d}"},
        )
    return moment


def read_user_moment(text: str, zone: ZoneInfo, field: str, date_format: str = "") -> Moment:
    """Parse a day or instant of a request field; raises InputError ENTRY_DATE_INVALID."""
    try:
        return read_moment(text, zone, date_format)
    except DateError as error:
        label = "" if field == ENTRY_DATE else f"{field}: "
        raise InputError("ENTRY_DATE_INVALID", f"{label}{error}.", field=field, fix=error.fix) from None


def moment_notes(field: str, moment: Moment) -> tuple[Note, ...]:
    """Note on a field whose day or instant was not written as ISO text, if so."""
    return (Note(moment.reason, f"{field}: {moment.note}"),) if moment.reason else ()


def _text_of(given: str | date | datetime) -> str:
    return given if isinstance(given, str) else given.isoformat()


def read_known_on(law: Law, known_on: str | date | None, entry_day: date) -> date:
    """Read the day whose acts count: `entry` is the day of entry, None the as-of day of the law.

    Raises:
        InputError: ENTRY_DATE_INVALID, or ENTRY_DATE_OUT_OF_COVERAGE before the first day of the coverage of the law:
            it contains only some of the older acts, so that most duties would be missing.
    """
    if known_on is None or known_on == "":
        return law.as_of
    if known_on == ENTRY:
        return entry_day
    zone = law.zones[IMPORT]
    return _known_moment(law, known_on).instant.astimezone(zone).date()


def known_on_text(law: Law, known_on: str | date | None) -> str:
    """Day whose acts count as ISO text, or `entry`; raises as `read_known_on`."""
    return ENTRY if known_on == ENTRY else read_known_on(law, known_on, law.as_of).isoformat()


def known_on_notes(law: Law, known_on: str | date | None) -> tuple[Note, ...]:
    """Note on a `known_on` that was not written as an ISO day, if so."""
    if not isinstance(known_on, str) or known_on in {"", ENTRY}:
        return ()
    return moment_notes("known_on", _known_moment(law, known_on))


def unread_of(law: Law, days: Iterable[date], known_on: str | date | None) -> tuple[Note, ...]:
    """Note if the last of several days is after the last day up to which acts have been read."""
    last = max(days, default=date.min)
    return unread(law, last, read_known_on(law, known_on, last))


def _known_moment(law: Law, known_on: str | date) -> Moment:
    text, zone = _text_of(known_on), law.zones[IMPORT]
    moment = read_user_moment(text, zone, "known_on")
    first = law.coverage[0].astimezone(zone)
    if moment.instant < first:
        raise InputError(
            "ENTRY_DATE_OUT_OF_COVERAGE",
            f"The law data is complete for acts known from {first:%Y-%m-%d} on; known_on is {text}.",
            field="known_on",
            fix="Choose that day or a later one.",
            metadata={"first": f"{first:%Y-%m-%d}"},
        )
    return moment


@dataclass(slots=True, eq=False)
class LawDay:
    """Entry date of lines under one law, with the acts that are known: all that these lines share.

    The law keeps it; it keeps neither the law nor its segment.

    Attributes:
        instant: the instant of entry.
        day: its day in US Eastern time.
        known: the day whose acts count.
        notes: notes on dates that were not written as ISO text.
        unread: note on acts that have not been read yet.
        facts: provenance of the answers: the law, the entry, and the day whose acts count.
        fees: fees of entries on the day.
    """

    instant: datetime
    day: date
    known: date
    notes: tuple[Note, ...]
    unread: tuple[Note, ...]
    facts: Mapping[str, object]
    fees: DayFees
    _segment: Callable[[], LawSegment | None] = lambda: None

    def segment(self, law: Law) -> LawSegment:
        """Return the segment of a law, compiled if it is not cached."""
        found = self._segment()
        if found is None or not found.is_of(law):
            found = self._remember(segment_of(law, self.instant, self.known))
        return found

    def cached_segment(self, law: Law) -> LawSegment | None:
        """Return the segment of a law if it is cached."""
        found = self._segment()
        if found is None or not found.is_of(law):
            cached = cached_segment(law, self.instant, self.known)
            found = None if cached is None else self._remember(cached)
        return found

    def _remember(self, segment: LawSegment) -> LawSegment:
        # A line that outlives its law must not keep what is cached of the law.
        self._segment = weakref.ref(segment)
        return segment


def law_day(
    law: Law, entry: str | date | datetime | None, known_on: str | date | None, date_format: str = ""
) -> LawDay:
    """Read an entry date and the day whose acts count; kept with the law, since most lines share their dates.

    Raises:
        InputError: ENTRY_DATE_INVALID or ENTRY_DATE_OUT_OF_COVERAGE.
    """
    kept: BoundedCache[Hashable, LawDay] | None = law.cache.get("days")
    if kept is None:
        kept = law.cache.setdefault("days", BoundedCache(_DAYS_KEPT))
    # Texts: equal instants of different zones are written differently.
    key = (
        entry if entry is None else _text_of(entry),
        known_on if known_on is None else _text_of(known_on),
        date_format,
    )
    return kept.get(key, lambda: _law_day(law, entry, known_on, date_format))


def _law_day(
    law: Law, entry: str | date | datetime | None, known_on: str | date | None, date_format: str
) -> LawDay:
    moment = entry_moment(law, entry, IMPORT, date_format)
    day, text = local_time(moment.instant, law.zones[IMPORT])
    known = read_known_on(law, known_on, day)
    return LawDay(
        moment.instant,
        day,
        known,
        moment_notes(ENTRY_DATE, moment) + known_on_notes(law, known_on),
        unread(law, day, known),
        {**law_facts(law), "entry": text, "known_on": known.isoformat()},
        fees_on(law, day),
    )
