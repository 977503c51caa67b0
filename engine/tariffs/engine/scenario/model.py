"""Scenario as an immutable value: dated edits to a law, and the problems they may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change
from tariffs.engine.law.assumptions import NONE, Assumptions

SCHEMA = "tariffs.scenario/v1"
ASSUMPTIONS, PARAMETERS = "assumptions", "parameters"
BASES = ("enacted", "announced", "hypothesis")
ERROR, WARNING = "error", "warning"
PROBLEMS_AT_MOST = 200
# Quotes of a file are cut to this length, so that a message fits the trailer of a call.
QUOTED_AT_MOST = 400


@dataclass(frozen=True, slots=True)
class Position:
    """Place of a value in a file; line and column count from 1."""

    line: int
    column: int


NOWHERE = Position(0, 0)
Places = Mapping[str, Position]
Location = tuple[str | int, ...]
# Location of a faulty value in a document, and the error.
Fault = tuple[Location, ScenarioError]


@dataclass
class Document:
    """Document of a file: texts, lists and mappings, places of values and keys by path, and its problems."""

    value: Any = None
    places: dict[str, Position] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    problems: list[ScenarioError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Component:
    """Component of a mixture: a scenario and its probability."""

    scenario: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Parameter:
    """Parameter of a scenario, whose value the file writes as `$name`.

    Attributes:
        default: its value, as text, in a run that gives none.
        title: one line.
        kind: rate, share, weight, number, step, date or on_off: the values it takes where it is first used; empty if
            it is not used.
    """

    default: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """Days [start, end) that a scenario is meant for; an open end is None."""

    start: date | None = None
    end: date | None = None


ALWAYS = Validity()


class Template(Protocol):
    """Scenario file whose parameters can be filled in again."""

    def fill(self, values: Mapping[str, str]) -> Scenario:
        """Return the scenario with these values, and the defaults of all others."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Scenario: dated edits to a law, applied after those of its parents; or a mixture of other scenarios.

    Attributes:
        id: its name.
        title: one line.
        description: its effect and the question it answers.
        basis: enacted, announced or hypothesis.
        parents: ids of the scenarios applied before it, in order.
        changes: its own changes, in order.
        mixture: its components, if it is a mixture; then it has neither parents nor changes.
        assumptions: its assumptions beside the law.
        digest: SHA-256 (hex) of the canonical form, parents included.
        tags: words for searching.
        cite: sources of the scenario as a whole.
        source: file or other origin of its text.
        text: the text itself.
        places: line and column by path, such as `changes[2].until`.
        parameters: its own parameters, and those of its parents or components, by name.
        values: the value of each parameter, as text, that is filled in.
        named: those of its parents and components that have parameters, filled in.
        template: its file with the parameters not filled in; None if there are none.
        valid: the days it is meant for; a run on others carries a note.
    """

    id: str
    title: str
    description: str
    basis: str
    parents: tuple[str, ...]
    changes: tuple[Change, ...]
    digest: str
    mixture: tuple[Component, ...] = ()
    assumptions: Assumptions = NONE
    tags: tuple[str, ...] = ()
    cite: tuple[str, ...] = ()
    source: str = ""
    text: str = field(default="", repr=False)
    places: Places = field(default_factory=dict, compare=False, repr=False)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, Scenario] = field(default_factory=dict, repr=False)
    template: Template | None = field(default=None, compare=False, repr=False)
    valid: Validity = ALWAYS

    def with_parameters(self, values: Mapping[str, str]) -> Scenario:
        """Return the scenario with parameters filled in; those not given have their defaults.

        Args:
            values: texts by name, such as {"cn": "20%", "start": "2027-01-01", "truce": "off"}.

        Raises:
            ScenarioError: PARAMETER_UNKNOWN, or PARAMETER_INVALID if a value does not fit where it is used, with the
                path, line and column of that place; or the problem that the values make together.
        """
        if self.template is not None:
            return self.template.fill(values)
        for name in values:
            raise unknown_parameter(name, self)
        return self


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem of a scenario; an `error` keeps it from running, a `warning` does not.

    `line` and `column` count from 1 and are 0 where the place is not known.
    """

    path: str
    line: int
    column: int
    reason: str
    message: str
    fix: str
    severity: str = ERROR


def unknown_parameter(name: str, *scenarios: Scenario) -> ScenarioError:
    """Make the error of a value for a parameter that none of the scenarios has."""
    known = sorted({known for scenario in scenarios for known in scenario.parameters})
    near = nearest(name, known)
    owner = " and ".join(dict.fromkeys(scenario.id for scenario in scenarios))
    listed = f"Known: {', '.join(known)}." if known else "Declare it under `parameters` in the scenario file."
    return ScenarioError(
        "PARAMETER_UNKNOWN",
        f"{shorten(owner)} has no parameter {shorten(name)!r}.",
        path=PARAMETERS,
        fix=f"{did_you_mean(near)}{listed}",
        metadata={"name": shorten(name), "nearest": ", ".join(near)},
    )


def sorted_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems in the order of the file and cut the list; its last entry then counts the rest."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    if len(ordered) <= PROBLEMS_AT_MOST:
        return tuple(ordered)
    rest = replace(
        ordered[PROBLEMS_AT_MOST],
        reason="SCENARIO_SYNTAX",
        message=f"{len(ordered) - PROBLEMS_AT_MOST} more problems from here on are not shown.",
        fix="Correct the problems above first.",
    )
    return (*ordered[:PROBLEMS_AT_MOST], rest)


def shorten(text: str) -> str:
    """Cut a text that quotes a file if it is long."""
    return text if len(text) <= QUOTED_AT_MOST else f"{text[:QUOTED_AT_MOST]}..."


def place_of(places: Places, path: str) -> Position:
    """Return the place of a path, or of the nearest value around it that is in the file; NOWHERE without one."""
    while path and path not in places:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return places.get(path, NOWHERE)


def problem_of(error: ScenarioError, places: Places) -> Problem:
    """Convert an error to a problem with its place."""
    place = place_of(places, error.path)
    line, column = error.line or place.line, error.column or place.column
    return Problem(error.path, line, column, error.reason, shorten(error.message), shorten(error.fix))


def warning(reason: str, path: str, places: Places, message: str, fix: str) -> Problem:
    """Make a warning with its place."""
    place = place_of(places, path)
    return Problem(path, place.line, place.column, reason, message, fix, WARNING)


def with_place(error: ScenarioError, scenario: Scenario) -> ScenarioError:
    """Return the same error with line and column, its message preceded by the file and place."""
    place = place_of(scenario.places, error.path)
    source = scenario.source or scenario.id
    where = f"{source}:{place.line}:{place.column}" if place.line else source
    return ScenarioError(
        error.reason,
        f"{where}: {shorten(error.message)}",
        path=error.path,
        line=place.line or None,
        column=place.column or None,
        fix=shorten(error.fix),
        metadata={name: shorten(value) for name, value in error.metadata.items()},
    )


def remove(document: dict[str, Any], location: Location) -> None:
    """Remove the innermost named value around a location; an item of a list takes the whole list along."""
    holder, last = document, location[0]
    for key in location[1:]:
        if not isinstance(inner := holder.get(str(last)), dict):
            break
        holder, last = inner, key
    holder.pop(str(last), None)
