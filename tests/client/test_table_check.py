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
from tests.client.conftest import Cli

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


def test_an_ace_report_has_one_row_for_the_goods_of_each_line_and_is_rated(
    client: Client, ace: Path, tmp_path: Path
) -> None:
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
    out = tmp_path / "lines.parquet"
    line = ["duty", "--entries", str(ace), "--mapping", "ace", "--view", "line", "-o", str(out), "--local"]
    assert run([*line, "--refused", str(tmp_path / "refused.csv")]) == 1
    rated = pl.read_parquet(out)["assessed"].drop_nulls()
    assert [str(value) for value in rated] == ["1300.00", "600.00", "1200.00"]


@pytest.mark.parametrize(("text", "name"), [(ACE, "ace"), (FORM, "cbp7501")])
def test_a_report_without_its_mapping_is_told_which(
    client: Client, text: str, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.csv"
    path.write_text(text)
    with pytest.raises(InvalidRequest) as caught:
        client.check_table(path)
    assert (caught.value.reason, caught.value.fix) == ("COLUMN_MISSING", f'Use mapping="{name}".')


def test_lines_of_form_7501_are_read_by_the_names_of_its_boxes(tmp_path: Path) -> None:
    path = tmp_path / "7501.csv"
    path.write_text(FORM)
    (row,) = read_table(path, mapping="cbp7501").rows(named=True)
    assert (row["hts"], row["customs_value"], row["freight"]) == ("9503.00.0073", "1000", "50")
    assert (row["filed_headings"], row["mode"], row["Buyer"]) == ("9903.01.24", "30", "mine")


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
    with pytest.raises(InvalidRequest) as unknown:
        read_mapping("broker")
    assert all(name in unknown.value.fix for name in builtin_mappings())


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
    names = ("Entry Summary Number", "Entry Summary Line Number", "HTS Number - Full")
    schema = dict.fromkeys(names, pl.String) | {"Line Tariff Duty Amount": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    result = apply_mapping(frame, read_mapping("ace")).frame
    plain = [hts for _, _, hts, _ in rows if not (hts or "").startswith("99")]
    kept = [hts for hts in result["hts"] if not (hts or "").startswith("99")]
    assert kept == plain
    assert result["filed_duty"].cast(pl.Float64).sum() == sum(amount for *_, amount in rows)
    headings = (
        result["filed_headings"] if "filed_headings" in result.columns else pl.Series([], dtype=pl.String)
    )
    assert result.height + headings.drop_nulls().str.split("; ").list.len().sum() == len(rows)


def test_imports_of_the_census_bureau_are_run_over(client: Client, tmp_path: Path, cli: Cli) -> None:
    source, out = tmp_path / "census.csv", tmp_path / "imports.parquet"
    source.write_text(
        "I_COMMODITY,CTY_CODE,CON_VAL_MO\n9503000073,5700,1000\n9503000073,5520,500\n95,5700,1500\n"
    )
    printed = cli.out(["data", "import", "census", str(source), "-o", str(out)])
    assert "2 rows, 1,500 USD" in printed
    assert "Left out: rows of codes of fewer than 10 digits, which sum others (1)" in printed
    result = client.impact(out, on="2026-11-20", response="none")
    assert sorted(result.groups["origin"]) == ["CN", "VN"]
    assert result.refused.is_empty()


def test_broker_reports_are_joined(tmp_path: Path, cli: Cli) -> None:
    paths = [tmp_path / "may.csv", tmp_path / "june.csv"]
    for path in paths:
        path.write_text(ACE)
    out = tmp_path / "entries.parquet"
    words = ["data", "import", "entries", *map(str, paths), "--mapping", "ace", "-o", str(out), "--json"]
    assert cli.json(words)["rows"] == 8
    assert pl.read_parquet(out)["hts"].to_list()[:2] == ["3923900080", "9503000073"]
    paths[1].write_text("hts,origin,customs_value\n9503000073,CN,1\n")
    with pytest.raises(InvalidRequest, match="differ in"):
        import_table("entries", paths, mapping="ace")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("census", "{missing}"), "TABLE_UNREADABLE"),
        (("prices", "{missing}"), "REQUEST_INVALID"),
        (("hts", "{missing}", "--mapping", "ace"), "REQUEST_INVALID"),
    ],
)
def test_faults_are_messages(words: tuple[str, ...], reason: str, tmp_path: Path, cli: Cli) -> None:
    given = [word.format(missing=tmp_path / "missing.csv") for word in words]
    said = cli.err(["data", "import", *given, "-o", str(tmp_path / "out.csv")], 2)
    assert said.startswith(f"tariffs: {reason}: ")
    assert "Traceback" not in said


MESSY = """hts;origin;customs_value;entry_date;sku
9503.00.0073;China;1.234,50;14.05.2025;a
84713001;vn;200,00;13.06.2025;b
101.21.0010;DE;3.000,00;1.7.2025;c
95030000731;CN;5,00;2.7.2025;d
9503-00-0073;Korea;5,00;2.7.2025;e
9503000073;CN;5,00;31.2.2025;f
"""


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    path = tmp_path / "messy.csv"
    path.write_bytes(MESSY.encode("cp1252"))
    return path


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


def test_a_server_says_the_same_of_a_table_and_of_its_handle(
    client: Client, server: str, messy: Path
) -> None:
    here = client.check_table(messy)
    with Client(server) as remote:
        there = remote.check_table(messy)
        handle = remote.upload(messy)
        kept = remote.check_table(handle)
        remote.delete_table(handle)
    assert repr(there) == repr(here)
    assert there.refused.equals(here.refused)
    assert kept.columns == here.columns
    assert (kept.usable, kept.customs_value) == (here.usable, here.customs_value)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-8-sig", "UTF-8 with a byte order mark"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
)
def test_encodings_are_named(client: Client, encoding: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("hts\torigin\tcustoms_value\tname\n9503000073\tCÔTE D'IVOIRE\t5\té\n".encode(encoding))
    checked = client.check_table(path)
    assert checked.form == f"CSV in {words}, separated by tabs"
    assert checked.ok


def test_exports_are_checked_by_their_own_rules(client: Client) -> None:
    frame = pl.DataFrame({"hts": ["1201.90", "1201"], "origin": ["US"] * 2, "customs_value": [1.0, 2.0]})
    checked = client.check_table(frame, direction="export", to="China")
    assert (checked.usable, checked.refused["reason"].to_list()) == (1, ["HTS_CODE_MALFORMED"])


def test_the_command_prints_or_writes_the_same(messy: Path, tmp_path: Path, cli: Cli) -> None:
    refused = tmp_path / "refused.csv"
    line = ["table", "check", str(messy), "--local", "--refused", str(refused)]
    document = cli.json([*line, "--json"], 1)
    assert (document["schema"], document["refused"]["count"]) == ("tariffs.table-check/v1", 3)
    assert pl.read_csv(refused).height == 3
    printed = cli.out(line, 1)
    assert "6, of which 3 can be used and 3 are refused" in printed
    assert "ORIGIN_AMBIGUOUS" in printed
    good = tmp_path / "good.csv"
    good.write_text("hts,origin,customs_value\n9503000073,CN,1\n")
    assert run(["table", "check", str(good), "--local", "--brief"]) == 0


def test_rows_that_duty_refuses_are_named_with_the_verbs_that_use_them(client: Client, scale: int) -> None:
    digits = (4, 6, 8, 10)
    for seed in range(scale):
        goods = reference_table().sample(60, seed=seed, shuffle=True).with_row_index("place")
        coarse = [code[: digits[place % 4]] for place, code in goods.select("place", "hts").iter_rows()]
        rows = goods.select(pl.Series("hts", coarse), "origin", "customs_value")
        checked = client.check_table(rows)
        refused = client.duties(rows).refused.filter(~pl.col("row").is_in(checked.refused["row"].to_list()))
        said = next(note.message for note in checked.notes if note.reason == "ROWS_OF_TABLES_ALONE")
        assert said.startswith(f"{refused['row'].n_unique()} of the usable rows can be used by impact, timel")
        assert "refused by duty and refund" in said
        for (reason,), rows_of in refused.group_by(["reason"]):
            first = ", ".join(map(str, sorted(rows_of["row"].to_list())[:10]))
            assert f"{reason}: row{'s' * (rows_of.height > 1)} {first}" in said
        assert {"CODE_TOO_COARSE", "QUANTITY_REQUIRED"} <= set(refused["reason"])
    fine = pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [1e4], "mode": ["air"]})
    assert all(note.reason != "ROWS_OF_TABLES_ALONE" for note in client.check_table(fine).notes)
