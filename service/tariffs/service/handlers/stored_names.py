"""Put the texts of stored scenarios in place of their names, before a method gets its request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc
from google.protobuf import descriptor_pool

from tariffs.service.handlers.methods import kind_of
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.scenario_refs import has_scenarios, names_stored, put_texts
from tariffs.service.storage.scenario_store import ScenarioStore
from tariffs.service.wire.identity import caller


class StoredNames:
    """Resolves names of stored scenarios in requests.

    Args:
        store: the scenarios.
    """

    def __init__(self, store: ScenarioStore) -> None:
        self._store = store

    def around(self, handler: Any, method: str) -> Any:
        """Return a handler whose method gets texts; the handler itself if its requests name no scenarios.

        Args:
            handler: the handler.
            method: full name of its method, such as `/tariffs.v1.DutyService/CalculateDuty`.
        """
        try:
            found = descriptor_pool.Default().FindMethodByName(method.removeprefix("/").replace("/", "."))
        except KeyError:
            return handler
        if not has_scenarios(found.input_type):
            return handler
        kind = kind_of(handler)
        wrap = {"unary_unary": self._answer, "unary_stream": self._stream, "stream_stream": self._streams}[
            kind
        ]
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(wrap(getattr(handler, kind)), handler.request_deserializer, handler.response_serializer)

    async def resolve(self, request: Any) -> Any:
        """Return a request with texts in place of names; raises as `put_texts`."""
        if names_stored(request):
            await asyncio.to_thread(put_texts, request, partial(self._store.find, caller()))
        return request

    def _answer(self, behaviour: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
        async def resolved(request: Any, context: Context) -> Any:
            return await behaviour(await self.resolve(request), context)

        def call(request: Any, context: Context) -> Any:
            # Most calls name none, and are spared a coroutine.
            return resolved(request, context) if names_stored(request) else behaviour(request, context)

        return call

    def _stream(self, behaviour: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
        async def call(request: Any, context: Context) -> AsyncGenerator[Any, None]:
            async with aclosing(behaviour(await self.resolve(request), context)) as messages:
                async for message in messages:
                    yield message

        return call

    def _streams(self, behaviour: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
        async def requests_of(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for request in requests:
                yield await self.resolve(request)

        def call(requests: AsyncIterator[Any], context: Context) -> Any:
            return behaviour(requests_of(requests), context)

        return call
