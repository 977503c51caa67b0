"""Make messages from objects of the engine and the storage whose attributes have the names of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeVar

from google.protobuf import message_factory
from google.protobuf.message import Message

Made = TypeVar("Made", bound=Message)


_NAMES_IN_LAW = {"citations": "cite", "confidence": "conf", "switches": "switch"}
"""Attributes of law data that have another name than their fields."""


def message_of(kind: type[Made], source: object, **others: Any) -> Made:
    """Make a message from the attributes of an object, and other fields by name; None leaves a field out.

    A day is ISO text, a decimal has cents, a word is a value of the field's enum, and an object is a message by the
    same rule.
    """
    own = {
        field.name: field.of(value)
        for field in _fields(kind.DESCRIPTOR)
        if field.name not in others and (value := _attribute(source, field.name)) is not None
    }
    return kind(**own, **others)


class _Field(NamedTuple):
    """A field of a message, with the numbers of its enum by word, or the type of its messages."""

    name: str
    is_repeated: bool
    numbers: Mapping[str, int] | None
    kind: type[Message] | None

    def of(self, value: Any) -> Any:
        if self.is_repeated and not isinstance(value, Mapping):
            return [self._one(each) for each in value]
        return self._one(value)

    def _one(self, value: Any) -> Any:
        if self.numbers is not None:
            return self.numbers.get(value.upper())
        if isinstance(value, Decimal):
            return f"{value:.2f}"
        if isinstance(value, date):
            return value.isoformat()
        return value if self.kind is None or isinstance(value, Mapping) else message_of(self.kind, value)


@cache
def _fields(descriptor: Any) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            one.name,
            one.is_repeated,
            one.enum_type and {_word(value.name, one): value.number for value in one.enum_type.values},
            one.message_type and message_factory.GetMessageClass(one.message_type),
        )
        for one in descriptor.fields
    )


def _word(name: str, field: Any) -> str:
    return name.removeprefix(str(field.enum_type.values_by_number[0].name).removesuffix("UNSPECIFIED"))


def _attribute(source: object, name: str) -> Any:
    value = getattr(source, name, None)
    return getattr(source, _NAMES_IN_LAW.get(name, name), None) if value is None else value


def time_text(seconds: float | None) -> str:
    """Format a time of the server as RFC 3339; empty for None."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
