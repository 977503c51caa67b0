"""Names of metrics: conventions of Prometheus, each on the page of operations, what a server tells of itself."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import openmetrics
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.service.observability.metrics import Metrics
from tariffs.service.observability.task_time import TaskTime
from tariffs.service.server.collectors import add_collectors
from tests.service.harness import Running, line, running

_families: Any = parser.text_string_to_metric_families
UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")
COUNTS = re.compile(
    r"tariffs_(calls|tasks|long_runs|rows|workers|worker|cache|law_packs)(_[a-z]+)*|tariffs_(serving|stop_chunks|law_directory_failing|audit_failing|audit_entries_waiting)"
)
NAME = re.compile(r"`(tariffs_\w+)`")
TYPE = re.compile(r"^# TYPE (tariffs_\w+) (\w+)", re.MULTILINE)
SUFFIXES = {"counter": "_total", "info": "_info"}


def scraped(port: int) -> dict[str, Metric]:
    """The metrics of a server in the format of OpenMetrics, by name."""
    content_type, text = page(port, openmetrics.exposition.CONTENT_TYPE_LATEST)
    assert "openmetrics" in content_type
    return {family.name: family for family in _families(text)}


def page(port: int, accept: str) -> tuple[str, str]:
    """Type and text of the page of metrics, in the format that `accept` asks for."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(metrics_port=0, audit=str(tmp_path_factory.mktemp("audit"))) as server:
        server.duty.CalculateDuty(line(), timeout=20)
        server.server._metrics.computed("simulate", TaskTime(1.0, 0.5, 3))
        yield server


@pytest.fixture(scope="module")
def found(server: Running) -> dict[str, Metric]:
    return scraped(server.server.metrics_port)


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    (sample,) = [one for one in found[name].samples if one.labels.items() >= labels.items()]
    return float(sample.value)


def test_names_have_base_units_and_counters_end_in_total(found: dict[str, Metric]) -> None:
    own = {name: metric for name, metric in found.items() if name.startswith("tariffs_")}
    assert len(own) >= 25
    for name, metric in own.items():
        suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
        assert (name + suffix).endswith(UNITS) or COUNTS.fullmatch(name), name
        assert metric.documentation, name


@pytest.mark.parametrize("accept", [openmetrics.exposition.CONTENT_TYPE_LATEST, "text/plain"])
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


def test_a_server_tells_its_program_its_law_and_their_age(found: dict[str, Metric]) -> None:
    law = load_law()
    assert value(found, "tariffs_build", version=engine_version()) == 1
    assert value(found, "tariffs_law", version=law.version, digest=law.digest) == 1
    read_to = datetime.fromtimestamp(value(found, "tariffs_law_read_to_timestamp_seconds"), UTC)
    assert read_to.date() == law.read_to
    assert value(found, "tariffs_serving") == 1


def test_a_server_tells_its_caches_its_disk_and_its_long_runs(found: dict[str, Metric]) -> None:
    assert value(found, "tariffs_cache_entries", cache="classes") >= 1
    assert value(found, "tariffs_state_free_bytes") > 0
    states = {sample.labels["state"] for sample in found["tariffs_long_runs"].samples}
    assert states == {"waiting", "running", "succeeded", "failed", "cancelled"}


def test_a_database_that_does_not_answer_fails_no_scrape(tmp_path: Path) -> None:
    def counts() -> dict[str, int]:
        raise ServiceError("SERVER_UNAVAILABLE", "The server's database is not reachable.")

    lane = SimpleNamespace(name="", computing=[], waiting=[], active=[], limit=SimpleNamespace(total=8))
    metrics = Metrics()
    pools: Any = SimpleNamespace(workers=[], task_queue=SimpleNamespace(sweeps=lane, shorts=lane))
    storage: Any = SimpleNamespace(directory=tmp_path / "gone", runs=SimpleNamespace(counts=counts))
    admission: Any = SimpleNamespace(warm=True, stopping=False, limit=SimpleNamespace(held=0))
    add_collectors(metrics, admission, pools, storage)
    names = {metric.name for metric in metrics.registry.collect() if metric.samples}
    assert "tariffs_serving" in names
    assert "tariffs_long_runs" not in names
    assert metrics.registry.get_sample_value("tariffs_state_free_bytes") == 0


def test_a_draining_server_serves_no_more() -> None:
    with running(metrics_port=0, drain_seconds=1.0) as server:
        stopping = server.stop_soon()
        assert _serving(server) == 0
        stopping.result(20)


def _serving(server: Running) -> float:
    while value(scraped(server.server.metrics_port), "tariffs_serving"):
        pass
    return value(scraped(server.server.metrics_port), "tariffs_serving")
