"""Prometheus metrics of a server."""

from __future__ import annotations

import socket
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.service.observability.audit_facts import refused_rows_of, run_digest_of
from tariffs.service.observability.metrics import Metrics
from tariffs.service.observability.task_time import StopTime, TaskTime
from tariffs.service.server.admission import Admission
from tariffs.service.server.collectors import add_collectors
from tariffs.service.wire.arrow import batches
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.v1 import common_pb2, duty_service_pb2, table_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, fails, line, no_warm_up, running, simulating

Sample = tuple[str, tuple[tuple[str, str], ...]]


def read(port: int) -> dict[Sample, float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found[f"tariffs_{name}", tuple(sorted(labels.items()))]


def metrics_of(server: Running) -> dict[Sample, float]:
    return read(server.server.metrics_port)


def test_calls_are_counted_by_rpc_and_code_and_failures_by_reason() -> None:
    with running(warm=no_warm_up, metrics_port=0) as server:
        for _ in range(3):
            server.duty.CalculateDuty(line(), timeout=20)
        fails(lambda: server.duty.CalculateDuty(line(origin="Atlantis"), timeout=20))
        found = metrics_of(server)
    rpc = "DutyService/CalculateDuty"
    assert value(found, "call_seconds_count", rpc=rpc, code="OK") == 3
    assert value(found, "call_seconds_count", rpc=rpc, code="INVALID_ARGUMENT") == 1
    assert value(found, "calls_failed_total", reason="ORIGIN_UNKNOWN") == 1
    assert value(found, "call_seconds_bucket", rpc=rpc, code="OK", le="0.0001") <= 3
    assert value(found, "call_seconds_bucket", rpc=rpc, code="OK", le="+Inf") == 3
    assert value(found, "calls_in_flight") == 0
    assert found["process_resident_memory_bytes", ()] > 0
    law = load_law()
    assert value(found, "law_info", version=law.version, digest=law.digest) == 1


def test_calls_in_hand_and_runs_that_wait_are_seen() -> None:
    def counts(page: dict[Sample, float]) -> dict[str, float]:
        return {
            "in flight": value(page, "calls_in_flight"),
            "computing": value(page, "tasks_computing", lane="sweeps"),
            "waiting": value(page, "tasks_waiting", lane="sweeps"),
            "shorts": value(page, "tasks_computing", lane="shorts"),
        }

    def held(_request: Any, emit: Any, cancelled: Any) -> None:
        emit(pb.SimulateResponse(progress=pb.Progress(stage="held")))
        while not cancelled():
            time.sleep(0.01)

    with running(simulating(held), no_warm_up, metrics_port=0, workers=1) as server:
        calls = [server.simulation.Simulate(pb.SimulateRequest(), timeout=120) for _ in range(3)]
        # A page is read gauge by gauge while calls arrive: only one read after the last call holds all figures at once.
        expected = {"in flight": 3.0, "computing": 1.0, "waiting": 2.0, "shorts": 0.0}
        patience = time.monotonic() + 60
        while (found := counts(metrics_of(server))) != expected and time.monotonic() < patience:
            time.sleep(0.02)
        for call in calls:
            call.cancel()
    assert found == expected


def test_replaced_workers_are_a_counter(tmp_path: Path) -> None:
    pools: Any = SimpleNamespace(
        workers=[SimpleNamespace(restarts=restarts, processes=[1]) for restarts in (2, 3)],
        task_queue=SimpleNamespace(sweeps=lane("sweeps"), shorts=lane("shorts")),
    )
    metrics = Metrics()
    storage: Any = SimpleNamespace(directory=tmp_path)
    add_collectors(metrics, Admission(FairLimit("calls", 1, 1)), pools, storage)
    text = generate_latest(metrics.registry).decode()
    family = next(f for f in text_string_to_metric_families(text) if f.name == "tariffs_worker_restarts")
    assert family.type == "counter"
    assert [(sample.name, sample.value) for sample in family.samples] == [
        ("tariffs_worker_restarts_total", 5.0)
    ]
    pools.workers[0].restarts = 4
    assert metrics.registry.get_sample_value("tariffs_worker_restarts_total") == 7.0


def lane(name: str) -> Any:
    return SimpleNamespace(name=name, computing=[], waiting=[], active=[], limit=SimpleNamespace(total=8))


def test_what_a_task_took_is_added_up_by_its_name() -> None:
    metrics = Metrics()
    for spent in (TaskTime(1.0, 0.5, 100), TaskTime(3.0, 0.25, 50, StopTime(0.002, 1))):
        metrics.computed("simulate", spent)
    read_value = metrics.registry.get_sample_value
    assert read_value("tariffs_task_seconds_sum", {"task": "simulate"}) == 4.0
    assert read_value("tariffs_kernel_seconds_total", {"task": "simulate"}) == 0.75
    assert read_value("tariffs_rows_valued_total", {"task": "simulate"}) == 150
    assert read_value("tariffs_stop_seconds_count", {"task": "simulate"}) == 1
    assert read_value("tariffs_stop_chunks_sum", {"task": "simulate"}) == 1


def test_a_taken_port_of_the_metrics_is_told_by_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(ServiceError) as caught,
            running(warm=no_warm_up, metrics_port=taken.getsockname()[1]),
        ):
            pass
    assert caught.value.reason == "SERVER_UNAVAILABLE"
    assert "TARIFFS_METRICS_PORT" in caught.value.fix


PROVENANCE = common_pb2.Provenance(run_digest="d")
DONE = pb.Done(provenance=PROVENANCE)


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (duty_service_pb2.CalculateDutyResponse(provenance=PROVENANCE), "d"),
        (duty_service_pb2.CalculateDutyResponse(), ""),
        (pb.SimulateResponse(done=DONE), "d"),
        (pb.SimulateResponse(progress=pb.Progress(stage="x")), ""),
        (pb.TimelineResponse(done=DONE), "d"),
        (pb.SimulateLinesResponse(done=DONE), "d"),
        (pb.ReadRunResponse(simulate=pb.SimulateResponse(done=DONE)), "d"),
        (pb.ReadRunResponse(timeline=pb.TimelineResponse(done=DONE)), "d"),
        (table_service_pb2.Table(name="tables/x"), ""),
        (table_service_pb2.ListTablesResponse(), ""),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, str) else given,
)
def test_the_run_digest_is_found_in_any_answer(message: Any, digest: str) -> None:
    assert run_digest_of(message) == digest


def test_refused_rows_are_counted_where_an_answer_has_them() -> None:
    (arrow,) = batches(pl.DataFrame({"row": [1, 2, 3]}))
    told = pb.SimulateLinesResponse(refused=pb.RefusedLines(arrow=arrow))
    assert refused_rows_of(told) == 3
    assert refused_rows_of(pb.SimulateLinesResponse(done=DONE)) == 0
    assert refused_rows_of(table_service_pb2.Table()) == 0
