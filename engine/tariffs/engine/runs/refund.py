"""Compute refunds of entries: duty assessed under a void authority, by heading and collection window.

A refund is a transfer to the importer of record and never part of a price. It is assessed duty less owed duty of the
layers of the given authority, less drawback already claimed on them, plus interest at a rate the caller gives (19 USC
1505: from deposit to liquidation or reliquidation, compounded daily). Reported separately is the duty that retroactive
acts returned: duty as known on the entry day less duty as assessed now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law.conditions import ENTRY_DATE
from tariffs.engine.law.fee_tables import RefundRoute
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.line_duty.entries import UnreadLine, lines_by_entry
from tariffs.engine.line_duty.entry_dates import ENTRY, covered_moment, entry_moment, moment_notes, unread_of
from tariffs.engine.line_duty.entry_line import EntryLine, Number, read_charge
from tariffs.engine.line_duty.quote import Quote, QuoteLayer, quote_line

CENT, ZERO = Decimal("0.01"), Decimal(0)
# 19 USC 1505(c) and 26 USC 6622(a): interest compounds daily. The yearly rate is spread over 365 days, in leap years
# too; no text seen says otherwise (C).
DAYS_OF_YEAR = 365
DEPOSIT_DATE, LIQUIDATION_DATE, PAID_ON = "deposit_date", "liquidation_date", "paid_on"
REFUND_COLUMNS = (DEPOSIT_DATE, LIQUIDATION_DATE, "liquidation", "drawback")
_ON_CODES = frozenset({"HTS_CODE_REPAIRED", "COARSE_CODE", "SUFFIX_NOT_IN_VINTAGE"})
_ENDING = frozenset({"invalidate", "terminate", "expire"})


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Entry line with the refund columns of its file.

    `liquidation` is a state of `law/data/refunds.yaml`, or empty if unknown; `liquidated_on` and `deposited_on` are
    days (the deposit is the entry day if empty); `drawback` is US dollars already recovered on these duties.
    """

    line: EntryLine
    liquidation: str = ""
    liquidated_on: str = ""
    deposited_on: str = ""
    drawback: Number = ZERO


@dataclass(frozen=True, slots=True)
class RefundOptions:
    """`authority`: authorities to refund, those of the law if empty. `rate`: yearly interest, `7%` or 0.07, or None.

    Interest runs to `paid_on`, the law's as-of day if None; `known_on` is the day whose acts are assessed.
    """

    authority: tuple[str, ...] = ()
    rate: Number | None = None
    paid_on: date | None = None
    known_on: str | date | None = None


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


@dataclass(frozen=True, slots=True)
class EntryRefund:
    """Refund of one entry, in dollars and cents; sums of its rounded lines.

    `by_act` is the duty that retroactive acts returned; `refund` is `refundable` less `drawback`, never below 0;
    `route` is the refund procedure for the entry's liquidation state, available from `route_from`.
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
    headings: tuple[HeadingRefund, ...]
    notes: tuple[Note, ...]


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


TOTALS = ("deposited", "assessed", "owed", "by_act", "refundable", "drawback", "refund", "interest")


def refunds(
    law: Law, lines: Sequence[RefundLine | UnreadLine], options: RefundOptions | None = None
) -> Refunds:
    """Compute the refunds of entries under a law.

    Args:
        law: the law, after any scenario.
        lines: lines in any order; those of one `entry_id` are one entry.
        options: authorities and interest.

    Raises:
        InputError: REQUEST_INVALID for an unknown authority, PARAMETER_INVALID for an invalid interest rate,
            ENTRY_DATE_OUT_OF_COVERAGE for `paid_on`. Errors of a line are in `refused`.
    """
    options = options or RefundOptions()
    if options.paid_on:
        covered_moment(law, options.paid_on, PAID_ON)
    nodes = _nodes(law, options)
    rate = None if options.rate is None else user_rate(options.rate, "interest_rate")
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
    entries = [
        _entry(law, lines, members, rated, rate, options.paid_on or law.as_of)
        for members in lines_by_entry(_entry_id(line) for line in lines)
    ]
    total = {name: sum((getattr(entry, name) for entry in entries), ZERO) for name in TOTALS}
    merged = _merged(heading for entry in entries for heading in entry.headings)
    switches = {name: value for one in rated.values() for name, value in one.switches.items()}
    notes = unread_of(law, [one.day for one in rated.values()], options.known_on)
    return Refunds(tuple(entries), refused, nodes, merged, total, dict(sorted(switches.items())), notes)


def interest(amount: Decimal, rate: Decimal, start: date, end: date) -> Decimal:
    """Compute interest in dollars and cents, compounded daily over [start, end) at a yearly rate."""
    days = max(0, (end - start).days)
    grown = (1 + rate / DAYS_OF_YEAR) ** days
    return (amount * (grown - 1)).quantize(CENT, ROUND_HALF_UP)


# -- lines -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rated:
    day: date
    deposited_on: date
    state: str
    drawback: Decimal
    headings: tuple[HeadingRefund, ...]
    notes: tuple[Note, ...]
    switches: Mapping[str, str]


def _nodes(law: Law, options: RefundOptions) -> tuple[str, ...]:
    nodes = options.authority or (law.refunds.authority,)
    known = {parent for measure in law.measures.values() for parent in measure.parents}
    for node in nodes:
        if node not in known:
            raise InputError(
                "REQUEST_INVALID", f"The law has no authority {node!r}.", field="authority",
                fix="`tariffs law measures` lists them.",
            )  # fmt: skip
    return nodes


def _rate(law: Law, line: RefundLine, options: RefundOptions, nodes: tuple[str, ...]) -> _Rated:
    now = quote_line(law, line.line, known_on=options.known_on)
    then = quote_line(law, line.line, known_on=ENTRY)
    zone, formats = law.zones[IMPORT], line.line.date_formats
    entry = entry_moment(law, line.line.entry, IMPORT, formats.get(ENTRY_DATE, ""))
    day = entry.instant.astimezone(zone).date()
    deposited, deposit_notes = _day(law, line, DEPOSIT_DATE, line.deposited_on)
    state, notes = _state(law, line, options.paid_on or law.as_of)
    return _Rated(
        day=day,
        deposited_on=deposited or day,
        state=state,
        drawback=read_charge(line.drawback, "drawback"),
        headings=_headings(law, then, now, nodes),
        notes=(
            *(note for note in now.notes if note.reason in _ON_CODES),
            *moment_notes(ENTRY_DATE, entry),
            *deposit_notes,
            *notes,
        ),
        switches=_switches(now),
    )


def _switches(quote: Quote) -> Mapping[str, str]:
    switches = quote.provenance["switches"]
    return switches if isinstance(switches, Mapping) else {}


def _day(law: Law, line: RefundLine, name: str, text: str) -> tuple[date | None, tuple[Note, ...]]:
    """Read a day in a column of the entry's file, None if empty, with a note on its format."""
    if not text:
        return None, ()
    moment = covered_moment(law, text, name, IMPORT, line.line.date_formats.get(name, ""))
    return moment.instant.astimezone(law.zones[IMPORT]).date(), moment_notes(name, moment)


def _state(law: Law, line: RefundLine, on: date) -> tuple[str, tuple[Note, ...]]:
    """Read the liquidation state of an entry; an old liquidation becomes the later state that the law names."""
    name = line.liquidation.strip().lower()
    if not name:
        text = "No liquidation state is given, so no refund procedure is named."
        return "", (Note("LIQUIDATION_UNKNOWN", text),)
    states = law.refunds.states
    if name not in states:
        raise InputError(
            "LIQUIDATION_INVALID", f"{line.liquidation!r} is not a liquidation state.", field="liquidation",
            fix=f"Use one of: {', '.join(states)}.",
        )  # fmt: skip
    liquidated, notes = _day(law, line, LIQUIDATION_DATE, line.liquidated_on)
    within, later = states[name].within_days, states[name].later
    if within and liquidated and on > liquidated + timedelta(days=within):
        text = f"Liquidated on {liquidated}, more than {within} days before {on}; treated as {later}."
        return later, (*notes, Note("LIQUIDATION_LATE", text))
    return name, notes


def _headings(law: Law, then: Quote, now: Quote, nodes: tuple[str, ...]) -> tuple[HeadingRefund, ...]:
    deposited = (_heading(law, layer, deposited=True) for layer in then.layers if _counts(law, layer, nodes))
    assessed = (_heading(law, layer, deposited=False) for layer in now.layers if _counts(law, layer, nodes))
    return _merged([*deposited, *assessed])


def _counts(law: Law, layer: QuoteLayer, nodes: tuple[str, ...]) -> bool:
    return layer.amount > 0 and any(
        node in law.measures[layer.measure].parents for node in nodes
    )  # fmt: skip


def _heading(law: Law, layer: QuoteLayer, *, deposited: bool) -> HeadingRefund:
    start, end = _window(law, layer)
    if deposited:
        return HeadingRefund(layer.measure, layer.heading, start, end, layer.amount, ZERO, ZERO)
    return HeadingRefund(layer.measure, layer.heading, start, end, ZERO, layer.amount, layer.owed)


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


def _merged(headings: Iterable[HeadingRefund]) -> tuple[HeadingRefund, ...]:
    sums: dict[tuple[str, str, str, str], HeadingRefund] = {}
    for one in headings:
        key = (one.measure, one.heading, one.start, one.end)
        had = sums.get(key, HeadingRefund(*key, ZERO, ZERO, ZERO))
        money = (had.deposited + one.deposited, had.assessed + one.assessed, had.owed + one.owed)
        sums[key] = HeadingRefund(*key, *money)
    return tuple(sorted(sums.values(), key=lambda one: (one.start, one.heading, one.measure)))


# -- entries ---------------------------------------------------------------------------------------------------


def _entry_id(line: RefundLine | UnreadLine) -> str:
    return line.entry_id if isinstance(line, UnreadLine) else line.line.entry_id


def _entry(
    law: Law,
    lines: Sequence[RefundLine | UnreadLine],
    members: tuple[int, ...],
    rated: Mapping[int, _Rated],
    rate: Decimal | None,
    paid_on: date,
) -> EntryRefund:
    good = [rated[index] for index in members if index in rated]
    headings = _merged(heading for one in good for heading in one.headings)
    state = next((one.state for one in good if one.state), "")
    route = law.refunds.states.get(state, RefundRoute())
    refundable = [sum((h.refundable for h in one.headings), ZERO) for one in good]
    kept = [max(ZERO, amount - one.drawback) for amount, one in zip(refundable, good, strict=True)]
    deposited, assessed, owed = (
        sum((getattr(h, name) for h in headings), ZERO) for name in ("deposited", "assessed", "owed")
    )
    return EntryRefund(
        entry_id=_entry_id(lines[members[0]]),
        day=min((one.day for one in good), default=None),
        lines=members,
        refused=len(members) - len(good),
        liquidation=state,
        route=route.route,
        route_from=route.start,
        deposited=deposited,
        assessed=assessed,
        owed=owed,
        by_act=deposited - assessed,
        refundable=assessed - owed,
        drawback=sum((one.drawback for one in good), ZERO),
        refund=sum(kept, ZERO),
        interest=_interest(good, kept, rate, paid_on),
        headings=headings,
        notes=(
            *_notes(good, refundable, len(members) - len(good)),
            *(() if rate is None else _interest_notes(good, paid_on)),
        ),
    )


def _interest_notes(good: Sequence[_Rated], paid_on: date) -> tuple[Note, ...]:
    last = max((one.deposited_on for one in good), default=paid_on)
    if last <= paid_on:
        return ()
    text = f"Interest ends on {paid_on}, before the deposit on {last}; such a deposit bears no interest."
    return (Note("INTEREST_BEFORE_DEPOSIT", text),)


def _interest(
    good: Sequence[_Rated], kept: Sequence[Decimal], rate: Decimal | None, paid_on: date
) -> Decimal:
    if rate is None:
        return ZERO
    return sum(
        (interest(amount, rate, one.deposited_on, paid_on) for one, amount in zip(good, kept, strict=True)),
        ZERO,
    )


def _notes(good: Sequence[_Rated], refundable: Sequence[Decimal], refused: int) -> tuple[Note, ...]:
    notes = [note for one in good for note in one.notes]
    if len({one.state for one in good}) > 1:
        notes.append(
            Note("LIQUIDATION_DIFFERS", "Its lines have different liquidation states; the first is used.")
        )
    if any(one.drawback > amount for one, amount in zip(good, refundable, strict=True)):
        notes.append(
            Note("DRAWBACK_EXCEEDS", "The drawback of a line exceeds its refundable duty; its refund is 0.")
        )
    if refused:
        notes.append(
            Note("ENTRY_INCOMPLETE", f"{refused} of its lines were refused and are not in its sums.")
        )
    return tuple(dict.fromkeys(notes))
