"""DutyService."""

from __future__ import annotations

from typing import Any

import grpc.aio

from tariffs.service.rpc import duty
from tariffs.v1 import duty_service_pb2, duty_service_pb2_grpc


class DutyHandler(duty_service_pb2_grpc.DutyServiceServicer):
    """Rates entry lines inline: one takes well under a millisecond of kernel-free work."""

    async def CalculateDuty(  # noqa: N802 - the name on the wire
        self, request: duty_service_pb2.CalculateDutyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> duty_service_pb2.CalculateDutyResponse:
        """The duty on one line."""
        return duty.calculate_duty(request)
