"""Decode the bytes of requests."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError, Message

from tariffs.engine.errors import InputError
from tariffs.service.wire.unknown_fields import check_known

DECODE_ERRORS = (DecodeError, RecursionError, ValueError)


def read_request(raw: bytes, decode: Callable[[bytes], Message]) -> Message:
    """Decode a request.

    Args:
        raw: its bytes.
        decode: decodes them.

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
