"""Help pages are short, in groups, and teach by examples that change something; `tariffs bench` shows its rows."""

from __future__ import annotations

import importlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tariffs.bench import report
from tariffs.bench.measure import AT_MOST, Result, Sample, Skipped, Target
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.app import SUMMARIES

PANELS = ["Question", "Trade response", "Table", "Output", "Server"]
FILES = (".csv", ".yaml", ".parquet")
EXAMPLES = [
    words
    for verb in ("duty", "impact", "timeline", "sweep", "seek")
    for words in map(shlex.split, importlib.import_module(f"tariffs.client.cli.{verb}").EXAMPLES.splitlines())
    if not any(word.endswith(FILES) for word in words)
]
PRINTED_ONLY = ("--report", "--draws")
Asked = list[tuple[str, tuple[str, ...]]]


@pytest.fixture(autouse=True)
def _a_hundred_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("verb", SUMMARIES)
def test_a_page_is_short_and_its_options_stand_in_groups(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([verb, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= (90 if verb == "impact" else 60)
    commands = [line for line in lines if line.startswith("  tariffs ")]
    assert max(len(line) for line in lines if line not in commands) <= 100
    if verb in {"impact", "timeline", "sweep", "seek"}:
        assert [line for line in lines if line in PANELS] == PANELS
        text = " ".join(" ".join(lines).split())
        assert "path: every change at its own age. Default: path." in text
        assert "Part of the mean rise of prices by duties" in text
        assert "At 0 the exchange rate stays" not in text


def told(capsys: pytest.CaptureFixture[str], words: list[str]) -> Any:
    kept = [word for at, word in enumerate(words) if not {word, words[at - 1]} & {*PRINTED_ONLY}]
    # The duty does not depend on the response, and the path of a year takes ten seconds.
    kept += ["--response", "none"] if "timeline" in words else []
    assert run([*kept[1:], "--local", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_an_example_changes_something(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    document = told(capsys, words)
    verb = words[1]
    if verb == "duty":
        without = words[: words.index("-s")] if "-s" in words else []
        assert document["assessed"] != (told(capsys, without)["assessed"] if without else "0")
    elif verb == "seek":
        assert document["roots"]
    else:
        assert max(len(set(duties)) for duties in duties_of(document)) > 1


def duties_of(document: Any) -> list[list[float]]:
    """Total duty of each scenario or point, of each side of a run over both."""
    if "imports" in document:
        return [duties for side in ("imports", "exports") for duties in duties_of(document[side])]
    if "points" in document:
        return [[total["duty"] for total in document["totals"]]]
    totals = [one.get("total") or one["average_total"][0] for one in document["scenarios"]]
    return [[total["duty"] for total in totals]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Sizes and rows of a bench that is asked for; made up are one row met, one far below and one skipped."""
    calls: Asked = []

    def run_bench(size: str, names: Sequence[str], progress: Any) -> report.Report:
        calls.append((size, tuple(names)))
        results = tuple(
            Result(name, f"row {name}", "a join", Target(AT_MOST, 1.0), (Sample(ratio, 60.0, 120.0),))
            for name, ratio in (("fast", 0.5), ("slow", 3.0))
        )
        return report.Report(report.machine_facts(), results, (Skipped("duck", "absent", "pip install x"),))

    monkeypatch.setattr(report, "run_bench", run_bench)
    return calls


def test_a_bench_is_a_document_a_table_or_a_page(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--quick", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"machine", "rows", "skipped"}
    fast, slow = document["rows"]
    found = [fast[name] for name in ("measured", "target", "met", "runs", "spread")]
    assert found == [0.5, 1, True, 1, 0]
    assert (slow["name"], slow["met"], slow["milliseconds"]) == ("slow", False, 60.0)
    assert document["skipped"] == [{"name": "duck", "reason": "absent", "fix": "pip install x"}]
    assert run(["bench", "--full", "--row", "fast", "--row", "slow"]) == 0
    shown = capsys.readouterr().out
    for part in ("row slow", "<= 1", "not measured: duck: absent (pip install x)"):
        assert part in shown
    page = Path("speed.md")
    page.write_text("<!-- bench -->\n<!-- /bench -->\n", encoding="utf-8")
    assert run(["bench", "--page", str(page)]) == 0
    assert "| row slow | a join | 3 | <= 1 | no |" in page.read_text(encoding="utf-8")
    assert Path("speed.svg").exists()
    assert run(["bench", "--strict", "--json"]) == 1  # below half of a target without a floor
    assert asked == [("quick", ()), ("full", ("fast", "slow")), ("standard", ()), ("standard", ())]


def test_a_bench_that_cannot_be_shown_costs_no_time(asked: Asked) -> None:
    Path("unmarked.md").write_text("", encoding="utf-8")
    for words in (["--page", "unmarked.md"], ["--page", "absent.md"], ["--quick", "--full", "--json"]):
        assert run(["bench", *words]) == 2
    assert asked == []


def test_a_bench_without_the_engine_names_pip_and_exits_3(
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
