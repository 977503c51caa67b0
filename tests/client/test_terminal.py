"""The command line fits the terminal, completes words, and has brief and sorted forms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from tariffs.client.cli import options
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.render.table import right, text_table

LINE = ("duty", "8471.30.0100", "--origin", "CN", "--date", "2025-05-20", "--value", "12500", "--local")


@pytest.fixture
def trade(tmp_path: Path) -> Path:
    path = tmp_path / "trade.csv"
    origins = ["CN", "VN", "MX", "DE", "JP"]
    pl.DataFrame(
        {"hts": ["9503.00.0073"] * 5, "origin": origins, "customs_value": [100, 5000, 300, 400, 200]}
    ).write_csv(path)
    return path


def impact(trade: Path, *more: str) -> int:
    return run(
        [
            "impact",
            str(trade),
            "--on",
            "2025-12-01",
            "--baseline",
            "2025-01-01",
            "--response",
            "none",
            "--local",
            "--wide",
            *more,
        ]
    )


def first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def test_a_wide_table_is_printed_in_blocks_that_fit(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [f"{value:,}" for value in range(1_000_000, 1_000_012)]
    table = text_table(
        ["origin", *right(*(f"column {place}" for place in range(12)))], [["CN", *numbers]], "USD"
    )
    console = Console(width=60, file=sys.stdout, highlight=False)
    console.print(table)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 60
    assert [number for number in numbers if number not in text] == []
    assert "…" not in text
    assert first_words(text).count("CN") > 1


def test_a_narrow_table_stays_one_block_under_its_units(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=60, file=sys.stdout).print(
        text_table(["origin", *right("duty")], [["CN", "1"]], "million USD")
    )
    assert first_words(capsys.readouterr().out) == ["million", "origin", "CN"]


def test_groups_are_sorted_and_cut_as_asked(trade: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert impact(trade, "--top", "2") == 0
    assert [word for word in first_words(capsys.readouterr().out) if re.fullmatch("[A-Z]{2}", word)] == [
        "VN",
        "DE",
    ]
    assert impact(trade, "--top", "1", "--sort", "effective_rate") == 0
    shown = capsys.readouterr().out
    assert [word for word in first_words(shown) if re.fullmatch("[A-Z]{2}", word)] == ["MX"]
    assert "and 4 more" in shown


def test_a_column_that_is_not_there_is_refused_with_those_that_are(
    trade: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert impact(trade, "--sort", "dutty") == 2
    assert "duty" in capsys.readouterr().err


def test_the_brief_form_of_a_quote_has_the_numbers_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*LINE]) == 0
    whole = capsys.readouterr().out
    assert run([*LINE, "--brief"]) == 0
    brief = capsys.readouterr().out
    assert "assumed" in whole
    assert "assumed" not in brief
    assert "assessed 2,500.00" in brief
    assert len(brief.splitlines()) <= 6


def test_brief_results_count_their_notes(trade: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert impact(trade, "--brief") == 0
    brief = capsys.readouterr().out
    assert "note " not in brief
    assert re.search(r"\d+ notes?, left out by --brief", brief)
    assert "planning estimate" in brief


def test_refunds_are_written_and_cut_as_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries, out = tmp_path / "entries.csv", tmp_path / "refunds.csv"
    pl.DataFrame(
        {
            "hts": ["9503.00.0073"] * 3,
            "origin": ["CN"] * 3,
            "customs_value": [100, 200, 300],
            "entry_id": ["a", "b", "c"],
            "entry_date": ["2025-06-02"] * 3,
        }
    ).write_csv(entries)
    assert run(["refund", str(entries), "--local", "--top", "1", "-o", str(out), "--brief"]) == 0
    shown = capsys.readouterr().out
    assert first_words(shown)[1] == "c"
    assert "and 2 more entries" in shown
    assert pl.read_csv(out).height == 3


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        (
            {"_TARIFFS_COMPLETE": "complete_bash", "COMP_WORDS": "tariffs impact --sor", "COMP_CWORD": "2"},
            "--sort",
        ),
        ({"_TARIFFS_COMPLETE": "complete_bash", "COMP_WORDS": "tariffs ref", "COMP_CWORD": "1"}, "refund"),
        ({"_TARIFFS_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "tariffs duty --wh"}, "--why"),
    ],
)
def test_shells_complete_commands_and_options(variables: dict[str, str], word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tariffs.client.cli"],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert word in done.stdout


@pytest.mark.parametrize(("variable", "coloured"), [("NO_COLOR", False), ("FORCE_COLOR", True)])
def test_states_are_coloured_unless_the_reader_wants_none(
    variable: str, coloured: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, "1")
    assert run([*LINE]) == 0
    assert ("\x1b[32m" in capsys.readouterr().out) is coloured


def test_a_timeline_needs_a_server_to_be_detached(trade: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "timeline",
        str(trade),
        "--start",
        "2025-12-01",
        "--end",
        "2025-12-31",
        "--local",
        "--detach",
        "--json",
    ]
    assert run(words) == 2
    assert "server" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize(("seconds", "terminal", "said"), [(0, True, 1), (60, True, 0), (0, False, 0)])
def test_a_long_call_without_a_server_says_once_what_keeps_it_warm(
    seconds: int,
    terminal: bool,
    said: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(options, "_LONG_SECONDS", seconds)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with options.connected(None, local=True):
        pass
    assert capsys.readouterr().err.count("`tariffs serve`") == said
