"""A scenario as an immutable value: dated edits to a law, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import Change
from tariffs.engine.law.assumptions import NONE, Assumptions

SCHEMA = "tariffs.scenario/v1"
BASES = ("enacted", "announced", "hypothesis")
ERROR, WARNING = "error", "warning"
PROBLEMS_AT_MOST = 200
# What is quoted of a file is cut to this, so that a message can travel in the trailer of a call.
QUOTED_AT_MOST = 400


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a file; line and column count from 1."""

    line: int
    column: int


Places = Mapping[str, Position]


@dataclass(frozen=True, slots=True)
class Component:
    """A scenario of a mixture and the probability it has there."""

    scenario: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Scenario:
    """Dated edits to a law, applied after those of its parents; or a mixture of other scenarios.

    Attributes:
        id: its name.
        title: one line.
        description: what it does and why one would ask.
        basis: enacted, announced or hypothesis.
        parents: ids of the scenarios applied before it, in order.
        changes: its own acts, in order.
        mixture: the scenarios it is a mixture of; then it has neither parents nor changes.
        assumptions: what it takes for granted beside the law.
        digest: SHA-256 (hex) of the canonical form, parents included.
        tags: words to find it by.
        cite: sources of the scenario as a whole.
        source: where its text came from.
        text: the text itself.
        places: line and column by path, such as `changes[2].until`.
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


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario; an `error` keeps it from running, a `warning` does not.

    `line` and `column` count from 1 and are 0 where the place is not known.
    """

    path: str
    line: int
    column: int
    reason: str
    message: str
    fix: str
    severity: str = ERROR


def listed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of the file, as many as a reader can use; the last says how many more there are."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    if len(ordered) <= PROBLEMS_AT_MOST:
        return tuple(ordered)
    last = ordered[PROBLEMS_AT_MOST]
    text = f"{len(ordered) - PROBLEMS_AT_MOST} more problems from here on are not listed."
    more = Problem(
        last.path,
        last.line,
        last.column,
        "SCENARIO_SYNTAX",
        text,
        "Correct those above first.",
        last.severity,
    )
    return (*ordered[:PROBLEMS_AT_MOST], more)


def brief(text: str) -> str:
    """A text that quotes a file, cut if it is long."""
    return text if len(text) <= QUOTED_AT_MOST else f"{text[:QUOTED_AT_MOST]}..."


def place_of(places: Places, path: str) -> Position | None:
    """Where a path stands, or the nearest thing around it that is in the file."""
    while path:
        if path in places:
            return places[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return places.get("")


def problem_of(error: ScenarioError, places: Places, severity: str = ERROR) -> Problem:
    """An error as a problem with its place."""
    place = place_of(places, error.path)
    line = error.line or (place.line if place else 0)
    column = error.column or (place.column if place else 0)
    return Problem(error.path, line, column, error.reason, brief(error.message), brief(error.fix), severity)


def located(error: ScenarioError, scenario: Scenario) -> ScenarioError:
    """The same error with line and column, its message headed by the file and place."""
    place = place_of(scenario.places, error.path)
    where = (
        f"{scenario.source or scenario.id}:{place.line}:{place.column}"
        if place
        else scenario.source or scenario.id
    )
    return ScenarioError(
        error.reason,
        f"{where}: {brief(error.message)}",
        path=error.path,
        line=place.line if place else None,
        column=place.column if place else None,
        fix=brief(error.fix),
        metadata={name: brief(value) for name, value in error.metadata.items()},
    )
