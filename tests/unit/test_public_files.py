"""Tables of a user's own from public files: nothing summed twice, nothing dropped in silence, faults by name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.tables.public_files import import_public

HEADER = ["I_COMMODITY", "CTY_CODE", "CON_VAL_MO", "CAL_DUT_MO", "CON_VAL_YR", "time"]
ROWS = [
    ["9503000073", "5700", "100", "30", "900", "2025-01"],
    ["9503000073", "5700", "50", "15", "950", "2025-02"],
    ["9503000073", "5082", "7", "0", "7", "2025-02"],
    ["9503000073", "5083", "3", "0", "3", "2025-02"],
    ["950300", "5700", "150", "45", "950", "2025-02"],
    ["9801001000", "5700", "11", "0", "11", "2025-02"],
    ["9503000073", "0003", "5", "0", "5", "2025-02"],
]


def detail(code: str, country: str, value: int, duty: int) -> str:
    """A record of IMP_DETL.TXT: code, country, ..., value of the month at 74, calculated duty at 104."""
    return f"{code}{country}".ljust(73) + f"{value:015d}" + " " * 15 + f"{duty:015d}\n"


def written(path: Path, rows: list[Any]) -> Path:
    path.write_text(json.dumps(rows))
    return path


def test_months_are_summed_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    made = import_public("census", [written(tmp_path / "answer.json", [HEADER, *ROWS])])
    assert made.frame.rows() == [("9503000073", "CN", 150.0, 45.0), ("9503000073", "PS", 10.0, 0.0)]
    assert made.notes == (
        "Left out: rows of codes of fewer than 10 digits, which sum others (1), 150 USD.",
        "Left out: goods of chapters 98 and 99 (1), 11 USD.",
        "Left out: rows of groups of countries or unknown countries (1), 5 USD.",
    )


def test_csv_json_detail_file_and_archive_agree(tmp_path: Path) -> None:
    rows = [row[:4] for row in ROWS[:4]]
    (tmp_path / "a.json").write_text(json.dumps([HEADER[:4], *rows]))
    pl.DataFrame(rows, schema=HEADER[:4], orient="row").write_csv(tmp_path / "a.csv")
    records = "".join(detail(code, country, int(value), int(duty)) for code, country, value, duty in rows)
    (tmp_path / "IMP_DETL.TXT").write_text(records)
    with zipfile.ZipFile(tmp_path / "IMDB2502.ZIP", "w") as archive:
        archive.writestr("imdb2502/IMP_DETL.TXT", records)
    frames = [
        import_public("census", [tmp_path / name]).frame
        for name in ("a.json", "a.csv", "IMP_DETL.TXT", "IMDB2502.ZIP")
    ]
    assert all(frame.equals(frames[0]) for frame in frames)
    both = import_public("census", [tmp_path / "a.csv", tmp_path / "IMP_DETL.TXT"]).frame
    assert both["customs_value"].to_list() == [300.0, 20.0]


def test_year_to_date_values_of_several_months_are_not_summed(tmp_path: Path) -> None:
    rows = [[row[place] for place in (0, 1, 4, 5)] for row in (HEADER, *ROWS)]
    with pytest.raises(InputError, match="of 2 months, each of which has those before it"):
        import_public("census", [written(tmp_path / "year.json", rows)])
    one = import_public("census", [written(tmp_path / "month.json", [rows[0], rows[2]])]).frame
    assert one["customs_value"].to_list() == [950.0]


def test_codes_of_a_later_schedule_are_named(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("I_COMMODITY,CTY_CODE,CON_VAL_MO\n9503009999,5700,8\n9503000073,5700,1\n")
    assert import_public("census", [path]).notes == (
        "1 codes that no embedded schedule has, 8 USD: a run refuses them, such as 9503009999.",
    )


EXPORT = [
    {"htsno": "9503.00.00", "indent": "0", "units": [], "general": "Free", "special": "", "other": "70%"},
    {"htsno": "9503.00.00.73", "indent": "1", "units": ["No."], "general": "", "special": "", "other": ""},
    {"htsno": "6199.10.00", "indent": "1", "units": [], "general": "16.5%", "special": "", "other": "90%"},
    {
        "htsno": "2204.21.50",
        "indent": "1",
        "units": ["liters"],
        "general": "6.3¢/liter",
        "other": "33¢/liter",
    },
    {"htsno": "2204.21.50.99", "indent": "2", "units": ["liters"], "general": "", "other": ""},
]


def test_an_export_of_the_schedule_gives_ordinary_rates(tmp_path: Path) -> None:
    made = import_public("hts", [written(tmp_path / "hts.json", EXPORT)])
    assert made.frame.select("hts", "general", "column2", "unit_1", "ordinary_rate").rows() == [
        ("2204215099", "6.3¢/liter", "33¢/liter", "L", None),
        ("61991000", "16.5%", "90%", "", 0.165),
        ("9503000073", "Free", "70%", "no", 0.0),
    ]
    assert made.notes[0] == "2 of 3 codes have an ordinary rate that value alone gives."
    assert "1 codes that no embedded schedule has, such as 61991000" in made.notes[1]

    # A line without statistical codes is kept.
    lone = import_public("hts", [written(tmp_path / "lone.json", EXPORT[2:3])])
    assert lone.frame["hts"].to_list() == ["61991000"]


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("census", "a.json", "{}"),
        ("census", "a.json", "no json"),
        ("census", "a.csv", "code,value\n1,2\n"),
        ("census", "a.txt", "nothing of that form\n"),
        ("census", "a.zip", "no archive"),
        ("hts", "a.json", "[]"),
        ("hts", "a.csv", "a,b\n1,2\n"),
        ("census", "missing.txt", ""),
    ],
)
def test_other_files_are_unreadable(kind: str, name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if text:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        import_public(kind, [path])
    assert caught.value.reason == "TABLE_UNREADABLE"
    assert str(path) in caught.value.message


def test_unknown_kinds_and_two_schedules_are_refused(tmp_path: Path) -> None:
    for kind, paths in (("trade", [tmp_path]), ("hts", [tmp_path, tmp_path])):
        with pytest.raises(InputError) as caught:
            import_public(kind, paths)
        assert caught.value.reason == "REQUEST_INVALID"
