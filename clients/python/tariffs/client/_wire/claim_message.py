"""Build the message of declared claims: shares, years, truth values, and texts of all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from tariffs.client import _arguments as arguments
from tariffs.client.errors import InvalidRequest
from tariffs.v1 import duty_service_pb2

ClaimValue = str | float | bool | Decimal
_PLAIN = re.compile(r"\d+(\.\d+)?")
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_WORDS = frozenset({"true", "yes", "false", "no"})


def claims_message(claims: Mapping[str, ClaimValue] | None) -> duty_service_pb2.Claims:
    """Build the message of declared claims; a claim without its own field is sent as text."""
    message = duty_service_pb2.Claims()
    fields = duty_service_pb2.Claims.DESCRIPTOR.fields_by_name
    for name, value in arguments.mapping(claims, "claims").items():
        known = fields.get(name)
        if known is None or name == "others":
            message.others[name] = _claim_text(name, value)
        else:
            setattr(message, name, _claim_value(name, value, known.type))
    return message


def _claim_value(name: str, value: Any, kind: int) -> str | float | bool | int:
    try:
        if kind == FieldDescriptor.TYPE_DOUBLE:
            return _share(value)
        if kind == FieldDescriptor.TYPE_INT32:
            return _year(value)
        if kind == FieldDescriptor.TYPE_BOOL:
            return _truth(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(
            "CLAIM_INVALID",
            f"The claim {name} is {value!r}.",
            field=f"claims.{name}",
            fix="Give yes or no." if kind == FieldDescriptor.TYPE_BOOL else "Give a number.",
        ) from error
    return _claim_text(name, value)


def _year(value: Any) -> int:
    if float(value) != int(float(value)):
        raise ValueError(value)
    return int(float(value))


def _share(value: Any) -> float:
    """Read a number, a percentage, or yes and no."""
    if not isinstance(value, str):
        return float(value)
    text = value.strip().lower()
    if "_" in text:
        # Python's own notation, which no table knows.
        raise ValueError(value)
    if text in _WORDS:
        return float(text in _TRUE)
    return float(Decimal(text[:-1]) / 100) if _PLAIN.fullmatch(text[:-1]) and text[-1] == "%" else float(text)


def _truth(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _claim_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return arguments.money(value, f"claims.{name}")
