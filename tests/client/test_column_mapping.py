"""Broker reports by public column names, and others by a mapping file, become trade tables without losing a row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.client import Client, InvalidRequest, read_table
from tariffs.client._wire.column_mapping import apply_mapping, builtin_mappings, read_mapping
from tariffs.client.cli.__main__ import run

ACE = """Entry Summary Number,Entry Summary Line Number,Entry Date,Country of Origin Code,Tariff Ordinal Number,\
HTS Number - Full,Line Tariff Goods Value Amount,Line Tariff Duty Amount,Line Tariff Quantity (1),\
Line Tariff UOM (1) Code,Mode of Transportation Code
BII0001,1,04/08/2025,IN,1,99030128,$0.00,$850.00,,,11
BII0001,1,04/08/2025,IN,2,3923900080,"$10,000.00",$300.00,100,KG,11
BII0001,2,04/08/2025,CN,1,9503000073,"$2,000.00",$0.00,10,NO,11
BII0002,1,05/28/2025,CN,1,99030124,,,,,40
BII0002,1,05/28/2025,CN,2,99030125,,"$1,200.00",,,40
BII0002,1,05/28/2025,CN,3,9503000073,"$4,000.00",$0.00,10,NO,40
BII0003,7,05/28/2025,CN,1,99030125,$5.00,$1.00,,,40
"""
FORM = """Entry No.;Line No.;Entry Date;HTSUS No.;Country of Origin;Entered Value;CHGS;Mode of Transport;Buyer
SV9-1;1;2025-05-14;9503.00.0073;CN;1000;50;30;mine
SV9-1;1;2025-05-14;9903.01.24;CN;;;30;mine
"""


@pytest.fixture
def ace(tmp_path: Path) -> Path:
    path = tmp_path / "es003.csv"
    path.write_text(ACE)
    return path


def test_an_ace_report_has_one_row_for_the_goods_of_each_line(ace: Path) -> None:
    frame = read_table(ace, mapping="ace")
    rows = frame.select("entry_id", "line_id", "hts", "filed_headings", "filed_duty", "mode").rows()
    assert rows == [
        ("BII0001", "1", "3923900080", "99030128", 1150.0, "11"),
        ("BII0001", "2", "9503000073", None, 0.0, "11"),
        ("BII0002", "1", "9503000073", "99030124; 99030125", 1200.0, "40"),
        # Provisions without goods stay, to be refused by name.
        ("BII0003", "7", "99030125", None, 1.0, "40"),
    ]
    checked = Client.local().check_table(ace, mapping="ace")
    assert (checked.usable, checked.rows, checked.customs_value) == (3, 4, 16_000.0)
    assert {one.source for one in checked.columns if one.name == "hts"} == {"HTS Number - Full"}


@pytest.mark.parametrize(("text", "name"), [(ACE, "ace"), (FORM, "cbp7501")])
def test_a_report_without_its_mapping_is_told_which(text: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(text)
    with pytest.raises(InvalidRequest) as caught:
        Client.local().check_table(path)
    assert (caught.value.reason, caught.value.fix) == (
        "COLUMN_MISSING",
        f'Use mapping="{name}".',
    )


def test_the_rows_of_an_ace_report_are_rated(ace: Path, tmp_path: Path) -> None:
    out = tmp_path / "lines.parquet"
    line = ["duty", "--entries", str(ace), "--mapping", "ace", "--view", "line", "-o", str(out), "--local"]
    assert run([*line, "--refused", str(tmp_path / "refused.csv")]) == 1
    rated = pl.read_parquet(out)
    assert [str(value) for value in rated["assessed"].drop_nulls()] == ["1300.00", "600.00", "1200.00"]


def test_lines_of_form_7501_are_read_by_the_names_of_its_boxes(tmp_path: Path) -> None:
    path = tmp_path / "7501.csv"
    path.write_text(FORM)
    frame = read_table(path, mapping="cbp7501")
    assert frame.height == 1
    row = frame.row(0, named=True)
    assert (row["hts"], row["customs_value"], row["freight"], row["mode"], row["Buyer"]) == (
        "9503.00.0073",
        "1000",
        "50",
        "30",
        "mine",
    )
    assert row["filed_headings"] == "9903.01.24"


OWN = {
    "own.toml": 'schema = "tariffs.mapping/v1"\n[columns]\nhts = "Warennummer"\norigin = ["Land", "Ursprung"]\n'
    'customs_value = "Wert"\n[values.origin]\n"Schweiz" = "CH"\n',
    "own.yaml": "schema: tariffs.mapping/v1\ncolumns:\n  hts: Warennummer\n  origin: [Land, Ursprung]\n"
    "  customs_value: Wert\nvalues:\n  origin: {Schweiz: CH}\n",
}


@pytest.mark.parametrize("name", OWN)
def test_a_mapping_file_names_the_columns_of_any_table(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(OWN[name])
    frame = pl.DataFrame({"WARENNUMMER ": ["9503000073"], "ursprung": ["Schweiz"], "Wert": ["7"]})
    result = read_table(frame, mapping=tmp_path / name)
    assert result.row(0, named=True) == {"hts": "9503000073", "origin": "CH", "customs_value": "7"}


def test_decimal_commas_are_read_under_the_names_of_a_mapping(tmp_path: Path) -> None:
    mapping, table = tmp_path / "own.toml", tmp_path / "table.csv"
    mapping.write_text(OWN["own.toml"])
    table.write_text("Warennummer;Ursprung;Wert;customs\n9503000073;CN;1.234,50;x\n9503000073;CN;20,00;y\n")
    assert read_table(table, mapping=mapping)["customs_value"].to_list() == ["1234.50", "20.00"]
    comma = tmp_path / "comma.csv"
    comma.write_text('Warennummer,Ursprung,Wert\n9503000073,CN,"1,234.50"\n')
    assert read_table(comma, mapping=mapping)["customs_value"].to_list() == ["1,234.50"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 'x'", "is not a mapping"),
        ("no toml", "no TOML"),
        ("schema = 'tariffs.mapping/v1'", "maps no column"),
        ("schema = 'tariffs.mapping/v1'\nlines = 1", "unknown keys lines"),
        ("schema = 'tariffs.mapping/v1'\n[columns]\nhts = 5", "columns.hts"),
        ("schema = 'tariffs.mapping/v1'\n[columns]\nhts = 'a'\n[provisions]\nline = 'x'", "chapter or line"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_fault(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "faulty.toml"
    path.write_text(text)
    with pytest.raises(InvalidRequest, match=words) as caught:
        read_mapping(path)
    assert caught.value.fix


def test_an_unknown_mapping_names_the_known_ones() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_mapping("broker")
    assert all(name in caught.value.fix for name in builtin_mappings())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["e1", "e2", None]),
            st.sampled_from(["1", "2"]),
            st.sampled_from(["9503000073", "99030124", "9903.01.25", "", None]),
            st.integers(0, 1000),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_joining_loses_neither_goods_nor_amounts(rows: list[tuple[str | None, str, str | None, int]]) -> None:
    frame = pl.DataFrame(
        rows,
        schema={
            "Entry Summary Number": pl.String,
            "Entry Summary Line Number": pl.String,
            "HTS Number - Full": pl.String,
            "Line Tariff Duty Amount": pl.Int64,
        },
        orient="row",
    )
    result = apply_mapping(frame, read_mapping("ace")).frame
    plain = [hts for _, _, hts, _ in rows if not (hts or "").startswith("99")]
    kept = [hts for hts in result["hts"] if not (hts or "").startswith("99")]
    assert kept == plain
    assert result["filed_duty"].cast(pl.Float64).sum() == sum(amount for *_, amount in rows)
    joined = (
        result["filed_headings"].drop_nulls().str.split("; ").list.len().sum()
        if "filed_headings" in result.columns
        else 0
    )
    assert result.height + joined == len(rows)
