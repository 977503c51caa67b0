"""Events of portfolios equal those of quoting every line on every day; nothing is said twice or lost."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import Quote, quote_line
from tariffs.engine.rating.law_fingerprint import law_fingerprint
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.firm.watch import watch_events
from tariffs.firm.watch_model import WatchEvent, WatchLine
from tests.unit.laws import make_law, measure

DAY = timedelta(days=1)
FIRST, LAST = date(2025, 1, 1), date(2028, 12, 31)
QUIET, QUIET_DAYS = 0.05, 10
"""Share of quiet days that are quoted, and their number among the days of the law."""
Fact = tuple[str, str, date, date, Decimal | None, Decimal | None]


def portfolio(count: int, seed: int = 33) -> list[WatchLine]:
    """Draw lines of the embedded table; some declare a claim, a quantity or days of their refund."""
    dice = random.Random(seed)
    table = reference_table().filter(pl.col("customs_value") > 0)
    rows = table[dice.sample(range(table.height), count)].iter_rows(named=True)
    lines = []
    for place, row in enumerate(rows):
        claims = {"usmca_share": "1"} if row["origin"] in {"MX", "CA"} and place % 2 else {}
        goods = EntryLine(row["hts"], row["origin"], Decimal(round(row["customs_value"])), claims=claims)
        liquidated = date(2026, 3, 1) + place % 9 * 20 * DAY if place % 3 == 0 else None
        lines.append(WatchLine(str(place), goods, date(2025, 5, 1) if place % 6 == 0 else None, liquidated))
    return lines


def quoted(law: Law, line: WatchLine, day: date, known: date) -> Quote | None:
    """Quote a line without any memory."""
    try:
        return quote_line(law, line.goods._replace(entry=day), known_on=known)
    except InputError:
        return None


def brute_force(law: Law, lines: Sequence[WatchLine], start: date, end: date, ahead: int) -> Iterator[Fact]:
    """Quote lines on each day of a period as known on it, and on each day of the law as known after each publication.

    Days on which nothing is published and no rate can change are drawn: some of them are quoted too.
    """
    dice, firsts = random.Random(start.toordinal()), effect_days(law)
    loud = {*firsts, *law.publication_days}
    for known in (start + DAY * place for place in range((end - start).days + 1)):
        if known in loud or dice.random() < QUIET:
            for line in lines:
                yield from today(law, line, known)
        day = known + DAY * ahead
        if day <= LAST and (day in firsts or dice.random() < QUIET):
            for line in lines:
                yield from changed(
                    "ahead", line, known, day, *(quoted(law, line, one, known) for one in (day - DAY, day))
                )
    yield from published(law, lines, [one for one in law.publication_days if start <= one <= end], dice)


def today(law: Law, line: WatchLine, day: date) -> Iterator[Fact]:
    """Compare the quote of a day as known on it with that of the day before."""
    before, after = quoted(law, line, day - DAY, day - DAY), quoted(law, line, day, day)
    yield from changed("rate_changed", line, day, day, before, after)
    if before and after:
        if {one.heading for one in before.headings} != {one.heading for one in after.headings}:
            yield "heading_changed", line.id, day, day, before.assessed, after.assessed
        was, now = saving(law, line, day - DAY, before), saving(law, line, day, after)
        for claim in now.keys() - was.keys():
            yield f"claim_worth {claim}", line.id, day, day, after.assessed, after.assessed - now[claim]


def published(
    law: Law, lines: Sequence[WatchLine], knowns: Sequence[date], dice: random.Random
) -> Iterator[Fact]:
    """Find the first day on which what was published on a day makes another duty, and pending acts."""
    enacted: set[tuple[str, date]] = set()
    said: set[tuple[str, date, str]] = set()
    quiet = (FIRST + DAY * dice.randrange((LAST - FIRST).days) for _ in range(QUIET_DAYS))
    for day in sorted({*effect_days(law), *quiet}):
        quotes: dict[Hashable, list[Shown | None]] = {}
        for known in knowns:
            sides = [state_of(law, day, one) for one in (known - DAY, known)]
            if sides[0] == sides[1]:
                if dice.random() >= QUIET:
                    continue
                quotes.clear()
            pair = []
            for side, one in zip(sides, (known - DAY, known), strict=True):
                if side not in quotes or sides[0] == sides[1]:
                    quotes[side] = [shown(quoted(law, line, day, one)) for line in lines]
                pair.append(quotes[side])
            for line, old, new in zip(lines, *pair, strict=True):
                if old is None or new is None:
                    continue
                if old.duty != new.duty and (line.id, known) not in enacted:
                    enacted.add((line.id, known))
                    by = int(old.duty[::2] == new.duty[::2])
                    before, after = (Decimal(str(one.duty[by])) for one in (old, new))
                    yield "enacted", line.id, known, day, before, after
                for note in new.pending - old.pending:
                    if (line.id, known, note) not in said:
                        yield "announced", line.id, known, day, None, None
                said |= {(line.id, known, note) for note in new.pending}


class Shown(NamedTuple):
    """Duty assessed and owed, what prohibits the goods, and the pending acts that a quote names."""

    duty: tuple[Decimal, Decimal, tuple[str, ...]]
    pending: frozenset[str]


def shown(quote: Quote | None) -> Shown | None:
    if quote is None:
        return None
    pending = frozenset(one.message for one in quote.notes if one.reason == "PENDING_ACT")
    return Shown((quote.assessed, quote.owed, quote.prohibited), pending)


def state_of(law: Law, day: date, known: date) -> Hashable:
    """Digest the law of a day as known on another: all duties, and the pending acts, which quotes depend on."""
    instant = entry_instant(law, day)
    pending = [one for one in law.line_notes if one.reason == "PENDING_ACT" and one.holds(instant, known)]
    return law_fingerprint(law, law.in_force(instant, known), instant, known), tuple(map(id, pending))


def changed(
    kind: str, line: WatchLine, known: date, day: date, before: Quote | None, after: Quote | None
) -> Iterator[Fact]:
    if before and after and (before.assessed, before.prohibited) != (after.assessed, after.prohibited):
        yield kind, line.id, known, day, before.assessed, after.assessed


def saving(law: Law, line: WatchLine, day: date, quote: Quote) -> dict[str, Decimal]:
    found = {}
    for claim in quote.missing_claims:
        kind = law.claims[claim].type
        if kind in {"share", "content", "bool"}:
            goods = line.goods._replace(claims={**line.goods.claims, claim: True if kind == "bool" else "1"})
            other = quoted(law, line._replace(goods=goods), day, day)
            if other and other.assessed < quote.assessed:
                found[claim] = quote.assessed - other.assessed
    return found


def facts(event: WatchEvent) -> Fact:
    kind = f"{event.kind} {event.claim}" if event.kind == "claim_worth" else event.kind
    return kind, event.line_id, event.known_on, event.effective_on, event.before, event.after


@cache
def effect_days(law: Law) -> Sequence[date]:
    """List the days at whose noon the law or the edition of the schedule may be another than the day before."""
    schedule, days = load_schedule(), [FIRST + DAY * place for place in range((LAST - FIRST).days + 1)]
    keys = [
        (bisect_right(law.boundaries, entry_instant(law, day)), schedule.edition_day(day)) for day in days
    ]
    return [FIRST, *(day for day, (one, other) in zip(days[1:], pairwise(keys), strict=True) if one != other)]


def windows(law: Law, scale: int) -> list[tuple[date, date]]:
    """Draw days of publication with the days beside them; the whole period at a scale of 40 or more."""
    if scale >= 40:
        return [(date(2025, 1, 2), date(2026, 10, 10))]
    days = [day for day in law.publication_days if date(2025, 1, 3) <= day < date(2026, 10, 10)]
    first = [date(2025, 4, 9), date(2026, 7, 23)]
    others = [day for day in days if day not in first]
    chosen = [*first, *random.Random(33).sample(others, min(2 * scale - len(first), len(others)))]
    return [(day - DAY, day + DAY) for day in chosen]


def test_events_are_those_of_quoting_every_day(scale: int) -> None:
    law = load_law()
    for start, end in windows(law, scale):
        lines = portfolio(5 * scale, seed=start.toordinal())
        found = {facts(event) for event in watch_events(law, lines, start, end).events}
        assert {one for one in found if one[0] != "refund_window"} == {
            *brute_force(law, lines, start, end, 30)
        }


def test_changes_of_rates_add_up_and_ids_are_those_of_the_line_alone() -> None:
    law, toys = load_law(), WatchLine("toys", EntryLine("9503000073", "VN", "365000"))
    lines = [*portfolio(3, seed=5), toys]
    start, end = date(2026, 2, 19), date(2026, 2, 26)
    found = watch_events(law, lines, start, end)
    # The decision of 20 February voids the duty of 10 percent from the day on which it began.
    (void,) = (event for event in found.events if (event.kind, event.line_id) == ("enacted", "toys"))
    assert (void.before, void.after, void.effective_on) == (Decimal(36500), Decimal(0), date(2025, 4, 5))
    ids = [event.id for event in found.events]
    assert len(ids) == len(set(ids)) > 0
    alone = [event for line in lines for event in watch_events(law, [line], start, end).events]
    assert {event.id for event in alone} == set(ids)
    for line in lines:
        first, last = quoted(law, line, start - DAY, start - DAY), quoted(law, line, end, end)
        moved = [one.amount for one in found.events if (one.kind, one.line_id) == ("rate_changed", line.id)]
        assert first is not None
        assert last is not None
        assert sum(filter(None, moved), Decimal(0)) == last.assessed - first.assessed
    assert all(event.citations for event in found.events if event.amount)


def test_the_end_of_a_time_limit_is_named_before_it_with_what_is_at_stake() -> None:
    law, goods = load_law(), EntryLine("9503000073", "VN", "365000")
    entered, liquidated = date(2025, 10, 1), date(2026, 8, 12)
    lines = [WatchLine("one entry", goods, entered, liquidated), WatchLine("flow", goods, None, liquidated)]
    found = watch_events(law, lines, date(2026, 10, 1), date(2026, 11, 1), ahead=[120]).events
    told = {(one.line_id, one.claim): one for one in found if one.kind == "refund_window"}
    # 20 percent from 2025-08-07; 180 days after the liquidation.
    one = told["one entry", "protest"]
    assert (one.known_on, one.effective_on) == (date(2026, 10, 11), date(2027, 2, 8))
    assert one.amount == Decimal("73000.00")
    owed = [quoted(law, lines[1], liquidated - DAY * place, one.known_on) for place in range(366)]
    assert told["flow", "protest"].amount == sum(
        ((q.assessed - q.owed) / 365 for q in owed if q), Decimal(0)
    ).quantize(Decimal("0.01"))
    assert one.citations == ("19 USC 1514(c)(3)",)


def test_rows_in_another_order_change_a_rate() -> None:
    rows = [{"origins": ["BB"], "rate": "10%"}, {"origins": ["PAIR"], "rate": "20%"}]
    duty = measure("duty", rows)
    duty["periods"].append({"id": "later", "from": "2025-07-01", "rows": rows[::-1]})
    lines = [WatchLine("a", EntryLine("9503000073", "BB", "1000"))]
    found = watch_events(make_law([duty]), lines, date(2025, 6, 30), date(2025, 7, 2)).events
    assert {facts(event)[3:] for event in found} == {(date(2025, 7, 1), Decimal(100), Decimal(200))}


def test_a_line_that_cannot_be_quoted_is_refused_alone() -> None:
    law, day = load_law(), date(2026, 7, 24)
    good, bad = (WatchLine(hts, EntryLine(hts, "CN", "1000")) for hts in ("9503000073", "9999"))
    found = watch_events(law, [bad, good], day, day)
    assert {place: error.reason for place, error in found.refused.items()} == {0: "HTS_CODE_UNKNOWN"}
    assert found.events == watch_events(law, [good], day, day).events != ()


@pytest.mark.parametrize("days", [(date(2025, 1, 1),) * 2, (date(2026, 1, 2), date(2026, 1, 1))])
def test_days_out_of_order_or_of_the_law_are_refused(days: tuple[date, date]) -> None:
    with pytest.raises(InputError, match="not in order"):
        watch_events(load_law(), [], *days)
