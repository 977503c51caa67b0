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
from tariffs.service.server.server import SERVICES
from tariffs.service.workers.worker_pool import WorkerPool
from tariffs.v1 import duty_service_pb2_grpc
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, no_warm_up, running, simulating
from tests.service.processes import SECONDS, served
from tests.service.stored import until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel: grpc.Channel, service: str = "") -> Any:
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT).status


def test_health_is_serving_for_the_whole_and_each_service(served: Running) -> None:
    assert {health(served.channel, service) for service in ("", *SERVICES)} == {SERVING}


def test_a_call_before_the_kernels_are_warm_is_told_to_wait() -> None:
    go_on = threading.Event()
    seen: list[Any] = []

    def slow_warm_up() -> None:
        go_on.wait(TIMEOUT)

    def look(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = duty_service_pb2_grpc.DutyServiceStub(channel)
            seen.append(fails(lambda: stub.CalculateDuty(line(), timeout=TIMEOUT, wait_for_ready=True)))
            seen.append(health(channel))
        go_on.set()

    def wait_for_port() -> None:
        look(until(lambda: next((one.port for one in started if one.port), 0)))

    started: list[Any] = []
    watcher = threading.Thread(target=wait_for_port)
    watcher.start()
    with running(warm=slow_warm_up, on_built=started.append) as server:
        watcher.join(TIMEOUT)
        assert health(server.channel) == SERVING
    fault, status = seen
    assert (fault.code, fault.reason, fault.retry_after) == (grpc.StatusCode.UNAVAILABLE, "WARMING_UP", 1)
    assert status == NOT_SERVING


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

    with running(simulating(held), no_warm_up, drain_seconds=4.0, grace_seconds=60.0) as server:
        call = server.simulation.Simulate(pb.SimulateRequest(), timeout=TIMEOUT)
        assert begun.wait(TIMEOUT)
        stopping = server.stop_soon()
        until(lambda: health(server.channel) == NOT_SERVING)
        fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=TIMEOUT))
        assert (fault.code, fault.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        release.set()
        assert next(call).HasField("done")
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
