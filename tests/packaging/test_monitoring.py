"""Alert rules and the dashboard name only what a server tells, and every alert has its entry in the runbook."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariffs.engine.errors import REASONS
from tariffs.service.observability.task_time import StopTime, TaskTime
from tariffs.v1 import simulation_service_pb2
from tests.service.harness import fails, line, running
from tests.service.scraped import scraped

NAME = re.compile(r"\b(tariffs_\w+|process_\w+|job:[\w:]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)(=~|!~|!=|=)\"([^\"]*)\"")
BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")
# Labels that Prometheus adds.
ADDED = {"job", "instance"}
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "info": ("_info",)}
PROMTOOL = shutil.which("promtool")


@pytest.fixture(scope="module")
def rules(root: Path) -> list[dict[str, Any]]:
    text = (root / "deploy" / "prometheus" / "rules.yaml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def panels(root: Path) -> list[dict[str, Any]]:
    text = (root / "deploy" / "grafana" / "panels.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text))


@pytest.fixture(scope="module")
def expressions(rules: list[dict[str, Any]], panels: list[dict[str, Any]]) -> list[str]:
    queries = [query for row in panels for panel in row["panels"] for query in panel["queries"].values()]
    return [*(rule["expr"] for rule in rules), *queries]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The labels of every sample name on the page of a real server that has worked."""
    with running(metrics_port=0, audit=str(tmp_path_factory.mktemp("audit"))) as server:
        server.duty.CalculateDuty(line(), timeout=20)
        fails(lambda: server.duty.CalculateDuty(line(origin="Atlantis"), timeout=20))
        request = simulation_service_pb2.SimulateRequest(points=[{"scenario": {"name": "base"}}])
        assert list(server.simulation.Simulate(request, timeout=100))
        server.server._metrics.computed("simulate", TaskTime(1.0, 0.5, 3, StopTime(0.1, 1)))
        server.server._metrics.refused_rows("SimulationService/Simulate", 1)
        yield {
            metric.name + suffix: {label for sample in metric.samples for label in sample.labels}
            for metric in scraped(server.server.metrics_port).values()
            for suffix in SUFFIXES.get(metric.type, ("",))
        }


def test_rules_and_panels_name_metrics_and_labels_that_a_server_tells(
    expressions: list[str], rules: list[dict[str, Any]], told: dict[str, set[str]]
) -> None:
    recorded = {rule["record"] for rule in rules if "record" in rule}
    seen = set()
    for expression in expressions:
        labels = {name.strip() for names in BY.findall(expression) for name in names.split(",")}
        for name, matchers in NAME.findall(expression):
            labels |= {found[0] for found in MATCHER.findall(matchers)}
            seen.add(name)
            if name.startswith("job:"):
                assert name in recorded, name
            else:
                assert name in told, name
                assert {found[0] for found in MATCHER.findall(matchers)} <= told[name] | ADDED, expression
        known = {label for name in told for label in told[name]} | ADDED
        assert labels <= known, expression
    assert len(seen) >= 40


def test_values_of_labels_are_those_that_a_server_uses(expressions: list[str]) -> None:
    known = {
        "rpc": {"DutyService/CalculateDuty"},
        "reason": set(REASONS),
        "state": {"waiting", "running", "succeeded", "failed", "cancelled", "served", "loading", "refused"},
        "alertstate": {"firing"},
    }
    for expression in expressions:
        for label, _, value in MATCHER.findall(expression):
            if label in known:
                assert set(value.split("|")) <= known[label], expression


def test_recorded_ratios_have_every_window_of_the_alerts(rules: list[dict[str, Any]]) -> None:
    windows = {"5m", "30m", "1h", "2h", "6h", "1d", "3d"}
    for what in ("tariffs_quotes:rate", "tariffs_quotes_failed:ratio_rate", "tariffs_quotes_slow:ratio_rate"):
        found = {rule["record"].rpartition("rate")[2] for rule in rules if what in rule.get("record", "")}
        assert found == windows


def test_every_alert_is_in_the_runbook_and_no_other_and_fires_in_a_test(
    root: Path, rules: list[dict[str, Any]]
) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    alerts = [rule for rule in rules if "alert" in rule]
    assert len(alerts) >= 12
    headings = re.findall(r"^### (Tariffs\w+)$", page, re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts]
    for rule in alerts:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    tests = (root / "deploy" / "prometheus" / "rules_test.yaml").read_text(encoding="utf-8")
    assert all(rule["alert"] in tests for rule in alerts)


def test_the_dashboard_is_made_from_its_panels(root: Path, panels: list[dict[str, Any]]) -> None:
    maker = runpy.run_path(str(root / "deploy" / "grafana" / "dashboard.py"))
    made = (root / "deploy" / "grafana" / "dashboards" / "tariffs.json").read_text(encoding="utf-8")
    assert made == maker["text"](panels), "run python deploy/grafana/dashboard.py"
    placed = [panel["gridPos"] for panel in maker["dashboard"](panels)["panels"]]
    cells: list[tuple[int, int]] = []
    for at in placed:
        width, height = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        cells += product(width, height)
    assert len(cells) == len(set(cells)), "two panels overlap"
    assert max(x for x, _ in cells) < 24


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian package prometheus)")
def test_prometheus_takes_configuration_and_rules(root: Path) -> None:
    assert PROMTOOL is not None
    commands = (
        "check rules rules.yaml",
        "test rules rules_test.yaml",
        "check config --syntax-only prometheus.yaml",
    )
    for command in commands:
        words, place = [PROMTOOL, *command.split()], root / "deploy" / "prometheus"
        done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
