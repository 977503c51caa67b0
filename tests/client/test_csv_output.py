"""CSV files for people hold no cell that a spreadsheet computes, and read back as what was written."""

from __future__ import annotations

import csv
import io
from contextvars import copy_context
from pathlib import Path

import polars as pl
import pytest

from tariffs.client._wire.csv_text import for_people, guarded, leave_raw
from tariffs.client.cli.__main__ import run

HOSTILE = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "-",
]
HARMLESS = ["", "a=b", "'=1", "9503.00.0073", "1-2", '"quoted", "twice"', "x\ny", " =1"]
FIRST = ("=", "+", "-", "@", "\t", "\r")
ANSWER = ("impact", "--on", "2025-05-14", "--response", "none", "--local", "--brief")


def written(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_texts_that_a_spreadsheet_computes_are_guarded_once(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"text": [*HOSTILE, *HARMLESS, None]}).with_columns(pl.col("text").cast(dtype))
    text = for_people(frame.with_row_index()).write_csv()
    found = [row[1] for row in csv.reader(io.StringIO(text, newline=""))]
    assert found[1:] == ["'" + text for text in HOSTILE] + HARMLESS + [""]
    assert guarded(guarded(frame)).equals(guarded(frame))


def test_numbers_are_not_texts_and_names_of_columns_are() -> None:
    frame = pl.DataFrame({"=1+1": [-1.5, 2.0], "-2": [-3, 4], "plain": [None, None]})
    assert guarded(frame).to_dict(as_series=False) == {
        "'=1+1": [-1.5, 2.0], "'-2": [-3, 4], "plain": [None, None]
    }  # fmt: skip


def test_left_raw_nothing_changes() -> None:
    frame = pl.DataFrame({"=text": HOSTILE})

    def raw() -> pl.DataFrame:
        leave_raw()
        return for_people(frame)

    assert copy_context().run(raw).equals(frame)
    assert not for_people(frame).equals(frame)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [["9503.00.0073", "CN", "100", text, "-5"] for text in HOSTILE[:5]]
    bad = [[HOSTILE[0], "CN", "100", "x", ""], ["9503.00.0073", HOSTILE[1], "100", "x", ""]]
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["hts", "origin", "customs_value", "=mine", "-2"], *rows, *bad])
    return tmp_path / "t.csv"


@pytest.mark.parametrize("verb", ["impact", "duty", "check"])
def test_files_of_commands_are_guarded(table: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    commands = {
        "impact": [*ANSWER, str(table), "--by", "=mine", "--lines", "lines.csv", "-o", "groups.csv"],
        "duty": ["duty", "--entries", str(table), "--date", "2025-05-14", "-o", "entries.csv", "--local"],
        "check": ["table", "check", str(table)],
    }
    run(commands[verb])
    capsys.readouterr()
    files = [path for path in table.parent.glob("*.csv") if path != table]
    assert {path.name for path in files} >= {"t-refused.csv"}
    for path in files:
        texts = [cell for row in written(path) for cell in row if cell.startswith(FIRST)]
        assert [text for text in texts if not is_number(text)] == [], path.name
    (found,) = (row for row in written(table.parent / "t-refused.csv") if "HTS_CODE_MALFORMED" in row)
    assert "'" + HOSTILE[0] in found


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_option_writes_raw_and_both_forms_replay(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*ANSWER, str(table), "--lines", "lines.csv"]
    for before, first in ((["--raw-csv"], "=cmd"), ([], "'=cmd")):
        assert copy_context().run(run, [*before, *asked]) == 1
        assert written(table.parent / "lines.csv")[1][5].startswith(first)
        assert run(["replay", "lines.csv", "--local"]) == 0
        table.write_text(table.read_text(encoding="utf-8").replace(",100,", ",200,"), encoding="utf-8")
        assert run(["replay", "lines.csv", "--local"]) == 1
        table.write_text(table.read_text(encoding="utf-8").replace(",200,", ",100,"), encoding="utf-8")
    capsys.readouterr()
