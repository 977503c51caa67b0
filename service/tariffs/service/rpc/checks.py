"""Check the form of request fields before the engine interprets them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from decimal import Decimal

from google.protobuf.descriptor import EnumDescriptor

from tariffs.engine.base.amounts import parse_number
from tariffs.engine.errors import InputError
from tariffs.engine.law.law import EXPORT, IMPORT
from tariffs.engine.law.user_rates import user_rate
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import common_pb2

DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
TEXT_LIMIT = 200
ITEMS_LIMIT = 200
DOCUMENT_LIMIT = 1 << 20


def decimal(text: str, field: str, reason: str) -> Decimal:
    """Read a decimal number, also one written as "1,234.50" or "$12"; raises InputError with the given reason."""
    if DECIMAL.fullmatch(text):
        return Decimal(text)
    try:
        plain = format(parse_number(text), "f")
    except ValueError:
        plain = ""
    if not DECIMAL.fullmatch(plain):
        state = f"is {text[:40]!r}, not a decimal number" if text else "is missing"
        raise InputError(
            reason, f"{field} {state}.", field=field, fix='Write a decimal number such as "12500.00".'
        )
    return Decimal(plain)


def amount(text: str, field: str, reason: str) -> Decimal | str:
    """Check an amount; one with a comma stays text, whose reading the engine notes. Raises as `decimal`."""
    number = decimal(text, field, reason)
    return text if "," in text else number


def rate(text: str, field: str) -> Decimal:
    """Read a rate below 1, written as a decimal fraction.

    Raises:
        InputError: PARAMETER_INVALID, which explains that 7 is not 7 %.
    """
    if not DECIMAL.fullmatch(text):
        raise InputError(
            "PARAMETER_INVALID",
            f"{field} is {text[:40]!r}, not a decimal fraction.",
            field=field,
            fix="Write a rate below 100 % as a decimal fraction, such as 0.07 for 7 %.",
        )
    return user_rate(text, field)


def word(text: str, field: str) -> str:
    """Return short text such as a name or day; raises InputError REQUEST_INVALID above TEXT_LIMIT."""
    if len(text) > TEXT_LIMIT:
        raise request_invalid(
            f"{field} has {len(text):,} characters; the limit is {TEXT_LIMIT}.", field, "Shorten it."
        )
    return text


def table_text(text: str, field: str) -> str:
    """Return the text of a table; raises InputError REQUEST_INVALID above DOCUMENT_LIMIT."""
    if len(text) > DOCUMENT_LIMIT:
        raise request_invalid(
            f"{field} has {len(text):,} characters; the limit is {DOCUMENT_LIMIT:,}.", field, "Shorten it."
        )
    return text


def required(text: str, field: str, fix: str) -> str:
    """Return short text that must not be empty; raises InputError REQUEST_INVALID."""
    if not text:
        raise request_invalid(f"{field} is missing.", field, fix)
    return word(text, field)


def few(items: Sized, field: str, limit: int = ITEMS_LIMIT) -> None:
    """Raise InputError REQUEST_INVALID for too many items, which would hold up the event loop."""
    if len(items) > limit:
        raise request_invalid(
            f"{field} has {len(items):,} items; the limit is {limit:,}.", field, "Send fewer items."
        )


def words(texts: Mapping[str, str], field: str) -> dict[str, str]:
    """Return names with their values, after checking their number and lengths."""
    if not texts:
        return {}
    few(texts, field)
    return {word(name, field): word(value, field) for name, value in texts.items()}


def choice(enum: EnumDescriptor, number: int, field: str) -> str:
    """Return the engine's word for an enum value: lower case, without the prefix, empty for UNSPECIFIED."""
    if number == 0:
        return ""
    if number not in enum.values_by_number:
        raise request_invalid(
            f"{field} is {number}, not a value of its enum.", field, "Use a value of the enum."
        )
    zero = enum.values_by_number[0].name
    return str(enum.values_by_number[number].name).removeprefix(zero.removesuffix("UNSPECIFIED")).lower()


def direction_of(number: int) -> str:
    """Return the direction of a request: import if unset, or export."""
    direction = choice(common_pb2.Direction.DESCRIPTOR, number, "direction") or IMPORT
    if direction not in {IMPORT, EXPORT}:
        raise request_invalid(
            f"direction is {direction}, not import or export.",
            "direction",
            "Use DIRECTION_IMPORT or DIRECTION_EXPORT.",
        )
    return direction
