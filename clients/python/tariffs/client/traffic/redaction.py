"""Take what is private out of requests: names, texts and exact amounts. Goods, origins, days and options stay.

A call that could not be sent again without what is taken out (rows of a table, the text of a scenario, what a server
stores under a name) is left out whole.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_UNSENDABLE = frozenset({"yaml", "handle", "stored_name", "page_token", "parameter_csv"})
"""Fields without which a call is another: texts and things stored on a server."""
_AMOUNTS = frozenset(
    {"customs_value", "quantity", "freight", "insurance", "amount", "charges", "unit_cost", "value"}
)
_TOLD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+%-]{0,39}")
"""Codes, days, options and numbers. Ids may look the same, so fields of ids are always taken out."""
_ID = re.compile(r"(^|_)(id|name|title|label|owner|group|text|note|token|reference)$")
_SCENARIO = "tariffs.v1.ScenarioRef"
_STORED = "team/"
_DIGITS = 2
_KEY = secrets.token_bytes(32)


class PrivateCallError(ValueError):
    """A call that cannot be sent again without what is private in it."""


def redacted(request: Message) -> Message:
    """Copy a request without what is private; raises PrivateCallError if that could not be sent again."""
    copy = type(request)()
    copy.CopyFrom(request)
    _redact(copy)
    return copy


def _redact(message: Message) -> None:
    for field, value in message.ListFields():
        if field.name in _UNSENDABLE or field.type == FieldDescriptor.TYPE_BYTES:
            raise PrivateCallError(f"it has {field.name}")
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _redact_messages(field, value)
        elif field.type == FieldDescriptor.TYPE_STRING:
            _redact_texts(message, field, value)


def _redact_messages(field: FieldDescriptor, value: Any) -> None:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        # Parameters, switches and claims have names and values of the law.
        is_nested = entry.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE
        items = value.values() if is_nested else ()
    else:
        items = value if field.is_repeated else (value,)
    for item in items:
        _redact(item)


def _redact_texts(message: Message, field: FieldDescriptor, value: object) -> None:
    if field.is_repeated:
        texts = getattr(message, field.name)
        texts[:] = [_text(message, field.name, text) for text in texts]
    else:
        setattr(message, field.name, _text(message, field.name, str(value)))


def _text(message: Message, name: str, text: str) -> str:
    if message.DESCRIPTOR.full_name == _SCENARIO:
        if text.startswith(_STORED):
            raise PrivateCallError("it names a stored scenario")
        return text
    if name in _AMOUNTS:
        return _rounded(text)
    return text if _TOLD.fullmatch(text) and not _ID.search(name) else _digest(text)


def _rounded(text: str) -> str:
    """Round an amount to two digits."""
    try:
        amount = Decimal(text)
        rounded = amount.quantize(Decimal(1).scaleb(amount.adjusted() - _DIGITS + 1))
        return text if rounded == amount else f"{rounded:f}"
    except InvalidOperation:
        return text


def _digest(text: str) -> str:
    """Replace a text by its digest under a key of this process: lines of one entry stay together."""
    return f"x{hashlib.blake2b(text.encode(), key=_KEY, digest_size=4).hexdigest()}"
