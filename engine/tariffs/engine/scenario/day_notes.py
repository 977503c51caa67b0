"""Notes on a scenario at the days it is asked about: outside the days it is meant for, or before its changes begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from tariffs.engine.law.amendments import Change
from tariffs.engine.law.notes import Note
from tariffs.engine.scenario.describe import describe_change
from tariffs.engine.scenario.model import Scenario
from tariffs.engine.scenario.named import library, lineage

_DAY = len("2025-11-10")
_CHANGES_SHOWN = 4


def day_notes(scenario: Scenario, first: date, last: date) -> list[Note]:
    """List the notes on a scenario that is asked about on the days from the first to the last.

    Args:
        scenario: the scenario, or a mixture.
        first: the first day.
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
