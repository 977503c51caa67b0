"""Put the texts of stored scenarios in place of their names, before a method gets its request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
from google.protobuf import descriptor_pool

from tariffs.service.handlers.methods import kind_of, reading
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.scenario_refs import has_scenarios, names_stored, put_texts
from tariffs.service.storage.scenario_store import ScenarioStore
from tariffs.service.wire.identity import caller


class StoredNames:
    """Resolves names of stored scenarios in requests."""

    def __init__(self, store: ScenarioStore) -> None:
        self._store = store

    def around(self, handler: Any, method: str) -> Any:
        """Return a handler whose method gets texts; the handler itself if its requests name no scenarios.

        Args:
            method: full name of its method, such as `/tariffs.v1.DutyService/CalculateDuty`.
        """
        try:
            found = descriptor_pool.Default().FindMethodByName(method.removeprefix("/").replace("/", "."))
        except KeyError:
            return handler
        if not has_scenarios(found.input_type):
            return handler
        kind = kind_of(handler)
        behaviour: Callable[[Any, Context], Any] = getattr(handler, kind)
        resolved = reading(kind, behaviour, self.resolve)

        def call(request: Any, context: Context) -> Any:
            # Most calls name none, and are spared a coroutine.
            return (resolved if names_stored(request) else behaviour)(request, context)

        make = getattr(grpc, f"{kind}_rpc_method_handler")
        method_call = resolved if handler.request_streaming else call
        return make(method_call, handler.request_deserializer, handler.response_serializer)

    async def resolve(self, request: Any) -> Any:
        """Return a request with texts in place of names; raises as `put_texts`."""
        if names_stored(request):
            await asyncio.to_thread(put_texts, request, partial(self._store.find, caller()))
        return request
