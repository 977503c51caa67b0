"""Make methods: answered inline, or by a task in a worker, whose request names its law by digest; bound watching ones.

Methods over tables use the handler's `_task_queue` and `_storage`; the middleware closes streams when their call ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from functools import partial
from typing import Any, TypeVar

from tariffs.engine.errors import ServiceError
from tariffs.questions.index import INDEX
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.laws import LAWS, pin
from tariffs.service.wire.identity import Caller, caller
from tariffs.service.workers.fair_limit import FairLimit

_MOST = 64
H = TypeVar("H", bound=type[Any])


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


def computed(lane: str, task: str, response: type[Any]) -> Any:
    """Make a method that returns the one response of a task, computed through the handler's task queue."""

    async def call(self: Any, request: Any, context: Context) -> Any:
        pin(request)
        return await getattr(self._task_queue, lane)(task, request, response, context)

    return call


def with_questions(service: str) -> Callable[[H], H]:
    """Give a handler, which has a `_task_queue`, the methods of the declared questions of its service."""

    def added(handler: H) -> H:
        for name, one in INDEX.items():
            if one.service == service:
                setattr(handler, one.method, computed(one.lane, name, one.message("Response")))
        return handler

    return added


def streamed(task: str, response: type[Any], check: Callable[[Caller, Any], None] | None = None) -> Any:
    """Make a method that streams the messages of a task over the table of its request, or the stored one it names.

    Args:
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


def reading(kind: str, behaviour: Callable[[Any, Any], Any], read: Callable[[Any], Awaitable[Any]]) -> Any:
    """Make the behaviour of a method whose requests are read first."""

    async def answer(request: Any, context: Any) -> Any:
        return await behaviour(await read(request), context)

    async def stream(request: Any, context: Any) -> AsyncGenerator[Any, None]:
        async with aclosing(behaviour(await read(request), context)) as messages:
            async for message in messages:
                yield message

    async def read_all(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            yield await read(request)

    def many(requests: AsyncIterator[Any], context: Any) -> Any:
        return behaviour(read_all(requests), context)

    return {"unary_unary": answer, "unary_stream": stream}.get(kind, many)


def kind_of(handler: Any) -> str:
    """Return the kind of a handler as gRPC names it, such as `unary_stream`."""
    return "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )


class Watchers:
    """Calls that watch, at most half of them of one caller.

    Args:
        noun: what they are, in the plural, for the error text.

    Attributes:
        open: False once they are to end: another server can answer them.
    """

    def __init__(self, noun: str) -> None:
        self._limit = FairLimit(noun, _MOST, _MOST // 2)
        self.open = True

    def place(self, key: str) -> AbstractContextManager[None]:
        """Count a call while the context is open; raises ServiceError TOO_MANY_STREAMS at a limit."""
        return self._limit.place(key)

    def close(self) -> None:
        """End the calls."""
        self.open = False


def shutting_down(fix: str) -> ServiceError:
    """Make the error of a call that ends because the server stops."""
    return ServiceError("SHUTTING_DOWN", "The server is shutting down.", fix=fix)
