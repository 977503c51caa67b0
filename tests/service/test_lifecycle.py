"""From the first log line to the last: listening, warming, serving, draining."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tariffs.engine.errors import LawError, ServiceError
from tariffs.service.server.server import SERVICES
from tariffs.service.workers.worker_pool import WorkerPool
from tariffs.v1 import duty_service_pb2_grpc
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, line, no_warm_up, running, simulating
from tests.service.stored import until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel: grpc.Channel, service: str = "") -> Any:
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT).status


def test_health_is_serving_for_the_whole_and_each_service(served: Running) -> None:
    assert {health(served.channel, service) for service in ("", *SERVICES)} == {SERVING}


def test_reflection_lists_every_service(served: Running) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(served.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=TIMEOUT)
    listed = {service.name for service in answer.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= listed


def test_channelz_names_the_server(served: Running) -> None:
    stub = channelz_pb2_grpc.ChannelzStub(served.channel)
    assert stub.GetServers(channelz_pb2.GetServersRequest(), timeout=TIMEOUT).server


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


def test_a_taken_port_is_an_error_and_never_shared(served: Running) -> None:
    with pytest.raises(ServiceError) as caught, running(warm=no_warm_up, port=served.port):
        pass
    assert caught.value.reason == "SERVER_UNAVAILABLE"


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


def _close(process: subprocess.Popen[str]) -> None:
    if process.stdout is not None:
        process.stdout.close()


@pytest.mark.kill
def test_sigterm_drains_a_real_process_and_leaves_with_0() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tariffs.service", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        events = {}
        for text in process.stdout:
            record = json.loads(text)
            events[record["event"]] = record
            if record["event"] == "serving":
                break
        port = events["listening"]["port"]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = duty_service_pb2_grpc.DutyServiceStub(channel)
            answer = stub.CalculateDuty(line(), timeout=30, metadata=(("x-request-id", "r-1"),))
            process.send_signal(signal.SIGTERM)
            records = [json.loads(text) for text in process.stdout]
        assert process.wait(300) == 0
        logged = next(record for record in records if record["event"] == "call")
        assert logged["request_id"] == "r-1"
        assert logged["rpc"] == "DutyService/CalculateDuty"
        assert logged["run_digest"] == answer.provenance.run_digest
        assert records[-1]["event"] == "stopped"
    finally:
        process.kill()
        process.wait(10)
        _close(process)


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_warming_up_ends_the_process(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tariffs.service", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "listening"
        process.send_signal(number)
        assert process.wait(300) == 0
    finally:
        process.kill()
        process.wait(10)
        _close(process)


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
