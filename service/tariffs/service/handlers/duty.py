"""DutyService."""

from __future__ import annotations

from functools import partial
from typing import Any

import grpc.aio

from tariffs.service.observability.answer_facts import Encoded
from tariffs.service.rpc import duty
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import duty_service_pb2, duty_service_pb2_grpc


class DutyHandler(duty_service_pb2_grpc.DutyServiceServicer):
    """Rates entry lines: one at once or in a thread, a batch as a run."""

    def __init__(self, runs: TaskQueue) -> None:
        self._runs = runs

    async def CalculateDuty(  # noqa: N802 - the name on the wire
        self, request: duty_service_pb2.CalculateDutyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> duty_service_pb2.CalculateDutyResponse | Encoded:
        """The duty on one line."""
        # With all in memory an answer takes some 0.05 ms, less than the hop to a thread and back. Whatever has to be
        # worked out first may take a hundred, so it leaves the loop.
        found = duty.duty_from_memory(request)
        if found is not None:
            return found
        return await self._runs.quick(partial(duty.calculate_duty, request))

    async def BatchCalculateDuties(  # noqa: N802 - the name on the wire
        self,
        request: duty_service_pb2.BatchCalculateDutiesRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> duty_service_pb2.BatchCalculateDutiesResponse:
        """The duty on many lines."""
        return await self._runs.short(
            "duties", request, duty_service_pb2.BatchCalculateDutiesResponse, context
        )
