"""Handler of LawService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Protocol

from tariffs.service.handlers.methods import Watchers, computed, inline, of_law, over_table, shutting_down
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import law
from tariffs.service.rpc.law import UnservedPack, caller_message, versions_beside
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.access import table_bytes
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import RUN, Caller, caller, caller_now
from tariffs.service.wire.roles import require_role
from tariffs.service.workers.fair_limit import FairLimit
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
        packs: the packs that are not served, and when the laws of the server change.
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
    ListCodes = of_law(law.list_codes)
    GetServerInfo = inline(law.get_server_info)
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


class CallerReport:
    """Reports a caller's rights and quotas."""

    def __init__(self, settings: Settings, calls: FairLimit, runs: FairLimit, storage: Storage) -> None:
        self._settings = settings
        self._calls = calls
        self._runs = runs
        self._storage = storage

    def message(self, who: Caller) -> pb.CallerInfo:
        """Return the report as a message; blocks for the database."""
        return caller_message(who, list(self._quotas(who)))

    def _quotas(self, who: Caller) -> Iterator[pb.CallerQuota]:
        own, settings = who.quotas, self._settings
        for limit in (self._calls, self._runs):
            yield pb.CallerQuota(name=limit.quota, limit=limit.limit_of(own), used=limit.held_by(who.key))
        yield pb.CallerQuota(name="calls_per_second", limit=own.calls_per_second)
        kept = settings.runs_per_owner if own.runs_kept is None else own.runs_kept
        yield pb.CallerQuota(name="runs_kept", limit=kept, used=self._storage.runs.count(who))
        tables = settings.tables_per_owner if own.tables is None else own.tables
        yield pb.CallerQuota(name="tables", limit=tables, used=self._storage.register.count(who))
        yield pb.CallerQuota(name="table_bytes", limit=table_bytes(who, settings.table_bytes_limit))
        yield pb.CallerQuota(name="sweep_points", limit=own.sweep_points)
