"""Scenarios that name others, as parents applied before them or as components of a mixture; cycles are errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.model import Scenario

Known = Mapping[str, Scenario]


def find(name: str, known: Known, path: str = "") -> Scenario:
    """A scenario by name; raises ScenarioError SCENARIO_NOT_FOUND with the nearest names."""
    scenario = known.get(name)
    if scenario is None:
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4)
        raise ScenarioError(
            "SCENARIO_NOT_FOUND",
            f"There is no scenario {name!r}.",
            path=path,
            fix=f"Did you mean {', '.join(near)}?" if near else "`tariffs scenario list` names them.",
            metadata={"scenario": name, "nearest": ",".join(near)},
        )
    return scenario


def lineage(scenario: Scenario, known: Known) -> list[Scenario]:
    """A scenario after all those before it: each parent's own parents first, each scenario once.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE, with the path of the parent.
    """
    order: dict[str, Scenario] = {}
    _visit(scenario, known, order, [])
    return list(order.values())


def _visit(scenario: Scenario, known: Known, order: dict[str, Scenario], trail: Sequence[str]) -> None:
    below = [*trail, scenario.id]
    for path, name in _named(scenario):
        if name in below:
            circle = " > ".join([*below[below.index(name) :], name])
            raise ScenarioError(
                "SCENARIO_CYCLE",
                f"The scenario is its own parent: {circle}.",
                path=path,
                fix="Take one of the parents out, or give the scenario another id.",
                metadata={"cycle": circle},
            )
        if name not in order:
            _visit(find(name, known, path), known, order, below)
    order[scenario.id] = scenario


def _named(scenario: Scenario) -> list[tuple[str, str]]:
    """The scenarios it names, each with its path: parents, or the components of a mixture."""
    parents = [(f"parents[{index}]", name) for index, name in enumerate(scenario.parents)]
    mixed = [(f"mixture[{i}].scenario", part.scenario) for i, part in enumerate(scenario.mixture)]
    return parents + mixed


def components(scenario: Scenario, known: Known) -> list[tuple[Decimal, Scenario]]:
    """The scenarios a mixture comes down to, with their weights; a scenario that is none is its own, with weight 1.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE.
    """
    lineage(scenario, known)
    return _components(scenario, known)


def _components(scenario: Scenario, known: Known) -> list[tuple[Decimal, Scenario]]:
    if not scenario.mixture:
        return [(Decimal(1), scenario)]
    found: dict[str, tuple[Decimal, Scenario]] = {}
    for part in scenario.mixture:
        for weight, leaf in _components(find(part.scenario, known), known):
            before = found[leaf.id][0] if leaf.id in found else Decimal(0)
            found[leaf.id] = (before + part.weight * weight, leaf)
    return list(found.values())
