"""Health service with a limit of watchers, because each watcher keeps a call open."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.identity import anonymous_at
from tariffs.service.workers.fair_limit import FairLimit

WATCHERS = 512
"""A client of several servers watches each of them, so there are as many watchers as clients."""


class Health(health.aio.HealthServicer):  # type: ignore[misc, name-defined] # the stubs lack it
    """Health service: Check is always answered, Watch is limited to WATCHERS, half of them for one address.

    One more gets UNIMPLEMENTED: gRPC's clients count a server that cannot be watched as healthy, and with any other
    error would not call it at all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limit = FairLimit("health watchers", WATCHERS, WATCHERS // 2)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Send the status of a service, and every change of it."""
        try:
            with self._limit.place(anonymous_at(context.peer()).key):
                await super().Watch(request, context)
        except ServiceError as error:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, error.message)
