"""Days on which a law, or what is known of it, changes within a period, and the goods that each change reaches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import IMPORT, InForce, Law
from tariffs.engine.law.line_notes import LineNote
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.measure_state import Rows
from tariffs.engine.law.model import CHARGE, Row
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.schedule.lines import load_schedule

PENDING = "PENDING_ACT"
DAY = timedelta(days=1)


class Span(NamedTuple):
    """Days in a row on which neither the law nor the edition of the schedule changes, whatever is known."""

    number: int
    first: date
    last: date


class Step(NamedTuple):
    """Two days of entry, each with a day of knowledge, whose quotes are compared."""

    before: tuple[date, date]
    after: tuple[date, date]


@dataclass(frozen=True)
class LawDays:
    """Days of one law in a period.

    Attributes:
        law: the law.
        start: first day of knowledge.
        end: last day of knowledge.
        ahead: days before its effect on which a change is told again.
    """

    law: Law
    start: date
    end: date
    ahead: tuple[int, ...]

    @classmethod
    def of(cls, law: Law, start: date, end: date, ahead: Collection[int]) -> LawDays:
        """Check a period; raises InputError REQUEST_INVALID."""
        days = cls(law, start, end, tuple(sorted({*ahead})))
        first, last = days.spans[0].first, days.spans[-1].last
        if not first < start <= end <= last:
            raise InputError(
                "REQUEST_INVALID",
                f"The days {start} to {end} are not in order, or not all after {first} and until {last}.",
                field="start",
                fix="Give days that the law data covers, the first before the last.",
            )
        if any(not 0 < one < last.toordinal() - first.toordinal() for one in days.ahead):
            raise InputError(
                "REQUEST_INVALID", "ahead has a number below 1 or beyond the law data.", field="ahead",
                fix="Give days ahead such as 30 and 7.",
            )  # fmt: skip
        return days

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Spans of all days that the law covers."""
        schedule = load_schedule()
        begin, end = (moment.date() for moment in self.law.covered(IMPORT))
        days = [begin + DAY * place for place in range((end - begin).days)]
        edition = {day: schedule.edition_day(day) for day in days}
        key = {
            day: (bisect_right(self.law.boundaries, entry_instant(self.law, day)), edition[day])
            for day in days
        }
        runs = [list(run) for _, run in groupby(days, key.__getitem__)]
        return tuple(Span(number, run[0], run[-1]) for number, run in enumerate(runs))

    @cached_property
    def _firsts(self) -> list[date]:
        return [span.first for span in self.spans]

    def span(self, day: date) -> Span | None:
        """Span of a day; None beyond the days that the law covers."""
        place = bisect_right(self._firsts, day) - 1
        return self.spans[place] if place >= 0 and day <= self.spans[place].last else None

    def epoch(self, known: date) -> int:
        """Number of the days of publication up to a day."""
        return bisect_right(self.law.publication_days, known)

    @cached_property
    def published(self) -> tuple[date, ...]:
        """Days of the period on which something was published."""
        return tuple(day for day in self.law.publication_days if self.start <= day <= self.end)

    @cached_property
    def changed(self) -> tuple[Step, ...]:
        """Days of the period on which the law of the day is another than the day before, as known on each."""
        begun = {first for first in self._firsts if self.start <= first <= self.end}
        return tuple(Step((day - DAY, day - DAY), (day, day)) for day in sorted(begun.union(self.published)))

    @cached_property
    def coming(self) -> tuple[Step, ...]:
        """Days that begin a span and are some days after a day of the period, as known on that day."""
        pairs = sorted((first - DAY * ahead, first) for ahead in self.ahead for first in self._firsts[1:])
        return tuple(
            Step((first - DAY, known), (first, known))
            for known, first in pairs
            if self.start <= known <= self.end
        )

    @cached_property
    def made_known(self) -> tuple[tuple[date, tuple[Step, ...]], ...]:
        """Days of publication, each with the first days of the spans that what it made known can change."""
        steps = (
            (known, tuple(Step((first, known - DAY), (first, known)) for first in self._firsts))
            for known in self.published
        )
        return tuple((known, tuple(one for one in each if self._reaches(one))) for known, each in steps)

    def announces(self, known: date) -> bool:
        """Test whether a pending act was published on a day."""
        return any(note.known_from == known and note.reason == PENDING for note in self.law.line_notes)

    def reaches(self, step: Step, code: str, origin: str) -> bool:
        """Test whether the quotes of a step can differ for goods of a code of 10 digits and an origin."""
        found = self._reaches(step)
        if found is None:
            return True
        key = id(found), origin
        if key not in self._products:
            fitting = (one for one in found if one.fits_origin(origin))
            self._products[key] = tuple({(one.products, one.not_products): one for one in fitting}.values())
        return any(reach.fits_code(code) for reach in self._products[key])

    @cached_property
    def _products(self) -> dict[tuple[int, str], tuple[Reach, ...]]:
        """Goods that steps reach, by the step's and an origin: what is left to test is the code."""
        return {}

    @cached_property
    def _reached(self) -> dict[tuple[int, int, int, int], tuple[Reach, ...] | None]:
        return {}

    def _reaches(self, step: Step) -> tuple[Reach, ...] | None:
        """Goods whose quotes can differ at a step; None for all goods."""
        spans = [self.span(day) for day, _ in step]
        first, second = (span.number if span else -1 for span in spans)
        key = first, self.epoch(step.before[1]), second, self.epoch(step.after[1])
        if key not in self._reached:
            self._reached[key] = self._find_reaches(step)
        return self._reached[key]

    def _find_reaches(self, step: Step) -> tuple[Reach, ...] | None:
        schedule = load_schedule()
        if schedule.edition_day(step.before[0]) != schedule.edition_day(step.after[0]):
            return None
        sides = [self._side(day, known) for day, known in step]
        return tuple(
            Reach.of(scope, side.law)
            for side, other in (sides, sides[::-1])
            for scope in (
                *(row.scope for row in _other_rows(side.law, other.law)),
                *(note.scope for note in side.notes if note not in other.notes),
            )
        )

    def _side(self, day: date, known: date) -> _Side:
        instant = entry_instant(self.law, day)
        pending = (one for one in self.law.line_notes if one.reason == PENDING and one.holds(instant, known))
        return _Side(self.law.in_force(instant, known), tuple(pending))


class _Side(NamedTuple):
    """The law and the pending acts on one side of a step."""

    law: InForce
    notes: tuple[LineNote, ...]


def _other_rows(law: InForce, other: InForce) -> Iterator[Row]:
    """Yield the rows of a law in force that another lacks, and those that meet other rules, groups or lists there."""
    theirs = {one.index: one for one in other.actives}
    names = _other_names(law, other)
    present = frozenset(one.index for one in (*law.actives, *other.actives))
    ruled = {
        index
        for one, two in ((law, other), (other, law))
        for rule in one.rules
        if all(rule is not same for same in two.rules) and rule not in two.rules and rule.touches(present)
        for index in rule.touched | rule.when
    }
    for active in law.actives:
        same = theirs.get(active.index)
        if same is active and not names and active.index not in ruled:
            continue
        charges = set(map(CHARGE, same.rows)) if same else set()
        if active.index in ruled or not same or _in_other_order(active.rows, same.rows, charges):
            yield from active.rows
            continue
        for row in active.rows:
            if CHARGE(row) not in charges or not names.isdisjoint(row.scope.names):
                yield row


def _in_other_order(rows: Rows, others: Rows, charges: set[Any]) -> bool:
    """Test whether the rows that two states of a measure share come in another order."""
    mine = list(map(CHARGE, rows))
    shared = charges.intersection(mine)
    return [row for row in mine if row in shared] != [row for row in map(CHARGE, others) if row in shared]


def _other_names(law: InForce, other: InForce) -> frozenset[str]:
    """Find the groups and lists with other members."""
    return frozenset(
        name
        for mine, theirs in ((law.groups, other.groups), (law.lists, other.lists))
        if mine is not theirs
        for name in mine.keys() | theirs.keys()
        if mine.get(name) != theirs.get(name)
    )
