"""A real server on a real port of the loopback, in a thread of the test process."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import uvloop
from google.longrunning import operations_pb2_grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from tariffs.engine.base.chunks import watched
from tariffs.service.server.server import TariffServer
from tariffs.service.server.warmup import warm_up
from tariffs.service.settings.settings import Settings
from tariffs.service.wire.frames import unpack
from tariffs.service.workers.task_queue import Compute
from tariffs.service.workers.tasks import TASKS, CancelToken, ResultSink
from tariffs.v1 import (
    duty_service_pb2,
    duty_service_pb2_grpc,
    law_service_pb2_grpc,
    scenario_service_pb2_grpc,
    simulation_service_pb2,
    simulation_service_pb2_grpc,
    sweep_service_pb2_grpc,
    table_service_pb2_grpc,
)

TIMEOUT = 60.0
START_SECONDS = 600.0
STUBS: Mapping[str, Callable[[grpc.Channel], Any]] = {
    "duty": duty_service_pb2_grpc.DutyServiceStub,
    "law": law_service_pb2_grpc.LawServiceStub,
    "scenarios": scenario_service_pb2_grpc.ScenarioServiceStub,
    "simulation": simulation_service_pb2_grpc.SimulationServiceStub,
    "sweeps": sweep_service_pb2_grpc.SweepServiceStub,
    "tables": table_service_pb2_grpc.TableServiceStub,
    "operations": operations_pb2_grpc.OperationsStub,
}


@dataclass(frozen=True)
class Running:
    """A started server, and stubs for it by the names of `STUBS`."""

    port: int
    channel: grpc.Channel
    server: TariffServer
    loop: asyncio.AbstractEventLoop

    @property
    def http_port(self) -> int:
        return self.server.http_port

    def stop_soon(self) -> Future[None]:
        """Begin to stop the server."""
        return asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop)

    def __getattr__(self, name: str) -> Any:
        if name not in STUBS:
            raise AttributeError(name)
        return STUBS[name](self.channel)


def compute_in_process(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
    """Run a task in the calling thread; it may raise its own error, or CANCELLED."""
    with watched(cancel_token.check):
        TASKS[task](payload, sink)


Simulate = Callable[[simulation_service_pb2.SimulateRequest, Callable[[Any], None], Callable[[], bool]], None]


def simulating(simulate: Simulate) -> Compute:
    """Computes a simulation by the function given, in a thread of this process."""

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        if task != "simulate":
            return compute_in_process(task, payload, sink, cancel_token)
        request = simulation_service_pb2.SimulateRequest.FromString(unpack(payload)[1])
        return simulate(
            request, lambda message: sink.result(message.SerializeToString()), cancel_token.is_set
        )

    return compute


@contextmanager
def running(
    compute: Compute | None = compute_in_process,
    warm: Callable[[], None] = warm_up,
    on_built: Callable[[TariffServer], None] = lambda _: None,
    **settings: Any,
) -> Iterator[Running]:
    """A server that is up, and is stopped at the end; it computes in threads of this process unless told otherwise."""
    with tempfile.TemporaryDirectory(prefix="tariffs-state-") as state:
        given = {"port": 0, "drain_seconds": 0.0, "grace_seconds": 5.0, "state_dir": state, **settings}
        chosen, loop = Settings.model_validate(given), uvloop.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="server")
        thread.start()

        def wait_for(work: Coroutine[Any, Any, Any], seconds: float = TIMEOUT) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(seconds)

        async def build() -> TariffServer:
            return TariffServer(chosen, compute, warm)

        server = wait_for(build())
        try:
            on_built(server)
            wait_for(server.start(), START_SECONDS)
            with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                yield Running(server.port, channel, server, loop)
        finally:
            wait_for(server.stop())
            # As asyncio.run does: a cancelled task leaves its thread behind, which may still write to the directory.
            wait_for(loop.shutdown_default_executor())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(TIMEOUT)
            loop.close()


def no_warm_up() -> None:
    """For servers whose engine is not asked."""


@dataclass(frozen=True)
class Fault:
    """An error as a caller of any language sees it."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    fields: list[str]
    retry_after: float | None


def fault_of(error: grpc.RpcError) -> Fault:
    """The details of a failed call."""
    status: Any = rpc_status.from_call(error) or Status()  # type: ignore[arg-type]
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    delay = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
        if detail.Unpack(retry):
            delay = retry.retry_delay.ToTimedelta().total_seconds()
    fields = [violation.field for violation in bad.field_violations]
    return Fault(error.code(), status.message, info.reason, dict(info.metadata), fields, delay)


def fails(call: Callable[[], Any]) -> Fault:
    """The error of a call that must fail."""
    try:
        call()
    except grpc.RpcError as error:
        return fault_of(error)
    raise AssertionError("the call did not fail")


def line(**given: Any) -> duty_service_pb2.CalculateDutyRequest:
    """A request for the toys of the examples, changed as given."""
    values = {"hts": "9503.00.0073", "origin": "CN", "entry": "2025-04-09", "customs_value": "10000"} | given
    return duty_service_pb2.CalculateDutyRequest(line=duty_service_pb2.EntryLine(**values))


def points(*scenarios: tuple[str, str]) -> list[simulation_service_pb2.Point]:
    """Points by scenario name and day."""
    return [simulation_service_pb2.Point(scenario={"name": name}, on=on) for name, on in scenarios]


TEAM = """
callers:
  ann: {roles: [run], groups: [desk]}
  bob: {roles: [run], groups: [desk]}
  eve: {roles: [run]}
  root: {roles: [admin]}
"""


def caller_files(folder: Path, names: str = "ann bob", rights: str = "") -> dict[str, Any]:
    """Settings of a server that knows these callers by their tokens; `rights` is the text of its callers file."""
    tokens, callers = folder / "tokens", folder / "callers.yaml"
    tokens.write_text("".join(f"{name} token-of-{name}\n" for name in names.split()), encoding="utf-8")
    tokens.chmod(0o600)
    if not rights:
        return {"tokens_file": tokens}
    callers.write_text(rights, encoding="utf-8")
    return {"tokens_file": tokens, "callers_file": callers}


def as_caller(name: str) -> dict[str, Any]:
    """Call options with the token of a caller."""
    return {"metadata": (("authorization", f"Bearer token-of-{name}"),)}
