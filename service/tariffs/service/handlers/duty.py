"""Handlers of DutyService and RefundService: quotes and refunds on entry lines."""

from __future__ import annotations

from collections import deque
from functools import partial

from tariffs.service.handlers.methods import computed, with_questions
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import duty
from tariffs.service.rpc.laws import FLOATING
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import duty_service_pb2 as pb
from tariffs.v1 import duty_service_pb2_grpc, refund_service_pb2, refund_service_pb2_grpc

RECENT_KEPT = 512
"""Requests that a new law is warmed with: most classes of goods that callers ask for."""


@with_questions("DutyService")
class DutyHandler(duty_service_pb2_grpc.DutyServiceServicer):
    """Quotes entry lines: one line inline or in a thread, a batch in a worker.

    Attributes:
        recent: the last requests whose class of goods had to be compiled, under the default or the latest law.
    """

    def __init__(self, task_queue: TaskQueue) -> None:
        self._task_queue = task_queue
        self.recent: deque[pb.CalculateDutyRequest] = deque(maxlen=RECENT_KEPT)

    async def CalculateDuty(
        self, request: pb.CalculateDutyRequest, context: Context
    ) -> pb.CalculateDutyResponse:
        """Quote the duty on one line."""
        # Compiling a class of goods takes as long as the hop to a thread and back; a day of the law may take a hundred
        # milliseconds.
        response = duty.duty_from_memory(request, self._remember)
        if response is not None:
            return response
        self._remember(request)
        return await self._task_queue.quick(partial(duty.calculate_duty, request))

    def _remember(self, request: pb.CalculateDutyRequest) -> None:
        if request.law_version in FLOATING:
            self.recent.append(request)

    BatchCalculateDuties = computed("short", "duties", pb.BatchCalculateDutiesResponse)
    CompareCodes = computed("short", "codes", pb.CompareCodesResponse)
    CalculateBom = computed("sweep", "bom", pb.CalculateBomResponse)
    ListWatchEvents = computed("sweep", "watch_events", pb.ListWatchEventsResponse)


class RefundHandler(refund_service_pb2_grpc.RefundServiceServicer):
    """Calculates refunds of entries: quoting 1,000 lines twice takes seconds, so a call runs in the lane of tables."""

    def __init__(self, task_queue: TaskQueue) -> None:
        self._task_queue = task_queue

    CalculateRefunds = computed("sweep", "refunds", refund_service_pb2.CalculateRefundsResponse)
