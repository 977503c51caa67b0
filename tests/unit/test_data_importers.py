"""Importers: official formats in, the project's tables out, the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.schedule import usitc_export
from tariffs.engine.tables import census_files
from tariffs.importers import build, listing, trade
from tariffs.importers.codes import Universe
from tariffs.importers.lists_metals import assign

ENGINE = Path(__file__).parents[2] / "engine" / "tariffs" / "engine"
SOURCE = Path(__file__).parents[2].parent / "shared" / "data"
needs_source = pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")

SPECIAL = "Free (AU,KR) 3.2% (JP)"
EXPORT = [
    {"htsno": "9503.00.00", "indent": "0", "units": [], "general": "Free", "special": "", "other": "70%"},
    {"htsno": "9503.00.00.73", "indent": "1", "units": ["No."], "general": "", "special": "", "other": ""},
    {"htsno": "", "indent": "0", "units": [], "general": "", "special": "", "other": ""},
    {"htsno": "6109.10.00", "indent": "1", "units": [], "general": "16.5%", "special": SPECIAL, "other": "90%"},
    {"htsno": "6109.10.00.12", "indent": "2", "units": ["doz.", "kg"], "general": "", "special": "", "other": ""},
    {"htsno": "9903.88.15", "indent": "0", "units": [], "general": "7.5%", "special": "", "other": ""},
]  # fmt: skip
EXPORT_CSV = (
    "HTS Number,Indent,Description,Unit of Quantity,General Rate of Duty,Special Rate of Duty,"
    "Column 2 Rate of Duty,Quota Quantity,Additional Duties\n"
    '9503.00.00,0,x,,Free,,70%,,\n9503.00.00.73,1,x,"[""No.""]",,,,,\n,0,x,,,,,,\n'
    '6109.10.00,1,x,,16.5%,"Free (AU,KR) 3.2% (JP)",90%,,\n'
    '6109.10.00.12,2,x,"[""doz."",""kg""]",,,,,\n9903.88.15,0,x,,7.5%,,,,\n'
)


@pytest.fixture(params=["json", "csv"])
def export(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"export.{request.param}"
    path.write_text(json.dumps(EXPORT) if request.param == "json" else EXPORT_CSV, encoding="utf-8")
    return path


def test_official_schedule_exports(export: Path) -> None:
    tables = usitc_export.read_export(export, "v")
    assert tables.lines.rows() == [("v", "95030000", "Free", "70%"), ("v", "61091000", "16.5%", "90%")]
    assert tables.codes.rows() == [("v", "9503000073", "no", ""), ("v", "6109100012", "doz", "kg")]
    assert sorted(tables.special.rows()) == [
        ("v", "61091000", "AU KR", "Free"),
        ("v", "61091000", "JP", "3.2%"),
    ]


def test_census_interface_answer(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    rows = [
        ["I_COMMODITY", "CTY_CODE", "CON_VAL_YR", "CAL_DUT_YR", "extra"],
        ["9503000073", "5700", "100", "25", ""],
        ["9503000073", "5700", "50", "0", ""],
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert census_files.read_api(path).rows() == [("9503000073", "5700", 150.0, 25.0)]


def test_census_detail_file(tmp_path: Path) -> None:
    path = tmp_path / "IMP_DETL.TXT"
    head = "9503000073" + "5700" + " " * 14
    fields = {"hts": (0, 10), "census": (10, 4), "customs_value": (28, 15), "calculated_duty": (43, 15)}
    path.write_text("".join(f"{head}{value:015d}{duty:015d}\n" for value, duty in ((100, 5), (20, 1))))
    assert census_files.read_detail(path, fields).rows() == [("9503000073", "5700", 120.0, 6.0)]


def test_plain_csv_with_a_column_map(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("code,from,usd\n0101.21.0010,1220,7\n")
    frame = census_files.read_csv(path, {"code": "hts", "from": "census", "usd": "customs_value"})
    assert frame.rows() == [("0101210010", "1220", 7.0, None)]


def test_origins_are_summed_where_two_census_codes_share_one() -> None:
    frame = pl.DataFrame(
        {
            "hts": ["0101210010"] * 2,
            "census": ["5082", "5083"],
            "customs_value": [1.0, 2.0],
            "calculated_duty": [None, None],
        }
    )
    census = [{"cty_code": "5082", "iso2": "PS"}, {"cty_code": "5083", "iso2": "PS"}]
    assert trade.to_origins(frame, census).rows() == [("0101210010", "PS", 3)]


UNIVERSE = Universe(
    all=frozenset({"1111110010", "1111110020", "1111110030", "1111120000", "2222220000"}),
    current=frozenset({"1111110010", "1111110020", "1111120000", "2222220000"}),
    renamed={"1111110010": frozenset({"1111110030"}), "1111110020": frozenset({"1111110030"})},
)


def test_a_line_with_all_current_codes_listed_brings_its_other_vintages() -> None:
    assert UNIVERSE.resolve(["1111110010", "1111110020"]) == {"1111110010", "1111110020", "1111110030"}
    assert UNIVERSE.resolve(["1111110010"]) == {"1111110010"}
    assert UNIVERSE.ambiguous(["1111110010"]) == {"1111110030"}


def test_shortest_prefixes_reach_the_same_codes() -> None:
    codes = UNIVERSE.under("1111")
    assert UNIVERSE.shortest(codes) == ["1111"]
    assert UNIVERSE.shortest(codes - {"1111110010"}) == ["1111110020", "1111110030", "111112"]


def test_ten_digit_lists_are_written_at_line_level_only_if_whole() -> None:
    assert listing.at_line_level(["1111110010", "1111110020"], UNIVERSE) == ["11111100"]
    assert listing.at_line_level(["1111110010"], UNIVERSE) == ["1111110010"]


def test_the_longest_prefix_decides_an_annex() -> None:
    found = assign({"1111": "a", "11111200": "b"}, UNIVERSE)
    assert found == {"a": set(UNIVERSE.under("111111")), "b": {"1111120000"}}


@pytest.mark.slow
@needs_source
def test_the_build_gives_the_embedded_files_byte_for_byte(tmp_path: Path) -> None:
    for _ in build.build(SOURCE, tmp_path):
        pass
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(built) > 90
    for path in built:
        assert (tmp_path / path).read_bytes() == (ENGINE / path).read_bytes(), path


def test_embedded_data_is_small() -> None:
    files = [*(ENGINE / "schedule" / "data").iterdir(), *(ENGINE / "law" / "data" / "lists").iterdir()]
    assert sum(path.stat().st_size for path in files) < 8_000_000
