"""Rate the lines of many entries, compute fees once per entry, and total by entry.

A line that cannot be rated gives an error in its place and never fails the others; its entry counts it as refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import read_known_on
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.fees import LandedCost, entry_fees
from tariffs.engine.line_duty.quote import Quote, RatedLine, rate_line
from tariffs.engine.schedule.lines import Schedule, load_schedule

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """Line that could not be read; its entry counts it as refused."""

    entry_id: str
    error: TariffsError


class EntryTotal(NamedTuple):
    """Totals of one entry in dollars and cents, with fees computed once.

    `day` is None, and nothing is charged, if no line could be rated. `lines` are indices of all its lines, `refused`
    counts those without a quote; `min` and `max` are sums over lines, whose facts are independent.
    """

    entry_id: str
    day: date | None
    lines: tuple[int, ...]
    refused: int
    informal: bool
    assessed: Decimal
    owed: Decimal
    min: Decimal
    max: Decimal
    landed: LandedCost
    notes: tuple[Note, ...]


class RatedEntry(NamedTuple):
    """Totals of an entry, the outcome of each of its lines, and the last day of entry of a line; None without one."""

    total: EntryTotal
    outcomes: Sequence[Quote | TariffsError]
    last_day: date | None


def rate_entries(
    law: Law,
    lines: Sequence[EntryLine | UnreadLine],
    *,
    known_on: str | date | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[RatedEntry]:
    """Compute the duties and fees of entries, and yield them one by one, in the order of their first line.

    Who uses each before the next one comes holds the objects of one entry at a time, and leaves the garbage collector
    little to look through.

    Args:
        law: the law, after any scenario.
        lines: declared lines in any order; those of one `entry_id` are one entry.
        known_on: as in `quote_line`; `"entry"` is the day of each line.
        cancelled: called before each line; true stops the work.

    Raises:
        InputError: ENTRY_DATE_INVALID if `known_on` cannot be read. Errors of a line are its outcome.
        ServiceError: CANCELLED.
    """
    read_known_on(law, known_on, law.as_of)
    schedule = load_schedule()
    for members in lines_by_entry([line.entry_id for line in lines]):
        rated: list[RatedLine | TariffsError] = []
        for index in members:
            if cancelled and cancelled():
                raise ServiceError("CANCELLED", "The caller cancelled the batch.")
            rated.append(_rate(law, lines[index], known_on, schedule))
        yield _rated_entry(law, lines[members[0]].entry_id, members, rated)


def _rate(
    law: Law, line: EntryLine | UnreadLine, known_on: str | date | None, schedule: Schedule
) -> RatedLine | TariffsError:
    if isinstance(line, UnreadLine):
        return line.error
    try:
        return rate_line(law, line, known_on=known_on, schedule=schedule)
    except TariffsError as error:
        return error


def lines_by_entry(entry_ids: Iterable[str]) -> list[tuple[int, ...]]:
    """Indices of the lines of each entry; a line without an entry_id is treated as a single-line entry."""
    members: dict[str | int, list[int]] = {}
    for index, entry_id in enumerate(entry_ids):
        members.setdefault(entry_id or index, []).append(index)
    return [tuple(indices) for indices in members.values()]


def _rated_entry(
    law: Law, entry_id: str, members: tuple[int, ...], rated: Sequence[RatedLine | TariffsError]
) -> RatedEntry:
    """Add the fees of an entry to its lines, and total it."""
    good = [one for one in rated if isinstance(one, RatedLine)]
    if len(members) == len(good) == 1:
        return _entry_of(law, entry_id, members, good[0])
    if not good:
        refused = [one for one in rated if isinstance(one, TariffsError)]
        return RatedEntry(_refused(entry_id, members), refused, None)
    days = sorted({one.line.day for one in good})
    first = min(good, key=lambda one: one.line.day)
    fees = entry_fees(first.line.when.fees, [one.fee_line for one in good])
    shares = zip(fees.mpf_by_line, fees.hmf_by_line, strict=True)
    outcomes = [one if isinstance(one, TariffsError) else one.quote(law, *next(shares)) for one in rated]
    return RatedEntry(_total(entry_id, members, days, outcomes, informal=fees.informal), outcomes, days[-1])


def _entry_of(law: Law, entry_id: str, members: tuple[int, ...], line: RatedLine) -> RatedEntry:
    """Make an entry of one line, as most are: its totals are the amounts of the line."""
    day, fees = line.line.day, entry_fees(line.line.when.fees, (line.fee_line,))
    quote = line.quote(law, fees.mpf, fees.hmf)
    notes = _notes((day,), 0, 1) if quote.prohibited else ()
    totals = quote.assessed, quote.owed, quote.min, quote.max, quote.landed
    total = EntryTotal(entry_id, day, members, 0, fees.informal, *totals, notes)
    return RatedEntry(total, (quote,), day)


def _refused(entry_id: str, members: tuple[int, ...]) -> EntryTotal:
    zeros = (ZERO, ZERO, ZERO, ZERO, LandedCost())
    return EntryTotal(entry_id, None, members, len(members), False, *zeros, ())


def _total(
    entry_id: str,
    members: tuple[int, ...],
    days: Sequence[date],
    outcomes: Sequence[Quote | TariffsError],
    *,
    informal: bool,
) -> EntryTotal:
    quotes = [one for one in outcomes if isinstance(one, Quote)]
    refused = len(members) - len(quotes)
    return EntryTotal(
        entry_id=entry_id,
        day=days[0],
        lines=members,
        refused=refused,
        informal=informal,
        assessed=sum([quote.assessed for quote in quotes], ZERO),
        owed=sum([quote.owed for quote in quotes], ZERO),
        min=sum([quote.min for quote in quotes], ZERO),
        max=sum([quote.max for quote in quotes], ZERO),
        landed=LandedCost.sum_of([quote.landed for quote in quotes]),
        notes=_notes(days, refused, sum([bool(quote.prohibited) for quote in quotes])),
    )


def _notes(days: Sequence[date], refused: int, prohibited: int) -> tuple[Note, ...]:
    notes = []
    if len(days) > 1:
        listed = ", ".join(day.isoformat() for day in days)
        text = f"Its lines have different entry dates ({listed}); the fees are those of the first date."
        notes.append(Note("ENTRY_DAYS_DIFFER", text))
    if refused:
        notes.append(Note("ENTRY_INCOMPLETE", f"Lines refused: {refused}; duty and fees exclude them."))
    if prohibited:
        text = f"Lines with prohibited goods: {prohibited}; duty and fees exclude those goods."
        notes.append(Note("ENTRY_PROHIBITED", text))
    return tuple(notes)
