"""Read tables as people send them: titles above the header, other spellings of names, compressed files."""

from __future__ import annotations

import gzip
import importlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, read_table
from tariffs.client._wire import excel, frames
from tariffs.client._wire.requests import MODES
from tariffs.client.cli.__main__ import run
from tariffs.engine.schedule.transport import find_mode
from tariffs.v1 import common_pb2

HEADER = ["HTS ", "ORIGIN", "Customs Value", "Entry Date"]
ROWS: list[list[Any]] = [
    [9503000073, "P.R. China", 10_000, "14-May-2025"],
    ["0101.21.0010", "Deutschland", "USD 1,000.00", "June 20, 2025"],
]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    xlsxwriter: Any = importlib.import_module("xlsxwriter")
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Cover").write(0, 0, "Entries of May")
        sheet = book.add_worksheet("Lines")
        sheet.merge_range("A3:D3", "Report of entries, May 2025")
        for place, row in enumerate([["Goods", None, "Values"], HEADER, *ROWS], 3):
            sheet.write_row(place, 0, row)
        book.add_worksheet("Other").write_row(0, 0, ["hts", "origin", "customs_value"])
    return path


def test_the_header_of_a_sheet_is_found_below_titles_and_merged_cells(workbook: Path) -> None:
    frame = read_table(workbook)
    assert frame.columns == [name.strip() for name in HEADER]
    assert frame["HTS"].to_list() == ["9503000073", "0101.21.0010"]
    with Client.local() as client:
        checked = client.check_table(workbook)
    assert "'Lines'" in checked.form
    assert "row 5" in checked.form


def test_a_check_reads_a_workbook_once(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[object]()

    def counted(path: Path, choice: excel.SheetChoice) -> excel.Sheet:
        reads.append(path)
        return excel.read_excel(path, choice)

    monkeypatch.setattr(frames, "read_excel", counted)
    with Client.local() as client:
        assert client.check_table(workbook).rows == len(ROWS)
    assert len(reads) == 1


@pytest.mark.parametrize(("sheet", "row"), [("Other", 0), ("Lines", 5)])
def test_a_sheet_and_a_row_of_names_can_be_chosen(workbook: Path, sheet: str, row: int) -> None:
    assert read_table(workbook, sheet=sheet, header_row=row).width == len(HEADER) - (sheet == "Other")


@pytest.mark.parametrize(
    ("sheet", "row", "said"), [("None", 0, "Available sheets"), ("Lines", 99, "no row 99")]
)
def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(
    workbook: Path, sheet: str, row: int, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        read_table(workbook, sheet=sheet, header_row=row)
    assert caught.value.reason == "TABLE_UNREADABLE"


def test_names_of_columns_are_read_in_any_case_by_every_verb(workbook: Path) -> None:
    frame = read_table(workbook).rename({"ORIGIN": " Origin"})
    with Client.local() as client:
        impact = client.impact(frame, response="none", by=["origin"])
        duties = client.duties(frame)
        checked = client.check_table(frame)
    assert impact.groups["origin"].to_list() == ["CN", "DE"]
    assert impact.refused.is_empty()
    assert duties.lines["assessed"].sum() == pytest.approx(impact.total["duty"].item(), abs=0.02)
    assert [column.role for column in checked.columns] == ["required", "required", "required", "optional"]


def test_two_spellings_of_one_name_are_not_read_but_named() -> None:
    frame = pl.DataFrame(
        {"HTS": ["9503000073"], "hts ": ["9503000073"], "origin": ["CN"], "customs_value": [1]}
    )
    with Client.local() as client, pytest.raises(InvalidRequest, match="lacks hts") as caught:
        client.impact(frame, response="none")
    assert "a file for mapping=" in caught.value.fix


def test_a_compressed_file_is_read_as_it_would_be_without(tmp_path: Path) -> None:
    text = "hts;Origin;Customs Value\n9503.00.0073;CN;1.234,50\n;;\n ; ; \n"
    plain, compressed = tmp_path / "lines.csv", tmp_path / "lines.csv.gz"
    plain.write_text(text)
    compressed.write_bytes(gzip.compress(text.encode()))
    assert read_table(plain).equals(read_table(compressed))
    assert read_table(compressed).rows() == [("9503.00.0073", "CN", "1234.50")]
    compressed.write_bytes(gzip.compress(text.encode())[:20])
    with pytest.raises(InvalidRequest) as caught:
        read_table(compressed)
    assert caught.value.reason == "TABLE_UNREADABLE"


def test_the_command_line_takes_sheet_and_row(workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["table", "check", str(workbook), "--sheet", "Lines", "--header-row", "5", "--local"]
    assert run([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usable"] == len(ROWS)
    assert run([*line[:-3], "--header-row", "6", "--local"]) == 2
    assert "lacks hts" in capsys.readouterr().err


def test_cells_of_a_mapping_are_replaced_in_any_case(tmp_path: Path) -> None:
    table, mapping = tmp_path / "lines.csv", tmp_path / "own.toml"
    table.write_text("Code,From,USD,By\n9503000073,CN,1,BOAT\n")
    mapping.write_text(
        'schema = "tariffs.mapping/v1"\n[columns]\nhts = "code"\norigin = "FROM"\ncustoms_value = "usd"\nmode = "by"\n'
        '[values.mode]\nboat = "ocean"\n'
    )
    assert read_table(table, mapping=mapping)["mode"].to_list() == ["ocean"]


def test_client_and_engine_know_the_same_modes_of_transport() -> None:
    words = {name: common_pb2.TransportMode.Name(mode) for name, mode in MODES.items() if name}
    assert {name: f"TRANSPORT_MODE_{find_mode(name).upper()}" for name in words} == words
    assert find_mode("12") == ""
