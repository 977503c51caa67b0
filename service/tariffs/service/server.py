"""The server: grpc.aio, ready only when warm, stopped by SIGTERM after the calls in flight."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import grpc.aio
import structlog
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.handlers.duty import DutyHandler
from tariffs.service.handlers.law import LawHandler
from tariffs.service.handlers.refund import RefundHandler
from tariffs.service.handlers.scenarios import ScenarioHandler
from tariffs.service.handlers.simulation import Simulate, SimulationHandler
from tariffs.service.interceptors import CallInterceptor, Gate
from tariffs.service.logs import configure_logs
from tariffs.service.rpc.simulation import simulate
from tariffs.service.runs import Runs
from tariffs.service.settings import Settings
from tariffs.service.warmup import warm_up
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
)

RECEIVE_LIMIT = 8 << 20
SERVICES = tuple(
    service.full_name
    for module in (
        duty_service_pb2,
        law_service_pb2,
        refund_service_pb2,
        scenario_service_pb2,
        simulation_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
_log = structlog.get_logger("tariffs.service")


class TariffServer:
    """One server with its pool, gate and health.

    Args:
        settings: how to run.
        simulate: computes a simulation.
        warm_up: what must be done before calls are let in.
    """

    def __init__(
        self,
        settings: Settings,
        simulate: Simulate = simulate,
        warm_up: Callable[[], None] = warm_up,
    ) -> None:
        self.port = 0
        self._settings = settings
        self._simulate = simulate
        self._warm_up = warm_up
        self._gate = Gate(settings.concurrent_calls)
        self._runs = Runs(settings.workers, settings.admitted_runs)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # the stubs lack it
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen, answering WARMING_UP; then warm up off the loop and let calls in.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the address cannot be had.
            TariffsError: the warm-up failed.
        """
        self._server = server = self._build()
        address = f"{self._settings.host}:{self._settings.port}"
        try:
            self.port = server.add_insecure_port(address)
        except RuntimeError:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                f"Cannot listen on {address}.",
                fix="Choose another port, or 0 for a free one.",
            ) from None
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        _log.info("listening", host=self._settings.host, port=self.port)
        await self._runs.slow(self._warm_up)
        self._gate.warm = True
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("serving", port=self.port)

    async def stop(self) -> None:
        """Refuse new calls, let those in flight end within the grace, then end them."""
        self._gate.stopping = True
        await self._health.enter_graceful_shutdown()
        if self._server is not None:
            if self._gate.warm:
                await asyncio.sleep(self._settings.drain_seconds)
            await self._server.stop(self._settings.grace_seconds)
        await asyncio.to_thread(self._runs.close)
        _log.info("stopped", port=self.port)

    def _build(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[CallInterceptor(self._gate)],
            options=[
                # Two servers on one port would share its calls in silence.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", RECEIVE_LIMIT),
            ],
        )
        duty_service_pb2_grpc.add_DutyServiceServicer_to_server(DutyHandler(self._runs), server)
        law_service_pb2_grpc.add_LawServiceServicer_to_server(LawHandler(self._runs), server)
        refund_service_pb2_grpc.add_RefundServiceServicer_to_server(RefundHandler(self._runs), server)
        scenario_service_pb2_grpc.add_ScenarioServiceServicer_to_server(ScenarioHandler(self._runs), server)
        simulation_service_pb2_grpc.add_SimulationServiceServicer_to_server(
            SimulationHandler(self._runs, self._simulate), server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        channelz.add_channelz_servicer(server)  # type: ignore[arg-type] # the stubs know only sync servers
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        return server

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in (health.OVERALL_HEALTH, *SERVICES):
            await self._health.set(service, status)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, also while warming up."""
    server = TariffServer(settings)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    starting = asyncio.create_task(server.start())
    stopping = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await stopping
    finally:
        stopping.cancel()
        await server.stop()


def serve(host: str | None = None, port: int | None = None) -> int:
    """Serve until told to stop; what is not given comes from the environment. Gives the exit code."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return _exit_code(
        lambda settings: asyncio.run(run(settings)),
        Settings.model_validate({**Settings().model_dump(), **given}),
    )


def check() -> int:
    """Warm up, run the self-test and leave. Gives the exit code."""

    def once(settings: Settings) -> None:
        warm_up()
        _log.info("checked")

    return _exit_code(once, Settings())


def _exit_code(work: Callable[[Settings], None], settings: Settings) -> int:
    configure_logs(settings.log_level, settings.log_format)
    try:
        work(settings)
    except TariffsError as error:
        _log.error("failed", reason=error.reason, message=str(error))
        return error.exit_code
    return 0


__all__ = ["SERVICES", "TariffServer", "check", "run", "serve"]
