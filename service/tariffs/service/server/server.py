"""The gRPC server: ready once warm, stopped after its running calls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import grpc.aio
import structlog
from grpc_channelz.v1 import channelz, channelz_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tariffs.engine.base.provenance import engine_version
from tariffs.service.handlers.duty import DutyHandler, RefundHandler
from tariffs.service.handlers.law import CallerReport, LawHandler
from tariffs.service.handlers.operations import LongRuns, OperationsHandler
from tariffs.service.handlers.scenarios import ScenarioHandler
from tariffs.service.handlers.simulation import SimulationHandler, SweepHandler
from tariffs.service.handlers.stored_names import StoredNames
from tariffs.service.handlers.tables import TableHandler
from tariffs.service.observability.metrics import Metrics, MetricsPort
from tariffs.service.observability.tracing import start_tracing
from tariffs.service.rpc.law_warmup import warm_recent
from tariffs.service.rpc.laws import ServedLaw
from tariffs.service.rpc.runs import maker
from tariffs.service.server.admission import Admission
from tariffs.service.server.collectors import add_audit_collectors, add_collectors, watch_law_packs
from tariffs.service.server.health import WATCHERS, Health
from tariffs.service.server.identities import identities_of
from tariffs.service.server.law_watch import SETTLE_SECONDS, LawWatch
from tariffs.service.server.listener import Endpoint, open_port, options
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.server.pools import Pools
from tariffs.service.server.reflection import add_reflection
from tariffs.service.server.run_scheduler import RunScheduler
from tariffs.service.server.scenario_checks import ScenarioChecks
from tariffs.service.server.warmup import warm_quotes
from tariffs.service.server.web import make_http_port
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.audit.opening import audit_writer, run_facts
from tariffs.service.storage.audit.writer import AuditWriter
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import ADMIN
from tariffs.service.wire.roles import REFLECTION_METHODS, ROLES_NEEDED
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.service.workers.task_queue import Compute
from tariffs.service.workers.warm_data import warm_data
from tariffs.v1 import contract

if TYPE_CHECKING:
    from tariffs.service.server.web.http_port import HttpPort

SERVICES = (*(one.full_name for one in contract.services()), "google.longrunning.Operations")
_log = structlog.get_logger("tariffs.service")


class TariffServer:
    """One server with its worker pools, admission, storage and health.

    Args:
        compute: computes tasks; None starts worker processes.
        warm_up: called in this process before calls are admitted.
        endpoint: position of this process among those that share the port; None if it is alone.

    Raises:
        InputError: SETTING_INVALID if the tokens cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        compute: Compute | None = None,
        warm_up: Callable[[], None] = warm_quotes,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.port = 0
        self.metrics_port = 0
        self.http_port = 0
        self._settings = settings
        self._warm_up = warm_up
        self._endpoint = endpoint or Endpoint()
        self._identities = identities_of(settings)
        self._watching = AsyncExitStack()
        calls = settings.concurrent_calls
        self._admission = Admission(FairLimit("calls", calls, settings.share_of(calls), "calls"))
        self._metrics = Metrics()
        self._tracing = start_tracing(settings.traces)
        self._metrics_port: MetricsPort | None = None
        self._pools = Pools(settings, compute, self._metrics.computed)
        self._task_queue = self._pools.task_queue
        self._audit = audit_writer(settings, self._endpoint.index)
        self._storage = Storage(
            settings, maker, None if self._audit is None else partial(_record_run, self._audit)
        )
        # One worker of several stays free for callers that wait for a response.
        self._run_scheduler = RunScheduler(
            self._task_queue,
            self._storage,
            max(1, settings.workers - 1),
            settings.cluster,
            self._identities.named,
            self._tracing,
        )
        self._long_runs = LongRuns(self._storage, self._run_scheduler.wake)
        settle_seconds = SETTLE_SECONDS if self._endpoint.shared else 0.0
        warm = (self._warm_workers, self._warm_quotes)
        self._law_watch = LawWatch(settings, self._storage, warm, settle_seconds)
        self._duty = DutyHandler(self._task_queue)
        self._scenarios = ScenarioHandler(self._task_queue, self._storage)
        self._scenario_checks = ScenarioChecks(self._task_queue, self._storage)
        report = CallerReport(settings, self._admission.limit, self._task_queue.sweeps.limit, self._storage)
        self._law = LawHandler(self._task_queue, self._storage, self._law_watch, report)
        self._health = Health()
        self._middleware = Middleware(
            self._admission, self._metrics, self._identities, _roles(settings), self._tracing, self._audit
        )
        self._registry = MethodRegistry(self._middleware, StoredNames(self._storage.scenarios).around)
        self._http: HttpPort | None = None
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen, answering WARMING_UP; then warm up off the event loop and admit calls.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if an address cannot be used.
            InputError: SETTING_INVALID if the certificate cannot be used.
            TariffsError: the warm-up failed.
        """
        self._server = server = self._build()
        self.port = open_port(server, self._settings)
        await self._serve_http()
        await self._watching.enter_async_context(self._identities.watching())
        self._serve_metrics()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        _log.info("listening", host=self._settings.host, port=self.port)
        with warm_data():
            await asyncio.gather(
                self._task_queue.quick(self._warm_up),
                asyncio.to_thread(self._pools.start),
                asyncio.to_thread(self._storage.open),
            )
            await self._law_watch.open()
            if self._audit is not None:
                await asyncio.to_thread(self._audit.start, {"engine_version": engine_version()})
            self._run_scheduler.start()
        await self._watching.enter_async_context(self._law_watch.watching())
        await self._watching.enter_async_context(self._scenario_checks.watching())
        self._admission.warm = True
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("serving", port=self.port)

    async def stop(self) -> None:
        """Refuse new calls, wait for running ones up to `grace_seconds`, then cancel them."""
        self._admission.stopping = True
        await self._health.enter_graceful_shutdown()
        self._long_runs.close()
        await self._watching.aclose()
        self._law.watchers.close()
        self._scenarios.watchers.close()
        await self._run_scheduler.stop()
        if self._server is not None:
            if self._admission.warm:
                await asyncio.sleep(self._settings.drain_seconds)
            await asyncio.gather(self._server.stop(self._settings.grace_seconds), self._stop_http())
        if self._metrics_port is not None:
            await asyncio.to_thread(self._metrics_port.close)
        await asyncio.to_thread(self._law_watch.close)
        await asyncio.to_thread(self._pools.close)
        if self._audit is not None:
            await asyncio.to_thread(self._audit.close)
        await asyncio.to_thread(self._storage.close)
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)
        _log.info("stopped", port=self.port)

    def reload(self) -> None:
        """Reload tokens and callers, in a thread."""
        asyncio.get_running_loop().run_in_executor(None, self._identities.reload)

    async def _serve_http(self) -> None:
        """Listen for HTTP too, if the settings ask for it; without, its libraries are not imported."""
        if self._settings.http_port is None:
            return
        self._http = make_http_port(
            self._settings, SERVICES, self._registry, self._middleware, self._admission, self._endpoint
        )
        await self._http.start()
        self.http_port = self._http.port

    async def _stop_http(self) -> None:
        if self._http is not None:
            await self._http.stop()

    def _warm_workers(self, served: ServedLaw) -> None:
        self._pools.warm(served.exact)

    def _warm_quotes(self, served: ServedLaw) -> None:
        recent = tuple(self._duty.recent)
        warm_recent(served.exact, takewhile(lambda _: not self._admission.stopping, recent))

    def _serve_metrics(self) -> None:
        if self._settings.metrics_port is None:
            return
        watch_law_packs(self._metrics, self._law_watch)
        add_collectors(self._metrics, self._admission, self._pools, self._storage)
        if self._audit is not None:
            add_audit_collectors(self._metrics, self._audit)
        # Each process on a shared port has its own metrics.
        port = self._settings.metrics_port and self._settings.metrics_port + self._endpoint.index
        self._metrics_port = MetricsPort(self._metrics, self._settings.metrics_host, port)
        self.metrics_port = self._metrics_port.port
        _log.info("metrics", host=self._settings.metrics_host, port=self.metrics_port)

    def _build(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            options=options(self._endpoint, self._settings.waiting_calls),
            maximum_concurrent_rpcs=self._admission.grpc_limit + WATCHERS,
        )
        self._add_services(self._registry)
        server.add_generic_rpc_handlers((self._registry,))
        # Registered with the server itself, health has its own queue, so it answers while other calls are refused.
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    def _add_services(self, registry: Any) -> None:
        tasks, storage, long_runs = self._task_queue, self._storage, self._long_runs
        for handler in (
            self._duty,
            self._law,
            RefundHandler(tasks),
            self._scenarios,
            SimulationHandler(tasks, storage, long_runs),
            SweepHandler(tasks, storage),
            TableHandler(tasks, storage, self._settings.table_bytes_limit),
            OperationsHandler(long_runs, storage),
        ):
            _add_service(handler, registry)
        if self._settings.reflection != "off":
            add_reflection((*SERVICES, health.SERVICE_NAME), registry)
        if self._settings.channelz != "off":
            # gRPC's own function would treat a registry that is not a grpc.aio server as a threaded server.
            servicer: Any = getattr(channelz, "aio").ChannelzServicer()  # noqa: B009 - the stubs lack it
            channelz_pb2_grpc.add_ChannelzServicer_to_server(servicer, registry)

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in (health.OVERALL_HEALTH, *SERVICES):
            await self._health.set(service, status)


def _add_service(handler: object, registry: Any) -> None:
    """Add a handler by the function that is generated beside its base class."""
    (servicer,) = type(handler).__bases__
    add = getattr(sys.modules[servicer.__module__], f"add_{servicer.__name__}_to_server")
    add(handler, registry)


def _roles(settings: Settings) -> Mapping[str, str]:
    if settings.reflection != ADMIN:
        return ROLES_NEEDED
    return {**ROLES_NEEDED, **dict.fromkeys(REFLECTION_METHODS, ADMIN)}


def _record_run(audit: AuditWriter, run: RunRow) -> None:
    audit.record("run", run_facts(run))
