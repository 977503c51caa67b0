"""DutyService."""

from __future__ import annotations

from functools import partial
from typing import Any

import grpc.aio

from tariffs.service.rpc import duty
from tariffs.service.runs import Runs
from tariffs.v1 import duty_service_pb2, duty_service_pb2_grpc


class DutyHandler(duty_service_pb2_grpc.DutyServiceServicer):
    """Rates entry lines, in threads of their own; a batch is admitted and ended as a run is."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def CalculateDuty(  # noqa: N802 - the name on the wire
        self, request: duty_service_pb2.CalculateDutyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> duty_service_pb2.CalculateDutyResponse:
        """The duty on one line."""
        return await self._runs.quick(partial(duty.calculate_duty, request))

    async def BatchCalculateDuties(  # noqa: N802 - the name on the wire
        self,
        request: duty_service_pb2.BatchCalculateDutiesRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> duty_service_pb2.BatchCalculateDutiesResponse:
        """The duty on many lines."""
        answers: list[duty_service_pb2.BatchCalculateDutiesResponse]
        answers = [one async for one in self._runs.stream(partial(duty.calculate_duties, request), context)]
        return answers[0]
