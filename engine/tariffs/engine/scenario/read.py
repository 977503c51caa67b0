"""Read a scenario file: its values, its changes, and every problem of its format with line and column.

Names are not compared with a law here; `check` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import OPS, Change, change_from_mapping, read_change
from tariffs.engine.law.assumptions import Assumptions, PortCalls
from tariffs.engine.law.values import read_day, read_number, read_share
from tariffs.engine.scenario.filling import WHEN, Outline, fill, is_on, outline
from tariffs.engine.scenario.model import (
    ASSUMPTIONS,
    Component,
    Document,
    Fault,
    Location,
    Places,
    Position,
    Problem,
    Scenario,
    Validity,
    problem_of,
    remove,
    sorted_problems,
)


@dataclass(frozen=True)
class File:
    """Scenario file as parsed, its parameters not filled in.

    Attributes:
        text: the file.
        source: where it came from.
        parsed: its document.
        outline: its parameters, and where it uses them.
        checked: with the defaults of its parameters it is known to have no problem.
    """

    text: str
    source: str
    parsed: Document
    outline: Outline
    checked: bool = False


@dataclass(frozen=True)
class Draft:
    """Scenario as read, before its parents are found, without a digest.

    Attributes:
        readable: the values that could be read, all changes among them whether on or off, so that names can be checked
            although the format has problems; None if the file is not a mapping.
        scenario: the scenario with its parameters filled in and the changes that are on; None if the format has a
            problem.
        document: the file as texts, lists and mappings, filled in.
        problems: every problem of the format.
        places: line and column by path of the file.
        file: the file it was read from; None if that is not a mapping.
    """

    readable: Scenario | None
    scenario: Scenario | None
    document: Mapping[str, Any]
    problems: tuple[Problem, ...]
    places: Places
    file: File | None


def read_draft(text: str, source: str, given: Mapping[str, str] | None = None) -> Draft:
    """Read a scenario with given values of its parameters and collect every problem of its format."""
    from tariffs.engine.scenario.yaml_positions import parse_yaml

    try:
        parsed = parse_yaml(text)
    except ScenarioError as error:
        return Draft(None, None, {}, (problem_of(error, {}),), {}, None)
    if not isinstance(parsed.value, dict):
        message, fix = (
            "A scenario must be a mapping of keys to values.",
            "Write keys such as `id: my-scenario`.",
        )
        errors = [ScenarioError("SCENARIO_SYNTAX", message, fix=fix), *parsed.problems]
        return Draft(None, None, {}, _problems(errors, parsed), parsed.places, None)
    return read_file(File(text, source, parsed, outline(parsed.value)), given or {})


def read_file(file: File, given: Mapping[str, str]) -> Draft:
    """Fill in the parameters of a parsed file and read it; otherwise as `read_draft`."""
    filling = fill(file.outline, given)
    document = filling.document
    head, faults = (document, []) if file.checked and not given else _checked(document)
    errors = [*file.parsed.problems, *(error for _, error in faults)]
    changes = _changes(document, head["id"], [location for location, _ in faults], errors)
    mixture = tuple(
        Component(part["scenario"], read_share(part["weight"])) for part in head.get("mixture", ())
    )
    errors += _mixture_errors(document, mixture)
    errors = [*filling.errors, *(error for error in errors if error.path not in filling.faulty)]
    scenario = Scenario(
        id=head["id"],
        title=head["title"],
        description=_one_line(head.get("description", "")),
        basis=head["basis"],
        parents=_words(head, "parents"),
        changes=changes,
        digest="",
        mixture=mixture,
        assumptions=_assumptions(head.get(ASSUMPTIONS) or {}),
        tags=_words(head, "tags"),
        cite=_words(head, "cite"),
        source=file.source,
        text=file.text,
        places=file.parsed.places,
        parameters=file.outline.parameters,
        values=filling.values,
        valid=_validity(head.get("valid") or {}, errors),
    )
    problems = _problems(errors, file.parsed)
    sound = None if problems else _only_on(scenario, document)
    return Draft(scenario, sound, document, problems, file.parsed.places, file)


def _only_on(scenario: Scenario, document: Mapping[str, Any]) -> Scenario:
    """Return a scenario without the changes that are off, the others numbered as if those were not written."""
    items = document.get("changes") or []
    on = [f"changes[{index}]" for index, item in enumerate(items) if is_on(item)]
    if len(on) == len(items):
        return scenario
    new = {path: f"changes[{index}]" for index, path in enumerate(on)}
    changes = (replace(one, path=new[one.path]) for one in scenario.changes if one.path in new)
    return replace(scenario, changes=tuple(changes), places=renumbered(scenario.places, new))


def renumbered(places: Places, new: Mapping[str, str]) -> dict[str, Position]:
    """Return places by the new paths of changes, without those of changes that have none.

    Args:
        places: places by path.
        new: path of a change by its path in the file.
    """
    found: dict[str, Position] = {}
    for path, place in places.items():
        head, bracket, rest = path.partition("]")
        if not path.startswith("changes["):
            found[path] = place
        elif head + bracket in new:
            found[new[head + bracket] + rest] = place
    return found


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


def _validity(valid: Mapping[str, str], errors: list[ScenarioError]) -> Validity:
    start, end = (read_day(valid[key]) if key in valid else None for key in ("from", "to"))
    if start and end and end <= start:
        text = f"The scenario is valid from {start} to {end}, which is no day."
        errors.append(ScenarioError("CHANGE_DATES_REVERSED", text, path="valid.to", fix="Give a later day."))
    return Validity(start, end)


def _assumptions(given: Mapping[str, Any]) -> Assumptions:
    let_through, compliance = (_shares(given.get(key) or {}) for key in ("let_through", "compliance"))
    calls = {
        name: PortCalls(**{key: _VOYAGE.get(key, read_number)(text) for key, text in voyage.items()})
        for name, voyage in (given.get("port_calls") or {}).items()
    }
    return Assumptions(let_through, compliance, given.get("rents") or {}, calls)


def _shares(given: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: read_share(text) for name, text in given.items()}


def _words(head: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the texts of a list, which may be written as one text."""
    given = head.get(key) or ()
    return (given,) if isinstance(given, str) else tuple(given)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# Readers of the values of a voyage that are no plain numbers.
_VOYAGE: Mapping[str, Callable[[str], Any]] = {
    "kind": str, "share": read_share, **dict.fromkeys(("ship", "source"), _one_line)
}  # fmt: skip


def _checked(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Fault]]:
    """Return the parts of a document without faults, and all faults."""
    # Loaded for a text of a user: scenarios of the library are kept as checked.
    from tariffs.engine.scenario.schema import validate

    return validate(document)


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
    sound = deepcopy(item) if faults else {**item}
    sound.pop(WHEN, None)
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
