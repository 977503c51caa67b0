"""Notebooks of the docs give the same figures here and from a server; the demo answers, writes and leaves nothing."""

from __future__ import annotations

import json
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import Client
from tariffs.client._wire.server_process import server_process
from tariffs.client.demo.founding_question import KEPT, LAPSED, NOW, SCENARIOS
from tariffs.client.errors import Unavailable

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
QUICK = {"our_entries", "soybeans"}


def frames_of(names: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """All frames among the names that a notebook defines, and those of its results."""
    found = {name: value for name, value in names.items() if isinstance(value, pl.DataFrame)}
    for name, value in names.items():
        if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: getattr(value, field.name) for field in fields(value)}
            found |= {f"{name}.{part}": one for part, one in parts.items() if isinstance(one, pl.DataFrame)}
    return found


def figures(notebook: Path, client: Client) -> dict[str, pl.DataFrame]:
    pytest.importorskip("marimo", reason="the extra `notebook` is not installed")
    _, names = runpy.run_path(str(notebook))["app"].run(defs={"client": client})
    return frames_of(names)


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(one, id=one.stem, marks=[] if one.stem in QUICK else [pytest.mark.slow])
        for one in NOTEBOOKS
    ],
)
def test_figures_are_the_same_here_and_there(notebook: Path, here: Client, there: Client) -> None:
    assert len(NOTEBOOKS) == 5
    found, other = figures(notebook, here), figures(notebook, there)
    assert len(found) >= 5
    assert list(found) == list(other)
    for name, frame in found.items():
        assert_frame_equal(frame, other[name], check_exact=True)
    text = notebook.read_text(encoding="utf-8")
    assert 'provenance["law_version"]' in text
    assert "not rulings" in text


COMMAND = [sys.executable, "-u", "-m", "tariffs.client.demo"]


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The demo, running while the tests before the last one run."""
    folder = tmp_path_factory.mktemp("demo")
    with subprocess.Popen(
        COMMAND, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        yield demo, folder
        demo.terminate()


@pytest.mark.kill
@pytest.mark.usefixtures("whole_demo")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        assert "starting" in demo.stdout.readline()
        demo.stdout.readline()
        demo.send_signal(how)
        rest = demo.stdout.read()
    assert demo.returncode == 130
    assert "Traceback" not in rest
    assert not _servers_in(tmp_path)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_WORKERS", "none")
    with (
        pytest.raises(Unavailable, match="exit code"),
        server_process(tmp_path / "log", 60.0, lambda _: None),
    ):
        pass


@pytest.mark.slow
@pytest.mark.usefixtures("whole_demo")
def test_the_server_checks_itself_from_the_command_line() -> None:
    command = [sys.executable, "-m", "tariffs.client.cli", "serve", "--check"]
    subprocess.run(command, timeout=300, check=True)


@pytest.mark.slow
def test_the_demo_answers_writes_and_leaves_nothing(whole_demo: tuple[subprocess.Popen[str], Path]) -> None:
    demo, folder = whole_demo
    stdout, stderr = demo.communicate(timeout=300)
    assert demo.returncode == 0, stderr
    summary = json.loads((folder / "build/demo/summary.json").read_text())
    assert [(one["id"], one["on"]) for one in summary["scenarios"]] == [(name, NOW) for name in SCENARIOS]
    assert summary["refused"]["count"] == 0
    lines = pl.scan_parquet(folder / "build/demo/lines.parquet")
    counts = lines.group_by("scenario", "on").agg(pl.len()).collect()
    assert counts["len"].to_list() == [334_728] * len(SCENARIOS)
    assert len(stdout.splitlines()) <= 45
    # A quote by names, the answer under the law and why, then the counterfactual.
    assert stdout.index("Section 301 China, list 3") < stdout.index("USD 0.0 bn a year")
    assert "had no effect: the duty was void (" in " ".join(stdout.split())
    # Every sentence gives a figure with its range.
    assert len(re.findall(r"-?[\d.]+\s+\(-?[\d.]+ to -?[\d.]+\)", stdout)) == 4
    # Three scenarios by six origins, by name.
    table = stdout[stdout.index("duty after, USD bn") :].splitlines()
    rows = [line for line in table if re.search(r"( +[\d.,]+){3}$", line)]
    assert [row.split()[0] for row in rows[:2]] == ["China", "Mexico"]
    assert len(rows) == 6 + 1
    # The sentence on China is the difference of its mean rates, not the 24 points of the lines covered.
    rates = {
        one["id"]: {row["origin"]: row["effective_rate"] for row in one["groups"]}["CN"]
        for one in summary["scenarios"]
    }
    assert f"goods of China by {100 * (rates[LAPSED] - rates[KEPT]):.1f} points" in stdout
    assert "elasticities only" in (folder / "build/demo/report.html").read_text(encoding="utf-8")
    assert (folder / "build/demo/workbook.xlsx").stat().st_size
    assert not _servers_in(folder)


def _servers_in(folder: Path) -> list[str]:
    """Processes of a server that run in `folder`; one that is ending is given a moment."""
    for _ in range(300):
        found = [str(one) for one in Path("/proc").glob("[0-9]*") if _is_server_in(folder, one)]
        if not found:
            return []
        time.sleep(0.1)
    return found


def _is_server_in(folder: Path, process: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        return b"tariffs.service" in command and (process / "cwd").readlink() == folder
    except OSError:
        return False
