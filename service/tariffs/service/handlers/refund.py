"""RefundService."""

from __future__ import annotations

from typing import Any

import grpc.aio

from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import refund_service_pb2, refund_service_pb2_grpc


class RefundHandler(refund_service_pb2_grpc.RefundServiceServicer):
    """Refunds of entries: rating up to 1,000 lines twice takes seconds, so a call runs in the lane of tables."""

    def __init__(self, runs: TaskQueue) -> None:
        self._runs = runs

    async def CalculateRefunds(  # noqa: N802 - the name on the wire
        self,
        request: refund_service_pb2.CalculateRefundsRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> refund_service_pb2.CalculateRefundsResponse:
        """What comes back of up to 1,000 lines."""
        return await self._runs.sweep(
            "refunds", request, refund_service_pb2.CalculateRefundsResponse, context
        )
