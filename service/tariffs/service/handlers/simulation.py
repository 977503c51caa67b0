"""SimulationService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import grpc.aio

from tariffs.service.rpc.timeline import run_timeline
from tariffs.service.runs import Runs
from tariffs.v1 import simulation_service_pb2, simulation_service_pb2_grpc

Simulate = Callable[
    [
        simulation_service_pb2.SimulateRequest,
        Callable[[simulation_service_pb2.SimulateResponse], None],
        Callable[[], bool],
    ],
    None,
]


class SimulationHandler(simulation_service_pb2_grpc.SimulationServiceServicer):
    """Computes in the pool and streams as it goes."""

    def __init__(self, runs: Runs, simulate: Simulate) -> None:
        self._runs = runs
        self._simulate = simulate

    async def Simulate(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.SimulateRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[simulation_service_pb2.SimulateResponse]:
        """What scenarios do to a trade table."""
        async for message in self._runs.stream(partial(self._simulate, request), context):
            yield message

    async def Timeline(  # noqa: N802 - the name on the wire
        self, request: simulation_service_pb2.TimelineRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[simulation_service_pb2.TimelineResponse]:
        """Scenarios over a period."""
        async for message in self._runs.stream(partial(run_timeline, request), context):
            yield message
