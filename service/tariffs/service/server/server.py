"""The server: grpc.aio, ready only when warm, stopped by SIGTERM after the calls in flight."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import grpc.aio
import structlog
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_channelz.v1 import channelz, channelz_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tariffs.service.handlers.duty import DutyHandler
from tariffs.service.handlers.law import LawHandler
from tariffs.service.handlers.operations import LongRuns, OperationsHandler
from tariffs.service.handlers.refund import RefundHandler
from tariffs.service.handlers.scenarios import ScenarioHandler
from tariffs.service.handlers.simulation import SimulationHandler
from tariffs.service.handlers.tables import TableHandler
from tariffs.service.observability.metrics import Metrics, MetricsPort
from tariffs.service.rpc.runs import maker
from tariffs.service.server.admission import Admission
from tariffs.service.server.collectors import add_collectors
from tariffs.service.server.health import WATCHERS, Health
from tariffs.service.server.listener import Endpoint, open_port, options
from tariffs.service.server.middleware import Middleware, Offering
from tariffs.service.server.pools import Pools
from tariffs.service.server.reflection import add_reflection
from tariffs.service.server.run_scheduler import RunScheduler
from tariffs.service.server.tokens import Tokens
from tariffs.service.server.warmup import warm_quotes
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.storage import Storage
from tariffs.service.workers.task_queue import Compute
from tariffs.v1 import (
    duty_service_pb2,
    duty_service_pb2_grpc,
    law_service_pb2,
    law_service_pb2_grpc,
    refund_service_pb2,
    refund_service_pb2_grpc,
    scenario_service_pb2,
    scenario_service_pb2_grpc,
    simulation_service_pb2,
    simulation_service_pb2_grpc,
    table_service_pb2,
    table_service_pb2_grpc,
)

SERVICES = tuple(
    service.full_name
    for module in (
        duty_service_pb2,
        law_service_pb2,
        refund_service_pb2,
        scenario_service_pb2,
        simulation_service_pb2,
        table_service_pb2,
        operations_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
_log = structlog.get_logger("tariffs.service")


class TariffServer:
    """One server with its pool, gate and health.

    Args:
        settings: how to run.
        compute: computes tasks; worker processes if none is given.
        warm_up: what must be done in this process before calls are let in.
        place: which of the processes on the port it is; alone on it if none is given.

    Raises:
        InputError: SETTING_INVALID if the tokens cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        compute: Compute | None = None,
        warm_up: Callable[[], None] = warm_quotes,
        place: Endpoint | None = None,
    ) -> None:
        self.port = 0
        self.metrics_port = 0
        self._settings = settings
        self._warm_up = warm_up
        self._place = place or Endpoint()
        self._tokens = None if settings.tokens_file is None else Tokens(settings.tokens_file)
        self._watching: asyncio.Task[None] | None = None
        self._gate = Admission(settings.concurrent_calls, settings.calls_per_caller)
        self._metrics = Metrics()
        self._metrics_port: MetricsPort | None = None
        self._pools = Pools(settings, compute, self._metrics.computed)
        self._runs = self._pools.runs
        self._kept = Storage(settings, maker)
        # One worker of several stays free for who waits for an answer.
        self._keeper = RunScheduler(self._runs, self._kept, max(1, settings.workers - 1))
        self._long_runs = LongRuns(self._kept, self._keeper.wake)
        self._health = Health()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen, answering WARMING_UP; then warm up off the loop and let calls in.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if an address cannot be had.
            InputError: SETTING_INVALID if the certificate cannot be used.
            TariffsError: the warm-up failed.
        """
        self._server = server = self._build()
        self.port = open_port(server, self._settings)
        if self._tokens is not None:
            self._watching = asyncio.create_task(self._tokens.watch())
        self._offer_metrics()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        _log.info("listening", host=self._settings.host, port=self.port)
        await asyncio.gather(self._runs.quick(self._warm_up), asyncio.to_thread(self._pools.start))
        await asyncio.to_thread(self._kept.open)
        self._keeper.start()
        # The law stays: looking through it for garbage, again and again, would hold calls up for tens of milliseconds.
        gc.collect()
        gc.freeze()
        self._gate.warm = True
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("serving", port=self.port)

    async def stop(self) -> None:
        """Refuse new calls, let those in flight end within the grace, then end them."""
        self._gate.stopping = True
        await self._health.enter_graceful_shutdown()
        self._long_runs.close()
        if self._watching is not None:
            self._watching.cancel()
        await self._keeper.stop()
        if self._server is not None:
            if self._gate.warm:
                await asyncio.sleep(self._settings.drain_seconds)
            await self._server.stop(self._settings.grace_seconds)
        if self._metrics_port is not None:
            await asyncio.to_thread(self._metrics_port.close)
        await asyncio.to_thread(self._pools.close)
        await asyncio.to_thread(self._kept.close)
        _log.info("stopped", port=self.port)

    def reload(self) -> None:
        """Read the tokens again, in a thread."""
        if self._tokens is not None:
            asyncio.get_running_loop().run_in_executor(None, self._tokens.reload)

    def _offer_metrics(self) -> None:
        if self._settings.metrics_port is None:
            return
        add_collectors(self._metrics, self._gate, self._pools)
        # Processes on one port are read one by one: each adds up for itself.
        port = self._settings.metrics_port and self._settings.metrics_port + self._place.index
        self._metrics_port = MetricsPort(self._metrics, self._settings.metrics_host, port)
        self.metrics_port = self._metrics_port.port
        _log.info("metrics", host=self._settings.metrics_host, port=self.metrics_port)

    def _build(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            options=options(self._place, self._settings.waiting_calls),
            maximum_concurrent_rpcs=self._gate.backstop + WATCHERS,
        )
        offering = Offering(Middleware(self._gate, self._metrics, self._tokens))
        self._offer(offering)
        server.add_generic_rpc_handlers((offering,))
        # Registered with the server itself, health has a queue of its own: who asks whether the server lives is not
        # turned away when there are too many calls.
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    def _offer(self, server: Any) -> None:
        duty_service_pb2_grpc.add_DutyServiceServicer_to_server(DutyHandler(self._runs), server)
        law_service_pb2_grpc.add_LawServiceServicer_to_server(LawHandler(self._runs, self._kept), server)
        refund_service_pb2_grpc.add_RefundServiceServicer_to_server(RefundHandler(self._runs), server)
        scenario_service_pb2_grpc.add_ScenarioServiceServicer_to_server(ScenarioHandler(self._runs), server)
        simulation_service_pb2_grpc.add_SimulationServiceServicer_to_server(
            SimulationHandler(self._runs, self._kept, self._long_runs), server
        )
        table_service_pb2_grpc.add_TableServiceServicer_to_server(
            TableHandler(self._runs, self._kept, self._settings), server
        )
        operations_pb2_grpc.add_OperationsServicer_to_server(
            OperationsHandler(self._long_runs, self._kept), server
        )
        add_reflection((*SERVICES, health.SERVICE_NAME), server)
        # The function that grpc has for this would take what is no server of its own for one of threads.
        telling: Any = getattr(channelz, "aio").ChannelzServicer()  # noqa: B009 - the stubs lack it
        channelz_pb2_grpc.add_ChannelzServicer_to_server(telling, server)

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in (health.OVERALL_HEALTH, *SERVICES):
            await self._health.set(service, status)


__all__ = ["SERVICES", "TariffServer"]
