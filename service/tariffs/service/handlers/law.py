"""LawService."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import grpc.aio

from tariffs.service.rpc import law
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import law_service_pb2, law_service_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class LawHandler(law_service_pb2_grpc.LawServiceServicer):
    """Reads from the law in memory; what changes do to a table is admitted and ended as a run is.

    Args:
        runs: where things are computed.
        kept: whose tables handles name.
    """

    def __init__(self, runs: TaskQueue, kept: Storage) -> None:
        self._runs = runs
        self._kept = kept

    async def GetLaw(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.GetLawRequest, context: Context
    ) -> law_service_pb2.Law:
        """The version of the law, its switches and claims."""
        return law.get_law(request)

    async def ListMeasures(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.ListMeasuresRequest, context: Context
    ) -> law_service_pb2.ListMeasuresResponse:
        """All measures, without their periods."""
        return law.list_measures(request)

    async def GetMeasure(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.GetMeasureRequest, context: Context
    ) -> law_service_pb2.Measure:
        """One measure."""
        return law.get_measure(request)

    async def ListChanges(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.ListChangesRequest, context: Context
    ) -> law_service_pb2.ListChangesResponse:
        """What changes in the law in a window of days."""
        answer = law_service_pb2.ListChangesResponse
        given = request.WhichOneof("table")
        if given != "handle":
            lane = self._runs.sweep if given else self._runs.short
            return await lane("changes", request, answer, context)
        table = await asyncio.to_thread(self._kept.table, caller().owner, request.handle)
        async with aclosing(self._runs.over_table("changes", table, request, answer, context)) as found:
            return await anext(found)

    async def CalculatePortFee(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.CalculatePortFeeRequest, context: Context
    ) -> law_service_pb2.CalculatePortFeeResponse:
        """What port fees cost on a voyage."""
        return await self._runs.short("port_fee", request, law_service_pb2.CalculatePortFeeResponse, context)
