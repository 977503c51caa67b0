"""Long calls off the event loop: a bounded pool of threads, each run with its own way to be cancelled.

A kernel on the event loop stops every other call (measured: 93 % of quotes lost), and cancelling an asyncio task
does not stop a thread: so runs ask `cancelled()` between steps, and the call's end sets it.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar

import grpc.aio

from tariffs.engine.errors import ServiceError

Message = TypeVar("Message")
Work = Callable[[Callable[[Message], None], Callable[[], bool]], None]
_BUFFERED = 4
_NICENESS = 10
_POLL_SECONDS = 0.2
_END: Any = object()


class Runs:
    """Admits runs up to a limit and computes some of them at a time."""

    def __init__(self, workers: int, admitted: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run", initializer=_be_nice)
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="quick")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="slow")
        self._admitted = admitted
        self._active: set[threading.Event] = set()

    async def stream(
        self, work: Work[Message], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[Message]:
        """The messages that `work(emit, cancelled)` emits, as they come.

        The run ends early when the call does: cancelled, or past its deadline, which ends the call too.

        Raises:
            ServiceError: TOO_MANY_STREAMS at the limit; CANCELLED if it ended early.
            Exception: whatever `work` raises.
        """
        if len(self._active) >= self._admitted:
            raise ServiceError(
                "TOO_MANY_STREAMS",
                f"The server computes or holds {len(self._active)} runs, its limit.",
                fix="Try again shortly.",
                metadata={"limit": str(self._admitted)},
            )
        over = threading.Event()
        self._active.add(over)
        context.add_done_callback(lambda _: over.set())  # type: ignore[arg-type] # the stubs ask for a class
        relay = _Relay[Message](asyncio.get_running_loop(), over)
        try:
            copied = contextvars.copy_context()
            asyncio.get_running_loop().run_in_executor(self._pool, copied.run, relay.run, work)
            async for message in relay:
                yield message
        finally:
            over.set()
            self._active.discard(over)

    async def quick(self, work: Callable[[], Message]) -> Message:
        """One call of `work`, which is short unless the law of its day is not in memory yet.

        The hop to a thread costs 0.1 ms; a day not seen before costs a hundred, which must not stop the loop.
        """
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    async def slow(self, work: Callable[[], Message]) -> Message:
        """One call of `work`, in the order of coming, apart from runs and quick calls."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, work)

    def close(self) -> None:
        """End all runs and threads; waits until they have ended."""
        for over in tuple(self._active):
            over.set()
        for pool in (self._pool, self._quick, self._slow):
            pool.shutdown(wait=True, cancel_futures=True)


class _Relay(Generic[Message]):
    """Carries messages from the thread that computes to the loop that sends, a few at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, over: threading.Event) -> None:
        self._loop = loop
        self._over = over
        self._queue: asyncio.Queue[Message] = asyncio.Queue(_BUFFERED)

    def run(self, work: Work[Message]) -> None:
        """Compute, in a thread of the pool."""
        end: Any = _END
        try:
            self._check()
            work(self._emit, self._over.is_set)
        except BaseException as error:
            end = error
        # The queue may be full while the reader has gone: nobody waits for the end then.
        with suppress(ServiceError, RuntimeError):
            self._put(end)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (item := await self._queue.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _emit(self, message: Message) -> None:
        self._check()
        self._put(message)

    def _put(self, item: Any) -> None:
        sent = asyncio.run_coroutine_threadsafe(self._queue.put(item), self._loop)
        while True:
            try:
                return sent.result(_POLL_SECONDS)
            except TimeoutError:
                if self._over.is_set():
                    sent.cancel()
                    raise _cancelled() from None

    def _check(self) -> None:
        if self._over.is_set():
            raise _cancelled()


def _cancelled() -> ServiceError:
    return ServiceError("CANCELLED", "The caller cancelled the run.")


def _be_nice() -> None:
    """Let quotes go first: on Linux a thread can have a priority of its own, inherited by the threads it starts."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
