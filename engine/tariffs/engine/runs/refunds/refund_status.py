"""Liquidation status of an entry: its state on a day, the refund procedure, and the time limits that bear on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.law.refund_terms import PROTEST, SUIT, RefundRoute

LIQUIDATION, LIQUIDATION_DATE, RELIQUIDATION_DATE = "liquidation", "liquidation_date", "reliquidation_date"


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
        raise InputError(
            "LIQUIDATION_INVALID", f"{given!r} is not a liquidation state.", field=LIQUIDATION,
            fix=f"Use one of: {', '.join(states)}.",
        )  # fmt: skip
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
            raise InputError(
                "LIQUIDATION_INVALID", f"{field} is {day}, before the {event} of {earliest}.", field=field,
                fix="Give the day on which this entry was liquidated, or leave it empty.",
            )  # fmt: skip
    if days.liquidated and route and not route.liquidated:
        raise InputError(
            "LIQUIDATION_INVALID", f"The entry is {name}, and liquidated on {days.liquidated}.",
            field=LIQUIDATION_DATE, fix=f"Leave {LIQUIDATION_DATE} empty, or give the state the entry has since then.",
        )  # fmt: skip


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
