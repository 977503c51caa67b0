"""Health service with a limit of watchers, because each watcher keeps a call open."""

from __future__ import annotations

from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2

from tariffs.engine.errors import ServiceError
from tariffs.service.observability.call_log import request_id_of
from tariffs.service.wire.identity import anonymous_at
from tariffs.service.wire.status import grpc_code, status_of, trailers_of
from tariffs.service.workers.fair_limit import FairLimit

WATCHERS = 64


class Health(health.aio.HealthServicer):  # type: ignore[misc, name-defined] # the stubs lack it
    """Health service: Check is always answered, Watch is limited to WATCHERS, half of them for one address."""

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
            request_id = request_id_of(context.invocation_metadata())
            status = status_of(error, request_id)
            await context.abort(grpc_code(status), status.message, trailers_of(status, request_id))
