"""Parse YAML into texts, lists and mappings, with the line and column of every key and value.

Only plain data is accepted: no anchors, aliases or tags, one document, bounded size and depth. So a file cannot grow
when it is read, and `NO` stays Norway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.scenario.model import Document, Position

SIZE_AT_MOST = 1 << 20
DEPTH_AT_MOST = 16
NODES_AT_MOST = 50_000
# Every value is stored under its path, so long keys above many values would take much memory.
PATH_AT_MOST = 500
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# Characters that YAML refuses: control characters, and halves of surrogate pairs.
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START = Position(1, 1)


def parse_yaml(text: str) -> Document:
    """Parse one document; duplicate keys are collected as problems (the first one counts).

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
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER)).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "cannot be read"
        place = Position(mark.line + 1, mark.column + 1) if mark else _START
        raise _fault(f"The scenario is not YAML: {message}.", place, "Correct the line.") from None
    except yaml.YAMLError as error:
        unreadable = _UNREADABLE.search(text)
        place = _place_in(text, unreadable.start()) if unreadable else _START
        message = f"The scenario is not YAML: {str(error).splitlines()[0]}."
        raise _fault(message, place, "Write it in UTF-8 text.") from None


def _fault(
    message: str, place: Position, fix: str, path: str = "", reason: str = "SCENARIO_SYNTAX"
) -> ScenarioError:
    return ScenarioError(reason, message, path=path, line=place.line, column=place.column, fix=fix)


def _place_in(text: str, at: int) -> Position:
    """Convert an index into a text to line and column."""
    return Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _place(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


class _Builder:
    """Builds values from the parser's events, and checks depth and size before it builds anything."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._document = Document()
        self._nodes = 0

    def build(self) -> Document:
        next(self._events)  # start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _fault("The scenario is empty.", _START, "Write at least schema, id, title and basis.")
        self._document.value = self._node(next(self._events), "", 0)
        next(self._events)  # end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _fault("A scenario is one document.", _place(event), "Keep one scenario per file.")
        return self._document

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
        message = fix = ""
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            message, fix = "Anchors and aliases are not allowed.", "Write the value out."
        elif event.tag is not None:
            message, fix = f"The tag {event.tag} is not allowed.", "Write the plain value."
        elif len(path) > PATH_AT_MOST:
            message, fix = "A key is too long.", "Shorten it."
        elif depth > DEPTH_AT_MOST:
            message, fix = "The scenario is nested too deeply.", "Flatten it."
        elif self._nodes > NODES_AT_MOST:
            message, fix = f"The scenario has more than {NODES_AT_MOST} values.", "Split it."
        if message:
            raise _fault(message, _place(event), fix, path[:PATH_AT_MOST])

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, path, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise _fault("A key is a single word.", _place(event), "Write `key: value`.", path)
            key = event.value
            inner = f"{path}.{key}" if path else key
            if key in mapping:
                message = f"The key {key!r} is given twice."
                error = _fault(message, _place(event), "Keep one.", inner, "SCENARIO_UNKNOWN_KEY")
                self._document.problems.append(error)
                self._skip(depth + 1)
                continue
            self._document.keys[inner] = _place(event)
            mapping[key] = self._node(next(self._events), inner, depth + 1)
        return mapping

    def _skip(self, depth: int) -> None:
        """Read a value within the same bounds, and drop it."""
        document, self._document = self._document, Document()
        self._node(next(self._events), "", depth)
        self._document = document
