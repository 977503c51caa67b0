"""What answers have in common: types of their fields, plain data, rows as a frame, and their display in notebooks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    import polars as pl

Provenance = Mapping[str, object]
UnitUsd = Annotated[Decimal, "unit_usd"]
"""Amount a unit: two decimals at least, four at most."""
Fraction = Annotated[Decimal, "exact"]
"""Rate or share with the decimals that it has; an amount without a name has cents."""


class Failure(Protocol):
    """Error that says why a part of an answer is missing, as the message `google.rpc.Status`; `reason` is its code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Words:
    """Closed set of words that a field may have, as the metadata of its annotated type; the wire has them as an enum.

    Attributes:
        name: name of the enum.
        text: meaning of the set.
        meanings: words with their meanings, in the order of their numbers.
    """

    name: str
    text: str
    meanings: Mapping[str, str]

    def __hash__(self) -> int:
        return hash(self.name)


class Told:
    """Part of an answer: a dataclass whose fields are those of its message.

    Amounts are exact decimals, which JSON and the wire have as text.
    """

    __slots__ = ()

    def to_json_dict(self) -> dict[str, object]:
        """Convert to plain data: money and rates as decimal text, undefined numbers as None."""
        return plain_fields(self)


class Answer(Told):
    """Whole answer of a question; `frame` has a row for each of its `rows`, and notebooks show its view.

    Attributes:
        rows: path to the rows of the frame, and its columns as `name` or `name=path`, `/` for the object they are in.
        shown: draws an answer in notebooks; the client sets it.
    """

    __slots__ = ("_asked",)
    rows: ClassVar[tuple[str, tuple[str, ...]]]
    shown: ClassVar[Callable[[Any], str] | None] = None

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked, by argument, completed by the defaults; empty for an answer that was made by hand."""
        return getattr(self, "_asked", {})

    def to(self, asked: Mapping[str, Any]) -> Self:
        """Say what was asked; returns the answer itself."""
        object.__setattr__(self, "_asked", asked)
        return self

    @property
    def frame(self) -> pl.DataFrame:
        """Rows of the answer: USD and rates as floats."""
        return self.to_frame()

    def to_frame(self) -> pl.DataFrame:
        """Make the frame of the rows."""
        import polars as pl

        path, columns = self.rows
        outer, _, inner = path.partition(".")
        found = [
            dict(_cells(one, row, columns))
            for one in getattr(self, outer)
            for row in (getattr(one, inner) if inner else [one])
        ]
        return pl.DataFrame(found, infer_schema_length=None)

    def _repr_html_(self) -> str | None:
        return None if Answer.shown is None else Answer.shown(self)


def _cells(outer: Any, row: Any, columns: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for column in columns:
        name, _, path = column.partition("=")
        start, value = (outer, path[1:]) if path.startswith("/") else (row, path or name)
        for step in value.split("."):
            start = getattr(start, step, None)
        yield name, float(start) if isinstance(start, Decimal) else start


def plain_fields(value: Any) -> dict[str, object]:
    """Convert the fields of a dataclass, in their order."""
    return {one.name: plain(getattr(value, one.name)) for one in fields(value)}


def plain(value: Any) -> object:
    """Convert a value to plain data."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Exception):
        return {"reason": getattr(value, "reason", ""), "message": str(value)}
    if hasattr(value, "to_json_dict"):
        return value.to_json_dict()
    if is_dataclass(value):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Decimal | date) else value
