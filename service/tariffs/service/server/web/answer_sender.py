"""Send the start of an answer: with its first message, or before there is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Send = Callable[[Any], Awaitable[None]]
# An answer depends on the law of the server.
_UNCACHED = (b"cache-control", b"no-store")


class AnswerSender:
    """ASGI sender of an answer that no cache keeps, and whose start is sent once.

    Args:
        send: the sender of the HTTP server.
        form: content type of a streamed answer.
    """

    def __init__(self, send: Send, form: str) -> None:
        self._send = send
        self._form = form
        self._is_started = False

    async def __call__(self, message: Any) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            if self._is_started:
                return
            self._is_started = True
            message["headers"] = [*message["headers"], _UNCACHED]
        await self._send(message)

    async def start(self, headers: Iterable[tuple[str, str]]) -> None:
        """Send the start of a streamed answer; what comes later in its headers is left out."""
        named = [(name.encode(), value.encode()) for name, value in headers]
        form = (b"content-type", self._form.encode())
        await self({"type": "http.response.start", "status": 200, "headers": [form, *named]})
