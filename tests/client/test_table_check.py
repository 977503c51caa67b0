"""What `table check` says of messy files before a run is what a run then does."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, TableCheck
from tariffs.client.cli.__main__ import run
from tariffs.engine.schedule.reference_data import reference_table

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


def test_a_messy_file_is_understood_in_words(messy: Path) -> None:
    checked = Client.local().check_table(messy)
    assert checked.form == "CSV in UTF-8, separated by semicolons, with decimal commas in customs_value"
    assert (checked.rows, checked.usable, checked.ok) == (6, 3, False)
    assert checked.customs_value == 4434.5
    assert checked.code_digits == {8: 1, 10: 2}
    assert column(checked, "origin") == (
        "country of origin, 3 as codes, 1 as codes in lower case, 1 as names, 1 not read",
        1,
    )
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


def test_a_run_uses_the_rows_that_the_check_says(messy: Path) -> None:
    client = Client.local()
    checked = client.check_table(messy)
    result = client.impact(messy, on="2025-07-05", response="none")
    assert result.refused.equals(checked.refused)
    assert result.total["customs_value"][0] == checked.customs_value


def test_a_server_says_the_same_of_a_table_and_of_its_handle(server: str, messy: Path) -> None:
    here = Client.local().check_table(messy)
    with Client(server) as client:
        there = client.check_table(messy)
        handle = client.upload(messy)
        kept = client.check_table(handle)
        client.delete_table(handle)
    assert repr(there) == repr(here)
    assert there.refused.equals(here.refused)
    assert kept.columns == here.columns
    assert (kept.usable, kept.customs_value) == (here.usable, here.customs_value)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8-sig", "UTF-8 with a byte order mark"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings_are_named(encoding: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("hts\torigin\tcustoms_value\tname\n9503000073\tCÔTE D'IVOIRE\t5\té\n".encode(encoding))
    checked = Client.local().check_table(path)
    assert checked.form == f"CSV in {words}, separated by tabs"
    assert checked.ok


@pytest.mark.parametrize(
    ("days", "stated", "words"),
    [
        (["2025-05-14", "2025-05-15"], "", "written YYYY-MM-DD"),
        (["5/14/2025", "6/7/2025"], "", "written m/d/Y, told by the column"),
        (["5/6/2025", "6/7/2025"], "", "its order of day and month cannot be told"),
        (["5/6/2025", "6/7/2025"], "d/m/Y", "written d/m/Y, stated"),
    ],
)
def test_the_form_of_days_is_named(days: list[str], stated: str, words: str) -> None:
    frame = pl.DataFrame(
        {"hts": ["9503000073"] * 2, "origin": ["CN"] * 2, "customs_value": [1, 2], "entry_date": days}
    )
    checked = Client.local().check_table(frame, date_format=stated)
    assert column(checked, "entry_date")[0] == f"day, {words}"
    assert checked.ok is ("cannot" not in words)


def test_exports_are_checked_by_their_own_rules() -> None:
    frame = pl.DataFrame({"hts": ["1201.90", "1201"], "origin": ["US"] * 2, "customs_value": [1.0, 2.0]})
    checked = Client.local().check_table(frame, direction="export", to="China")
    assert (checked.usable, checked.refused["reason"].to_list()) == (1, ["HTS_CODE_MALFORMED"])


def test_a_table_without_a_required_column_is_an_error_with_a_hint() -> None:
    frame = pl.DataFrame({"hts_code": ["9503000073"], "origin": ["CN"], "customs_value": [1.0]})
    with pytest.raises(InvalidRequest) as caught:
        Client.local().check_table(frame)
    assert (caught.value.reason, "'hts_code' may be hts" in caught.value.fix) == ("COLUMN_MISSING", True)


def test_the_command_prints_or_writes_the_same(
    messy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = tmp_path / "refused.csv"
    line = ["table", "check", str(messy), "--local", "--refused", str(refused)]
    assert run([*line, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["refused"]["count"]) == ("tariffs.table-check/v1", 3)
    assert pl.read_csv(refused).height == 3
    assert run(line) == 1
    printed = capsys.readouterr().out
    assert "6, of which 3 can be used and 3 are refused" in printed
    assert "ORIGIN_AMBIGUOUS" in printed
    good = tmp_path / "good.csv"
    good.write_text("hts,origin,customs_value\n9503000073,CN,1\n")
    assert run(["table", "check", str(good), "--local", "--brief"]) == 0


def test_rows_that_duty_refuses_are_named_with_the_verbs_that_use_them(scale: int) -> None:
    client, digits = Client.local(), (4, 6, 8, 10)
    for seed in range(scale):
        goods = reference_table().sample(60, seed=seed, shuffle=True).with_row_index("place")
        coarse = [code[: digits[place % 4]] for place, code in goods.select("place", "hts").iter_rows()]
        rows = goods.select(pl.Series("hts", coarse), "origin", "customs_value")
        checked = client.check_table(rows)
        refused = client.duties(rows).refused.filter(~pl.col("row").is_in(checked.refused["row"].to_list()))
        said = next(note.message for note in checked.notes if note.reason == "ROWS_OF_TABLES_ALONE")
        assert said.startswith(
            f"{refused['row'].n_unique()} of the usable rows can be used by impact, timeline, "
        )
        assert "refused by duty and refund" in said
        for (reason,), rows_of in refused.group_by(["reason"]):
            first = ", ".join(map(str, sorted(rows_of["row"].to_list())[:10]))
            assert f"{reason}: row{'s' * (rows_of.height > 1)} {first}" in said
        assert {"CODE_TOO_COARSE", "QUANTITY_REQUIRED"} <= set(refused["reason"])


@pytest.mark.parametrize("mode", ["ocean", "air", "11", None])
def test_a_table_that_every_verb_can_use_has_no_such_note(mode: str | None) -> None:
    rows = pl.DataFrame(
        {"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [1e4], "mode": [mode]},
        schema_overrides={"mode": pl.String},
    )
    assert all(note.reason != "ROWS_OF_TABLES_ALONE" for note in Client.local().check_table(rows).notes)
