"""Notes on a scenario at the days it is asked about: what it does not change, and changes that begin later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.scenario.check import problems_of
from tariffs.engine.scenario.describe import describe_change
from tariffs.engine.scenario.model import Scenario
from tariffs.engine.scenario.named import components, library, lineage

_DAY = len("2025-11-10")
_CHANGES_SHOWN = 4


def day_notes(scenario: Scenario, first: date, last: date) -> list[Note]:
    """List the notes on a scenario that is asked about on the days from the first to the last.

    Args:
        scenario: the scenario, or a mixture.
        last: the last day, included.
    """
    steps = [step for step in lineage(scenario, library()) if not step.mixture]
    notes = [note for step in (scenario, *steps) for note in _validity_notes(step, first, last)]
    later = [change for step in steps for change in step.changes if begins(change) > f"{last}"]
    if later:
        shown = "; ".join(dict.fromkeys(map(_describe, later[:_CHANGES_SHOWN])))
        more = f"; and {len(later) - _CHANGES_SHOWN} more" if len(later) > _CHANGES_SHOWN else ""
        text = f"{scenario.id} is asked about up to {last}, before changes of it begin: {shown}{more}."
        notes.append(Note("CHANGE_BEGINS_LATER", text))
    return list(dict.fromkeys(notes))


def scenario_notes(law: Law, scenario: Scenario, first: date, last: date) -> list[Note]:
    """List warnings on a scenario under a law, asked about on the days from first to last, and its free changes."""
    notes = [Note(problem.reason, problem.message) for problem in problems_of(scenario, law)]
    notes += day_notes(scenario, first, last)
    for _, part in components(scenario):
        for step in lineage(part, library()):
            notes += [note for change in step.changes if (note := _change_note(change))]
    return notes


def _change_note(change: Change) -> Note | None:
    if change.op == "announce":
        text = f"{describe_change(change)}: announced without a legal instrument; it charges nothing."
        return Note("ANNOUNCED", text)
    if change.op == "shock_quantity":
        return Note(
            "QUANTITY_SHOCK",
            f"{describe_change(change)}: where it binds, goods have a premium (or subsidy) that keeps it, and others "
            "replace them in part. A static run does not change quantities.",
        )
    return None


def begins(change: Change) -> str:
    """Day on which a change begins, as ISO text: of a measure that is added, its first; empty if none is written."""
    return (change.start or min(_period_starts(change.measure), default=""))[:_DAY]


def _period_starts(measure: Mapping[str, Any]) -> Iterator[str]:
    for period in measure.get("periods", ()):
        yield str(period.get("from", ""))


def _describe(change: Change) -> str:
    text, day = describe_change(change), begins(change)
    return text if day in text else f"{text} from {day}"


def _validity_notes(scenario: Scenario, first: date, last: date) -> Iterator[Note]:
    start, end = scenario.valid.start, scenario.valid.end
    if (start is None or start <= first) and (end is None or last < end):
        return
    days = [f"from {start}"] if start else []
    days += [f"to {end - timedelta(days=1)}"] if end else []
    asked = f"on {first}" if first == last else f"from {first} to {last}"
    text = f"{scenario.id} is meant for days {' '.join(days)} and is asked about {asked}."
    yield Note("SCENARIO_OUTSIDE_DAYS", f"{text} {scenario.description}".strip())
