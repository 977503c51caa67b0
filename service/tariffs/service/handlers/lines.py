"""Handler of SimulateLines: compute a few batches at a time and answer them in the order they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.lines import StreamTotals, config_of, pinned_config, rows_of
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.service.workers.tasks import CancelToken
from tariffs.v1 import simulation_service_pb2 as pb

IN_FLIGHT = 2
_RETRY_SECONDS = 0.1
_TASK, _END_TASK = "lines", "lines_end"
_END: Any = object()
BatchResult = tuple[list[bytes], dict[str, Any]]


async def lines_stream(
    task_queue: TaskQueue, requests: AsyncIterator[pb.SimulateLinesRequest], context: Context
) -> AsyncGenerator[pb.SimulateLinesResponse, None]:
    """Yield the responses to a stream of rows.

    The next batch is read only when there is room for it, and computed only while the caller reads.

    Raises:
        TariffsError: an invalid config or batch; the batches before it are answered.
    """
    incoming = aiter(requests)
    config, totals = pinned_config(config_of(await anext(incoming, None))), StreamTotals()
    batches = _BatchRelay(task_queue, config)
    context.add_done_callback(lambda _: batches.cancel())  # type: ignore[arg-type] # the stubs ask for a class
    try:
        async with aclosing(batches.results(incoming)) as results:
            async for messages, facts in results:
                totals.add(facts)
                for message in messages:
                    yield pb.SimulateLinesResponse.FromString(message)
        end = pack(totals.facts(), config)
        for message in await batches.compute(_END_TASK, end, started=totals.batches > 0):
            yield pb.SimulateLinesResponse.FromString(message)
    finally:
        await batches.close()


class _BatchRelay:
    """Computes the batches of one stream, IN_FLIGHT at a time.

    Requirement: workers of one stream compute in parallel while the server's memory holds a bounded number of batches.
    """

    def __init__(self, task_queue: TaskQueue, config: bytes) -> None:
        self._task_queue = task_queue
        self._config = config
        self._works: deque[asyncio.Task[BatchResult]] = deque()
        self._cancel_tokens: set[CancelToken] = set()

    async def results(
        self, incoming: AsyncIterator[pb.SimulateLinesRequest]
    ) -> AsyncGenerator[BatchResult, None]:
        """Yield results in order, each at once: a caller may wait for a response before it sends the next batch."""
        works, index = self._works, 0
        arriving: asyncio.Future[Any] | None = asyncio.ensure_future(anext(incoming, _END))
        try:
            while arriving is not None or works:
                waiting: set[asyncio.Future[Any]] = {works[0]} if works else set()
                if arriving is not None and len(works) < IN_FLIGHT:
                    waiting.add(arriving)
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if works and works[0] in done:
                    yield works.popleft().result()
                if arriving is not None and arriving in done:
                    message, arriving = arriving.result(), None
                    if message is not _END:
                        works.append(asyncio.create_task(self._compute_batch(index, message)))
                        index += 1
                        arriving = asyncio.ensure_future(anext(incoming, _END))
        finally:
            if arriving is not None:
                arriving.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await arriving

    async def compute(self, task: str, payload: bytes, *, started: bool) -> list[bytes]:
        """Return the messages of a task, which is cancelled with the stream.

        A stream that has started waits for a place: refusing it half-way would waste the batches already computed.
        """
        cancel_token, queue = CancelToken(), self._task_queue
        self._cancel_tokens.add(cancel_token)
        found = (
            queue.messages_in_turn(task, payload, cancel_token, _RETRY_SECONDS)
            if started
            else queue.messages(task, payload, cancel_token)
        )
        try:
            async with aclosing(found) as messages:
                return [message async for message in messages]
        finally:
            self._cancel_tokens.discard(cancel_token)

    def cancel(self) -> None:
        """Cancel the running tasks."""
        for cancel_token in tuple(self._cancel_tokens):
            cancel_token.cancel()

    async def close(self) -> None:
        """Cancel the running tasks and wait for their end."""
        self.cancel()
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _compute_batch(self, index: int, message: pb.SimulateLinesRequest) -> BatchResult:
        facts = {"batch": index, "config": len(self._config)}
        payload = pack(facts, self._config + rows_of(message, index))
        *messages, last = await self.compute(_TASK, payload, started=index > 0)
        return messages, unpack(last)[0]
