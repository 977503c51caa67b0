"""Liquidation status of an entry, and interest on refunds.

The status is a state on a day, the refund procedure, and the time limits that bear on it. Interest is at yearly rates
by quarter and payer, or at one rate of the caller, compounded daily. 19 USC 1505(c): from the deposit of the duty to
the liquidation or reliquidation that returns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.refund_terms import PROTEST, SUIT, RefundRoute
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.line_duty.entry_line import Number

LIQUIDATION, LIQUIDATION_DATE, RELIQUIDATION_DATE = "liquidation", "liquidation_date", "reliquidation_date"
CENT = Decimal("0.01")
# 19 USC 1505(c) and 26 USC 6622(a): interest compounds daily. The yearly rate is spread over 365 days, in leap years
# too; no text seen says otherwise (C).
DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True)
class EntryDays:
    """Days of an entry: entered, liquidated, its duty deposited, reliquidated; None if not known."""

    entered: date
    liquidated: date | None
    deposited: date
    reliquidated: date | None


@dataclass(frozen=True, slots=True)
class LiquidationStatus:
    """State of `law/data/refunds.yaml`, empty if unknown; last days for a protest and a suit, None if none is known."""

    state: str
    route: RefundRoute
    protest_by: date | None = None
    suit_by: date | None = None
    notes: tuple[Note, ...] = ()


def liquidation_status(law: Law, given: str, days: EntryDays, on: date) -> LiquidationStatus:
    """Find the status on a day; an old liquidation takes the later state that the law names.

    Raises:
        InputError: LIQUIDATION_INVALID for an unknown state, a liquidation before the entry, or the day of one with a
            state before liquidation.
    """
    name = given.strip().lower()
    states = law.refunds.states
    if name and name not in states:
        why, fix = f"{given!r} is not a liquidation state.", f"Use one of: {', '.join(states)}."
        raise InputError("LIQUIDATION_INVALID", why, field=LIQUIDATION, fix=fix)
    _check_days(days, name, states.get(name))
    if not name:
        text = "No liquidation state is given, so no refund procedure is named."
        return LiquidationStatus("", RefundRoute(), notes=(Note("LIQUIDATION_UNKNOWN", text),))
    state, notes = _later_state(states, name, days.liquidated, on)
    route = states[state]
    protest_by = suit_by = None
    if PROTEST in route.limits and days.liquidated:
        protest_by = law.refunds.limits[PROTEST].ends(days.liquidated)
    if SUIT in route.limits:
        suit_by = law.refunds.limits[SUIT].ends(days.deposited)
        if suit_by < on:
            notes = (*notes, Note("SUIT_LATE", f"The time limit for a suit ended on {suit_by}, before {on}."))
    if PROTEST in route.limits and not days.liquidated:
        text = "No liquidation_date is given, so the time limit for a protest is not known."
        notes = (*notes, Note("LIQUIDATION_DAY_UNKNOWN", text))
    return LiquidationStatus(state, route, protest_by, suit_by, notes)


def _check_days(days: EntryDays, name: str, route: RefundRoute | None) -> None:
    after = days.liquidated or days.entered
    for field, day, earliest in (
        (LIQUIDATION_DATE, days.liquidated, days.entered),
        (RELIQUIDATION_DATE, days.reliquidated, after),
    ):
        if day and day < earliest:
            event = "liquidation" if earliest == days.liquidated else "entry"
            why = f"{field} is {day}, before the {event} of {earliest}."
            fix = "Give the day on which this entry was liquidated, or leave it empty."
            raise InputError("LIQUIDATION_INVALID", why, field=field, fix=fix)
    if days.liquidated and route and not route.liquidated:
        why = f"The entry is {name}, and liquidated on {days.liquidated}."
        fix = f"Leave {LIQUIDATION_DATE} empty, or give the state the entry has since then."
        raise InputError("LIQUIDATION_INVALID", why, field=LIQUIDATION_DATE, fix=fix)


def _later_state(
    states: Mapping[str, RefundRoute], name: str, liquidated: date | None, on: date
) -> tuple[str, tuple[Note, ...]]:
    state, passed = name, 0
    while liquidated and states[state].later and on > liquidated + timedelta(days=states[state].within_days):
        passed, state = states[state].within_days, states[state].later
    if state == name:
        return name, ()
    text = f"Liquidated on {liquidated}, more than {passed} days before {on}; treated as {state}."
    return state, (Note("LIQUIDATION_LATE", text),)


@dataclass(frozen=True, slots=True)
class YearlyRates:
    """Yearly rates, each from its day to that of the next; the first holds before its day too, the last without end.

    Rates are published for days before `published_to`; None if they are not those of the law.
    """

    steps: tuple[tuple[date, Decimal], ...]
    published_to: date | None = None

    def growth(self, start: date, end: date) -> Decimal:
        """Factor by which an amount grows over [start, end)."""
        grown = Decimal(1)
        ends = [day for day, _ in self.steps[1:]]
        for (first, rate), last in zip(self.steps, [*ends, end], strict=True):
            begin = start if first == self.steps[0][0] else max(start, first)
            grown *= (1 + rate / DAYS_OF_YEAR) ** max(0, (min(end, last) - begin).days)
        return grown


def interest_rates(law: Law, given: Number | None) -> YearlyRates | None:
    """Rates of a payer of the law by name, or the one rate given as `7%` or 0.07; None without interest.

    Raises:
        InputError: PARAMETER_INVALID for any other text or a rate out of bounds.
    """
    if given is None:
        return None
    table = law.refunds.interest
    name = given.strip().lower() if isinstance(given, str) else ""
    if name in table.by_payer:
        return YearlyRates(table.by_payer[name], table.end)
    if name.isalpha():
        raise InputError(
            "PARAMETER_INVALID", f"interest_rate is {name[:40]!r}.", field="interest_rate",
            fix=f"Give a payer ({', '.join(table.by_payer)}) or a yearly rate such as 7%.",
        )  # fmt: skip
    return YearlyRates(((date.min, user_rate(given, "interest_rate")),))


def interest(amount: Decimal, rates: YearlyRates, start: date, end: date) -> Decimal:
    """Compute interest in dollars and cents over [start, end)."""
    return (amount * (rates.growth(start, end) - 1)).quantize(CENT, ROUND_HALF_UP)
