"""Compute refunds of entries: duty assessed under a void authority, by heading and collection window.

A refund is a transfer to the importer of record and never part of a price. It is assessed duty less owed duty of the
layers of the given authority, less drawback already claimed on them, plus interest at the rates of the law or the one
the caller gives. Reported separately is the duty that retroactive acts returned, with its interest: duty as known on
the entry day less duty as assessed now. What comes back under other authorities is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.refund_terms import RefundRoute
from tariffs.engine.line_duty.entries import UnreadLine, lines_by_entry
from tariffs.engine.line_duty.entry_dates import ENTRY, covered_moment, entry_moment, moment_notes, unread_of
from tariffs.engine.line_duty.entry_line import EntryLine, Number, read_charge
from tariffs.engine.line_duty.quote import Quote, QuoteLayer, quote_line
from tariffs.engine.runs.refunds.refund_status import (
    LIQUIDATION,
    LIQUIDATION_DATE,
    RELIQUIDATION_DATE,
    EntryDays,
    LiquidationStatus,
    YearlyRates,
    interest,
    interest_rates,
    liquidation_status,
)

ZERO = Decimal(0)
_ENDING = frozenset({"invalidate", "terminate", "expire"})


@dataclass(frozen=True, slots=True)
class HeadingRefund:
    """Refund of one heading of one measure in one collection window [start, end), of one entry or all; US dollars.

    `deposited` is the duty as known on the entry day, `assessed` as known now, `owed` the part still due.
    """

    measure: str
    heading: str
    start: str
    end: str
    deposited: Decimal
    assessed: Decimal
    owed: Decimal

    @property
    def refundable(self) -> Decimal:
        """Assessed duty that is not owed."""
        return self.assessed - self.owed


def heading_refunds(law: Law, then: Quote, now: Quote, nodes: tuple[str, ...]) -> tuple[HeadingRefund, ...]:
    """Refunds of a line by heading, from its duty as known on the entry day and as known now."""
    money = [(layer, (layer.amount, ZERO, ZERO)) for layer in then.layers]
    money += [(layer, (ZERO, layer.amount, layer.owed)) for layer in now.layers]
    return merged_headings(
        HeadingRefund(layer.measure, layer.heading, *_window(law, layer), *amounts)
        for layer, amounts in money
        if layer.amount > 0 and not set(nodes).isdisjoint(law.measures[layer.measure].parents)
    )


def given_back_elsewhere(law: Law, then: Quote, now: Quote, nodes: tuple[str, ...]) -> Mapping[str, Decimal]:
    """Sum duty given back under other authorities, by authority; empty if none is in total."""
    sums: dict[str, Decimal] = {}
    deposited = [(layer.measure, layer.amount) for layer in then.layers]
    for name, amount in (*deposited, *((layer.measure, -layer.owed) for layer in now.layers)):
        measure = law.measures[name]
        if set(nodes).isdisjoint(measure.parents):
            sums[measure.authority] = sums.get(measure.authority, ZERO) + amount
    back = {authority: amount for authority, amount in sums.items() if amount > 0}
    return back if sum(sums.values(), ZERO) > 0 else {}


def _window(law: Law, layer: QuoteLayer) -> tuple[str, str]:
    """Find the days [start, end) in which the period of a layer was collected; an open end is empty."""
    measure, zone = law.measures[layer.measure], law.zones[IMPORT]
    period = next((p for p in measure.periods if p.id == layer.period), None)
    if period is None or period.start is None:
        return "", ""
    ends: list[datetime | None] = [p.start for p in measure.periods if p.start and p.start > period.start]
    ending = [a for a in law.acts[measure.id] if a.change.op in _ENDING and a.scope.is_any]
    ends += [act.collection_stop or act.start for act in ending]
    closed = [end for end in (*ends, period.end) if end is not None and end > period.start]
    last = min(closed).astimezone(zone).date().isoformat() if closed else ""
    return period.start.astimezone(zone).date().isoformat(), last


def merged_headings(headings: Iterable[HeadingRefund]) -> tuple[HeadingRefund, ...]:
    """Sum refunds of the same measure, heading and window, in order of the windows."""
    sums: dict[tuple[str, str, str, str], HeadingRefund] = {}
    for one in headings:
        key = (one.measure, one.heading, one.start, one.end)
        had = sums.get(key, HeadingRefund(*key, ZERO, ZERO, ZERO))
        money = (had.deposited + one.deposited, had.assessed + one.assessed, had.owed + one.owed)
        sums[key] = HeadingRefund(*key, *money)
    return tuple(sorted(sums.values(), key=lambda one: (one.start, one.heading, one.measure)))


DEPOSIT_DATE, PAID_ON = "deposit_date", "paid_on"
REFUND_COLUMNS = (DEPOSIT_DATE, LIQUIDATION_DATE, RELIQUIDATION_DATE, LIQUIDATION, "drawback")
_ON_CODES = frozenset({"HTS_CODE_REPAIRED", "COARSE_CODE", "SUFFIX_NOT_IN_VINTAGE"})
NO_STATUS = LiquidationStatus("", RefundRoute())


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Entry line with the refund columns of its file.

    `liquidation` is a state of `law/data/refunds.yaml`, or empty if unknown; `liquidated_on`, `deposited_on` and
    `reliquidated_on` are days (the deposit is the entry day if empty); `drawback` is US dollars already recovered on
    these duties.
    """

    line: EntryLine
    liquidation: str = ""
    liquidated_on: str = ""
    deposited_on: str = ""
    drawback: Number = ZERO
    reliquidated_on: str = ""


@dataclass(frozen=True, slots=True)
class RefundOptions:
    """`authority`: authorities to refund, those of the law if empty.

    `rate` is a payer of the law's table of interest, a yearly rate such as `7%` or 0.07, or None for no interest.
    Interest runs to the reliquidation of a line, else to `paid_on`, the law's as-of day if None; `known_on` is the day
    whose acts are assessed.
    """

    authority: tuple[str, ...] = ()
    rate: Number | None = None
    paid_on: date | None = None
    known_on: str | date | None = None


@dataclass(frozen=True, slots=True)
class EntryRefund:
    """Refund of one entry, in dollars and cents; sums of its rounded lines.

    `by_act` is the duty that retroactive acts returned; `refund` is `refundable` less `drawback`, never below 0;
    `route` is the refund procedure for the entry's liquidation state, available from `route_from`; `protest_by` and
    `suit_by` are the last days for these, None if not known or not open to the state.
    """

    entry_id: str
    day: date | None
    lines: tuple[int, ...]
    refused: int
    liquidation: str
    route: str
    route_from: str
    deposited: Decimal
    assessed: Decimal
    owed: Decimal
    by_act: Decimal
    refundable: Decimal
    drawback: Decimal
    refund: Decimal
    interest: Decimal
    interest_by_act: Decimal
    headings: tuple[HeadingRefund, ...]
    notes: tuple[Note, ...]
    protest_by: date | None = None
    suit_by: date | None = None


@dataclass(frozen=True, slots=True)
class Refunds:
    """Refunds of all entries in the order of their first line, refused lines, and sums over all."""

    entries: tuple[EntryRefund, ...]
    refused: Mapping[int, TariffsError]
    authority: tuple[str, ...]
    headings: tuple[HeadingRefund, ...]
    total: Mapping[str, Decimal]
    switches: Mapping[str, str]
    notes: tuple[Note, ...]


TOTALS = ("deposited", "assessed", "owed", "by_act", "refundable", "drawback", "refund", "interest",
          "interest_by_act")  # fmt: skip


def refunds(
    law: Law, lines: Sequence[RefundLine | UnreadLine], options: RefundOptions | None = None
) -> Refunds:
    """Compute the refunds of entries under a law; lines of one `entry_id`, in any order, are one entry.

    Raises:
        InputError: REQUEST_INVALID for an unknown authority, PARAMETER_INVALID for an invalid interest rate,
            ENTRY_DATE_OUT_OF_COVERAGE for `paid_on`. Errors of a line are in `refused`.
    """
    options = options or RefundOptions()
    if options.paid_on:
        covered_moment(law, options.paid_on, PAID_ON)
    nodes = options.authority or (law.refunds.authority,)
    known = {parent for measure in law.measures.values() for parent in measure.parents}
    for node in nodes:
        if node not in known:
            why, fix = f"The law has no authority {node!r}.", "`tariffs law measures` lists them."
            raise InputError("REQUEST_INVALID", why, field="authority", fix=fix)
    rates = interest_rates(law, options.rate)
    rated: dict[int, _Rated] = {}
    refused: dict[int, TariffsError] = {}
    for index, line in enumerate(lines):
        checkpoint()
        try:
            if isinstance(line, UnreadLine):
                raise line.error
            rated[index] = _rate(law, line, options, nodes)
        except TariffsError as error:
            refused[index] = error
    members = lines_by_entry(_entry_id(line) for line in lines)
    entries = [_entry(_entry_id(lines[of[0]]), of, rated, rates) for of in members]
    total = {name: sum((getattr(entry, name) for entry in entries), ZERO) for name in TOTALS}
    headings = merged_headings(heading for entry in entries for heading in entry.headings)
    switches = {name: value for one in rated.values() for name, value in one.switches.items()}
    notes = unread_of(law, [one.day for one in rated.values()], options.known_on)
    return Refunds(tuple(entries), refused, nodes, headings, total, dict(sorted(switches.items())), notes)


@dataclass(frozen=True, slots=True)
class _Rated:
    day: date
    deposited_on: date
    interest_to: date
    status: LiquidationStatus
    drawback: Decimal
    headings: tuple[HeadingRefund, ...]
    elsewhere: Mapping[str, Decimal]
    notes: tuple[Note, ...]
    switches: Mapping[str, str]

    @property
    def refundable(self) -> Decimal:
        return sum((heading.refundable for heading in self.headings), ZERO)

    @property
    def refund(self) -> Decimal:
        return max(ZERO, self.refundable - self.drawback)

    @property
    def by_act(self) -> Decimal:
        return sum((heading.deposited - heading.assessed for heading in self.headings), ZERO)


def _rate(law: Law, line: RefundLine, options: RefundOptions, nodes: tuple[str, ...]) -> _Rated:
    now = quote_line(law, line.line, known_on=options.known_on)
    then = quote_line(law, line.line, known_on=ENTRY)
    zone, formats = law.zones[IMPORT], line.line.date_formats
    entry = entry_moment(law, line.line.entry, IMPORT, formats.get(ENTRY_DATE, ""))
    day = entry.instant.astimezone(zone).date()
    on = options.paid_on or law.as_of
    given = line.deposited_on, line.liquidated_on, line.reliquidated_on
    names = DEPOSIT_DATE, LIQUIDATION_DATE, RELIQUIDATION_DATE
    read = [_day(law, line, name, text) for name, text in zip(names, given, strict=True)]
    deposited, liquidated, reliquidated = (of_name for of_name, _ in read)
    days = EntryDays(day, liquidated, deposited or day, reliquidated)
    status = liquidation_status(law, line.liquidation, days, on)
    return _Rated(
        day=day,
        deposited_on=days.deposited,
        interest_to=reliquidated or on,
        status=status,
        drawback=read_charge(line.drawback, "drawback"),
        headings=heading_refunds(law, then, now, nodes),
        elsewhere=given_back_elsewhere(law, then, now, nodes),
        notes=(
            *(note for note in now.notes if note.reason in _ON_CODES),
            *moment_notes(ENTRY_DATE, entry),
            *(note for _, notes in read for note in notes),
            *status.notes,
        ),
        switches=cast("Mapping[str, str]", now.provenance["switches"]),
    )


def _day(law: Law, line: RefundLine, name: str, text: str) -> tuple[date | None, tuple[Note, ...]]:
    """Read a day in a column of the entry's file, None if empty, with a note on its format."""
    if not text:
        return None, ()
    moment = covered_moment(law, text, name, IMPORT, line.line.date_formats.get(name, ""))
    return moment.instant.astimezone(law.zones[IMPORT]).date(), moment_notes(name, moment)


def _entry_id(line: RefundLine | UnreadLine) -> str:
    return line.entry_id if isinstance(line, UnreadLine) else line.line.entry_id


def _entry(
    entry_id: str, members: tuple[int, ...], rated: Mapping[int, _Rated], rates: YearlyRates | None
) -> EntryRefund:
    good = [rated[index] for index in members if index in rated]
    headings = merged_headings(heading for one in good for heading in one.headings)
    status = next((one.status for one in good if one.status.state), NO_STATUS)
    names = "deposited", "assessed", "owed"
    deposited, assessed, owed = (sum((getattr(h, name) for h in headings), ZERO) for name in names)
    return EntryRefund(
        entry_id=entry_id,
        day=min((one.day for one in good), default=None),
        lines=members,
        refused=len(members) - len(good),
        liquidation=status.state,
        route=status.route.route,
        route_from=status.route.start,
        deposited=deposited,
        assessed=assessed,
        owed=owed,
        by_act=deposited - assessed,
        refundable=assessed - owed,
        drawback=sum((one.drawback for one in good), ZERO),
        refund=sum((one.refund for one in good), ZERO),
        interest=_interest(rates, [(one, one.refund) for one in good]),
        interest_by_act=_interest(rates, [(one, max(ZERO, one.by_act)) for one in good]),
        headings=headings,
        notes=tuple(dict.fromkeys((*_notes(good, len(members) - len(good)), *_interest_notes(rates, good)))),
        protest_by=status.protest_by,
        suit_by=status.suit_by,
    )


def _interest(rates: YearlyRates | None, amounts: Iterable[tuple[_Rated, Decimal]]) -> Decimal:
    if rates is None:
        return ZERO
    return sum((interest(amount, rates, one.deposited_on, one.interest_to) for one, amount in amounts), ZERO)


def _interest_notes(rates: YearlyRates | None, good: Sequence[_Rated]) -> Iterable[Note]:
    if rates is None:
        return
    late = next((one for one in good if one.deposited_on > one.interest_to), None)
    if late:
        text = f"Interest ends on {late.interest_to}, before the deposit on {late.deposited_on}; such a deposit bears "
        yield Note("INTEREST_BEFORE_DEPOSIT", f"{text}no interest.")
    end = rates.published_to
    if end and any(one.interest_to > end for one in good):
        text = f"Rates are published to {end}; the last of them is used after it."
        yield Note("INTEREST_RATE_UNPUBLISHED", text)


def _notes(good: Sequence[_Rated], refused: int) -> Iterable[Note]:
    for one in good:
        yield from one.notes
    if len({one.status.state for one in good}) > 1:
        yield Note("LIQUIDATION_DIFFERS", "Its lines have different liquidation states; the first is used.")
    if any(one.drawback > one.refundable for one in good):
        yield Note("DRAWBACK_EXCEEDS", "The drawback of a line exceeds its refundable duty; its refund is 0.")
    elsewhere: dict[str, Decimal] = {}
    for authority, amount in (item for one in good for item in one.elsewhere.items()):
        elsewhere[authority] = elsewhere.get(authority, ZERO) + amount
    if elsewhere:
        listed = ", ".join(f"{authority} {amount:,.2f}" for authority, amount in sorted(elsewhere.items()))
        text = f"Also given back under other authorities: USD {listed}. The sums have them if `authority` names them."
        yield Note("GIVEN_BACK_ELSEWHERE", text)
    if refused:
        yield Note("ENTRY_INCOMPLETE", f"{refused} of its lines were refused and are not in its sums.")
