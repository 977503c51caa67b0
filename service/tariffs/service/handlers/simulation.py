"""SimulationService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc.aio
from google.longrunning import operations_pb2

from tariffs.service.handlers.lines import lines_stream
from tariffs.service.handlers.operations import LongRuns
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import simulation_service_pb2, simulation_service_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class SimulationHandler(simulation_service_pb2_grpc.SimulationServiceServicer):
    """Computes in workers and streams as it goes.

    Args:
        runs: where things are computed.
        kept: whose tables handles name.
        long_runs: begins and reads runs that go on without their caller.
    """

    def __init__(self, runs: TaskQueue, kept: Storage, long_runs: LongRuns) -> None:
        self._runs = runs
        self._kept = kept
        self._long_runs = long_runs

    async def Simulate(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.SimulateRequest, context: Context
    ) -> AsyncIterator[simulation_service_pb2.SimulateResponse]:
        """What scenarios do to a trade table."""
        answer = simulation_service_pb2.SimulateResponse
        async with aclosing(self._stream("simulate", request, answer, context)) as found:
            async for message in found:
                yield message

    async def Timeline(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.TimelineRequest, context: Context
    ) -> AsyncIterator[simulation_service_pb2.TimelineResponse]:
        """Scenarios over a period."""
        answer = simulation_service_pb2.TimelineResponse
        async with aclosing(self._stream("timeline", request, answer, context)) as found:
            async for message in found:
                yield message

    async def SimulateLines(  # noqa: N802 - the name on the wire
        self,
        request_iterator: AsyncIterator[simulation_service_pb2.SimulateLinesRequest],
        context: Context,
    ) -> AsyncIterator[simulation_service_pb2.SimulateLinesResponse]:
        """The duty on rows as they come."""
        async with aclosing(lines_stream(self._runs, request_iterator, context)) as found:
            async for message in found:
                yield message

    async def StartRun(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.StartRunRequest, context: Context
    ) -> operations_pb2.Operation:
        """Begin a run that goes on without the caller."""
        return await self._long_runs.start(request)

    async def ReadRun(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.ReadRunRequest, context: Context
    ) -> AsyncIterator[simulation_service_pb2.ReadRunResponse]:
        """The messages of a run from an offset on."""
        async with aclosing(self._long_runs.read(request.name, request.offset)) as found:
            async for message in found:
                yield message

    async def _stream(
        self, task: str, request: Any, answer: Any, context: Context
    ) -> AsyncGenerator[Any, None]:
        if request.WhichOneof("table") != "handle":
            async for message in self._runs.stream(task, request, answer, context):
                yield message
            return
        table = await asyncio.to_thread(self._kept.table, caller().owner, request.handle)
        async with aclosing(self._runs.over_table(task, table, request, answer, context)) as found:
            async for message in found:
                yield message
