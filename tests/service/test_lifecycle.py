"""From the first log line to the last: listening, warming, serving, draining."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tariffs.engine.errors import LawError
from tariffs.service.server.server import SERVICES, TariffServer
from tariffs.service.workers.worker_pool import WorkerPool
from tariffs.v1 import duty_service_pb2_grpc
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, no_warm_up, running, simulating
from tests.service.processes import SECONDS, served
from tests.service.stored import until
from tests.service.web_calls import QUOTE, call, post

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel: grpc.Channel, service: str = "") -> Any:
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT).status


def test_health_is_serving_for_the_whole_and_each_service(served: Running) -> None:
    assert {health(served.channel, service) for service in ("", *SERVICES)} == {SERVING}


def test_a_call_on_either_port_before_the_kernels_are_warm_is_told_to_wait() -> None:
    seen, looked = list[Any](), threading.Event()

    def look(server: TariffServer) -> None:
        until(lambda: server.port and server.http_port)
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = duty_service_pb2_grpc.DutyServiceStub(channel)
            seen.append(fails(lambda: stub.CalculateDuty(line(), timeout=TIMEOUT, wait_for_ready=True)))
            seen.append(health(channel))
        seen.append(call(server.http_port, "GET", "/healthz"))
        seen.append(post(server.http_port, "DutyService/CalculateDuty", QUOTE))
        looked.set()

    def begin(server: TariffServer) -> None:
        threading.Thread(target=look, args=(server,)).start()

    def warm() -> None:
        assert looked.wait(TIMEOUT)

    with running(warm=warm, on_built=begin, http_port=0) as server:
        assert health(server.channel) == SERVING
        assert call(server.http_port, "GET", "/healthz").status == 200
    fault, status, page, refused = seen
    assert (fault.code, fault.reason, fault.retry_after) == (grpc.StatusCode.UNAVAILABLE, "WARMING_UP", 1)
    assert (status, page.status, page.json) == (NOT_SERVING, 503, {"status": "NOT_SERVING"})
    assert (refused.status, refused.reason) == (503, "WARMING_UP")


def test_a_failed_warm_up_is_the_error_of_the_start() -> None:
    def broken() -> None:
        raise LawError("LAW_INVALID", "The law is broken.")

    with pytest.raises(LawError), running(warm=broken):
        pass


def test_calls_in_flight_end_and_new_ones_hear_shutting_down() -> None:
    release, begun = threading.Event(), threading.Event()

    def held(request: Any, emit: Any, cancelled: Any) -> None:
        begun.set()
        release.wait(TIMEOUT)
        emit(pb.SimulateResponse(done=pb.Done()))

    given: dict[str, Any] = {"http_port": 0, "drain_seconds": 4.0, "grace_seconds": 60.0}
    with running(simulating(held), no_warm_up, **given) as server:
        run = server.simulation.Simulate(pb.SimulateRequest(), timeout=TIMEOUT)
        assert begun.wait(TIMEOUT)
        stopping = server.stop_soon()
        until(lambda: health(server.channel) == NOT_SERVING)
        fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=TIMEOUT))
        assert (fault.code, fault.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        assert call(server.http_port, "GET", "/healthz").status == 503
        release.set()
        assert next(run).HasField("done")
        stopping.result(TIMEOUT)


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_warming_up_ends_the_process(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path, TARIFFS_PROCESSES="1") as (process, log):
        log.until("listening")
        process.send_signal(number)
        assert process.wait(SECONDS) == 0


def test_a_worker_that_waits_does_the_rest_of_its_warm_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warm_up_in_two.py").write_text(
        "from pathlib import Path\n"
        "def warm_up():\n    return later\n"
        f"def later():\n    Path({str(tmp_path / 'done')!r}).touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = WorkerPool(1, warm_up="warm_up_in_two:warm_up")
    try:
        workers.spawn()
        workers.wait_ready()
        assert until((tmp_path / "done").exists)
    finally:
        workers.close()
