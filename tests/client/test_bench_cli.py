"""`tariffs bench`: one JSON document, exit codes, and the pip command where the engine is missing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tariffs.bench import report
from tariffs.bench.measure import AT_MOST, Result, Sample, Skipped, Target
from tariffs.client.cli.__main__ import run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Sizes and rows that the command asks for; the answers are made up: one row met, one far below, one skipped."""
    calls: list[tuple[str, tuple[str, ...]]] = []

    def run_bench(size: str, names: Sequence[str], progress: Any) -> report.Report:
        calls.append((size, tuple(names)))
        results = tuple(
            Result(name, f"row {name}", "a join", Target(AT_MOST, 1.0), (Sample(ratio, 60.0, 120.0),))
            for name, ratio in (("fast", 0.5), ("slow", 3.0))
        )
        return report.Report(report.machine_facts(), results, (Skipped("duck", "absent", "pip install x"),))

    monkeypatch.setattr(report, "run_bench", run_bench)
    return calls


def test_json_is_one_document(
    asked: list[tuple[str, tuple[str, ...]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "--quick", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"machine", "rows", "skipped"}
    fast, slow = document["rows"]
    assert (fast["measured"], fast["target"], fast["met"], fast["runs"], fast["spread"]) == (
        0.5,
        1,
        True,
        1,
        0,
    )
    assert (slow["name"], slow["met"], slow["milliseconds"]) == ("slow", False, 60.0)
    assert document["skipped"] == [{"name": "duck", "reason": "absent", "fix": "pip install x"}]
    assert asked == [("quick", ())]


def test_the_table_shows_ratios_milliseconds_and_what_was_left_out(
    asked: list[tuple[str, tuple[str, ...]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "--full", "--row", "fast", "--row", "slow"]) == 0
    shown = capsys.readouterr().out
    assert "row slow" in shown
    assert "<= 1" in shown
    assert "not measured: duck: absent (pip install x)" in shown
    assert asked == [("full", ("fast", "slow"))]


def test_a_check_fails_below_half_of_a_target_without_a_floor(
    asked: list[tuple[str, tuple[str, ...]]],
) -> None:
    assert run(["bench", "--strict", "--json"]) == 1
    assert asked == [("standard", ())]


def test_a_page_is_written(asked: list[tuple[str, tuple[str, ...]]], tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("<!-- bench -->\n<!-- /bench -->\n", encoding="utf-8")
    assert run(["bench", "--page", str(page)]) == 0
    assert "| row slow | a join | 3 | <= 1 | no |" in page.read_text(encoding="utf-8")
    assert (tmp_path / "speed.svg").exists()


def test_a_page_that_cannot_be_written_costs_no_time(
    asked: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    unmarked = tmp_path / "unmarked.md"
    unmarked.write_text("", encoding="utf-8")
    assert run(["bench", "--page", str(unmarked)]) == 2
    assert run(["bench", "--page", str(tmp_path / "absent.md")]) == 2
    assert asked == []


def test_two_sizes_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--quick", "--full", "--json"]) == 2


def test_without_the_engine_the_command_names_pip_and_exits_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> Any:
        if name.startswith("tariffs.bench"):
            raise ModuleNotFoundError("No module named 'numba'", name="numba")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert run(["bench", "--json"]) == 3
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["reason"] == "EXTRA_MISSING"
    assert "pip install 'tariffs[server]'" in said.err
