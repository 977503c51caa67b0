"""Make messages from objects of the engine and the storage whose attributes have the names of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

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
        field.name: _value(field, value)
        for field in kind.DESCRIPTOR.fields
        if field.name not in others and (value := _attribute(source, field.name)) is not None
    }
    return kind(**own, **others)


def _attribute(source: object, name: str) -> Any:
    value = getattr(source, name, None)
    return getattr(source, _NAMES_IN_LAW.get(name, name), None) if value is None else value


def _value(field: Any, value: Any) -> Any:
    if field.is_repeated and not isinstance(value, Mapping):
        return [_one(field, each) for each in value]
    return _one(field, value)


def _one(field: Any, value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date):
        return value.isoformat()
    if field.enum_type is not None:
        prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
        found = field.enum_type.values_by_name.get(prefix + value.upper())
        return None if found is None else found.number
    if field.message_type is not None and not isinstance(value, Mapping):
        return message_of(message_factory.GetMessageClass(field.message_type), value)
    return value


def time_text(seconds: float | None) -> str:
    """Format a time of the server as RFC 3339; empty for None."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
