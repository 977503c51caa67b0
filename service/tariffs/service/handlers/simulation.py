"""Handlers of SimulationService and SweepService.

Streaming methods return their generator as it is: the middleware closes it when the call ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from google.longrunning import operations_pb2

from tariffs.service.handlers.lines import lines_stream
from tariffs.service.handlers.methods import computed, streamed
from tariffs.service.handlers.operations import LongRuns
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.verbs import check_quota
from tariffs.service.storage.storage import Storage
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import (
    simulation_service_pb2,
    simulation_service_pb2_grpc,
    sweep_service_pb2,
    sweep_service_pb2_grpc,
)
from tariffs.v1 import simulation_service_pb2 as pb


class SimulationHandler(simulation_service_pb2_grpc.SimulationServiceServicer):
    """Computes in workers and streams results as they come."""

    def __init__(self, task_queue: TaskQueue, storage: Storage, long_runs: LongRuns) -> None:
        self._task_queue = task_queue
        self._storage = storage
        self._long_runs = long_runs

    Simulate = streamed("simulate", pb.SimulateResponse)
    Timeline = streamed("timeline", pb.TimelineResponse)
    CalculateCollections = computed("sweep", "collections", pb.CalculateCollectionsResponse)
    CompareTrade = computed("sweep", "hindcast", pb.CompareTradeResponse)
    SolveWorld = computed("short", "world", pb.SolveWorldResponse)

    def SimulateLines(
        self, request_iterator: AsyncIterator[pb.SimulateLinesRequest], context: Context
    ) -> AsyncGenerator[pb.SimulateLinesResponse, None]:
        """Calculate the duty on a stream of rows."""
        return lines_stream(self._task_queue, request_iterator, context)

    async def StartRun(self, request: pb.StartRunRequest, context: Context) -> operations_pb2.Operation:
        """Start a long run, which continues without the caller."""
        return await self._long_runs.start(request)

    async def ShareRun(self, request: pb.ShareRunRequest, context: Context) -> operations_pb2.Operation:
        """Share a long run with a group, or with nobody."""
        return await self._long_runs.share(request)

    def ReadRun(
        self, request: pb.ReadRunRequest, context: Context
    ) -> AsyncGenerator[pb.ReadRunResponse, None]:
        """Read the messages of a long run from an offset on."""
        return self._long_runs.read(request.name, request.offset)


class SweepHandler(sweep_service_pb2_grpc.SweepServiceServicer):
    """Computes in workers and streams results as they come."""

    def __init__(self, task_queue: TaskQueue, storage: Storage) -> None:
        self._task_queue = task_queue
        self._storage = storage

    Sweep = streamed("sweep", simulation_service_pb2.SweepResponse, check_quota)
    Seek = streamed("seek", sweep_service_pb2.SeekResponse)
