"""Find scenarios: in the embedded library by name, in a directory of files, in a text, and those that others name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tariffs.engine.base.kept import MadeOnAccess
from tariffs.engine.base.snapshot import files_digest, kept_json
from tariffs.engine.base.spelling import did_you_mean, nearest
from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.canonical import digest_of
from tariffs.engine.scenario.filling import outline, plain
from tariffs.engine.scenario.model import (
    PARAMETERS,
    Component,
    Document,
    Parameter,
    Position,
    Scenario,
    unknown_parameter,
    with_place,
)
from tariffs.engine.scenario.read import Draft, File, read_draft, read_file
from tariffs.engine.scenario.refill import Refill, can_refill

HERE = Path(__file__).parent / "library"
BASE = "base"
"""The scenario without edits."""
# Code that parses and checks a scenario.
_CHECKS = ("scenario/*.py", *(f"law/{name}.py" for name in ("amendments", "model", "raw_fields", "values")))
Known = Mapping[str, Scenario]
Values = Mapping[str, str]
NO_VALUES: Values = {}

# -- library, files and texts ----------------------------------------------------------------------------------


@cache
def library() -> Known:
    """Return the embedded scenarios by name, sorted, `base` first; each is read when it is first asked for."""
    return _on_access(HERE, _kept_draft)


def library_of(directory: Path) -> Known:
    """Read the scenarios of a directory of YAML files, each named as its file.

    Raises:
        ScenarioError: the first problem of the first file that has one.
    """
    return dict(_on_access(directory, _draft_of))


def _on_access(directory: Path, draft_of: Callable[[Path], Draft]) -> Known:
    files = sorted(directory.glob("*.yaml"), key=lambda file: (file.stem != BASE, file.stem))
    names = [file.stem for file in files]
    drafts = MadeOnAccess(names, lambda name: draft_of(directory / f"{name}.yaml"))
    unsealed = MadeOnAccess(names, lambda name: _sound(drafts[name], name))

    def seal(name: str) -> Scenario:
        lineage(unsealed[name], unsealed)  # refuses a scenario that is its own parent
        return _seal(drafts[name], sealed)

    sealed = MadeOnAccess(names, seal)
    return sealed


def _kept_draft(path: Path) -> Draft:
    """Return the draft of a file of the library, parsed and checked once: both take longer to load than all else."""
    text = path.read_text(encoding="utf-8")
    key = hashlib.sha256(f"{files_digest(*_CHECKS)}{text}".encode()).hexdigest()
    value, places = kept_json(f"{path.stem}.scenario", key, lambda: _parsed(_draft_of(path)))
    parsed = Document(value, {name: Position(*place) for name, place in places.items()})
    return read_file(File(text, path.name, parsed, outline(value), checked=True), NO_VALUES)


def _parsed(draft: Draft) -> list[Any]:
    """Return the values of a file that has no problem, and their places."""
    assert draft.file is not None
    return [
        draft.file.parsed.value,
        {name: (place.line, place.column) for name, place in draft.places.items()},
    ]


def _draft_of(path: Path) -> Draft:
    draft = read_draft(path.read_text(encoding="utf-8"), path.name)
    scenario = _sound(draft, path.name)
    if scenario.id != path.stem:
        raise ScenarioError(
            "SCENARIO_SYNTAX",
            f"{path.name} has the id {scenario.id!r}.",
            fix="Give the file the name of its scenario.",
        )
    return draft


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """Read a scenario from its text, with the defaults of its parameters; its parents are those of the library.

    Raises:
        ScenarioError: SCENARIO_SYNTAX, SCENARIO_UNKNOWN_KEY, CHANGE_DATES_REVERSED, SCENARIO_NOT_FOUND or
            SCENARIO_CYCLE, with path, line and column.
    """
    return _seal(read_draft(text, source), library(), source)


def _seal(draft: Draft, known: Known, source: str = "scenario", given: Values = NO_VALUES) -> Scenario:
    """Link a scenario without problems with those it names, and add its digest."""
    scenario = _sound(draft, source)
    try:
        linked = link(draft, scenario, known, given)
    except ScenarioError as error:
        raise with_place(error, scenario) from None
    named = (*scenario.parents, *(part.scenario for part in sorted(scenario.mixture, key=_by_weight)))
    digests = [linked.named.get(name, known[name]).digest for name in named]
    return replace(linked, digest=digest_of(plain(draft.document), digests))


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


# -- parameters ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _OpenFile:
    """File of a scenario that has parameters, or whose parents or components have, with those scenarios."""

    file: File
    known: Known

    def fill(self, values: Values) -> Scenario:
        """Return the scenario with these values, and the defaults of all others."""
        filled = self._refill.scenario(values) if self._refill else None
        return filled or self._read(values)

    def _read(self, values: Values) -> Scenario:
        return _seal(read_file(self.file, values), self.known, self.file.source, values)

    @cached_property
    def _refill(self) -> Refill | None:
        default = self._read(NO_VALUES)
        digests = [self.known[name].digest for name in default.parents]
        return Refill(self.file, default, digests) if can_refill(self.file, default) else None

    def __getstate__(self) -> dict[str, object]:
        return {"file": self.file, "known": self.known}


def fill_parameters(scenarios: Sequence[Scenario], values: Values) -> list[Scenario]:
    """Fill in the parameters of the scenarios of one call: a value fills each scenario that has its parameter.

    Raises:
        ScenarioError: as `Scenario.with_parameters`; PARAMETER_UNKNOWN for a name that no scenario has.
    """
    for name in values:
        if not any(name in scenario.parameters for scenario in scenarios):
            raise unknown_parameter(name, *scenarios)
    return [
        scenario.with_parameters({name: values[name] for name in values if name in scenario.parameters})
        for scenario in scenarios
    ]


def scenario_facts(scenarios: Iterable[Scenario]) -> dict[str, object]:
    """Digests of scenarios by id, and the values of their parameters if any has some."""
    known = {scenario.id: scenario for scenario in scenarios}
    values = {name: dict(scenario.values) for name, scenario in known.items() if scenario.values}
    digests: dict[str, object] = {"scenarios": {name: scenario.digest for name, scenario in known.items()}}
    return {**digests, "scenario_parameters": values} if values else digests


def link(draft: Draft, scenario: Scenario, known: Known, given: Values) -> Scenario:
    """Add to the scenario of a draft the parameters of those it names, and fill them in.

    A parameter of one name has one value in a scenario and all those that it names.

    Raises:
        ScenarioError: SCENARIO_NOT_FOUND, SCENARIO_CYCLE, PARAMETER_UNKNOWN, or SCENARIO_SYNTAX if two of them give a
            parameter different defaults or a value does not fit; each with its path.
    """
    before = {one.id: one for one in lineage(scenario, known)[:-1]}
    parameters = dict(scenario.parameters)
    for path, name in _names(scenario):
        for key, parameter in before[name].parameters.items():
            parameters[key] = _merged(key, parameters.get(key, parameter), parameter, path, scenario)
    linked = replace(scenario, parameters=parameters)
    for name in given:
        if name not in parameters:
            raise unknown_parameter(name, linked)
    if not parameters:
        return linked
    values = {name: given.get(name, parameter.default).strip() for name, parameter in parameters.items()}
    named = {name: _filled(before[name], values, path) for path, name in _names(scenario)}
    return replace(
        linked,
        values=values,
        named={name: one for name, one in named.items() if one.parameters},
        template=_OpenFile(draft.file, before) if draft.file else None,
    )


def _merged(name: str, ours: Parameter, theirs: Parameter, path: str, scenario: Scenario) -> Parameter:
    """Return a parameter as its scenario declares it, or as those named do, which must agree."""
    if name not in scenario.parameters and ours.default != theirs.default:
        raise ScenarioError(
            "SCENARIO_SYNTAX",
            f"Scenarios named here give the parameter {name} the defaults {ours.default} and {theirs.default}.",
            path=path,
            fix=f"Declare {name} with its default under `{PARAMETERS}` of this scenario.",
        )
    return replace(ours, title=ours.title or theirs.title, kind=ours.kind or theirs.kind)


def _filled(named: Scenario, values: Values, path: str) -> Scenario:
    """Fill in the parameters of a parent or component."""
    try:
        return named.with_parameters({name: values[name] for name in named.parameters})
    except ScenarioError as error:
        raise ScenarioError(error.reason, error.message, path=path, fix=error.fix) from None


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
        metadata={"scenario": name, "nearest": ", ".join(near)},
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
    for path, name in _names(scenario):
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
            _visit(scenario.named.get(name) or find(name, known, path), known, order, below)
    order[scenario.id] = scenario


def _names(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield the scenarios that one names, its parents or components, each with its path."""
    for index, name in enumerate(scenario.parents):
        yield f"parents[{index}]", name
    for index, part in enumerate(scenario.mixture):
        yield f"mixture[{index}].scenario", part.scenario


def components(scenario: Scenario, known: Known | None = None) -> list[tuple[Decimal, Scenario]]:
    """Resolve a mixture into scenarios with weights that sum to 1; any other scenario is its own, with weight 1.

    Args:
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
        for weight, leaf in _components(
            scenario.named.get(part.scenario) or find(part.scenario, known), known
        ):
            before, _ = weighted.get(leaf.id, (Decimal(0), leaf))
            weighted[leaf.id] = (before + part.weight * weight, leaf)
    return list(weighted.values())
