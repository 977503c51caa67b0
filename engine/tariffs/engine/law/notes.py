"""Notes on the law behind an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.measure_state import known
from tariffs.engine.law.model import Measure, Scope
from tariffs.engine.law.suspensions import suspended_scopes, suspensions_of


@dataclass(frozen=True, slots=True)
class Note:
    """A note on an answer; `reason` is a stable name, `message` a sentence."""

    reason: str
    message: str


def unread(law: Law, day: date, known_on: date) -> tuple[Note, ...]:
    """Note that an answer is for a day after the last one to which acts have been read.

    Args:
        day: the last day that the answer is for.
        known_on: the day whose acts count; if all of those have been read there is no note.
    """
    if day <= law.read_to or known_on <= law.read_to:
        return ()
    text = f"Acts have been read to {law.read_to.isoformat()}; later acts are not in the answer."
    return (Note("LAW_READ_TO", text),)


def mode_assumed(heading: str, lines: str) -> Note:
    """Note that a relief for goods on vessels is granted though the mode of transport of lines is not declared."""
    return Note(
        "MODE_ASSUMED",
        f"{heading} is for goods loaded onto a vessel and in transit by it; the mode of transport of {lines} is not "
        "declared, and taken as ocean.",
    )


def void_suspensions(
    law: Law,
    instant: datetime,
    known_on: date,
    reaches: Callable[[Scope], bool],
    market: str = IMPORT,
) -> list[Note]:
    """Note suspensions whose end had no effect because the measure was void by then.

    Args:
        reaches: tests whether a scope holds some of the goods.
    """
    notes = []
    for measure in law.measures.values():
        if measure.market != market:
            continue
        note = _void_suspension(law, measure, instant, known_on, reaches)
        if note and law.state_of(measure, instant, known_on) is None:
            notes.append(note)
    return notes


def _void_suspension(
    law: Law, measure: Measure, instant: datetime, known_on: date, reaches: Callable[[Scope], bool]
) -> Note | None:
    acts = [a for a in known(law.acts[measure.id], known_on) if law.switched(a.change.switch)]
    restored = max((a.order for a in acts if a.change.op == "revalidate"), default=-1)
    void = [
        a
        for a in acts
        if a.change.op == "invalidate" and a.order > restored and a.start and a.start <= instant
    ]
    if not void:
        return None
    over = [
        one.window.until
        for one in suspensions_of(acts)
        if one.window.until
        and one.window.until <= instant
        and any(map(reaches, suspended_scopes(measure, one)))
    ]
    if not over:
        return None
    stop = void[-1].collection_stop or void[-1].start
    if stop is None or max(over) < stop:
        return None
    zone = law.zones[measure.market]
    parent = void[-1].change.selector.authority or measure.id
    return Note(
        "PARENT_VOID",
        f"{measure.id}: the end of its suspension on {max(over).astimezone(zone):%Y-%m-%d} had no effect: the duty "
        f"was void ({parent}, invalidated {void[-1].change.start[:10]}, collection stopped "
        f"{stop.astimezone(zone):%Y-%m-%d}).",
    )
