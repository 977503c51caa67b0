"""Receive the body of a request in bounded time and size, or not at all if its caller is refused at the headers.

connectrpc reads a body before it calls the method. A refused body is therefore ended early, and the method's call
raises the refusal: so it has the log line, metrics and form of any other refused call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from tariffs.engine.errors import InputError, TariffsError
from tariffs.service.server.listener import RECEIVE_LIMIT

Receive = Callable[[], Awaitable[Any]]
BODY_SECONDS = 30.0
"""Longest time until the next part of a body, and of a small body as a whole: a slow sender must not keep a place."""
LEAST_BYTES_PER_SECOND = 16 << 10
"""A body has more time for what has come, at this rate."""
_FRAME_BYTES = 5
_NO_FRAME = b""
_EMPTY_FRAME = bytes(_FRAME_BYTES)


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
        receive: the receiver of the HTTP server.
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
