"""Reading a scenario file: its form, every problem in it with line and column, and its changes.

Nothing here knows a law; whether a change meets anything is checked in `check`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import OPS, Change, change_from_mapping, read_change
from tariffs.engine.law.assumptions import NONE
from tariffs.engine.scenario.model import (
    BASES,
    SCHEMA,
    Places,
    Position,
    Problem,
    Scenario,
    brief,
    listed,
    place_of,
    problem_of,
)
from tariffs.engine.scenario.read_assumptions import KEY as ASSUMPTIONS
from tariffs.engine.scenario.read_assumptions import check_keys, read_assumptions
from tariffs.engine.scenario.read_mixture import read_mixture
from tariffs.engine.scenario.yaml_positions import Document, read_text

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,99}$")
_TEXTS = ("schema", "id", "title", "description", "basis")
_LISTS = ("parents", "tags", "cite")
_KEYS = (*_TEXTS, *_LISTS, "changes", "mixture", ASSUMPTIONS)
_REQUIRED = ("schema", "id", "title", "basis")
_CHANGES_AT_MOST = 500
_ROUNDS_AT_MOST = 20


@dataclass(frozen=True)
class Draft:
    """A scenario as read, its parents not yet found: without a digest; `document` is the text form.

    `readable` holds what could be read, changes with a faulty value included, so that names can be checked beside the
    problems of the form; None if the file is not a mapping.
    """

    readable: Scenario | None
    document: Mapping[str, Any]
    problems: tuple[Problem, ...]
    places: Places

    @property
    def scenario(self) -> Scenario | None:
        """The scenario if its form has no problem."""
        return None if self.problems else self.readable


def read_draft(text: str, source: str) -> Draft:
    """Read a scenario and collect every problem of its form."""
    try:
        document = read_text(text)
    except ScenarioError as error:
        return Draft(None, {}, (problem_of(error, {}),), {})
    return _Form(document, text, source).draft()


class _Form:
    """Checks one document."""

    def __init__(self, document: Document, text: str, source: str) -> None:
        self._document = document
        self._text = text
        self._source = source
        self._problems = [problem_of(error, document.places) for error in document.problems]

    def draft(self) -> Draft:
        value = self._document.value
        if not isinstance(value, dict):
            self._add(
                "SCENARIO_SYNTAX",
                "",
                "A scenario is a mapping of keys to values.",
                f"Keys: {', '.join(_KEYS)}.",
            )
            return Draft(None, {}, tuple(self._problems), self._document.places)
        self._check_keys(value)
        texts = {key: self._one(value, key) for key in _TEXTS}
        lists = {key: self._many(value, key) for key in _LISTS}
        self._check_head(value, texts)
        changes = self._changes(value.get("changes", []), texts["id"] or self._source)
        mixture = read_mixture(value, self._add) if "mixture" in value else ()
        assumptions = read_assumptions(value, self._add) if ASSUMPTIONS in value else NONE
        scenario = Scenario(
            id=texts["id"],
            title=texts["title"],
            description=" ".join(texts["description"].split()),
            basis=texts["basis"],
            parents=lists["parents"],
            changes=tuple(changes),
            digest="",
            mixture=mixture,
            assumptions=assumptions,
            tags=lists["tags"],
            cite=lists["cite"],
            source=self._source,
            text=self._text,
            places=self._document.places,
        )
        return Draft(scenario, value, listed(self._problems), self._document.places)

    def _check_keys(self, value: Mapping[str, Any]) -> None:
        check_keys(value, _KEYS, "", self._add)
        for key in _REQUIRED:
            if key not in value:
                self._add("SCENARIO_SYNTAX", "", f"The key {key!r} is missing.", "Add it.")

    def _check_head(self, value: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        if _said(value, "schema") and texts["schema"] != SCHEMA:
            self._add(
                "SCENARIO_SYNTAX",
                "schema",
                f"The schema {texts['schema']!r} is not known.",
                f"Write {SCHEMA}.",
            )
        if _said(value, "id") and not _NAME.match(texts["id"]):
            self._add(
                "SCENARIO_SYNTAX",
                "id",
                f"{texts['id']!r} is not an id.",
                "Use lower-case letters, digits and hyphens, such as truce-extended.",
            )
        if _said(value, "title") and not texts["title"].strip():
            self._add(
                "SCENARIO_SYNTAX", "title", "The title is empty.", "Say in one line what the scenario is."
            )
        if _said(value, "basis") and texts["basis"] not in BASES:
            self._add(
                "SCENARIO_SYNTAX",
                "basis",
                f"{texts['basis']!r} is not a basis.",
                f"Use one of: {', '.join(BASES)}.",
            )

    def _one(self, value: Mapping[str, Any], key: str) -> str:
        found = value.get(key, "")
        if isinstance(found, str):
            return found
        self._add(
            "SCENARIO_SYNTAX", key, f"{key} is a single value, not a list or mapping.", "Write one value."
        )
        return ""

    def _many(self, value: Mapping[str, Any], key: str) -> tuple[str, ...]:
        found = value.get(key, [])
        items = [found] if isinstance(found, str) and found else found or []
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(items)
        self._add("SCENARIO_SYNTAX", key, f"{key} is a list of texts.", "Write [a, b].")
        return ()

    def _changes(self, found: Any, name: str) -> list[Change]:
        items = found or []
        if not isinstance(items, list):
            self._add("SCENARIO_SYNTAX", "changes", "changes is a list.", "Begin each change with `- `.")
            return []
        if len(items) > _CHANGES_AT_MOST:
            self._add(
                "SCENARIO_SYNTAX", "changes", f"More than {_CHANGES_AT_MOST} changes.", "Split by `parents`."
            )
            return []
        read = (self._change(item, f"changes[{index}]", name) for index, item in enumerate(items))
        return [change for change in read if change]

    def _change(self, item: Any, path: str, name: str) -> Change | None:
        if not isinstance(item, dict):
            self._add("SCENARIO_SYNTAX", path, "A change is a mapping.", "Write {op: ..., measures: ...}.")
            return None
        known = len(self._problems)
        trial = self._filled(item, path)
        for _ in range(_ROUNDS_AT_MOST):
            try:
                change = change_from_mapping(trial, path, source=name)
            except ScenarioError as error:
                seen = {problem.path for problem in self._problems[known:]}
                if error.path in seen or (seen and _follows_from(error, path)):
                    return _values(trial, path, name)
                self._report(error)
                trial = _without(trial, error.path.removeprefix(path).lstrip("."), error.reason)
            else:
                return change
        return None

    def _filled(self, item: dict[str, Any], path: str) -> dict[str, Any]:
        """The change with what is missing or empty reported, and blank so that reading can go on past it."""
        verb = OPS.get(str(item.get("op", "")))
        required = verb.required if verb else frozenset[str]()
        for key in sorted(required - item.keys()):
            self._add("SCENARIO_SYNTAX", path, f"{item['op']} needs the key {key!r}.", "Add it.")
        for key, value in item.items():
            if value == "" and key != "op":
                self._add(
                    "SCENARIO_SYNTAX",
                    f"{path}.{key}",
                    f"{key} is empty.",
                    "Give it a value, or leave it out.",
                )
        return {
            **dict.fromkeys(required, ""),
            **{key: v for key, v in item.items() if v != "" or key in required},
        }

    def _report(self, error: ScenarioError) -> None:
        key = self._document.keys.get(error.path)
        # an unknown key is itself at fault, not its value
        places = (
            {error.path: key} if key and error.reason == "SCENARIO_UNKNOWN_KEY" else self._document.places
        )
        self._problems.append(problem_of(error, places))

    def _add(self, reason: str, path: str, message: str, fix: str) -> None:
        places = self._document.keys if reason == "SCENARIO_UNKNOWN_KEY" else self._document.places
        place = place_of(places, path) or Position(1, 1)
        self._problems.append(Problem(path, place.line, place.column, reason, brief(message), brief(fix)))


def _said(value: Mapping[str, Any], key: str) -> bool:
    return isinstance(value.get(key), str)


def _values(trial: Mapping[str, Any], path: str, name: str) -> Change | None:
    """The change with the values that could be read, though they do not make one; None if there are none."""
    with contextlib.suppress(ScenarioError):
        return read_change(trial, path, source=name)
    return None


def _follows_from(error: ScenarioError, path: str) -> bool:
    """Whether an error may only say that a value found wrong before is missing now."""
    return error.path in {path, f"{path}.on_end"} and error.reason == "SCENARIO_SYNTAX"


def _without(item: dict[str, Any], inner: str, reason: str) -> dict[str, Any]:
    """A mapping without the value at a dotted path: taken out if its key is unknown, else blank."""
    key, _, rest = inner.partition(".")
    value = item.get(key)
    if rest and isinstance(value, dict):
        return {**item, key: _without(value, rest, reason)}
    kept = {name: other for name, other in item.items() if name != key}
    return kept if reason == "SCENARIO_UNKNOWN_KEY" or key not in item else {**kept, key: ""}


def sealed(draft: Scenario, digest: str) -> Scenario:
    """A scenario with its digest."""
    return replace(draft, digest=digest)
