"""Make methods: answered inline, or by a task in a worker, whose request names its law by digest.

Methods over tables use the handler's `_task_queue` and `_storage`; the middleware closes streams when their call ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Literal

from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.laws import LAWS, pin
from tariffs.service.wire.identity import Caller, caller


def inline(function: Callable[[Any], Any]) -> Any:
    """Make a method that calls a function of `rpc` on the event loop, for reads of data in memory."""

    async def call(self: object, request: Any, context: Context) -> Any:
        return function(request)

    return call


def of_law(function: Callable[[Any], Any]) -> Any:
    """Make a method that calls a function of `rpc` on the law of its request: on the event loop if it is in memory."""

    async def call(self: Any, request: Any, context: Context) -> Any:
        if LAWS.ready(request.law_version) is not None:
            return function(request)
        return await self._task_queue.quick(partial(function, request))

    return call


def computed(lane: Literal["sweep", "short"], task: str, response: type[Any]) -> Any:
    """Make a method that returns the one response of a task, computed through the handler's task queue."""

    async def call(self: Any, request: Any, context: Context) -> Any:
        pin(request)
        return await getattr(self._task_queue, lane)(task, request, response, context)

    return call


def streamed(task: str, response: type[Any], check: Callable[[Caller, Any], None] | None = None) -> Any:
    """Make a method that streams the messages of a task over the table of its request, or the stored one it names.

    Args:
        task: name of the task.
        response: type of the messages.
        check: refuses what the caller may not ask for.
    """

    async def call(self: Any, request: Any, context: Context) -> AsyncGenerator[Any, None]:
        if check is not None:
            await asyncio.to_thread(check, caller(), request)
        pin(request)
        table = None
        if request.WhichOneof("table") == "handle":
            table = await asyncio.to_thread(self._storage.table, caller(), request.handle)
        async with aclosing(self._task_queue.stream(task, request, response, context, table)) as messages:
            async for message in messages:
                yield message

    return call


def over_table(task: str, response: type[Any]) -> Any:
    """Make a method that returns the one response of a task over a table, as `streamed` finds it."""
    stream = streamed(task, response)

    async def call(self: Any, request: Any, context: Context) -> Any:
        async with aclosing(stream(self, request, context)) as messages:
            return await anext(messages)

    return call


def kind_of(handler: Any) -> str:
    """Return the kind of a handler as gRPC names it, such as `unary_stream`."""
    return "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
