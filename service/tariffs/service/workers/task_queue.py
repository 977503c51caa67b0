"""Long calls off the event loop: bounded lanes, fair between callers, each run with its own way to be ended.

A kernel on the event loop stops every other call (measured: 93 % of quotes lost), and compiling a day's law in a thread
of the same process holds them up too, because it is Python: so runs compute in worker processes. Here a thread waits
for each and carries its messages.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import grpc.aio
from google.protobuf.message import Message

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.frames import pack
from tariffs.service.wire.identity import caller
from tariffs.service.wire.status import server_busy
from tariffs.service.workers.overflow_queue import FILE_LIMIT, OverflowQueue
from tariffs.service.workers.tasks import CancelToken, ResultSink

Answer = TypeVar("Answer", bound=Message)
Found = TypeVar("Found")
Context = grpc.aio.ServicerContext[Any, Any]
_POLL_SECONDS = 0.2
_END: Any = object()


class Compute(Protocol):
    """Runs a task by name in the calling thread or on behalf of it: workers, or the thread itself."""

    def __call__(self, task: str, payload: bytes, outlet: ResultSink, over: CancelToken, /) -> None:
        """Compute; raises what the task raises."""


@dataclass
class Lane:
    """Tasks of one kind: how many are computed at a time, are let in, and may be of one caller.

    Of those let in (`active`) some wait for a worker, some are computed, and some only for their reader.
    """

    name: str
    compute: Compute
    width: int
    admitted: int
    per_caller: int
    inside: Counter[str] = field(default_factory=Counter)
    active: set[CancelToken] = field(default_factory=set)
    waiting: set[CancelToken] = field(default_factory=set)
    computing: set[CancelToken] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.threads = ThreadPoolExecutor(self.width, thread_name_prefix=self.name)

    def admit(self, key: str, over: CancelToken) -> None:
        """Let a task in.

        Raises:
            ServiceError: TOO_MANY_STREAMS at one of the limits.
        """
        if len(self.active) >= self.admitted:
            raise server_busy(
                f"The server computes or holds {len(self.active)} runs, its limit.", self.admitted
            )
        if self.inside[key] >= self.per_caller:
            raise server_busy(
                f"You have {self.inside[key]} runs in hand, the limit of a caller.", self.per_caller
            )
        self.active.add(over)
        self.waiting.add(over)
        self.inside[key] += 1

    def leave(self, key: str, over: CancelToken) -> None:
        """Let a task out."""
        self.active.discard(over)
        self.waiting.discard(over)
        self.inside[key] -= 1
        if not self.inside[key]:
            del self.inside[key]


class TaskQueue:
    """Lanes of tasks: `sweeps` over tables, and `shorts`, which are heavy for the event loop and soon done."""

    def __init__(self, sweeps: Lane, shorts: Lane) -> None:
        self.sweeps = sweeps
        self.shorts = shorts
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="quick")

    async def stream(
        self, task: str, request: Message, answer: type[Answer], context: Context
    ) -> AsyncIterator[Answer]:
        """The messages that a task answers with, as they come.

        The run ends early when the call does: cancelled, or past its deadline, which ends the call too.

        Raises:
            ServiceError: TOO_MANY_STREAMS at a limit; CANCELLED if it ended early.
            TariffsError: whatever the task raises.
        """
        async with aclosing(self.messages(task, request.SerializeToString(), cancel_with(context))) as found:
            async for data in found:
                yield answer.FromString(data)

    def messages(
        self, task: str, payload: bytes, over: CancelToken, key: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The serialised messages of a sweep, on behalf of the caller of this call or of `key`; see `stream`."""
        return _messages(self.sweeps, task, payload, over, key or caller().key)

    async def over_table(
        self, task: str, table: Path, request: Message, answer: type[Answer], context: Context
    ) -> AsyncGenerator[Answer, None]:
        """The messages of a task over a table that is kept, as `stream` has them."""
        payload = pack({"table": str(table)}, request.SerializeToString())
        async with aclosing(self.messages(f"{task}_kept", payload, cancel_with(context))) as found:
            async for data in found:
                yield answer.FromString(data)

    async def sweep(self, task: str, request: Message, answer: type[Answer], context: Context) -> Answer:
        """The one message that a sweep answers with; raises as `stream`."""
        return await self._one(self.sweeps, task, request, answer, context)

    async def short(self, task: str, request: Message, answer: type[Answer], context: Context) -> Answer:
        """The one message that a short task answers with; raises as `stream`."""
        return await self._one(self.shorts, task, request, answer, context)

    @staticmethod
    async def _one(
        lane: Lane,
        task: str,
        request: Message,
        answer: type[Answer],
        context: Context,
    ) -> Answer:
        over, payload = cancel_with(context), request.SerializeToString()
        found = [data async for data in _messages(lane, task, payload, over, caller().key)]
        return answer.FromString(found[-1])

    async def quick(self, work: Callable[[], Found]) -> Found:
        """One call of `work`, which is short unless the law of its day is not in memory yet.

        The hop to a thread costs 0.1 ms; a day not seen before costs a hundred, which must not stop the loop.
        """
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    def end(self) -> None:
        """Tell all runs to end."""
        for lane in (self.sweeps, self.shorts):
            for over in tuple(lane.active):
                over.set()

    def close(self) -> None:
        """End all runs and threads; waits until they have ended."""
        self.end()
        for pool in (self.sweeps.threads, self.shorts.threads, self._quick):
            pool.shutdown(wait=True, cancel_futures=True)


def cancel_with(context: Context) -> CancelToken:
    """What is over when the call is."""
    over = CancelToken()
    context.add_done_callback(lambda _: over.set())  # type: ignore[arg-type] # the stubs ask for a class
    return over


async def _messages(
    lane: Lane, task: str, payload: bytes, over: CancelToken, key: str
) -> AsyncGenerator[bytes, None]:
    lane.admit(key, over)
    relay = _ReaderRelay(asyncio.get_running_loop(), over, task, payload)
    over.tell(relay.wake)
    try:
        asyncio.get_running_loop().run_in_executor(lane.threads, relay.run, lane)
        async for message in relay:
            yield message
    finally:
        over.set()
        relay.close()
        lane.leave(key, over)


class _ReaderRelay:
    """Carries messages from the thread that waits for a task to the loop that sends.

    What the reader has not read waits in a spool, so that the task can end; only if that is full does it wait too.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, over: CancelToken, task: str, payload: bytes) -> None:
        self._loop = loop
        self._over = over
        self._task = task
        self._payload = payload
        self._begun = False
        self._spool = OverflowQueue(FILE_LIMIT)
        self._there = asyncio.Event()
        self._room = threading.Event()
        self._end: Any = None

    def run(self, lane: Lane) -> None:
        """Have the task computed, in a thread of the lane."""
        end: Any = _END
        self._begun = True
        lane.waiting.discard(self._over)
        lane.computing.add(self._over)
        try:
            self._check()
            lane.compute(self._task, self._payload, self, self._over)
        except BaseException as error:
            end = error
        lane.computing.discard(self._over)
        self._end = end
        self.wake()

    def result(self, data: bytes) -> None:
        """Carry a message of the answer."""
        self._check()
        while not self._spool.put(data):
            self._room.wait(_POLL_SECONDS)
            self._room.clear()
            self._check()
        self.wake()

    progress = result

    def cancelled(self) -> bool:
        """Whether nobody waits any more."""
        return self._over.is_set()

    def close(self) -> None:
        """Forget what was not read, and what was asked: a thread may come to it long after nobody waits."""
        self._payload = b""
        self._spool.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self._there.clear()
            # The end is looked at first: what was put before it was set is in the spool by then.
            end, message = self._end, self._spool.take()
            if message is None and self._spool.has_file:
                message = await asyncio.to_thread(self._spool.take_from_file)
            if message is not None:
                self._room.set()
                yield message
            elif end is None and self._over.is_set() and not self._begun:
                raise _cancelled()
            elif end is None:
                await self._there.wait()
            elif end is _END:
                return
            else:
                raise end

    def wake(self) -> None:
        """Have the reader look again."""
        # The loop may be closed while the last runs end: nobody waits for them then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._there.set)

    def _check(self) -> None:
        if self._over.is_set():
            raise _cancelled()


def _cancelled() -> ServiceError:
    return ServiceError("CANCELLED", "The caller cancelled the run.")
