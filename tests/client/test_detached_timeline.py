"""A timeline that goes on without its caller gives what the call gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client.cli.__main__ import run

PERIOD = ("--start", "2026-12-01", "--end", "2027-01-20", "-s", "base", "--response", "none")


def test_a_detached_timeline_is_read_later(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.parquet"
    pl.DataFrame(
        {"hts": ["9503000073"] * 2, "origin": ["CN", "VN"], "customs_value": [1.0, 2.0]}
    ).write_parquet(table)

    def answer(*words: str) -> Any:
        assert run([*words, "--target", server, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    begun = answer("timeline", str(table), *PERIOD, "--detach")
    later = answer("runs", "result", begun["name"])
    now = answer("timeline", str(table), *PERIOD)
    assert later["scenarios"] == now["scenarios"]
    assert later["schema"] == now["schema"] == "tariffs.timeline/v1"


def test_a_missing_file_is_named_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("table", "check", "nothere.csv"),
        ("data", "import", "hts", "nothere.csv", "-o", "x.parquet"),
    ):
        assert run([*words]) == 2
        said = capsys.readouterr().err
        assert "nothere.csv cannot be read: no such file or directory." in said
