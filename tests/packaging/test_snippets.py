"""Every command, program and scenario of README and docs runs as it is written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tests.packaging.snippets import CODES, PAGES, ROOT, commands, fences, name_of, write_files

pytestmark = pytest.mark.slow
HERE = {"duty", "find", "impact", "timeline", "sweep", "seek", "refund", "law", "scenario", "table", "data"}
"""Commands that compute in this process."""
TESTED_ELSEWHERE = {
    # A page in the browser.
    "desk": "tests/desk",
    "record": "tests/client/test_testing.py",
    "replay-traffic": "tests/client/test_testing.py",
}
ALL_COMMANDS = [(page, words) for page in PAGES for words in commands(page)]
LOCAL = [(page, words) for page, words in ALL_COMMANDS if words[0] in HERE and "--detach" not in words]
SERVED = [words for _, words in ALL_COMMANDS if words[0] in {"runs", "tables"} or "--detach" in words]
SHOWN = re.findall(
    r"^\$ tariffs (.+)\n((?:(?!\$ |```).*\n)+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
)
SCENARIOS = [text for page in ("README.md", "docs/scenarios.md") for text in fences(ROOT / page, "yaml")]
PYTHON = {page: fences(page, "python") for page in PAGES}
NEED_A_CLUSTER = {"docs/scale.md"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_pages_is_run_somewhere() -> None:
    run_here = [*SERVED, *(words for _, words in LOCAL)]
    left = {words[0] for _, words in ALL_COMMANDS if words not in run_here}
    assert left == set(TESTED_ELSEWHERE)
    assert all((ROOT / place).exists() for place in TESTED_ELSEWHERE.values())
    assert len(run_here) > 20


@pytest.mark.parametrize("words", [words for _, words in LOCAL], ids=lambda words: " ".join(words)[:70])
def test_a_command_answers(words: list[str], folder: Path) -> None:
    if words[0] == "data":
        assert run(words) == 0
        assert pl.read_parquet(folder / words[words.index("-o") + 1]).height
    else:
        assert run([*words, "--local"]) == 0


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_the_output_that_the_readme_shows_is_that_of_its_command(
    command: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*shlex.split(command), "--local"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    wanted = [line.split() for line in shown.splitlines() if line.strip(". ")]
    assert len(wanted) > 5
    assert [line for line in wanted if line not in printed] == []


def test_the_commands_for_a_server_answer(
    server: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TARIFFS_TARGET", server)
    name = ""
    for words in SERVED:
        given = [name if word.startswith("operations/") else word for word in words]
        assert run(given) == 0, words
        printed = capsys.readouterr().out.strip()
        if "--detach" in words:
            name = printed
    assert name.startswith("operations/")


@pytest.mark.parametrize("page", [page for page, texts in PYTHON.items() if texts], ids=name_of)
def test_the_programs_of_a_page_run_in_order(
    page: Path, folder: Path, request: pytest.FixtureRequest
) -> None:
    if name_of(page) in NEED_A_CLUSTER:
        pytest.skip("needs a cluster; tests of clusters are beside their code")
    names: dict[str, Any] = {"lines": pl.read_parquet("entries.parquet").drop("entry_date", "entry_id")}
    target = request.getfixturevalue("server") if name_of(page) == "docs/service.md" else ""
    with Client(target) if target else Client.local() as client:
        names["client"] = client
        for text in PYTHON[page]:
            exec(compile(text, name_of(page), "exec"), names)
    # Functions that the programs of a page define.
    if name_of(page) == "docs/testing.md":
        names["make_recording"](request.getfixturevalue("server"), "calls.json")
        names["use_recording"]("calls.json")
    if name_of(page) == "docs/tables.md":
        codes = pl.DataFrame({"hts": list(CODES)})
        names["with_rates"](codes, codes.with_columns(ordinary_rate=pl.lit(0.0)))
        names["large"](request.getfixturevalue("server"))


def scenario_of(text: str) -> str:
    """A whole scenario of a snippet: fragments get a header, and changes where they lack them."""
    if text.startswith("schema:"):
        return text
    header = "schema: tariffs.scenario/v1\nid: snippet\ntitle: A snippet\nbasis: hypothesis\n"
    return header + text + ("" if {"changes", "mixture"} & set(yaml.safe_load(text)) else "changes: []\n")


@pytest.mark.parametrize("text", SCENARIOS, ids=lambda text: text[:20])
def test_a_scenario_of_the_page_is_sound(text: str) -> None:
    answer = Client.local().check(scenario_of(text))
    assert [one for one in answer.problems if one.severity == "error"] == []


def test_law_data_of_the_page_is_yaml() -> None:
    for text in fences(ROOT / "docs" / "law-data.md", "yaml"):
        assert isinstance(yaml.safe_load(text), dict | list)


def test_the_parameter_file_of_the_page_is_read(folder: Path) -> None:
    lines = pl.read_parquet("entries.parquet").drop("entry_date", "entry_id")
    with Client.local() as client:
        result = client.impact(lines, on="2026-11-20", baseline="2025-01-01", parameter_set="parameters.csv")
    assert result.total["value_after"].count() == 1
