"""Repeat a streamed call whose server stops while it answers, or an upload whose server goes away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tariffs.client.errors import Unavailable

Message = TypeVar("Message")
Result = TypeVar("Result")
RETRY_PAUSES = (0.2, 1.0)
"""Seconds before each further attempt."""


def read_whole(
    ask: Callable[[float], Iterator[Message]], read: Callable[[Iterator[Message]], Result], seconds: float
) -> Result:
    """Read a streamed answer; if the server stops before its end, make the whole call again.

    A call that was answered in part is not tried again by gRPC. The same request has the same answer, but another
    server may have another law: so nothing of the first answer is kept.

    Args:
        ask: begins the call, given the seconds it may take.
        read: reads its messages.
        seconds: for all attempts together.

    Raises:
        Unavailable: no server answers, or the last attempt was broken off too.
    """
    until = time.monotonic() + seconds
    for pause in RETRY_PAUSES:
        seen: list[bool] = []
        try:
            return read(_noted(ask(until - time.monotonic()), seen))
        except Unavailable:
            if not seen or time.monotonic() + pause >= until:
                raise
        time.sleep(pause)
    return read(ask(until - time.monotonic()))


def repeat(call: Callable[[], Result]) -> Result:
    """Make a call that gRPC does not try again because its request is too large to be held; idempotent calls only."""
    for pause in RETRY_PAUSES:
        try:
            return call()
        except Unavailable as error:
            time.sleep(max(pause, error.retry_after or 0.0))
    return call()


def _noted(messages: Iterator[Message], seen: list[bool]) -> Iterator[Message]:
    """Yield messages, and note the first."""
    for message in messages:
        seen[:] = [True]
        yield message
