"""Decode requests, and refuse fields that this server does not know: their sender would get another answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import InputError, ServiceError

DECODE_ERRORS = (DecodeError, RecursionError, ValueError)
_PACKAGE = "tariffs.v1."


def read_request(raw: bytes, decode: Callable[[bytes], Message]) -> Message:
    """Decode a request.

    Raises:
        InputError: REQUEST_INVALID.
        ServiceError: FIELD_UNKNOWN.
    """
    try:
        message = decode(raw)
    except DECODE_ERRORS:
        raise InputError(
            "REQUEST_INVALID",
            "The request cannot be decoded as the message of this method.",
            fix="Build it from the .proto files of tariffs.v1.",
        ) from None
    check_known(message, raw, decode)
    return message


def check_known(message: Message, raw: bytes, decode: Callable[[bytes], Message]) -> None:
    """Refuse a request of this contract that holds unknown fields, at any depth.

    Args:
        message: the decoded request; its unknown fields are dropped.
        raw: its bytes.
        decode: decodes them again, to name the field.

    Raises:
        ServiceError: FIELD_UNKNOWN.
    """
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() == size or not message.DESCRIPTOR.full_name.startswith(_PACKAGE):
        return
    name, number = next(_unknown(decode(raw)))
    raise ServiceError(
        "FIELD_UNKNOWN",
        f"{name} has the field {number}, which this server (tariffs {engine_version()}) does not know.",
        fix="Use a server of the version of the client, or leave the field out.",
        metadata={"message": name, "number": str(number), "server_version": engine_version()},
    )


def _unknown(message: Message) -> Iterator[tuple[str, int]]:
    """Iterate over the unknown fields of a message and of those within it: name of the message, number."""
    fields: Any = UnknownFieldSet(message)
    for field in fields:
        yield message.DESCRIPTOR.name, field.field_number
    for descriptor, value in message.ListFields():
        for part in _messages(descriptor, value):
            yield from _unknown(part)


def _messages(descriptor: FieldDescriptor, value: Any) -> Iterable[Message]:
    """Messages that a field holds: itself, its items, or the values of a map."""
    kind = descriptor.message_type
    if kind is None:
        return ()
    if kind.GetOptions().map_entry:
        return value.values() if kind.fields_by_name["value"].message_type is not None else ()
    return value if descriptor.is_repeated else (value,)
