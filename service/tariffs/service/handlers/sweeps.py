"""Handler of SweepService.

Its methods return their generator as it is: the middleware closes it when the call ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tariffs.service.handlers.run_stream import run_stream
from tariffs.service.observability.call_log import Context
from tariffs.service.storage.storage import Storage
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

    def Sweep(
        self, request: simulation_service_pb2.SweepRequest, context: Context
    ) -> AsyncGenerator[simulation_service_pb2.SweepResponse, None]:
        """Compute a scenario at many points of its parameters."""
        response = simulation_service_pb2.SweepResponse
        return run_stream(self._task_queue, self._storage, "sweep", request, response, context)

    def Seek(
        self, request: sweep_service_pb2.SeekRequest, context: Context
    ) -> AsyncGenerator[sweep_service_pb2.SeekResponse, None]:
        """Find the values of a parameter at which a result meets a target."""
        response = sweep_service_pb2.SeekResponse
        return run_stream(self._task_queue, self._storage, "seek", request, response, context)
