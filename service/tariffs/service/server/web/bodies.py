"""Bodies of requests and answers on the HTTP port: binary or JSON, large ones converted in a thread.

connectrpc decodes a request before it calls a method. Here its codecs pass bytes through, because a call must be
identified and admitted before its request is read, and because JSON of many lines would hold up the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectrpc.codec import Codec
from google.protobuf import json_format
from google.protobuf.message import Message

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.server.web.request_body import raise_refusal
from tariffs.service.wire.requests import DECODE_ERRORS, read_request

THREAD_BYTES = 16 << 10
"""Size from which JSON is converted in a thread: below it the hop takes longer than the work."""
_SHOWN = 500
_NO_FIELD = "has no field named"


@dataclass(frozen=True, slots=True)
class Body:
    """One message of a request as it came.

    Attributes:
        data: its bytes.
        codec: the codec of the request, which the answer has too.
    """

    data: bytes
    codec: BodyCodec

    async def message(self, kind: type[Message]) -> Message:
        """Decode the message.

        Raises:
            TariffsError: REQUEST_INVALID, or FIELD_UNKNOWN; what the request is refused with, if it is.
        """
        raise_refusal()
        if len(self.data) < THREAD_BYTES or not self.codec.is_slow:
            return self.codec.read(self.data, kind)
        return await asyncio.to_thread(self.codec.read, self.data, kind)

    async def answer(self, message: Message) -> bytes:
        """Encode the answer to this request."""
        if not self.codec.is_slow or message.ByteSize() < THREAD_BYTES:
            return self.codec.write(message)
        return await asyncio.to_thread(self.codec.write, message)


@dataclass(frozen=True)
class BodyCodec(Codec[Any, Any]):
    """Codec of connectrpc that passes bytes through.

    Attributes:
        form: name of the form in the content type.
        read: decodes a message of a type.
        write: encodes a message.
        is_slow: True if converting a large message takes a noticeable time.
    """

    form: str
    read: Callable[[bytes, type[Message]], Message]
    write: Callable[[Message], bytes]
    is_slow: bool = False

    def name(self) -> str:
        """Return the name of the form."""
        return self.form

    def encode(self, message: Message | bytes) -> bytes:
        """Return a message as bytes, which the answer to a unary call is already."""
        return message if isinstance(message, bytes) else self.write(message)

    def decode(self, data: bytes | bytearray, message_class: type[Body]) -> Body:
        """Return the bytes as a body."""
        return message_class(bytes(data), self)


def read_binary(data: bytes, kind: type[Message]) -> Message:
    """Decode a binary message; raises as `read_request`."""
    return read_request(data, kind.FromString)


def read_json(data: bytes, kind: type[Message]) -> Message:
    """Decode a message in the JSON form of protobuf; field names may be those of the .proto files or camelCase.

    Raises:
        InputError: REQUEST_INVALID.
        ServiceError: FIELD_UNKNOWN.
    """
    message = kind()
    try:
        json_format.Parse(data or b"{}", message)
    except (json_format.ParseError, *DECODE_ERRORS) as error:
        raise _unreadable(kind, str(error).strip().partition("\n")[0][:_SHOWN].rstrip(".")) from None
    return message


def write_json(message: Message) -> bytes:
    """Encode a message in the JSON form of protobuf, on one line."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def _unreadable(kind: type[Message], why: str) -> TariffsError:
    name = kind.DESCRIPTOR.name
    if _NO_FIELD in why:
        return ServiceError(
            "FIELD_UNKNOWN",
            f"The request is not a {name}: {why}.",
            fix="Use the fields of the .proto files, or a server of the version of the client.",
            metadata={"message": name},
        )
    return InputError(
        "REQUEST_INVALID",
        f"The request is not the JSON of a {name}: {why}.",
        fix='Write amounts, rates and days as text, such as "customs_value": "10000".',
    )


CODECS = (
    BodyCodec("proto", read_binary, lambda message: message.SerializeToString()),
    BodyCodec("json", read_json, write_json, is_slow=True),
)
