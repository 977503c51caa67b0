"""Structural checks of requests: what a field must look like before the engine asks what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from decimal import Decimal
from typing import Protocol

from google.protobuf.descriptor import EnumDescriptor

from tariffs.engine.base.amounts import parse_number
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.law.user_rates import user_rate
from tariffs.v1 import common_pb2

DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
TEXT_LIMIT = 200
THINGS_LIMIT = 200
DOCUMENT_LIMIT = 1 << 20


class Named(Protocol):
    """The wrapper protoc makes for an enum: its values by name."""

    DESCRIPTOR: EnumDescriptor

    def Name(self, number: int) -> str: ...  # noqa: N802, D102 - protobuf's own name


def decimal(text: str, field: str, reason: str) -> Decimal:
    """The number in decimal text, or in one such as "1,234.50" or "$12".

    Raises:
        InputError: with the reason that the field's faults have.
    """
    if DECIMAL.fullmatch(text):
        return Decimal(text)
    try:
        plain = format(parse_number(text), "f")
    except ValueError:
        plain = ""
    if not DECIMAL.fullmatch(plain):
        found = f"is {text[:40]!r}" if text else "is missing"
        raise InputError(
            reason, f"{field} {found}.", field=field, fix='Write a decimal number such as "12500.00".'
        )
    return Decimal(plain)


def rate(text: str, field: str) -> Decimal:
    """A rate below 1, as the decimal text of a fraction.

    Raises:
        InputError: PARAMETER_INVALID, which says that 7 is not 7 %.
    """
    if not DECIMAL.fullmatch(text):
        raise InputError(
            "PARAMETER_INVALID",
            f"{field} is {text[:40]!r}.",
            field=field,
            fix="Write a rate below 100 % as the decimal text of a fraction, such as 0.07 for 7 %.",
        )
    return user_rate(text, field)


def word(text: str, field: str) -> str:
    """A name or day: short text."""
    if len(text) > TEXT_LIMIT:
        raise InputError(
            "REQUEST_INVALID",
            f"{field} has {len(text):,} characters.",
            field=field,
            fix=f"Give at most {TEXT_LIMIT}.",
        )
    return text


def required(text: str, field: str, fix: str) -> str:
    """Short text that must not be empty."""
    if not text:
        raise InputError("REQUEST_INVALID", f"{field} is missing.", field=field, fix=fix)
    return word(text, field)


def few(things: Sized, field: str, limit: int = THINGS_LIMIT) -> None:
    """Refuse more of something than anybody needs: quotes are answered on the event loop."""
    if len(things) > limit:
        raise InputError(
            "REQUEST_INVALID",
            f"{field} has {len(things):,} items.",
            field=field,
            fix=f"Give at most {limit}.",
        )


def words(texts: Mapping[str, str], field: str) -> dict[str, str]:
    """Names with their values, few and all short text."""
    few(texts, field)
    return {word(name, field): word(value, field) for name, value in texts.items()}


def choice(enum: Named, number: int, field: str) -> str:
    """The engine's word for an enum value: its name in lower case without the prefix; empty for UNSPECIFIED."""
    if number not in enum.DESCRIPTOR.values_by_number:
        raise InputError(
            "REQUEST_INVALID", f"{field} is {number}.", field=field, fix="Use a value of the enum."
        )
    if number == 0:
        return ""
    zero = enum.DESCRIPTOR.values_by_number[0].name
    return enum.Name(number).removeprefix(zero.removesuffix("UNSPECIFIED")).lower()


def direction_of(number: int) -> str:
    """Which way the goods of a request go: import, where it says nothing, or export."""
    found = choice(common_pb2.Direction, number, "direction") or IMPORT
    if found not in {IMPORT, EXPORT}:
        raise InputError(
            "REQUEST_INVALID",
            f"{found} is no direction of goods.",
            field="direction",
            fix="Use DIRECTION_IMPORT or DIRECTION_EXPORT.",
        )
    return found


def value_of(enum: Named, name: str) -> str | None:
    """The name of the enum value for the engine's word; None for a word the enum does not have."""
    prefix = enum.DESCRIPTOR.values_by_number[0].name.removesuffix("UNSPECIFIED")
    value = enum.DESCRIPTOR.values_by_name.get(prefix + name.upper())
    return value.name if value else None
