"""Read notes of the law on kinds of goods (line_notes.yaml), and origins whose goods are not imported (groups.yaml).

A note charges nothing. It is dated, has a scope, and is said of every entry line that it reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import NOTES
from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.model import CONFIDENCE, Scope, holds, published
from tariffs.engine.law.raw_fields import Context, Raw, check_keys, each, keys, one_of, read, read_required
from tariffs.engine.law.values import read_number

_KEYS = keys(
    "id reason from to known_from origins not_origins products not_products value_up_to text cite conf"
)
_REFUSED_KEYS = keys("text cite conf")


@dataclass(frozen=True, slots=True)
class LineNote:
    """Note on goods of a scope entered in [start, end), known from a day; `reason` is one of `errors.NOTES`.

    `known_from` None is always known.
    `value_up_to` is the largest customs value of a line that it is said of, in US dollars; None is any.
    """

    id: str
    reason: str
    scope: Scope
    start: datetime | None
    end: datetime | None
    known_from: date | None
    value_up_to: Decimal | None
    text: str
    cite: tuple[str, ...]
    conf: str

    def holds(self, instant: datetime, known_on: date) -> bool:
        """Test whether it is said at an (aware) instant as known on a day."""
        return published(self.known_from, known_on) and holds(self.start, self.end, instant)

    def is_of(self, value: Decimal) -> bool:
        """Test whether it is said of a line of this customs value."""
        return self.value_up_to is None or 0 < value <= self.value_up_to

    @property
    def message(self) -> str:
        """Its text with its sources."""
        return f"{self.text} ({'; '.join(self.cite)})." if self.cite else f"{self.text}."


@dataclass(frozen=True, slots=True)
class RefusedOrigin:
    """Origin whose goods are not imported, with the reason."""

    text: str
    cite: tuple[str, ...]
    conf: str

    @property
    def message(self) -> str:
        """The reason with its sources."""
        return f"{self.text} ({'; '.join(self.cite)})."


def read_line_notes(raw: Sequence[Raw], context: Context) -> tuple[LineNote, ...]:
    """Read line_notes.yaml."""
    return each(raw, lambda item, path: _read_note(item, context, path), "line_notes")


def _read_note(raw: Any, context: Context, path: str) -> LineNote:
    raw = check_keys(raw, _KEYS, path)
    start = read(raw, "from", context.instant, None, path)
    return LineNote(
        id=read_required(raw, "id", str, path),
        reason=read_required(raw, "reason", one_of(*NOTES), path),
        scope=context.scope(raw, path),
        start=start,
        end=read(raw, "to", context.instant, None, path),
        known_from=context.known_from(raw, start, path) if "known_from" in raw or start else None,
        value_up_to=read(raw, "value_up_to", read_number, None, path),
        text=read_required(raw, "text", str, path),
        cite=read_words(raw.get("cite", []), f"{path}.cite"),
        conf=read_required(raw, "conf", one_of(*CONFIDENCE), path),
    )


def read_refused_origins(raw: Mapping[str, Raw]) -> Mapping[str, RefusedOrigin]:
    """Read the part `refused_origins` of groups.yaml."""
    return {code: _read_refused(item, f"refused_origins.{code}") for code, item in raw.items()}


def _read_refused(raw: Any, path: str) -> RefusedOrigin:
    raw = check_keys(raw, _REFUSED_KEYS, path)
    return RefusedOrigin(
        read_required(raw, "text", str, path),
        read_words(raw.get("cite", []), f"{path}.cite"),
        read_required(raw, "conf", one_of(*CONFIDENCE), path),
    )
