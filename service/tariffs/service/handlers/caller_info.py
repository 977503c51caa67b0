"""LawService.GetCaller: name, roles, groups and quotas of the caller, with what it uses of them."""

from __future__ import annotations

from collections.abc import Iterator

from tariffs.service.rpc.server_info import caller_message
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.access import table_bytes
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.v1 import law_service_pb2 as pb


class CallerReport:
    """Reports a caller's rights and quotas.

    Args:
        settings: the limits of the server.
        calls: counts calls.
        runs: counts runs over tables.
        storage: counts tables and long runs.
    """

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
