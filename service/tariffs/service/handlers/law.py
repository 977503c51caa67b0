"""LawService."""

from __future__ import annotations

from typing import Any

import grpc.aio

from tariffs.service.rpc import law
from tariffs.service.runs import Runs
from tariffs.v1 import law_service_pb2, law_service_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class LawHandler(law_service_pb2_grpc.LawServiceServicer):
    """Reads from the law in memory; what changes do to a table is admitted and ended as a run is."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

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
        lane = self._runs.sweep if request.WhichOneof("table") else self._runs.short
        return await lane("changes", request, law_service_pb2.ListChangesResponse, context)

    async def CalculatePortFee(  # noqa: N802 - the name on the wire
        self, request: law_service_pb2.CalculatePortFeeRequest, context: Context
    ) -> law_service_pb2.CalculatePortFeeResponse:
        """What port fees cost on a voyage."""
        return await self._runs.short("port_fee", request, law_service_pb2.CalculatePortFeeResponse, context)
