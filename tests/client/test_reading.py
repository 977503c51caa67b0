"""Tables as people send them: files with faults, other forms and spellings, standard input, and other packages."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pytest

from tariffs.client import Client, InvalidRequest, read_table
from tariffs.client._wire.csv_text import ROW_FAULT, read_csv
from tariffs.client._wire.requests import MODES
from tariffs.engine.schedule.transport import find_mode
from tariffs.v1 import common_pb2
from tests.client.conftest import Cli, goods, refuses

HEADER = "hts,origin,customs_value,entry_date"
LINE = "9503.00.0073,CN,10000,2025-05-14"
DUTY = Decimal("3000.00")
VERBS: list[Callable[[Client, Any], pl.DataFrame]] = [
    lambda client, table: client.impact(table, response="none").refused,
    lambda client, table: client.duties(table).refused,
    lambda client, table: client.refund(table).refused,
]


@pytest.fixture
def ragged() -> Path:
    text = f'{HEADER}\n{LINE}\n{LINE},"a\nb"\n\n9503.00.0073,CN\n{LINE}\n'
    Path("ragged.csv").write_text(text, encoding="utf-8")
    return Path("ragged.csv")


@pytest.mark.parametrize("refused_by", VERBS, ids=["impact", "duties", "refund"])
def test_rows_of_another_length_are_refused(client: Client, ragged: Path, refused_by: Any) -> None:
    refused = refused_by(client, ragged)
    assert refused.select("row", "reason").rows() == [(1, "ROW_UNREADABLE"), (2, "ROW_UNREADABLE")]
    first, second = refused["message"]
    assert first.startswith("Line 3 of the file has 5 fields and the header 4.")
    assert second.startswith("Line 6 of the file has 2 fields")
    assert client.duties(ragged).lines["assessed"].to_list() == [DUTY, None, None, DUTY]
    assert ROW_FAULT not in client.duties(ragged).lines.columns


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (f"{HEADER}\n{LINE}\n".encode() + b"\x81", "line 3 is neither UTF-8 nor Windows-1252"),
        (f"{HEADER},hts\n{LINE},1\n".encode(), "names hts twice"),
        (f'{HEADER}\n"{LINE}\n{LINE}\n{LINE}\n'.encode(), "line 2 opens a quote"),
        (f"{HEADER}\n\0\n".encode(), "contains zero bytes"),
        (b" \n", "it is empty"),
    ],
)
def test_what_makes_a_file_unreadable_is_named(client: Client, data: bytes, told: str) -> None:
    path = Path("lines.csv")
    path.write_bytes(data)
    for refused_by in VERBS:
        with refuses("TABLE_UNREADABLE", said=told) as caught:
            refused_by(client, path)
        assert caught.value.fix


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER}\n{LINE}\n".replace(",", ";").encode(),
        f"{HEADER}\n{LINE}\n".replace(",", "\t").encode("utf-16"),
        f"{HEADER}\n{LINE}\n".replace(",", "|").encode("utf-8-sig"),
        f"{HEADER},caf\u00e9\n{LINE},x\n".encode("cp1252"),
        f"{HEADER}\n{LINE}\n".replace(",", ";").replace(";10000;", ";10.000,00;").encode(),
        f"{HEADER}\n{LINE}\n".replace(",", ";").replace(";10000;", ";10,000.00;").encode(),
    ],
    ids=["semicolons", "tabs in UTF-16", "bars", "Windows-1252", "decimal commas", "decimal points"],
)
def test_other_separators_encodings_and_decimal_marks_give_the_same_duty(client: Client, data: bytes) -> None:
    path = Path("lines.csv")
    path.write_bytes(data)
    assert client.duties(path).lines["assessed"].to_list() == [DUTY]


@pytest.mark.parametrize("amounts", [("1,234",), ("1.234",), ("1.234,50", "1,234.50")])
def test_amounts_that_can_be_read_in_two_ways_are_refused(amounts: tuple[str, ...]) -> None:
    rows = "".join(f"9503.00.0073;CN;{amount};2025-05-14\n" for amount in amounts)
    with pytest.raises(InvalidRequest, match="customs_value can be read in two ways"):
        read_csv(f"{HEADER.replace(',', ';')}\n{rows}".encode(), "lines.csv")


def test_a_workbook_is_a_table_whose_codes_keep_their_zeros(client: Client) -> None:
    path = Path("lines.xlsx")
    rows = [(9503000073, "CN", 10000, date(2025, 5, 14)), (101210010, "CN", 5.5, date(2025, 5, 14))]
    pl.DataFrame(rows, HEADER.split(","), orient="row").write_excel(path)
    frame = read_table(path)
    assert frame["hts"].to_list() == ["9503000073", "0101210010"]
    assert frame["entry_date"].to_list() == ["2025-05-14", "2025-05-14"]
    assert client.duties(path).lines["assessed"][0] == DUTY
    path.write_bytes(b"no workbook")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_table(path)


def test_a_pandas_frame_is_a_table(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas: Any = importlib.import_module("pandas")
    frame = pandas.DataFrame({**TOY.to_dict(as_series=False), "quantity": [None]})
    for _ in range(2):
        assert client.duties(frame).lines["assessed"].to_list() == [DUTY]
        assert client.impact(frame, response="none").total["duty"].item() == pytest.approx(3000)
        monkeypatch.setattr("tariffs.client._wire.frames.find_spec", lambda name: None)


def test_standard_input_is_read_as_a_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    parquet = io.BytesIO()
    read_csv(f"{HEADER}\n{LINE}\n".encode(), "x").frame.write_parquet(parquet)
    for data in (f"\ufeff{HEADER}\n{LINE}\n".encode(), parquet.getvalue()):
        for command in (
            "impact - --response none",
            "duty --entries -",
            "refund -",
            "timeline - --start 2025-05-14 --end 2025-05-14 --response none",
        ):
            given(data)
            assert "3000" in cli.out(f"{command} --json --local").replace(",", ""), command
    given(f"{HEADER}\n{LINE}\nx,CN,1,\n".encode())
    assert cli.json("impact - --response none --local", 1)["refused"]["path"] == "table-refused.csv"
    assert read_table("table-refused.csv").height == 1


class ArrowAlone:
    """A table of a package that offers the Arrow stream and nothing else, as pandas does, or cannot hand it over."""

    def __init__(self, frame: pl.DataFrame | None) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        if self._frame is None:
            raise ImportError("pyarrow is needed")
        return self._frame.with_columns(__index_level_0__=pl.lit(1)).__arrow_c_stream__(requested_schema)


TOY = goods((9503000073, "CN", 10000.0, "2025-05-14"), more=("entry_date",))


@pytest.mark.parametrize(
    "table",
    [pa.table(TOY.to_dict(as_series=False)), ArrowAlone(TOY), TOY.lazy()],
    ids=["pyarrow", "arrow stream", "lazy"],
)
def test_tables_of_other_packages_are_taken_by_every_verb(client: Client, table: Any) -> None:
    assert client.duties(table).lines["assessed"].to_list() == [DUTY]
    assert "__index_level_0__" not in client.duties(table).lines.columns
    assert client.impact(table, response="none").total["duty"].item() == pytest.approx(3000)
    period = client.timeline(table, start="2025-05-14", end="2025-05-14", response="none")
    assert period.totals["duty"].item() == pytest.approx(3000)
    assert client.refund(table).entries["assessed"].to_list() == [DUTY]
    assert client.lines(table).collect()["duty"].item() == pytest.approx(3000)


@pytest.mark.parametrize(
    "table",
    [
        {"hts": ["9503000073"]}, [{"hts": "9503000073"}], 7, object(), ArrowAlone(None),
        pl.LazyFrame({"a": [1]}).select("b"),
    ],
    ids=lambda table: type(table).__name__,
)  # fmt: skip
def test_what_is_no_table_is_an_error_that_says_what_to_give(client: Client, table: Any) -> None:
    for refused_by in VERBS:
        with refuses("TABLE_UNREADABLE") as caught:
            refused_by(client, table)
        assert caught.value.fix


def test_columns_near_a_known_one_are_named_by_every_verb(client: Client) -> None:
    frame = TOY.with_columns(
        usmca_shares=pl.lit(1), Quantitiy=pl.lit(1), liquidation_dates=pl.lit(""), mine=pl.lit(1)
    )
    refund = client.refund(frame)
    for result in (client.impact(frame, response="none"), client.duties(frame), refund):
        named = " ".join(note.message for note in result.notes if note.reason == "COLUMN_UNREAD")
        assert "'usmca_shares'" in named
        assert "Did you mean 'quantity'?" in named
        assert "'mine'" not in named
        assert ("'liquidation_date'" in named) == (result is refund)


def random_csv(rng: random.Random) -> tuple[str, list[list[str] | None]]:
    """A file with some rows of another length, and its good rows as the csv module of Python wrote them."""
    width = rng.randrange(2, 5)
    rows: list[list[str] | None] = []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=rng.choice(("\n", "\r\n")))
    writer.writerow([f"c{place}" for place in range(width)])
    for _ in range(rng.randrange(1, 6)):
        size = width if rng.random() < 0.8 else rng.randrange(2, 7)
        cells = ["".join(rng.choices('a1., "\u00e9\n', k=rng.randrange(1, 6))) + "z" for _ in range(size)]
        writer.writerow(cells)
        rows.append(cells if size == width else None)
    return out.getvalue(), rows


def test_files_are_read_as_they_were_written_or_the_row_is_refused(scale: int) -> None:
    rng = random.Random(5)
    for _ in range(500 * scale):
        text, rows = random_csv(rng)
        frame = read_csv(text.encode(), "random").frame
        faults = frame[ROW_FAULT] if ROW_FAULT in frame.columns else pl.Series([None] * frame.height)
        cells = frame.drop(ROW_FAULT, strict=False).rows()
        assert len(cells) == len(rows), text
        for found, fault, row in zip(cells, faults, rows, strict=True):
            assert (fault is None) == (row is not None), text
            assert list(found) == (row if row is not None else [None] * len(found)), text


def test_damaged_files_are_read_or_refused_with_what_to_do(scale: int) -> None:
    rng = random.Random(6)
    for _ in range(500 * scale):
        data = bytearray(random_csv(rng)[0].encode())
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.choice(b'",;\n\r\0\xff\xe9a')
        try:
            frame = read_csv(bytes(data), "damaged").frame
        except InvalidRequest as error:
            found = (error.reason, bool(error.fix), error.field)
        else:
            found = ("TABLE_UNREADABLE", frame.width > 0, "lines")
        assert found == ("TABLE_UNREADABLE", True, "lines"), bytes(data)


NAMES = ["HTS ", "ORIGIN", "Customs Value", "Entry Date"]
ROWS: list[list[Any]] = [
    [9503000073, "P.R. China", 10_000, "14-May-2025"],
    ["0101.21.0010", "Deutschland", "USD 1,000.00", "June 20, 2025"],
]


@pytest.fixture
def workbook() -> Path:
    path = Path("book.xlsx")
    xlsxwriter: Any = importlib.import_module("xlsxwriter")
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Cover").write(0, 0, "Entries of May")
        sheet = book.add_worksheet("Lines")
        sheet.merge_range("A3:D3", "Report of entries, May 2025")
        for place, row in enumerate([["Goods", None, "Values"], NAMES, *ROWS], 3):
            sheet.write_row(place, 0, row)
        book.add_worksheet("Other").write_row(0, 0, ["hts", "origin", "customs_value"])
    return path


def test_the_header_of_a_sheet_is_found_below_titles_and_merged_cells(client: Client, workbook: Path) -> None:
    frame = read_table(workbook)
    assert frame.columns == [name.strip() for name in NAMES]
    assert frame["HTS"].to_list() == ["9503000073", "0101.21.0010"]
    checked = client.check_table(workbook)
    assert "'Lines'" in checked.form
    assert "row 5" in checked.form
    frame = frame.rename({"ORIGIN": " Origin"})
    impact, duties = client.impact(frame, response="none", by=["origin"]), client.duties(frame)
    assert impact.groups["origin"].to_list() == ["CN", "DE"]
    assert impact.refused.is_empty()
    assert duties.lines["assessed"].sum() == pytest.approx(impact.total["duty"].item(), abs=0.02)
    assert [column.role for column in checked.columns] == ["required", "required", "required", "optional"]


def test_a_sheet_and_a_row_of_names_can_be_chosen_of_those_that_are_there(workbook: Path, cli: Cli) -> None:
    assert read_table(workbook, sheet="Other").width == len(NAMES) - 1
    for sheet, row, said in (("None", 0, "Available sheets"), ("Lines", 99, "no row 99")):
        with refuses("TABLE_UNREADABLE", said=said):
            read_table(workbook, sheet=sheet, header_row=row)
    line = f"table check {workbook} --sheet Lines --local --json --header-row"
    assert cli.json(f"{line} 5")["usable"] == len(ROWS)
    assert "lacks hts" in cli.err(f"{line} 6", 2)


def test_two_spellings_of_one_name_are_not_read_but_named(client: Client) -> None:
    frame = goods(("9503000073", "CN", 1, "9503000073"), more=("HTS",)).rename({"hts": "hts "})
    with pytest.raises(InvalidRequest, match=r"lacks hts.*a file for mapping="):
        client.impact(frame, response="none")


def test_a_compressed_file_is_read_as_it_would_be_without() -> None:
    text = "hts;Origin;Customs Value\n9503.00.0073;CN;1.234,50\n;;\n ; ; \n"
    plain, compressed = Path("lines.csv"), Path("lines.csv.gz")
    plain.write_text(text)
    compressed.write_bytes(gzip.compress(text.encode()))
    assert read_table(plain).equals(read_table(compressed))
    assert read_table(compressed).rows() == [("9503.00.0073", "CN", "1234.50")]
    compressed.write_bytes(gzip.compress(text.encode())[:20])
    with refuses("TABLE_UNREADABLE"):
        read_table(compressed)


def test_client_and_engine_know_the_same_modes_of_transport() -> None:
    words = {name: common_pb2.TransportMode.Name(mode) for name, mode in MODES.items() if name}
    assert {name: f"TRANSPORT_MODE_{find_mode(name).upper()}" for name in words} == words
    assert find_mode("12") == ""
