"""Handler of LawService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from tariffs.service.handlers.caller_info import CallerReport
from tariffs.service.handlers.methods import computed, inline, of_law, over_table
from tariffs.service.handlers.watchers import Watchers, shutting_down
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import law, server_info
from tariffs.service.rpc.law_versions import UnservedPack, versions_beside
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import RUN, caller, caller_now
from tariffs.service.wire.roles import require_role
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import law_service_pb2 as pb
from tariffs.v1 import law_service_pb2_grpc

POLL_SECONDS = 0.25


class Packs(Protocol):
    """Packs of a server."""

    generation: int
    """Rises whenever the laws or the packs change."""

    @property
    def unserved(self) -> Sequence[UnservedPack]:
        """Packs that are being checked or were refused."""


class LawHandler(law_service_pb2_grpc.LawServiceServicer):
    """Reads the law in memory; changes and their effect on a table are computed in workers.

    Args:
        task_queue: computes.
        storage: resolves table handles.
        packs: the packs that are not served, and when the laws of the server change.
        report: reports callers to themselves.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage, packs: Packs, report: CallerReport) -> None:
        self._report = report
        self._task_queue = task_queue
        self._storage = storage
        self._packs = packs
        self.watchers = Watchers("watchers of laws")

    GetLaw = of_law(law.get_law)
    ListMeasures = of_law(law.list_measures)
    GetMeasure = of_law(law.get_measure)
    GetServerInfo = inline(server_info.get_server_info)
    CalculatePortFee = computed("short", "port_fee", pb.CalculatePortFeeResponse)
    _changes = computed("short", "changes", pb.ListChangesResponse)
    _changes_of_table = over_table("changes", pb.ListChangesResponse)

    async def GetCaller(self, request: pb.GetCallerRequest, context: Context) -> pb.CallerInfo:
        """Return the caller with its roles, groups and quotas."""
        return await asyncio.to_thread(self._report.message, caller())

    async def ListVersions(
        self, request: pb.ListVersionsRequest, context: Context
    ) -> pb.ListVersionsResponse:
        """List the laws that calls may name, and the packs that were refused."""
        return versions_beside(self._packs.unserved)

    async def WatchVersions(
        self, request: pb.WatchVersionsRequest, context: Context
    ) -> AsyncGenerator[pb.ListVersionsResponse, None]:
        """Yield the laws at once, and again whenever they change."""
        sent = -1
        with self.watchers.place(caller().key):
            while self.watchers.open:
                if sent != self._packs.generation:
                    await caller_now()
                    sent = self._packs.generation
                    yield versions_beside(self._packs.unserved)
                await asyncio.sleep(POLL_SECONDS)
        raise shutting_down("Watch again.")

    async def ListChanges(self, request: pb.ListChangesRequest, context: Context) -> pb.ListChangesResponse:
        """List the changes of the law in a window of days, and their effect on a table."""
        method = self._changes
        if request.WhichOneof("table"):
            require_role(RUN, "ListChanges with a table")
            method = self._changes_of_table
        response: pb.ListChangesResponse = await method(request, context)
        return response
