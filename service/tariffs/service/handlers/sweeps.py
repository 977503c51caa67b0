"""Handler of SweepService.

The middleware closes the generators when the call ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from tariffs.service.handlers.run_stream import run_stream
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.sweep_quota import check_points
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import simulation_service_pb2, sweep_service_pb2, sweep_service_pb2_grpc


class SweepHandler(sweep_service_pb2_grpc.SweepServiceServicer):
    """Computes in workers and streams results as they come.

    Args:
        task_queue: computes.
        storage: resolves table handles.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage) -> None:
        self._task_queue = task_queue
        self._storage = storage

    async def Sweep(
        self, request: simulation_service_pb2.SweepRequest, context: Context
    ) -> AsyncGenerator[simulation_service_pb2.SweepResponse, None]:
        """Compute a scenario at many points of its parameters."""
        if caller().quotas.sweep_points is not None:
            await asyncio.to_thread(check_points, caller(), request)
        response = simulation_service_pb2.SweepResponse
        stream = run_stream(self._task_queue, self._storage, "sweep", request, response, context)
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message

    def Seek(
        self, request: sweep_service_pb2.SeekRequest, context: Context
    ) -> AsyncGenerator[sweep_service_pb2.SeekResponse, None]:
        """Find the values of a parameter at which a result meets a target."""
        response = sweep_service_pb2.SeekResponse
        return run_stream(self._task_queue, self._storage, "seek", request, response, context)
