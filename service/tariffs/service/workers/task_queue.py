"""Run long calls off the event loop: bounded lanes, fair between callers, each task cancellable.

A kernel on the event loop stops every other call (measured: 93 % of quotes lost), and compiling a day's law in a thread
of the same process delays them too, because it is Python. So tasks compute in worker processes; here one thread waits
for each task and passes on its messages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from tariffs.engine.errors import ServiceError
from tariffs.service.observability.call_log import Context
from tariffs.service.wire.frames import pack
from tariffs.service.wire.identity import Caller, caller
from tariffs.service.wire.status import cancelled_error
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.service.workers.overflow_queue import FILE_LIMIT, OverflowQueue
from tariffs.service.workers.task_spans import record_wait
from tariffs.service.workers.tasks import CancelToken, ResultSink

Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")
Compute = Callable[[str, bytes, ResultSink, CancelToken], None]
"""Runs a task by name for the calling thread: in a worker process, or in the thread itself; raises what it raises."""
_POLL_SECONDS = 0.2
_END: Any = object()


@dataclass
class Lane:
    """Tasks of one kind: `width` are computed at a time, `limit` says how many are admitted.

    Of the admitted tasks (`active`) some wait for a worker, some are computed, and some only wait for their reader.
    """

    name: str
    compute: Compute
    width: int
    limit: FairLimit
    active: set[CancelToken] = field(default_factory=set)
    waiting: set[CancelToken] = field(default_factory=set)
    computing: set[CancelToken] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.threads = ThreadPoolExecutor(self.width, thread_name_prefix=self.name)

    def admit(self, who: Caller, cancel_token: CancelToken) -> None:
        """Admit a task of a caller; raises ServiceError TOO_MANY_STREAMS at a limit."""
        self.limit.enter(who.key, who.quotas)
        self.active.add(cancel_token)
        self.waiting.add(cancel_token)

    def leave(self, key: str, cancel_token: CancelToken) -> None:
        """Remove an admitted task."""
        self.active.discard(cancel_token)
        self.waiting.discard(cancel_token)
        self.limit.leave(key)


class TaskQueue:
    """Two lanes: `sweeps` over tables, and `shorts`, tasks of milliseconds that would block the event loop."""

    def __init__(self, sweeps: Lane, shorts: Lane) -> None:
        self.sweeps = sweeps
        self.shorts = shorts
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="quick")

    async def stream(
        self,
        task: str,
        request: Message,
        response: type[Response],
        context: Context,
        stored_table: Path | None = None,
    ) -> AsyncGenerator[Response, None]:
        """Yield the messages of a sweep as they come, over the request's table or a stored one.

        The task ends early when the call does: cancelled, or past its deadline, which ends the call too.

        Raises:
            ServiceError: TOO_MANY_STREAMS at a limit; CANCELLED if it ended early.
            TariffsError: the task's own error.
        """
        facts = {} if stored_table is None else {"table": str(stored_table)}
        payload = pack(facts, request.SerializeToString())
        async with aclosing(self.messages(task, payload, cancel_with(context))) as messages:
            async for data in messages:
                yield response.FromString(data)

    def messages(
        self, task: str, payload: bytes, cancel_token: CancelToken, who: Caller | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the encoded messages of a sweep, for the current caller or another; see `stream`."""
        return _messages(self.sweeps, task, payload, cancel_token, who or caller())

    async def messages_in_turn(
        self, task: str, payload: bytes, cancel_token: CancelToken, pause: float, who: Caller | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield as `messages`; while there is no place for the task, try again after a pause of so many seconds."""
        while True:
            try:
                async with aclosing(self.messages(task, payload, cancel_token, who)) as messages:
                    async for data in messages:
                        yield data
                return
            except ServiceError as error:
                if error.reason != "TOO_MANY_STREAMS" or cancel_token.is_set():
                    raise
            await asyncio.sleep(pause)

    async def sweep(
        self, task: str, request: Message, response: type[Response], context: Context
    ) -> Response:
        """Return the one response of a sweep; raises as `stream`."""
        return await self._one(self.sweeps, task, request, response, cancel_with(context), caller())

    async def short(
        self, task: str, request: Message, response: type[Response], context: Context
    ) -> Response:
        """Return the one response of a short task; raises as `stream`."""
        return await self._one(self.shorts, task, request, response, cancel_with(context), caller())

    async def background(
        self, task: str, request: Message, response: type[Response], who: Caller
    ) -> Response:
        """Return the one response of a short task of the server itself, which `who` is; raises as `stream`."""
        return await self._one(self.shorts, task, request, response, CancelToken(), who)

    @staticmethod
    async def _one(
        lane: Lane,
        task: str,
        request: Message,
        response: type[Response],
        cancel_token: CancelToken,
        who: Caller,
    ) -> Response:
        messages = _messages(lane, task, pack({}, request.SerializeToString()), cancel_token, who)
        return response.FromString([data async for data in messages][-1])

    async def quick(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread: short unless the law of its day is not in memory yet.

        The hop to a thread costs 0.1 ms; a day not seen before costs a hundred, which must not block the event loop.
        """
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    def cancel_all(self) -> None:
        """Cancel all tasks."""
        for lane in (self.sweeps, self.shorts):
            for cancel_token in tuple(lane.active):
                cancel_token.cancel()

    def close(self) -> None:
        """Cancel all tasks, and wait until they and their threads have ended."""
        self.cancel_all()
        for pool in (self.sweeps.threads, self.shorts.threads, self._quick):
            pool.shutdown(wait=True, cancel_futures=True)


def cancel_with(context: Context) -> CancelToken:
    """Make a cancel token that is cancelled when the call ends."""
    cancel_token = CancelToken()
    context.add_done_callback(lambda _: cancel_token.cancel())  # type: ignore[arg-type] # the stubs ask for a class
    return cancel_token


async def _messages(
    lane: Lane, task: str, payload: bytes, cancel_token: CancelToken, who: Caller
) -> AsyncGenerator[bytes, None]:
    lane.admit(who, cancel_token)
    relay = _ReaderRelay(asyncio.get_running_loop(), cancel_token, task, payload)
    cancel_token.add_callback(relay.wake)
    try:
        # With the context of the call, for log lines and spans of its task.
        asyncio.get_running_loop().run_in_executor(lane.threads, copy_context().run, relay.run, lane)
        async for message in relay:
            yield message
    finally:
        cancel_token.cancel()
        relay.close()
        lane.leave(who.key, cancel_token)


class _ReaderRelay:
    """Passes messages from the thread that waits for a task to the event loop that sends them.

    Requirement: unread messages wait in an overflow queue, so that a slow reader does not keep the worker; only when
    that queue is full does the task wait.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, cancel_token: CancelToken, task: str, payload: bytes
    ) -> None:
        self._loop = loop
        self._cancel_token = cancel_token
        self._task = task
        self._payload = payload
        self._admitted_at = time.time_ns()
        self._started = False
        self._queue = OverflowQueue(FILE_LIMIT)
        self._changed = asyncio.Event()
        self._room = threading.Event()
        self._end: Any = None
        self.cancelled = cancel_token.is_set

    def run(self, lane: Lane) -> None:
        """Have the task computed, in a thread of the lane."""
        end: Any = _END
        self._started = True
        lane.waiting.discard(self._cancel_token)
        lane.computing.add(self._cancel_token)
        record_wait(lane.name, self._task, self._admitted_at)
        try:
            self._cancel_token.check()
            lane.compute(self._task, self._payload, self, self._cancel_token)
        except BaseException as error:
            end = error
        lane.computing.discard(self._cancel_token)
        self._end = end
        self.wake()

    def result(self, data: bytes) -> None:
        """Pass on a message of the response."""
        self._cancel_token.check()
        while not self._queue.put(data):
            self._room.wait(_POLL_SECONDS)
            self._room.clear()
            self._cancel_token.check()
        self.wake()

    progress = result

    def close(self) -> None:
        """Discard unread messages and the payload: a thread may start on the task long after its call has ended."""
        self._payload = b""
        self._queue.close()

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        while True:
            self._changed.clear()
            # The end is read first: messages added before it was set are in the queue by then.
            end, message = self._end, self._queue.take()
            if message is None and self._queue.has_file:
                message = await asyncio.to_thread(self._queue.take_from_file)
            if message is not None:
                self._room.set()
                yield message
            elif end is None and self._cancel_token.is_set() and not self._started:
                raise cancelled_error()
            elif end is None:
                await self._changed.wait()
            elif end is _END:
                return
            else:
                raise end

    def wake(self) -> None:
        """Have the reader look for messages and for the end."""
        # The loop may be closed while the last tasks end: nothing reads their messages then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)
