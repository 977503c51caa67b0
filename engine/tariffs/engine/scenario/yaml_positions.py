"""YAML as text with places: every scalar stays as written, every key and value has its line and column.

Only plain data is let in: no anchors, aliases or tags, one document, bounded size and depth. So a file cannot grow
when it is read, and `NO` stays Norway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.model import Position

SIZE_AT_MOST = 1 << 20
DEPTH_AT_MOST = 16
NODES_AT_MOST = 50_000
# Every value is filed under its path, so that long keys above many values would swell.
PATH_AT_MOST = 500
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# What YAML refuses to read: control characters, and halves of surrogate pairs.
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START = Position(1, 1)


@dataclass
class Document:
    """A YAML document: `value` of texts, lists and mappings; places by path of values and of keys; problems found."""

    value: Any = None
    places: dict[str, Position] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    problems: list[ScenarioError] = field(default_factory=list)


def read_text(text: str) -> Document:
    """Read one document.

    Duplicate keys are collected as problems (the first one counts).

    Raises:
        ScenarioError: SCENARIO_SYNTAX if it is no YAML, or not plain and bounded.
    """
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        place = _place_in(text, error.start)
        raise _fault(f"The scenario is not text: {error.reason}.", place, "Write it in UTF-8 text.") from None
    if size > SIZE_AT_MOST:
        raise _fault(f"The scenario is larger than {SIZE_AT_MOST} bytes.", _START, "Split it by `parents`.")
    document = Document()
    try:
        _PositionedConstructor(yaml.parse(text, Loader=_LOADER), document).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = error.problem or error.context or "cannot be read"
        place = Position(mark.line + 1, mark.column + 1) if mark else _START
        raise _fault(f"The scenario is not YAML: {told}.", place, "Correct the line.") from None
    except yaml.YAMLError as error:
        told = str(error).splitlines()[0]
        unreadable = _UNREADABLE.search(text)
        place = _place_in(text, unreadable.start()) if unreadable else _START
        raise _fault(f"The scenario is not YAML: {told}.", place, "Write it in UTF-8 text.") from None
    return document


def _fault(
    message: str, place: Position, fix: str, path: str = "", reason: str = "SCENARIO_SYNTAX"
) -> ScenarioError:
    return ScenarioError(reason, message, path=path, line=place.line, column=place.column, fix=fix)


def _place_in(text: str, at: int) -> Position:
    """The line and column of an index into a text."""
    return Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _place(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


class _PositionedConstructor:
    """Builds values from the parser's events, so that depth and size are bounded before anything is built."""

    def __init__(self, events: Iterator[Any], document: Document) -> None:
        self._events = events
        self._document = document
        self._nodes = 0

    def build(self) -> None:
        next(self._events)  # the stream begins
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _fault("The scenario is empty.", _START, "Write at least schema, id, title and basis.")
        self._document.value = self._node(next(self._events), "", 0)
        next(self._events)  # the document ends
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _fault("A scenario is one document.", _place(event), "Keep one scenario per file.")

    def _node(self, event: Any, path: str, depth: int) -> Any:
        self._check(event, path, depth)
        self._document.places[path] = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            return event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _check(self, event: Any, path: str, depth: int) -> None:
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _fault("Anchors and aliases are not allowed.", _place(event), "Write the value out.", path)
        if event.tag is not None:
            raise _fault(
                f"The tag {event.tag} is not allowed.", _place(event), "Write the plain value.", path
            )
        if len(path) > PATH_AT_MOST:
            raise _fault("A key is too long.", _place(event), "Shorten it.", path[:PATH_AT_MOST])
        if depth > DEPTH_AT_MOST:
            raise _fault("The scenario is nested too deeply.", _place(event), "Flatten it.", path)
        if self._nodes > NODES_AT_MOST:
            raise _fault(
                f"The scenario has more than {NODES_AT_MOST} values.", _place(event), "Split it.", path
            )

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, path, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise _fault("A key is a single word.", _place(event), "Write `key: value`.", path)
            key = event.value
            inner = f"{path}.{key}" if path else key
            if key in found:
                self._document.problems.append(
                    _fault(
                        f"The key {key!r} is given twice.",
                        _place(event),
                        "Keep one.",
                        inner,
                        "SCENARIO_UNKNOWN_KEY",
                    )
                )
                self._skip(depth + 1)
                continue
            self._document.keys[inner] = _place(event)
            found[key] = self._node(next(self._events), inner, depth + 1)
        return found

    def _skip(self, depth: int) -> None:
        """Read a value past, within the same bounds."""
        aside = _PositionedConstructor(self._events, Document())
        aside._nodes = self._nodes
        aside._node(next(self._events), "", depth)
        self._nodes = aside._nodes
