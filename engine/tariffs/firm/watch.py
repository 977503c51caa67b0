"""Find events of lines: days on which the duty on its lines, or what is known of it, changes. See docs/watch.md.

Every event compares two quotes of a line for its yearly value, which differ in the entry day or in the day whose acts
are known. Days are taken in turn, and all lines on each: the law of a day is compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import takewhile
from typing import Any, TypeVar

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.model import published
from tariffs.engine.law.refund_terms import PROTEST, SUIT
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import Quote, QuoteLayer, quote_line
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.schedule.lines import CODE_DIGITS, load_schedule
from tariffs.firm.watch_days import DAY, PENDING, LawDays, Span, Step
from tariffs.firm.watch_model import (
    AHEAD,
    ANNOUNCED,
    CLAIM,
    ENACTED,
    HEADING,
    KINDS,
    RATE,
    REFUND,
    Watched,
    WatchEvent,
    WatchLine,
    usd,
)

T = TypeVar("T")
AHEAD_DAYS = (30,)
ZERO, CENT, YEAR = Decimal(0), Decimal("0.01"), 365
_CLAIMED: Mapping[str, str | bool] = {"share": "1", "content": "1", "bool": True}
"""Value of a claim that is made in full, by its type; other types have none."""
_QUOTES_KEPT = 16
"""Quotes of a line: those of two days, and of the days of a refund."""


def watch_events(
    law: Law,
    lines: Sequence[WatchLine],
    start: date,
    end: date,
    *,
    ahead: Sequence[int] = AHEAD_DAYS,
    cancelled: Callable[[], bool] = lambda: False,
) -> Watched:
    """Find the events that become known in a period.

    Args:
        lines: the lines; one that cannot be quoted on the last day is refused and loses nothing else.
        start: first day of knowledge.
        end: last day of knowledge.
        ahead: days before its effect on which a change is told again.
        cancelled: asked before each line of each day; True ends with what is found.

    Raises:
        InputError: REQUEST_INVALID for days out of order or of the coverage of the law.
    """
    days = LawDays.of(law, start, end, ahead)
    watched: list[_LineWatch] = []
    refused: dict[int, TariffsError] = {}
    schedule = load_schedule()
    for place, line in takewhile(lambda _: not cancelled(), enumerate(lines)):
        try:
            quote_line(law, line.goods._replace(entry=end), known_on=end)
        except InputError as error:
            refused[place] = error
            continue
        goods = parse_code(line.goods.hts, schedule.accepts)[0], read_country(line.goods.origin)[0]
        watched.append(_LineWatch(law, line, days, goods))
    found = {event.id: event for event in _events(days, watched, cancelled)}
    order = sorted(found.values(), key=lambda one: (one.known_on, one.line_id, KINDS.index(one.kind), one.id))
    return Watched(tuple(order), refused)


def _events(
    days: LawDays, lines: Sequence[_LineWatch], cancelled: Callable[[], bool]
) -> Iterator[WatchEvent]:
    """Yield the events of lines, day by day, until cancelled: asked before each line of each day."""

    def until(items: Iterable[T]) -> Iterator[T]:
        return takewhile(lambda _: not cancelled(), items)

    for step in until(days.changed):
        for line in until(lines):
            yield from line.today(step)
    for known, steps in until(days.made_known):
        waiting = list(lines)
        for step in until(steps):
            found = [(line, line.enacted(step)) for line in until(waiting)]
            yield from (event for _, event in found if event is not None)
            waiting = [line for line, event in found if event is None]
        for line in until(lines) if days.announces(known) else ():
            yield from line.announced(known, steps)
    for step in until(days.coming):
        for line in until(lines):
            yield from line.ahead(step)
    for line in until(lines):
        yield from line.refunds()


class _LineWatch:
    """Quotes of one line by entry day and day of knowledge, and the events that they show."""

    def __init__(self, law: Law, line: WatchLine, days: LawDays, goods: tuple[str, str]) -> None:
        self._law, self._line, self._days = law, line, days
        self._goods = goods
        self._quotes: dict[tuple[int, int], Quote | None] = {}

    def _reached(self, step: Step) -> bool:
        code, origin = self._goods
        # A coarse code is read as several, which a change may reach in part.
        return len(code) < CODE_DIGITS or self._days.reaches(step, code, origin)

    def _quote(self, day: date, known: date) -> Quote | None:
        """Quote the line on a day as known on another; None if it cannot be."""
        span = self._days.span(day)
        if span is None:
            return None
        key = span.number, self._days.epoch(known)
        if key not in self._quotes:
            if len(self._quotes) >= _QUOTES_KEPT:
                self._quotes.clear()
            self._quotes[key] = self._quoted(self._line.goods, span.first, known)
        return self._quotes[key]

    def _quoted(self, goods: EntryLine, day: date, known: date) -> Quote | None:
        try:
            return quote_line(self._law, goods._replace(entry=day), known_on=known)
        except InputError:
            return None

    def _event(self, kind: str, known: date, day: date, **facts: Any) -> WatchEvent:
        goods = self._line.goods
        return WatchEvent(kind, self._line.id, goods.hts, goods.origin, known, day, **facts)

    # -- duty --------------------------------------------------------------------------------------------------

    def today(self, step: Step) -> Iterator[WatchEvent]:
        """Compare what is known of a day on it with the same of the day before."""
        before, after = self._pair(step)
        if before is None or after is None:
            return
        yield from self._changed(RATE, step, before, after)
        day, headings, old = step.after[0], _headings(after), _headings(before)
        if old != headings:
            gone, new = sorted({*old} - {*headings}), sorted({*headings} - {*old})
            words = [f"{verb} {', '.join(each)}" for verb, each in (("no more", gone), ("now", new)) if each]
            yield self._event(
                HEADING, day, day, before=before.assessed, after=after.assessed,
                amount=after.assessed - before.assessed, **self._sources(step, before, after), headings=headings,
                text=f"Headings of the entry: {'; '.join(words)}.",
            )  # fmt: skip
        had = self._savings(step.before, before)
        for claim, saving in self._savings(step.after, after).items():
            if claim not in had:
                yield self._event(
                    CLAIM, day, day, before=after.assessed, after=after.assessed - saving, amount=-saving,
                    **self._sources(step, before, after), headings=headings, claim=claim,
                    text=f"The claim {claim}, if the goods allow it, now saves {usd(saving)} a year.",
                )  # fmt: skip

    def ahead(self, step: Step) -> Iterator[WatchEvent]:
        """Yield the change of duty of a day to come."""
        before, after = self._pair(step)
        if before is not None and after is not None:
            yield from self._changed(AHEAD, step, before, after)

    def enacted(self, step: Step) -> WatchEvent | None:
        """Make the event of a day whose duty is another by what was published."""
        before, after = self._pair(step)
        if before is None or after is None or _all_duty(before) == _all_duty(after):
            return None
        return self._duty_event(ENACTED, step, before, after)

    def announced(self, known: date, steps: Sequence[Step]) -> Iterator[WatchEvent]:
        """Yield the pending acts that were published on a day, each with the first day that it is said of."""
        told: set[str] = set()
        for step in steps:
            before, after = self._pair(step)
            new = _pending(after) - _pending(before) - told if before and after else set[str]()
            for text in sorted(new):
                notes = [note for note in self._law.line_notes if note.message == text]
                cites = tuple(cite for note in notes for cite in note.cite)
                yield self._event(ANNOUNCED, known, step.after[0], citations=cites, text=text)
            told |= new

    def _pair(self, step: Step) -> tuple[Quote | None, Quote | None]:
        """Quote both sides of a step; None for both if they cannot differ."""
        return (self._quote(*step.before), self._quote(*step.after)) if self._reached(step) else (None, None)

    def _changed(self, kind: str, step: Step, before: Quote, after: Quote) -> Iterator[WatchEvent]:
        if _duty(before) != _duty(after):
            yield self._duty_event(kind, step, before, after)

    def _duty_event(self, kind: str, step: Step, before: Quote, after: Quote) -> WatchEvent:
        day, known = step.after
        old, new, verb = before.assessed, after.assessed, "assessed"
        if kind == ENACTED and _duty(before) == _duty(after):
            old, new, verb = before.owed, after.owed, "owed"
        facts = self._sources(step, before, after)
        titles = "; ".join(self._law.measures[name].title for name in facts["measures"])
        words = [f"Duty {verb} of {usd(new)} a year from {day}, not {usd(old)}"]
        words += [f"prohibited by {', '.join(after.prohibited)}"] if after.prohibited else []
        return self._event(
            kind, known, day, before=old, after=new, amount=new - old, **facts, headings=_headings(after),
            text=f"{'; '.join(words)}{f': {titles}' if titles else ''}.",
        )  # fmt: skip

    def _sources(self, step: Step, before: Quote, after: Quote) -> dict[str, tuple[str, ...]]:
        """Name the measures whose layers differ, with the acts that changed them and their citations now."""
        differing = {_facts(layer) for layer in before.layers} ^ {_facts(layer) for layer in after.layers}
        names = tuple(sorted({name for name, *_ in differing}))
        zone, (day, known) = self._law.zones[IMPORT], step.after
        days = {day, day - DAY}
        acts = [
            act
            for name in names
            for act in self._law.acts[name]
            if act.known_from == known
            or any(at and at.astimezone(zone).date() in days for at in (act.start, act.until, act.to))
        ]
        cites = [cite for act in acts if published(act.known_from, known) for cite in act.change.cite]
        cites += [cite for layer in after.layers if layer.measure in names for cite in layer.citations]
        cites += [cite for name in names for cite in self._law.measures[name].cite]
        return {"measures": names, "citations": tuple(dict.fromkeys(cites))}

    def _savings(self, at: tuple[date, date], quote: Quote) -> dict[str, Decimal]:
        """Duty a year that each claim which is asked for would save, if it is made in full; those above 0."""
        (day, known), saved = at, dict[str, Decimal]()
        for claim in quote.missing_claims:
            value = _CLAIMED.get(self._law.claims[claim].type)
            goods = self._line.goods._replace(claims={**self._line.goods.claims, claim: value or ""})
            claimed = self._quoted(goods, day, known) if value else None
            if claimed and claimed.assessed < quote.assessed:
                saved[claim] = quote.assessed - claimed.assessed
        return saved

    # -- refunds -----------------------------------------------------------------------------------------------

    def refunds(self) -> Iterator[WatchEvent]:
        """Yield the time limits that end, each some days before, or when it is known that there is duty to claim."""
        days, widest = self._days, max(self._days.ahead, default=0)
        for name, ends, amount_on in self._time_limits():
            told = {ends - DAY * one for one in days.ahead}
            for known in sorted(told.union(days.published)):
                in_reach = days.start <= known <= days.end and known <= ends <= known + DAY * widest
                amount = amount_on(known) if in_reach else ZERO
                if amount and (known in told or not amount_on(known - DAY)):
                    text = (
                        f"The time limit of a {name} over duty not owed ends on {ends} for the first entries."
                    )
                    cites = self._law.refunds.limits[name].cite
                    yield self._event(
                        REFUND, known, ends, amount=amount, claim=name, citations=cites, text=text
                    )

    def _time_limits(self) -> Iterator[tuple[str, date, Callable[[date], Decimal]]]:
        """Yield the name and the last day of each limit, and the duty to claim back by it as known on a day."""
        limits, line = self._law.refunds.limits, self._line
        if SUIT in limits and line.entered:
            yield SUIT, limits[SUIT].ends(line.entered), partial(self._unowed, line.entered)
        elif SUIT in limits:
            for span in self._days.spans:
                yield SUIT, limits[SUIT].ends(span.first), partial(self._of_stretch, span)
        if PROTEST in limits and line.liquidated:
            first = line.liquidated - DAY * YEAR
            whole = (
                partial(self._unowed, line.entered)
                if line.entered
                else partial(self._of_days, first, line.liquidated)
            )
            yield PROTEST, limits[PROTEST].ends(line.liquidated), whole

    def _of_stretch(self, span: Span, known: date) -> Decimal:
        """Sum the duty not owed of the days in a row with as much of it a day; 0 if the day before had as much."""
        rate, last = self._unowed(span.first, known), span.last
        if rate == self._unowed(span.first - DAY, known):
            return ZERO
        for later in self._days.spans[span.number + 1 :]:
            if self._unowed(later.first, known) != rate:
                break
            last = later.last
        return self._of_days(span.first, last, known)

    def _of_days(self, first: date, last: date, known: date) -> Decimal:
        """Sum the duty not owed of entries on days up to the day of knowledge, a 365th of a year on each."""
        total, last = ZERO, min(last, known)
        for span in self._days.spans:
            days = (min(span.last, last) - max(span.first, first)).days + 1
            if days > 0:
                total += self._unowed(span.first, known) * days / YEAR
        return total.quantize(CENT, ROUND_HALF_UP)

    def _unowed(self, day: date, known: date) -> Decimal:
        """Duty assessed and not owed on the yearly value."""
        quote = self._quote(day, known)
        return ZERO if quote is None else quote.assessed - quote.owed


def _headings(quote: Quote) -> tuple[str, ...]:
    return tuple(sorted({one.heading for one in quote.headings}))


def _duty(quote: Quote) -> tuple[Decimal, tuple[str, ...]]:
    return quote.assessed, quote.prohibited


def _all_duty(quote: Quote) -> tuple[Decimal, Decimal, tuple[str, ...]]:
    return quote.assessed, quote.owed, quote.prohibited


def _facts(layer: QuoteLayer) -> tuple[str, str, str, Decimal, Decimal]:
    return layer.measure, layer.heading, layer.state, layer.amount, layer.owed


def _pending(quote: Quote) -> set[str]:
    return {note.message for note in quote.notes if note.reason == PENDING}
