"""Make unary methods: answered inline, or by a task in a worker, whose request names its law by digest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.laws import LAWS, pin


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


def kind_of(handler: Any) -> str:
    """Return the kind of a handler as gRPC names it, such as `unary_stream`."""
    return "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
