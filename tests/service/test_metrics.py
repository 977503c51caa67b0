"""Prometheus metrics of a server: what they tell, conventions of their names, each on the page of operations."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from prometheus_client.metrics_core import Metric

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.service.observability.audit_facts import refused_rows_of, run_digest_of
from tariffs.service.observability.metrics import Metrics
from tariffs.service.observability.task_time import StopTime, TaskTime
from tariffs.service.server.collectors import add_collectors
from tariffs.service.wire.arrow import batches
from tariffs.v1 import common_pb2, duty_service_pb2, table_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, fails, line, no_warm_up, running, simulating
from tests.service.scraped import OPEN_METRICS, page, scraped, value
from tests.service.stored import until
from tests.service.web_calls import Endless

UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")
COUNTS = re.compile(
    r"""tariffs_ ( (calls|tasks|long_runs|rows|workers|worker|cache|law_packs) (_[a-z]+)*
    | serving | stop_chunks | law_directory_failing | audit_failing | audit_entries_waiting )""",
    re.VERBOSE,
)
NAME = re.compile(r"`(tariffs_\w+)`")
TYPE = re.compile(r"^# TYPE (tariffs_\w+) (\w+)", re.MULTILINE)
SUFFIXES = {"counter": "_total", "info": "_info"}
SIMULATE = {"task": "simulate"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    audit = str(tmp_path_factory.mktemp("audit"))
    with running(warm=no_warm_up, metrics_port=0, audit=audit) as server:
        for _ in range(3):
            server.duty.CalculateDuty(line(), timeout=20)
        fails(lambda: server.duty.CalculateDuty(line(origin="Atlantis"), timeout=20))
        server.server._metrics.computed("simulate", TaskTime(1.0, 0.5, 3))
        yield server


@pytest.fixture(scope="module")
def found(server: Running) -> dict[str, Metric]:
    return scraped(server.server.metrics_port)


def test_names_have_base_units_and_counters_end_in_total(found: dict[str, Metric]) -> None:
    own = {name: metric for name, metric in found.items() if name.startswith("tariffs_")}
    assert len(own) >= 25
    for name, metric in own.items():
        whole = name + SUFFIXES.get(metric.type, "")
        assert whole.endswith(UNITS) or COUNTS.fullmatch(name), name
        assert metric.documentation, name


@pytest.mark.parametrize("accept", [OPEN_METRICS, "text/plain"])
def test_the_page_of_operations_names_the_metrics_of_a_server_and_no_others(
    root: Path, server: Running, accept: str
) -> None:
    text = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = text.partition("| metric | labels | |")[2].partition("\n## ")[0].splitlines()
    listed = {name for row in rows for name in NAME.findall(row.removeprefix("|").partition("|")[0])}
    _, told = page(server.server.metrics_port, accept)
    served = {
        name.removesuffix(SUFFIXES.get(kind, "")) + SUFFIXES.get(kind, "")
        for name, kind in TYPE.findall(told)
    }
    assert {name for name in served if not name.endswith("_created")} == listed


def test_calls_are_counted_by_rpc_and_code_and_failures_by_reason(found: dict[str, Metric]) -> None:
    seconds, answered = "tariffs_call_seconds", {"rpc": "DutyService/CalculateDuty", "code": "OK"}
    assert value(found, f"{seconds}_count", **answered) == 3
    assert value(found, f"{seconds}_count", **answered | {"code": "INVALID_ARGUMENT"}) == 1
    assert value(found, "tariffs_calls_failed_total", reason="ORIGIN_UNKNOWN") == 1
    assert value(found, f"{seconds}_bucket", **answered, le="0.0001") <= 3
    assert value(found, f"{seconds}_bucket", **answered, le="+Inf") == 3
    assert value(found, "tariffs_calls_in_flight") == 0


def test_a_server_tells_its_law_and_its_state(found: dict[str, Metric]) -> None:
    law = load_law()
    assert value(found, "tariffs_build_info", version=engine_version()) == 1
    assert value(found, "tariffs_law_info", version=law.version, digest=law.digest) == 1
    read_to = datetime.fromtimestamp(value(found, "tariffs_law_read_to_timestamp_seconds"), UTC)
    assert read_to.date() == law.read_to
    assert value(found, "tariffs_serving") == 1
    assert value(found, "process_resident_memory_bytes") > 0
    assert value(found, "tariffs_cache_entries", cache="classes") >= 1
    assert value(found, "tariffs_state_free_bytes") > 0
    states = {sample.labels["state"] for sample in found["tariffs_long_runs"].samples}
    assert states == {"waiting", "running", "succeeded", "failed", "cancelled"}


def test_calls_in_hand_and_runs_that_wait_are_seen() -> None:
    def counts(port: int) -> list[float]:
        page = scraped(port)
        lanes = (("computing", "sweeps"), ("waiting", "sweeps"), ("computing", "shorts"))
        in_lanes = [value(page, f"tariffs_tasks_{state}", lane=lane) for state, lane in lanes]
        return [value(page, "tariffs_calls_in_flight"), *in_lanes]

    with running(simulating(Endless()), no_warm_up, metrics_port=0, workers=1) as server:
        calls = [server.simulation.Simulate(pb.SimulateRequest(), timeout=120) for _ in range(3)]
        # A page is read gauge by gauge while calls arrive: only one read after the last call holds all figures at once.
        patience = time.monotonic() + 60
        while (seen := counts(server.server.metrics_port)) != [3, 1, 2, 0] and time.monotonic() < patience:
            time.sleep(0.02)
        for call in calls:
            call.cancel()
    assert seen == [3, 1, 2, 0]


def test_a_draining_server_serves_no_more() -> None:
    with running(warm=no_warm_up, metrics_port=0, drain_seconds=1.0) as server:
        port, stopping = server.server.metrics_port, server.stop_soon()
        until(lambda: not value(scraped(port), "tariffs_serving"))
        stopping.result(20)


def test_replaced_workers_are_counted_and_a_database_that_does_not_answer_fails_no_scrape(
    tmp_path: Path,
) -> None:
    def counts() -> dict[str, int]:
        raise ServiceError("SERVER_UNAVAILABLE", "The server's database is not reachable.")

    lane = SimpleNamespace(name="", computing=[], waiting=[], active=[], limit=SimpleNamespace(total=8))
    workers = [SimpleNamespace(restarts=restarts, processes=[1]) for restarts in (2, 3)]
    metrics, queue = Metrics(), SimpleNamespace(sweeps=lane, shorts=lane)
    pools: Any = SimpleNamespace(workers=workers, task_queue=queue)
    storage: Any = SimpleNamespace(directory=tmp_path / "gone", runs=SimpleNamespace(counts=counts))
    admission: Any = SimpleNamespace(warm=True, stopping=False, limit=SimpleNamespace(held=0))
    add_collectors(metrics, admission, pools, storage)
    told = {metric.name: metric for metric in metrics.registry.collect() if metric.samples}
    assert "tariffs_serving" in told
    assert "tariffs_long_runs" not in told
    assert value(told, "tariffs_state_free_bytes") == 0
    assert told["tariffs_worker_restarts"].type == "counter"
    assert value(told, "tariffs_worker_restarts_total") == 5
    pools.workers[0].restarts = 4
    assert metrics.registry.get_sample_value("tariffs_worker_restarts_total") == 7


def test_what_a_task_took_is_added_up_by_its_name() -> None:
    metrics = Metrics()
    for spent in (TaskTime(1.0, 0.5, 100), TaskTime(3.0, 0.25, 50, StopTime(0.002, 1))):
        metrics.computed("simulate", spent)
    for name, expected in (
        ("task_seconds_sum", 4.0),
        ("kernel_seconds_total", 0.75),
        ("rows_valued_total", 150),
        ("stop_seconds_count", 1),
        ("stop_chunks_sum", 1),
    ):
        assert metrics.registry.get_sample_value(f"tariffs_{name}", SIMULATE) == expected


def test_a_taken_port_of_the_metrics_is_told_by_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError) as caught, running(warm=no_warm_up, metrics_port=port):
            pass
    assert caught.value.reason == "SERVER_UNAVAILABLE"
    assert "TARIFFS_METRICS_PORT" in caught.value.fix


PROVENANCE = common_pb2.Provenance(run_digest="d")
DONE = pb.Done(provenance=PROVENANCE)
(ARROW,) = batches(pl.DataFrame({"row": [1, 2, 3]}))


@pytest.mark.parametrize(
    ("message", "digest", "refused"),
    [
        (duty_service_pb2.CalculateDutyResponse(provenance=PROVENANCE), "d", 0),
        (duty_service_pb2.CalculateDutyResponse(), "", 0),
        (pb.SimulateResponse(done=DONE), "d", 0),
        (pb.SimulateResponse(progress=pb.Progress(stage="x")), "", 0),
        (pb.TimelineResponse(done=DONE), "d", 0),
        (pb.SimulateLinesResponse(done=DONE), "d", 0),
        (pb.SimulateLinesResponse(refused=pb.RefusedLines(arrow=ARROW)), "", 3),
        (pb.ReadRunResponse(simulate=pb.SimulateResponse(done=DONE)), "d", 0),
        (pb.ReadRunResponse(timeline=pb.TimelineResponse(done=DONE)), "d", 0),
        (table_service_pb2.Table(name="tables/x"), "", 0),
        (table_service_pb2.ListTablesResponse(), "", 0),
    ],
    ids=lambda given: type(given).__name__,
)
def test_run_digest_and_refused_rows_are_found_in_any_answer(message: Any, digest: str, refused: int) -> None:
    assert (run_digest_of(message), refused_rows_of(message)) == (digest, refused)
