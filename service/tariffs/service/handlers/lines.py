"""Rows as a stream: a few batches are computed at a time and answered in the order they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import grpc.aio

from tariffs.engine.errors import ServiceError
from tariffs.service.rpc.lines import Tally, config_of, rows_of
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.service.workers.tasks import CancelToken
from tariffs.v1 import simulation_service_pb2 as pb

IN_FLIGHT = 2
_AGAIN_SECONDS = 0.1
_TASK, _END_TASK = "lines", "lines_end"
_END: Any = object()
Context = grpc.aio.ServicerContext[Any, Any]
Valued = tuple[list[bytes], dict[str, Any]]


async def lines_stream(
    runs: TaskQueue, requests: AsyncIterator[pb.SimulateLinesRequest], context: Context
) -> AsyncGenerator[pb.SimulateLinesResponse, None]:
    """The answers to a stream of rows.

    The next batch is read only when there is room for it, and computed only for who reads.

    Raises:
        TariffsError: what is wrong with the config or a batch; the batches before it are answered.
    """
    incoming = aiter(requests)
    config, tally = config_of(await anext(incoming, None)), Tally()
    computing = _Computing(runs, config)
    context.add_done_callback(lambda _: computing.end())  # type: ignore[arg-type] # the stubs ask for a class
    try:
        async with aclosing(computing.valued(incoming)) as valued:
            async for messages, facts in valued:
                tally.add(facts)
                for message in messages:
                    yield pb.SimulateLinesResponse.FromString(message)
        end = pack(tally.facts(), config)
        for message in await computing.computed(_END_TASK, end, begun=tally.batches > 0):
            yield pb.SimulateLinesResponse.FromString(message)
    finally:
        await computing.close()


class _Computing:
    """The batches of one stream that are in hand."""

    def __init__(self, runs: TaskQueue, config: bytes) -> None:
        self._runs = runs
        self._config = config
        self._works: deque[asyncio.Task[Valued]] = deque()
        self._overs: set[CancelToken] = set()

    async def valued(self, incoming: AsyncIterator[pb.SimulateLinesRequest]) -> AsyncGenerator[Valued, None]:
        """Batches in order, each as soon as it is there: who waits for an answer before sending on must get it."""
        works, index = self._works, 0
        coming: asyncio.Future[Any] | None = asyncio.ensure_future(anext(incoming, _END))
        try:
            while coming is not None or works:
                waiting: set[asyncio.Future[Any]] = {works[0]} if works else set()
                if coming is not None and len(works) < IN_FLIGHT:
                    waiting.add(coming)
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if works and works[0] in done:
                    yield works.popleft().result()
                if coming is not None and coming in done:
                    message, coming = coming.result(), None
                    if message is not _END:
                        works.append(asyncio.create_task(self._value(index, message)))
                        index += 1
                        coming = asyncio.ensure_future(anext(incoming, _END))
        finally:
            if coming is not None:
                coming.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await coming

    async def computed(self, task: str, payload: bytes, *, begun: bool) -> list[bytes]:
        """The messages of a task, which ends when the stream does.

        Only a stream that has begun waits for room: to refuse it half-way would waste what is done.
        """
        while True:
            try:
                return await self._computed(task, payload)
            except ServiceError as error:
                if error.reason != "TOO_MANY_STREAMS" or not begun:
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _computed(self, task: str, payload: bytes) -> list[bytes]:
        over = CancelToken()
        self._overs.add(over)
        try:
            async with aclosing(self._runs.messages(task, payload, over)) as found:
                return [one async for one in found]
        finally:
            self._overs.discard(over)

    def end(self) -> None:
        """Tell what is computed that nobody waits for it."""
        for over in tuple(self._overs):
            over.set()

    async def close(self) -> None:
        """End what is computed and wait for it."""
        self.end()
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _value(self, index: int, message: pb.SimulateLinesRequest) -> Valued:
        facts = {"batch": index, "config": len(self._config)}
        payload = pack(facts, self._config + rows_of(message, index))
        *messages, found = await self.computed(_TASK, payload, begun=index > 0)
        return messages, unpack(found)[0]
