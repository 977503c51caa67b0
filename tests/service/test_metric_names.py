"""Names of metrics: conventions of Prometheus, old names for one release, what a server tells of itself."""

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
from tariffs.service.observability.old_names import RENAMED
from tariffs.service.observability.task_time import TaskTime
from tariffs.service.server.collectors import add_collectors
from tests.service.harness import Running, line, running

_families: Any = parser.text_string_to_metric_families
UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")
COUNTS = re.compile(
    r"tariffs_(calls|tasks|long_runs|rows|workers|worker|cache|law_packs)(_[a-z]+)*|tariffs_(serving|stop_chunks|law_directory_failing)"
)


def scraped(port: int) -> dict[str, Metric]:
    """The metrics of a server in the format of OpenMetrics, by name."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Accept": openmetrics.exposition.CONTENT_TYPE_LATEST}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        assert "openmetrics" in answer.headers["Content-Type"]
        return {family.name: family for family in _families(answer.read().decode())}


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Metric]]:
    with running(metrics_port=0) as server:
        server.duty.CalculateDuty(line(), timeout=20)
        server.server._metrics.computed("simulate", TaskTime(1.0, 0.5, 3))
        yield scraped(server.server.metrics_port)


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    (sample,) = [one for one in found[name].samples if one.labels.items() >= labels.items()]
    return float(sample.value)


def test_names_have_base_units_and_counters_end_in_total(found: dict[str, Metric]) -> None:
    own = {name: metric for name, metric in found.items() if name.startswith("tariffs_")}
    assert len(own) >= 25
    for name, metric in own.items():
        suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
        assert (name + suffix).endswith(UNITS) or COUNTS.fullmatch(name) or name in RENAMED, name
        assert metric.documentation, name


@pytest.mark.parametrize("old", RENAMED)
def test_a_renamed_metric_keeps_its_old_name_and_values(found: dict[str, Metric], old: str) -> None:
    new, kind = RENAMED[old]
    assert found[old].type == kind
    samples = [(s.name.removeprefix(new), s.labels, s.value) for s in found[new].samples]
    kept = [(s.name.removeprefix(old), s.labels, s.value) for s in found[old].samples]
    if kind == "gauge":
        samples = [("", labels, number) for suffix, labels, number in samples if suffix != "_created"]
    assert kept == samples
    assert kept


def test_old_names_are_on_the_page_of_changes(root: Path) -> None:
    page = (root / "docs" / "migration.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for old, (new, _) in RENAMED.items() for name in (old, new))


def test_the_page_of_metrics_names_all_of_them(root: Path, found: dict[str, Metric]) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    suffixes = {"counter": "_total", "info": "_info"}
    for name, metric in found.items():
        if name.startswith("tariffs_") and name not in RENAMED:
            assert f"`{name}{suffixes.get(metric.type, '')}`" in page, name


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
