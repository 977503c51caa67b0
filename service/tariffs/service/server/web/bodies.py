"""Bodies of requests and answers on the HTTP port: binary or JSON, large ones converted in a thread.

connectrpc decodes a request before it calls a method. Here its codecs pass bytes through, because a call must be
identified and admitted before its request is read, and because JSON of many lines would hold up the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from connectrpc.codec import Codec
from google.protobuf import json_format
from google.protobuf.message import Message

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.service.wire.requests import DECODE_ERRORS, read_request

THREAD_BYTES = 16 << 10
"""Size from which JSON is converted in a thread: below it the hop takes longer than the work."""
_SHOWN = 500
_NO_FIELD = "has no field named"
Receive = Callable[[], Awaitable[Any]]
BODY_SECONDS = 30.0
"""Longest time until the next part of a body, and of a small body as a whole: a slow sender must not keep a place."""
LEAST_BYTES_PER_SECOND = 16 << 10
"""A body has more time for what has come, at this rate."""
_FRAME_BYTES = 5
_NO_FRAME = b""
_EMPTY_FRAME = bytes(_FRAME_BYTES)


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


@dataclass(slots=True)
class Refusal:
    """Error that the current request is refused with; None while there is none."""

    error: TariffsError | None = None


REFUSAL: ContextVar[Refusal] = ContextVar("refusal")


def raise_refusal() -> None:
    """Raise the error that the current request is refused with, if there is one."""
    error = REFUSAL.get().error
    if error is not None:
        raise error


def message_too_large() -> InputError:
    """Make the error for a message over the limit."""
    return InputError(
        "BATCH_TOO_LARGE",
        f"The message has more than {RECEIVE_LIMIT} bytes.",
        fix="Send fewer lines a call, or a table in several messages.",
        metadata={"limit": str(RECEIVE_LIMIT)},
    )


def _body_late() -> InputError:
    return InputError(
        "REQUEST_INVALID",
        f"The body did not come in time: {BODY_SECONDS:g} seconds, with a second more for each "
        f"{LEAST_BYTES_PER_SECOND >> 10} KiB that came, and no part more than {BODY_SECONDS:g} after the last.",
        fix="Send the body at once, or fewer lines a call.",
    )


class RequestBody:
    """ASGI receiver of a body, whose request is refused if it is too large or does not come in time.

    Args:
        refusal: set if the message is too large or late; a body refused already is not read.
        declared: size of the body by its header; 0 if it has none.
        is_framed: True if a message comes after five bytes with its size.
        is_single: True if the body holds one message; the sizes of many are left to connectrpc.
    """

    def __init__(
        self, receive: Receive, refusal: Refusal, *, declared: int, is_framed: bool, is_single: bool
    ) -> None:
        self._receive = receive
        self._refusal = refusal
        self._is_framed = is_framed
        self._is_single = is_single
        self._size = 0
        self._ended = False
        self._began = time.monotonic()
        self._check_size(declared - (_FRAME_BYTES if is_framed else 0))

    async def __call__(self) -> Any:
        """Return the next part of the body, or its early end."""
        if self._ended:
            return await self._receive()
        if self._refusal.error is None:
            message = await self._next()
            if self._refusal.error is None:
                self._ended = not message.get("more_body", False)
                return message
        self._ended = True
        empty = _EMPTY_FRAME if self._is_framed and self._is_single else _NO_FRAME
        return {"type": "http.request", "body": empty, "more_body": False}

    async def _next(self) -> Any:
        message = await self._in_time()
        while self._is_short(message):
            more = await self._in_time()
            message = {**more, "body": message["body"] + more.get("body", b"")}
        body = message.get("body", b"")
        if self._is_framed and self._size == 0:
            self._check_size(int.from_bytes(body[1:_FRAME_BYTES], "big"))
        self._size += len(body)
        if not self._is_framed:
            self._check_size(self._size)
        return message

    def _is_short(self, message: Any) -> bool:
        """Return True if more must come until the size of the first message can be read."""
        is_first = self._is_framed and self._size == 0 and message.get("more_body", False)
        return is_first and len(message["body"]) < _FRAME_BYTES

    async def _in_time(self) -> Any:
        earned = self._size / LEAST_BYTES_PER_SECOND
        left = self._began + BODY_SECONDS + earned - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(BODY_SECONDS, left))):
                return await self._receive()
        except TimeoutError:
            # What follows a part of a frame would be read as the rest of it: such a body counts as disconnected.
            if not (self._is_framed and self._size):
                self._refusal.error = _body_late()
            return {"type": "http.disconnect"}

    def _check_size(self, size: int) -> None:
        if self._is_single and size > RECEIVE_LIMIT and self._refusal.error is None:
            self._refusal.error = message_too_large()
