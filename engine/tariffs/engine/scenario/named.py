"""Find scenarios: in the embedded library by name, in a directory of files, in a text, and those that others name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.canonical import digest_of
from tariffs.engine.scenario.model import Component, Scenario, with_place
from tariffs.engine.scenario.read import Draft, read_draft

HERE = Path(__file__).parent / "library"
Known = Mapping[str, Scenario]

# -- library, files and texts ----------------------------------------------------------------------------------


@cache
def library() -> Known:
    """Return the embedded scenarios by name, sorted, `base` first."""
    return library_of(HERE)


def library_of(directory: Path) -> Known:
    """Read the scenarios of a directory of YAML files, each named as its file.

    Raises:
        ScenarioError: the first problem of the first file that has one.
    """
    drafts: dict[str, Draft] = {}
    for path in sorted(directory.glob("*.yaml"), key=lambda file: (file.stem != "base", file.stem)):
        draft = read_draft(path.read_text(encoding="utf-8"), path.name)
        scenario = _sound(draft, path.name)
        if scenario.id != path.stem:
            raise ScenarioError(
                "SCENARIO_SYNTAX",
                f"{path.name} has the id {scenario.id!r}.",
                fix="Give the file the name of its scenario.",
            )
        drafts[scenario.id] = draft
    unsealed = {name: _sound(draft, name) for name, draft in drafts.items()}
    sealed: dict[str, Scenario] = {}
    for scenario in unsealed.values():
        for ancestor in lineage(scenario, unsealed):
            if ancestor.id not in sealed:
                sealed[ancestor.id] = _seal(drafts[ancestor.id], sealed)
    return {name: sealed[name] for name in drafts}


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario from its text; its parents are those of the embedded library.

    Raises:
        ScenarioError: SCENARIO_SYNTAX, SCENARIO_UNKNOWN_KEY, CHANGE_DATES_REVERSED, SCENARIO_NOT_FOUND or
            SCENARIO_CYCLE, with path, line and column.
    """
    return _seal(read_draft(text, source), library(), source)


def _seal(draft: Draft, known: Known, source: str = "scenario") -> Scenario:
    """Add the digest to a scenario without problems, whose parents are known."""
    scenario = _sound(draft, source)
    try:
        lineage(scenario, known)
    except ScenarioError as error:
        raise with_place(error, scenario) from None
    named = (*scenario.parents, *(part.scenario for part in sorted(scenario.mixture, key=_by_weight)))
    return replace(scenario, digest=digest_of(draft.document, [known[name].digest for name in named]))


def _by_weight(part: Component) -> tuple[str, str]:
    return part.scenario, str(part.weight)


def _sound(draft: Draft, source: str) -> Scenario:
    """Return the scenario of a draft, or raise its first problem, which says how many more there are."""
    if draft.scenario is not None:
        return draft.scenario
    first, *others = draft.problems
    more = f" ({len(others)} more: `tariffs scenario check` lists them.)" if others else ""
    raise ScenarioError(
        first.reason,
        f"{source}:{first.line}:{first.column}: {first.message}{more}",
        path=first.path,
        line=first.line,
        column=first.column,
        fix=first.fix,
    )


# -- scenarios that others name: parents and components ---------------------------------------------------------


def find(name: str, known: Known, path: str = "") -> Scenario:
    """Return a scenario by name; raises ScenarioError SCENARIO_NOT_FOUND with the nearest names."""
    if name in known:
        return known[name]
    near = nearest(name, known)
    raise ScenarioError(
        "SCENARIO_NOT_FOUND",
        f"There is no scenario {name!r}.",
        path=path,
        fix=f"{did_you_mean(near)}`tariffs scenario list` shows their names.",
        metadata={"scenario": name, "nearest": ",".join(near)},
    )


def lineage(scenario: Scenario, known: Known) -> list[Scenario]:
    """List a scenario after all those before it: each parent's own parents first, each scenario once.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE, with the path of the parent.
    """
    order: dict[str, Scenario] = {}
    _visit(scenario, known, order, [])
    return list(order.values())


def _visit(scenario: Scenario, known: Known, order: dict[str, Scenario], trail: Sequence[str]) -> None:
    below = [*trail, scenario.id]
    parents = [(f"parents[{index}]", name) for index, name in enumerate(scenario.parents)]
    mixed = [(f"mixture[{index}].scenario", part.scenario) for index, part in enumerate(scenario.mixture)]
    for path, name in parents + mixed:
        if name in below:
            cycle = " > ".join([*below[below.index(name) :], name])
            raise ScenarioError(
                "SCENARIO_CYCLE",
                f"The scenario is its own parent: {cycle}.",
                path=path,
                fix="Remove one of the parents, or give the scenario another id.",
                metadata={"cycle": cycle},
            )
        if name not in order:
            _visit(find(name, known, path), known, order, below)
    order[scenario.id] = scenario


def components(scenario: Scenario, known: Known | None = None) -> list[tuple[Decimal, Scenario]]:
    """Resolve a mixture into scenarios with weights that sum to 1; any other scenario is its own, with weight 1.

    Args:
        scenario: the scenario.
        known: where its components are found; the embedded library if None.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND or SCENARIO_CYCLE, with path, line and column.
    """
    known = library() if known is None else known
    try:
        lineage(scenario, known)
    except ScenarioError as error:
        raise with_place(error, scenario) from None
    return _components(scenario, known)


def _components(scenario: Scenario, known: Known) -> list[tuple[Decimal, Scenario]]:
    if not scenario.mixture:
        return [(Decimal(1), scenario)]
    weighted: dict[str, tuple[Decimal, Scenario]] = {}
    for part in scenario.mixture:
        for weight, leaf in _components(find(part.scenario, known), known):
            before, _ = weighted.get(leaf.id, (Decimal(0), leaf))
            weighted[leaf.id] = (before + part.weight * weight, leaf)
    return list(weighted.values())
