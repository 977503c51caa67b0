"""Results of tables as the command line says them: refused rows counted by row, days named as they were used."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client.cli.app import run
from tariffs.client.refused import refused_words

TOYS = ("9503000073", "CN", "10000")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(*rows: tuple[str, ...], columns: tuple[str, ...] = ("hts", "origin", "customs_value")) -> str:
    Path("table.csv").write_text("\n".join(",".join(row) for row in (columns, *rows)) + "\n")
    return "table.csv"


def dated(*days: str) -> str:
    rows = [(*TOYS, day) for day in days]
    return written(*rows, columns=("hts", "origin", "customs_value", "entry_date"))


def impact(path: str, *options: str) -> list[str]:
    return ["impact", path, "--local", "--response", "none", "--on", "2026-11-24", *options]


def test_a_row_with_three_problems_is_one_refused_row(capsys: pytest.CaptureFixture[str]) -> None:
    table = written(TOYS, ("9999999999", "XX", "abc"), ("9503000073", "XX", "1"))
    assert run(impact(table, "--json")) == 1
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert (refused["count"], len(refused["rows"])) == (2, 4)
    assert run(impact(table)) == 1
    said = capsys.readouterr()
    assert "2 rows were refused, for 4 problems:" in said.out
    assert said.err == "2 rows were refused, for 4 problems; see table-refused.csv.\n"


def test_one_refused_row_is_said_in_the_singular() -> None:
    assert refused_words(pl.DataFrame({"row": [7]})) == "1 row was refused"
    assert refused_words(pl.DataFrame({"row": [7, 8]})) == "2 rows were refused"


def test_a_table_with_dates_of_its_own_is_not_titled_with_a_day_that_no_line_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(impact(dated("2025-07-01", "2025-05-01"))) == 0
    said = capsys.readouterr().out
    assert "base on the entry dates of its lines, 2025-05-01 to 2025-07-01\n" in said
    assert "base on 2026-11-24" not in said
    assert "so none is rated on 2026-11-24" in said


def test_a_table_with_some_dates_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    table = dated("2025-07-01", "")
    assert run(impact(table)) == 0
    said = capsys.readouterr().out
    assert "2025-07-01 to 2025-07-01, and on 2026-11-24 for lines without one\n" in said
    assert run(impact(table, "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    notes = {note["reason"]: note["message"] for note in document["scenarios"][0]["notes"]}
    assert notes["ENTRY_DATE_BEATS_ON"] == (
        "1 of 2 lines have an entry date of their own (2025-07-01 to 2025-07-01); 2026-11-24 dates the others."
    )
    assert document["provenance"]["details"]["line_dates"] == {
        "first": "2025-07-01", "last": "2025-07-01", "lines": 1, "of": 2,
    }  # fmt: skip


def test_a_table_without_dates_is_titled_with_the_day_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(impact(written(TOYS))) == 0
    said = capsys.readouterr().out
    assert "base on 2026-11-24\n" in said
    assert "ENTRY_DATE_BEATS_ON" not in said
