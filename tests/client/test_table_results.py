"""Results of tables as the command line says them: refused rows counted by row, days named as they were used."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client.cli.app import run
from tariffs.client.results.amounts import unit_for
from tariffs.client.results.columns import labels
from tariffs.client.results.refused import refused_words

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
    assert said.startswith("on the entry dates of its lines, 2025-05-01 to 2025-07-01\n")
    assert "so none is computed on 2026-11-24" in said


def test_a_table_with_some_dates_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    table = dated("2025-07-01", "")
    assert run(impact(table)) == 0
    said = capsys.readouterr().out
    assert "2025-07-01 to 2025-07-01, and on 2026-11-24 for lines without one\n" in said
    assert run(impact(table, "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    notes = {note["reason"]: note["message"] for note in document["scenarios"][0]["notes"]}
    assert notes["ENTRY_DATE_BEATS_ON"] == (
        "1 of 2 lines have their own entry date (2025-07-01 to 2025-07-01); the others enter on 2026-11-24."
    )
    assert document["provenance"]["details"]["line_dates"] == {
        "first": "2025-07-01", "last": "2025-07-01", "lines": 1, "of": 2,
    }  # fmt: skip


def test_a_table_without_dates_is_titled_with_the_day_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(impact(written(TOYS))) == 0
    said = capsys.readouterr().out
    assert said.startswith("on 2026-11-24\n")
    assert "ENTRY_DATE_BEATS_ON" not in said


PERIOD = ("--local", "--response", "none", "--start", "2026-11-01", "--end", "2026-11-30")


def test_a_timeline_of_a_small_table_is_in_dollars(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["timeline", written(TOYS), *PERIOD, "--wide"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    # 12.5 percent of 10,000, the forced-labor duty on toys of China.
    assert ["average", "1,250.00", "1,250.00", "12.50"] in rows
    assert ["CN", "1,250.00", "1,250.00", "12.50"] in rows
    assert ["USD", "at", "the", "table's", "yearly", "values;", "rates", "in", "percent"] in rows


def test_a_timeline_by_origin_and_authority_shows_both_keys(capsys: pytest.CaptureFixture[str]) -> None:
    columns = ("hts", "origin", "customs_value", "fta_share")
    table = written((*TOYS, "0"), ("8708508900", "JP", "1000", "0"), columns=columns)
    assert run(["timeline", table, *PERIOD, "--by", "origin,authority", "--wide"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["CN", "s301.fl", "1,250.00", "1,250.00", "12.50"] in rows
    # A floor of 15 percent: the ordinary 2.5, and 12.5 over it.
    assert ["JP", "s232.auto", "125.00", "125.00", "12.50"] in rows
    assert ["JP", "base", "25.00", "25.00", "2.50"] in rows


def test_what_a_change_does_to_a_small_table_is_in_dollars(capsys: pytest.CaptureFixture[str]) -> None:
    Path("raised.yaml").write_text(
        "schema: tariffs.scenario/v1\nid: raised\ntitle: Raised\nbasis: hypothesis\nchanges:\n"
        "  - {op: set_rate, measures: {id: fl301}, from: 2026-11-01, rate: 20%}\n"
    )
    assert run(impact(written(TOYS), "-s", "base", "-s", "raised.yaml", "--attribute", "--wide")) == 0
    said = capsys.readouterr().out
    assert "set_rate fl301 to 20% from 2026-11-01  750.00" in said
    assert "against base, USD, shapley split" in said


@pytest.mark.parametrize(
    ("largest", "shown", "words"),
    [
        (0.0, "0.00", "USD"),
        (99_999_999.0, "99,999,999.00", "USD"),
        (1e8, "100.00", "million USD"),
        (-2.5e9, "-2,500.00", "million USD"),
        (1e11, "100.00", "billion USD"),
        (None, "-", "USD"),
    ],
)
def test_the_unit_of_a_table_fits_its_largest_amount(largest: float | None, shown: str, words: str) -> None:
    unit = unit_for([1.0, None, largest])
    assert (unit.cell(largest), unit.name) == (shown, words)


def test_sectors_have_their_names_in_tables_and_other_codes_stand_alone() -> None:
    row = {"sector": "111CA", "origin": "CN", "hts2": None, "cn": 0.1 + 0.2}
    assert labels(row, row) == ["111CA Farm products", "CN", "-", "0.3"]
    assert labels({"sector": "nothing"}, ["sector"]) == ["nothing"]
