"""Health, with a bound on those who watch it: each watcher holds a call open for as long as it likes."""

from __future__ import annotations

from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2

from tariffs.engine.errors import ServiceError
from tariffs.service.observability.call_log import request_id_of
from tariffs.service.server.admission import Admission
from tariffs.service.wire.identity import anonymous_at
from tariffs.service.wire.status import grpc_code, status_of, trailers_of

WATCHERS = 64


class Health(health.aio.HealthServicer):  # type: ignore[misc, name-defined] # the stubs lack it
    """Answers who asks, always; lets so many watch, and of one address half of them."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = Admission(WATCHERS, WATCHERS // 2, warm=True)

    async def Watch(  # noqa: N802 - the name on the wire
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """The status of a service, and every change of it."""
        try:
            with self._gate.call(anonymous_at(context.peer()).key):
                await super().Watch(request, context)
        except ServiceError as error:
            request_id = request_id_of(context.invocation_metadata())
            status = status_of(error, request_id)
            await context.abort(grpc_code(status), status.message, trailers_of(status, request_id))
