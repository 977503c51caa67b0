"""Hold what the function of a declared question is given: the law, and the entry line as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.scenario.model import Scenario
from tariffs.firm.law_days import Laws


@dataclass(frozen=True, slots=True)
class Under:
    """Law that a question is asked under.

    Attributes:
        base: the law before its scenarios.
        plain: the scenario without changes.
        scenarios: scenarios, their parameters filled in; the plain one if none is named.
        laws: laws of a scenario under the switches asked, with their weights.
        known_on: day as known on which the law is read, checked; None is the as-of day.
        cancelled: True once the caller has gone.
        check: raises once the caller has gone.
    """

    base: Law
    plain: Scenario
    scenarios: Sequence[Scenario]
    laws: Callable[[Scenario], Laws]
    known_on: str | None
    cancelled: Callable[[], bool]
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class LineAsked:
    """Entry line as it is asked: texts, empty where they are not given, and the line read with others completed."""

    hts: str
    origin: str
    entry: str
    customs_value: str
    read: Callable[..., EntryLine]


def needed(text: str, field: str, fix: str) -> str:
    """Return a text that must be given; raises InputError REQUEST_INVALID."""
    if not text:
        raise InputError("REQUEST_INVALID", f"{field} is missing.", field=field, fix=fix)
    return text
