"""Reports of brokers, mappings of columns, and checks: what is said of a table before a run is what a run then does."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.client import Client, InvalidRequest, TableCheck, import_table, read_table
from tariffs.client._wire.column_mapping import apply_mapping, builtin_mappings, read_mapping
from tariffs.client.cli.__main__ import run
from tariffs.engine.schedule.reference_data import reference_table
from tests.client.conftest import Cli, goods, refuses

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
def ace() -> Path:
    Path("es003.csv").write_text(ACE)
    return Path("es003.csv")


def test_an_ace_report_has_one_row_for_the_goods_of_each_line_and_is_rated(client: Client, ace: Path) -> None:
    frame = read_table(ace, mapping="ace")
    rows = frame.select("entry_id", "line_id", "hts", "filed_headings", "filed_duty", "mode").rows()
    assert rows == [
        ("BII0001", "1", "3923900080", "99030128", 1150.0, "11"),
        ("BII0001", "2", "9503000073", None, 0.0, "11"),
        ("BII0002", "1", "9503000073", "99030124; 99030125", 1200.0, "40"),
        # Provisions without goods stay, to be refused by name.
        ("BII0003", "7", "99030125", None, 1.0, "40"),
    ]
    checked = client.check_table(ace, mapping="ace")
    assert (checked.usable, checked.rows, checked.customs_value) == (3, 4, 16_000.0)
    assert {one.source for one in checked.columns if one.name == "hts"} == {"HTS Number - Full"}
    line = ["duty", "--entries", str(ace), "--mapping", "ace", "--view", "line", "-o", "lines.parquet"]
    assert run([*line, "--local"]) == 1
    rated = pl.read_parquet("lines.parquet")["assessed"].drop_nulls()
    assert [str(value) for value in rated] == ["1300.00", "600.00", "1200.00"]


@pytest.mark.parametrize(("text", "name"), [(ACE, "ace"), (FORM, "cbp7501")])
def test_a_report_without_its_mapping_is_told_which(client: Client, text: str, name: str) -> None:
    Path("report.csv").write_text(text)
    with refuses("COLUMN_MISSING", said=f'Use mapping="{name}"'):
        client.check_table("report.csv")


def test_lines_of_form_7501_are_read_by_the_names_of_its_boxes() -> None:
    Path("7501.csv").write_text(FORM)
    (row,) = read_table("7501.csv", mapping="cbp7501").rows(named=True)
    assert (row["hts"], row["customs_value"], row["freight"]) == ("9503.00.0073", "1000", "50")
    assert (row["filed_headings"], row["mode"], row["Buyer"]) == ("9903.01.24", "30", "mine")


OWN = {
    "own.toml": 'schema = "tariffs.mapping/v1"\n[columns]\nhts = "Warennummer"\norigin = ["Land", "Ursprung"]\n'
    'customs_value = "Wert"\n[values.origin]\n"Schweiz" = "CH"\n',
    "own.yaml": "schema: tariffs.mapping/v1\ncolumns:\n  hts: Warennummer\n  origin: [Land, Ursprung]\n"
    "  customs_value: Wert\nvalues:\n  origin: {Schweiz: CH}\n",
}


@pytest.mark.parametrize("name", OWN)
def test_a_mapping_file_names_the_columns_of_any_table(name: str) -> None:
    Path(name).write_text(OWN[name])
    frame = pl.DataFrame({"WARENNUMMER ": ["9503000073"], "ursprung": ["Schweiz"], "Wert": ["7"]})
    result = read_table(frame, mapping=Path(name))
    assert result.row(0, named=True) == {"hts": "9503000073", "origin": "CH", "customs_value": "7"}


def test_decimal_commas_are_read_under_the_names_of_a_mapping() -> None:
    Path("own.toml").write_text(OWN["own.toml"])
    comma, point = Path("comma.csv"), Path("point.csv")
    comma.write_text("Warennummer;Ursprung;Wert;customs\n9503000073;CN;1.234,50;x\n9503000073;CN;20,00;y\n")
    point.write_text('Warennummer,Ursprung,Wert\n9503000073,CN,"1,234.50"\n')
    for table, values in ((comma, ["1234.50", "20.00"]), (point, ["1,234.50"])):
        assert read_table(table, mapping=Path("own.toml"))["customs_value"].to_list() == values


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
def test_a_faulty_mapping_is_refused_with_its_fault(text: str, words: str) -> None:
    path = Path("faulty.toml")
    path.write_text(text)
    with pytest.raises(InvalidRequest, match=words) as caught:
        read_mapping(path)
    assert caught.value.fix
    with pytest.raises(InvalidRequest) as unknown:
        read_mapping("broker")
    assert all(name in unknown.value.fix for name in builtin_mappings())


ROW = st.tuples(
    st.sampled_from(["e1", "e2", None]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["9503000073", "99030124", "9903.01.25", "", None]),
    st.integers(0, 1000),
)


@given(st.lists(ROW, min_size=1, max_size=12))
def test_joining_loses_neither_goods_nor_amounts(rows: list[tuple[str | None, str, str | None, int]]) -> None:
    names = ("Entry Summary Number", "Entry Summary Line Number", "HTS Number - Full")
    schema = dict.fromkeys(names, pl.String) | {"Line Tariff Duty Amount": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    result = apply_mapping(frame, read_mapping("ace")).frame
    plain = [hts for _, _, hts, _ in rows if not (hts or "").startswith("99")]
    kept = [hts for hts in result["hts"] if not (hts or "").startswith("99")]
    assert kept == plain
    assert result["filed_duty"].cast(pl.Float64).sum() == sum(amount for *_, amount in rows)
    if "filed_headings" not in result.columns:
        result = result.with_columns(filed_headings=pl.lit(None, pl.String))
    headings = result["filed_headings"].drop_nulls().str.split("; ")
    assert result.height + headings.list.len().sum() == len(rows)


def test_imports_of_the_census_bureau_are_run_over(client: Client, cli: Cli) -> None:
    rows = "9503000073,5700,1000\n9503000073,5520,500\n95,5700,1500\n"
    Path("census.csv").write_text(f"I_COMMODITY,CTY_CODE,CON_VAL_MO\n{rows}")
    printed = cli.out("data import census census.csv -o imports.parquet")
    assert "2 rows, 1,500 USD" in printed
    assert "Left out: rows of codes of fewer than 10 digits, which sum others (1)" in printed
    result = client.impact("imports.parquet", on="2026-11-20", response="none")
    assert sorted(result.groups["origin"]) == ["CN", "VN"]
    assert result.refused.is_empty()


def test_broker_reports_are_joined(cli: Cli) -> None:
    paths = [Path("may.csv"), Path("june.csv")]
    for path in paths:
        path.write_text(ACE)
    assert cli.json("data import entries may.csv june.csv --mapping ace -o entries.parquet")["rows"] == 8
    assert pl.read_parquet("entries.parquet")["hts"].to_list()[:2] == ["3923900080", "9503000073"]
    paths[1].write_text("hts,origin,customs_value\n9503000073,CN,1\n")
    with pytest.raises(InvalidRequest, match="differ in"):
        import_table("entries", paths, mapping="ace")


MESSY = """hts;origin;customs_value;entry_date;sku
9503.00.0073;China;1.234,50;14.05.2025;a
84713001;vn;200,00;13.06.2025;b
101.21.0010;DE;3.000,00;1.7.2025;c
95030000731;CN;5,00;2.7.2025;d
9503-00-0073;Korea;5,00;2.7.2025;e
9503000073;CN;5,00;31.2.2025;f
"""


@pytest.fixture
def messy() -> Path:
    Path("messy.csv").write_bytes(MESSY.encode("cp1252"))
    return Path("messy.csv")


def column(checked: TableCheck, name: str) -> tuple[str, int]:
    (found,) = (one for one in checked.columns if one.name == name)
    return found.read_as, found.refused


def test_a_messy_file_is_understood_in_words(client: Client, messy: Path) -> None:
    checked = client.check_table(messy)
    assert checked.form == "CSV in UTF-8, separated by semicolons, with decimal commas in customs_value"
    assert (checked.rows, checked.usable, checked.ok) == (6, 3, False)
    assert checked.customs_value == 4434.5
    assert checked.code_digits == {8: 1, 10: 2}
    read_as = "country of origin, 3 as codes, 1 as codes in lower case, 1 as names, 1 not read"
    assert column(checked, "origin") == (read_as, 1)
    assert column(checked, "hts") == ("HTS code", 1)
    assert column(checked, "entry_date") == ("day, written d/m/Y, told by the column", 1)
    assert [one.role for one in checked.columns] == ["required"] * 3 + ["optional", "own"]
    assert checked.refused.select("row", "column", "reason").rows() == [
        (3, "hts", "HTS_CODE_MALFORMED"),
        (4, "origin", "ORIGIN_AMBIGUOUS"),
        (5, "entry_date", "ENTRY_DATE_INVALID"),
    ]
    assert "9503000073" in checked.refused["message"][0]
    reasons = {note.reason for note in checked.notes}
    assert {"ORIGIN_NAMED", "DATE_REPAIRED", "HTS_CODE_REPAIRED"} <= reasons
    assert "4,434.50 USD" in repr(checked)
    assert "<table>" in checked._repr_html_()
    result = client.impact(messy, on="2025-07-05", response="none")
    assert result.refused.equals(checked.refused)
    assert result.total["customs_value"][0] == checked.customs_value


def test_a_server_says_the_same_of_a_table(here: Client, there: Client, messy: Path) -> None:
    handle = there.upload(messy)
    wanted, found, kept = here.check_table(messy), there.check_table(messy), there.check_table(handle)
    there.delete_table(handle)
    assert repr(found) == repr(wanted)
    assert found.refused.equals(wanted.refused)
    assert kept.columns == wanted.columns
    assert (kept.usable, kept.customs_value) == (wanted.usable, wanted.customs_value)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-8-sig", "UTF-8 with a byte order mark"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
)
def test_encodings_are_named(client: Client, encoding: str, words: str) -> None:
    path = Path("table.csv")
    path.write_bytes("hts\torigin\tcustoms_value\tname\n9503000073\tCÔTE D'IVOIRE\t5\té\n".encode(encoding))
    checked = client.check_table(path)
    assert checked.form == f"CSV in {words}, separated by tabs"
    assert checked.ok


def test_exports_are_checked_by_their_own_rules(client: Client) -> None:
    frame = goods(("1201.90", "US", 1.0), ("1201", "US", 2.0))
    checked = client.check_table(frame, direction="export", to="China")
    assert (checked.usable, checked.refused["reason"].to_list()) == (1, ["HTS_CODE_MALFORMED"])


def test_the_command_prints_or_writes_the_same(messy: Path, cli: Cli) -> None:
    line = f"table check {messy} --local --refused refused.csv"
    document = cli.json(line, 1)
    assert (document["schema"], document["refused"]["count"]) == ("tariffs.table-check/v1", 3)
    assert pl.read_csv("refused.csv").height == 3
    printed = cli.out(line, 1)
    assert "6, of which 3 can be used and 3 are refused" in printed
    assert "ORIGIN_AMBIGUOUS" in printed
    goods(("9503000073", "CN", 1)).write_csv("good.csv")
    assert "can be used" in cli.out("table check good.csv --local --brief")


def test_rows_that_duty_refuses_are_named_with_the_verbs_that_use_them(client: Client, scale: int) -> None:
    digits = (4, 6, 8, 10)
    for seed in range(scale):
        some = reference_table().sample(60, seed=seed, shuffle=True).with_row_index("place")
        coarse = [code[: digits[place % 4]] for place, code in some.select("place", "hts").iter_rows()]
        rows = some.select(pl.Series("hts", coarse), "origin", "customs_value")
        checked = client.check_table(rows)
        refused = client.duties(rows).refused.filter(~pl.col("row").is_in(checked.refused["row"].to_list()))
        said = next(note.message for note in checked.notes if note.reason == "ROWS_OF_TABLES_ALONE")
        assert said.startswith(f"{refused['row'].n_unique()} of the usable rows can be used by impact, timel")
        assert "refused by duty and refund" in said
        for (reason,), rows_of in refused.group_by(["reason"]):
            first = ", ".join(map(str, sorted(rows_of["row"].to_list())[:10]))
            assert f"{reason}: row{'s' * (rows_of.height > 1)} {first}" in said
        assert {"CODE_TOO_COARSE", "QUANTITY_REQUIRED"} <= set(refused["reason"])
    fine = goods(("9503.00.0073", "CN", 1e4, "air"), more=("mode",))
    assert all(note.reason != "ROWS_OF_TABLES_ALONE" for note in client.check_table(fine).notes)
