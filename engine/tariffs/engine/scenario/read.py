"""Read a scenario file: its values, its changes, and every problem of its format with line and column.

Names are not compared with a law here; `check` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import OPS, Change, change_from_mapping, read_change
from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.scenario.model import (
    ASSUMPTIONS,
    Component,
    Places,
    Problem,
    Scenario,
    problem_of,
    sorted_problems,
)
from tariffs.engine.scenario.schema import AssumptionsForm, Location, remove, validate
from tariffs.engine.scenario.yaml_positions import Document, parse_yaml


@dataclass(frozen=True)
class Draft:
    """Scenario as read, before its parents are found, without a digest.

    `readable` holds the values that could be read, so that names can be checked although the format has problems; it is
    None if the file is not a mapping. `document` is the file as texts, lists and mappings.
    """

    readable: Scenario | None
    document: Mapping[str, Any]
    problems: tuple[Problem, ...]
    places: Places

    @property
    def scenario(self) -> Scenario | None:
        """The scenario if its format has no problem."""
        return None if self.problems else self.readable


def read_draft(text: str, source: str) -> Draft:
    """Read a scenario and collect every problem of its format."""
    try:
        document = parse_yaml(text)
    except ScenarioError as error:
        return Draft(None, {}, (problem_of(error, {}),), {})
    value = document.value
    if not isinstance(value, dict):
        message, fix = (
            "A scenario must be a mapping of keys to values.",
            "Write keys such as `id: my-scenario`.",
        )
        errors = [ScenarioError("SCENARIO_SYNTAX", message, fix=fix), *document.problems]
        return Draft(None, {}, _problems(errors, document), document.places)
    head, faults = validate(value)
    errors = [*document.problems, *(error for _, error in faults)]
    changes = _changes(value, head.id, [location for location, _ in faults], errors)
    mixture = tuple(Component(part.scenario, part.weight) for part in head.mixture)
    errors += _mixture_errors(value, mixture)
    scenario = Scenario(
        id=head.id,
        title=head.title,
        description=head.description,
        basis=head.basis,
        parents=tuple(head.parents),
        changes=changes,
        digest="",
        mixture=mixture,
        assumptions=_assumptions(head.assumptions),
        tags=tuple(head.tags),
        cite=tuple(head.cite),
        source=source,
        text=text,
        places=document.places,
    )
    return Draft(scenario, value, _problems(errors, document), document.places)


def _problems(errors: Sequence[ScenarioError], document: Document) -> tuple[Problem, ...]:
    """List errors with their places: that of the key for an unknown key, else that of the value."""
    places = {"SCENARIO_UNKNOWN_KEY": document.keys}
    return sorted_problems(problem_of(error, places.get(error.reason, document.places)) for error in errors)


def _mixture_errors(value: Mapping[str, Any], mixture: Sequence[Component]) -> list[ScenarioError]:
    if "mixture" not in value:
        return []
    fix = "Put them into a component."
    errors = [
        ScenarioError("SCENARIO_SYNTAX", f"A mixture has no {key} of its own.", path=key, fix=fix)
        for key in ("changes", "parents", ASSUMPTIONS)
        if value.get(key)
    ]
    total = sum((part.weight for part in mixture), Decimal(0))
    if mixture and total != 1:
        text = f"The weights sum to {total:f}."
        errors.append(ScenarioError("SCENARIO_SYNTAX", text, path="mixture", fix="Make them sum to 1."))
    return errors


def _assumptions(form: AssumptionsForm) -> Assumptions:
    calls = {name: PortCalls(**dict(voyage)) for name, voyage in form.port_calls.items()}
    return Assumptions(form.let_through, form.compliance, calls)


def _changes(
    value: Mapping[str, Any], source: str, faults: Sequence[Location], errors: list[ScenarioError]
) -> tuple[Change, ...]:
    """Read the changes without their faulty values; append to `errors` what is wrong with their values together."""
    inner: dict[int | str, list[Location]] = defaultdict(list)
    for location in faults:
        if location[0] == "changes":
            inner[location[1] if len(location) > 1 else ""].append(location[2:])
    items = value.get("changes") or []
    if "" in inner:
        return ()
    changes = (
        _change(item, f"changes[{index}]", source, inner[index], errors) for index, item in enumerate(items)
    )
    return tuple(change for change in changes if change)


def _change(
    item: Any, path: str, source: str, faults: Sequence[Location], errors: list[ScenarioError]
) -> Change | None:
    if () in faults:
        return None
    sound = deepcopy(item) if faults else item
    for location in faults:
        remove(sound, location)
    missing = OPS[item["op"]].required - sound.keys()
    sound = {**dict.fromkeys(missing, ""), **sound}
    try:
        return change_from_mapping(sound, path, source=source)
    except ScenarioError as error:
        # An error that only follows from the removal of faulty values is not reported.
        follows = {path, f"{path}.on_end", *(f"{path}.{key}" for key in missing)}
        if not faults or error.reason != "SCENARIO_SYNTAX" or error.path not in follows:
            errors.append(error)
    with suppress(ScenarioError):
        return read_change(sound, path, source=source)
    return None
