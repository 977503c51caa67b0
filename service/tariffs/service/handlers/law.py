"""Handler of LawService."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from tariffs.service.handlers.methods import computed, inline
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import law, server_info
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import RUN, caller
from tariffs.service.wire.roles import require_role
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import law_service_pb2 as pb
from tariffs.v1 import law_service_pb2_grpc


class LawHandler(law_service_pb2_grpc.LawServiceServicer):
    """Reads the law in memory; changes and their effect on a table are computed in workers.

    Args:
        task_queue: computes.
        storage: resolves table handles.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage) -> None:
        self._task_queue = task_queue
        self._storage = storage

    GetLaw = inline(law.get_law)
    ListMeasures = inline(law.list_measures)
    GetMeasure = inline(law.get_measure)
    GetServerInfo = inline(server_info.get_server_info)
    CalculatePortFee = computed("short", "port_fee", pb.CalculatePortFeeResponse)

    async def ListChanges(self, request: pb.ListChangesRequest, context: Context) -> pb.ListChangesResponse:
        """List the changes of the law in a window of days, and their effect on a table."""
        response = pb.ListChangesResponse
        source = request.WhichOneof("table")
        if source:
            require_role(RUN, "ListChanges with a table")
        if source != "handle":
            lane = self._task_queue.sweep if source else self._task_queue.short
            return await lane("changes", request, response, context)
        table = await asyncio.to_thread(self._storage.table, caller().owner, request.handle)
        async with aclosing(
            self._task_queue.stream("changes", request, response, context, table)
        ) as messages:
            return await anext(messages)
