"""Importers: official formats in, the project's tables out, the same bytes every time; what WTO totals show."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.schedule import usitc_export
from tariffs.importers import build, trade
from tariffs.importers.cn_totals import Reading, Subheading, read_total, read_totals
from tariffs.importers.codes import Universe
from tariffs.importers.lists_cn import separated
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


def test_origins_are_summed_where_two_census_codes_share_one() -> None:
    columns = ["hts", "census", "customs_value", "calculated_duty"]
    rows = [("0101210010", "5082", 1.0, None), ("0101210010", "5083", 2.0, None)]
    frame = pl.DataFrame(rows, columns, orient="row")
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


def test_shortest_prefixes_reach_the_same_codes() -> None:
    codes = UNIVERSE.under("1111")
    assert UNIVERSE.shortest(codes) == ["1111"]
    assert UNIVERSE.shortest(codes - {"1111110010"}) == ["1111110020", "1111110030", "111112"]


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


ANSWER = {"a": 27.5, "b": 27.5, "c": 25.0, "d": 5.0, "e": 5.0}


def soybeans(total: float) -> Subheading:
    return Subheading(list("abcde"), [], dict.fromkeys("abcde", 3.0), ANSWER, total)


def test_the_total_of_soybeans_is_that_of_two_yellow_lines_excluded() -> None:
    """WTO, 2025-01-01: 10 percent, the mean of 3, 3, 28, 8 and 8."""
    assert read_total(soybeans(10.0)) == Reading(excluded=("a", "b"))


def test_a_total_that_agrees_or_has_several_explanations_shows_nothing() -> None:
    # All lines charged, within the tolerance, one of two lines at 5 (which is not known), and what nothing gives.
    for total in (21.0, 20.9, 20.0, 13.37):
        assert read_total(soybeans(total)) == Reading()
    assert read_total(Subheading([], ["a"], {"a": 5.0}, {}, 9.0)) == Reading()  # on no list


def test_lines_of_2018_are_gone_where_the_listed_ones_give_the_total() -> None:
    ordinary = {"a": 8.0, "b": 10.0, "old": 10.0}
    found = Subheading(["a", "b"], ["old"], ordinary, {"a": 20.0, "b": 10.0}, 24.0)
    assert read_total(found) == Reading(gone=["old"])
    assert read_total(found._replace(total=(28 + 20 + 10) / 3)) == Reading()


def test_the_highest_ordinary_rate_may_be_that_of_all_lines() -> None:
    found = Subheading(["a"], ["old"], {"a": 6.5, "old": 4.3}, {"a": 27.5}, 6.5 + 13.75)
    assert read_total(found) == Reading(ordinary=6.5)
    assert read_total(found._replace(total=6.0 + 13.75)) == Reading()


@needs_source
def test_the_law_holds_what_the_totals_show() -> None:
    lines = separated(
        pl.read_parquet(SOURCE / "other_direction" / "retaliation" / "china_lines_2025_03.parquet")
    )
    readings = read_totals(SOURCE / "other_direction", lines)
    law = load_law()
    standing = {*law.lists["CN_S301_STANDING"].codes}
    market = law.markets["CN"]
    assert readings["120190"].excluded == ("12019011", "12019019")
    for reading in readings.values():
        assert {*reading.excluded} <= standing
        assert not any(code in market.lines for code in reading.gone)
    estimated = [code for code, reading in readings.items() if reading.ordinary is not None]
    assert all(any(market.is_estimated(one) for one, _ in market.parts_of(code)) for code in estimated)
