"""Handler of SweepService."""

from __future__ import annotations

from tariffs.service.handlers.methods import streamed
from tariffs.service.rpc.sweeps import check_quota
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

    Sweep = streamed("sweep", simulation_service_pb2.SweepResponse, check_quota)
    Seek = streamed("seek", sweep_service_pb2.SeekResponse)
