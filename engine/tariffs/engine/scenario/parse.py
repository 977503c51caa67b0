"""Reading a scenario file: its form, every problem in it with line and column, and its changes.

Nothing here knows a law; whether a change meets anything is checked in `check`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.events import OPS, Change, change_from_mapping
from tariffs.engine.scenario.model import (
    BASES,
    SCHEMA,
    Place,
    Places,
    Problem,
    Scenario,
    place_of,
    problem_of,
)
from tariffs.engine.scenario.text import Document, read_text

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,99}$")
_TEXTS = ("schema", "id", "title", "description", "basis")
_LISTS = ("parents", "tags", "cite")
_KEYS = (*_TEXTS, *_LISTS, "changes")
_REQUIRED = ("schema", "id", "title", "basis")
_CHANGES_AT_MOST = 500
_ROUNDS_AT_MOST = 20


@dataclass(frozen=True)
class Draft:
    """A scenario as read, its parents not yet found: `scenario` lacks a digest; `document` is the text form.

    `scenario` is None if the file has an error that leaves nothing to apply.
    """

    scenario: Scenario | None
    document: Mapping[str, Any]
    problems: tuple[Problem, ...]
    places: Places


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
        self._problems.sort(key=lambda problem: (problem.line, problem.column))
        if self._problems:
            return Draft(None, value, tuple(self._problems), self._document.places)
        scenario = Scenario(
            id=texts["id"],
            title=texts["title"],
            description=" ".join(texts["description"].split()),
            basis=texts["basis"],
            parents=lists["parents"],
            changes=tuple(changes),
            digest="",
            tags=lists["tags"],
            cite=lists["cite"],
            source=self._source,
            text=self._text,
            places=self._document.places,
        )
        return Draft(scenario, value, (), self._document.places)

    def _check_keys(self, value: Mapping[str, Any]) -> None:
        for key in value:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, n=1)
                fix = f"Did you mean {near[0]!r}?" if near else f"Keys: {', '.join(_KEYS)}."
                self._add("SCENARIO_UNKNOWN_KEY", key, f"A scenario does not know the key {key!r}.", fix)
        for key in _REQUIRED:
            if key not in value:
                self._add("SCENARIO_SYNTAX", "", f"The key {key!r} is missing.", "Add it.")

    def _check_head(self, value: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        if "schema" in value and texts["schema"] != SCHEMA:
            self._add(
                "SCENARIO_SYNTAX",
                "schema",
                f"The schema {texts['schema']!r} is not known.",
                f"Write {SCHEMA}.",
            )
        if "id" in value and not _NAME.match(texts["id"]):
            self._add(
                "SCENARIO_SYNTAX",
                "id",
                f"{texts['id']!r} is not an id.",
                "Use lower-case letters, digits and hyphens, such as truce-extended.",
            )
        if "title" in value and not texts["title"].strip():
            self._add(
                "SCENARIO_SYNTAX", "title", "The title is empty.", "Say in one line what the scenario is."
            )
        if "basis" in value and texts["basis"] not in BASES:
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
        try:
            return change_from_mapping(item, path, source=name)
        except ScenarioError as error:
            self._collect(item, path, error)
            return None

    def _collect(self, item: dict[str, Any], path: str, error: ScenarioError) -> None:
        """Report an error of a change and go on without the key at fault, so that all its errors are seen."""
        verb = OPS.get(str(item.get("op", "")))
        lacking = bool(verb and verb.required - item.keys())
        for _ in range(_ROUNDS_AT_MOST):
            self._problems.append(
                problem_of(error, {**self._document.places, **_keys_of(error, self._document)})
            )
            item, removed = _without(item, error.path.removeprefix(path).lstrip("."))
            if not removed or verb is None:
                return
            try:
                change_from_mapping(item, path, source=self._source)
            except ScenarioError as following:
                if following.path == path and not lacking:
                    return  # it misses only what was taken out above
                error = following
            else:
                return

    def _add(self, reason: str, path: str, message: str, fix: str) -> None:
        places = self._document.keys if reason == "SCENARIO_UNKNOWN_KEY" else self._document.places
        place = place_of(places, path) or Place(1, 1)
        self._problems.append(Problem(path, place.line, place.column, reason, message, fix))


def _keys_of(error: ScenarioError, document: Document) -> Mapping[str, Place]:
    """An unknown key is itself at fault, not its value."""
    place = document.keys.get(error.path)
    return {error.path: place} if place and error.reason == "SCENARIO_UNKNOWN_KEY" else {}


def _without(item: dict[str, Any], inner: str) -> tuple[dict[str, Any], bool]:
    """A mapping without the value at a dotted path, and whether there was one."""
    key, _, rest = inner.partition(".")
    if key not in item:
        return item, False
    value = item[key]
    if rest and isinstance(value, dict):
        shorter, removed = _without(value, rest)
        return {**item, key: shorter}, removed
    return {name: kept for name, kept in item.items() if name != key}, True


def sealed(draft: Scenario, digest: str) -> Scenario:
    """A scenario with its digest."""
    return replace(draft, digest=digest)
