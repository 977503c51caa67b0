"""Codes of results have short names in the project's own words."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from tariffs.client.results import short_names
from tariffs.client.results.impact_view import change_words
from tariffs.client.results.short_names import label_of, name_of, spelled_out, with_names
from tariffs.client.results.tables import Section
from tariffs.engine.response.industries import sector_of
from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.countries import origin_codes

DATA = Path(short_names.__file__).parent / "data"


@pytest.fixture(scope="module")
def imports() -> pl.DataFrame:
    """US imports of 2024."""
    return reference_data.reference_table()


def test_every_origin_and_chapter_has_a_short_name() -> None:
    assert all(name_of("origin", code) for code in origin_codes())
    assert all(name_of("hts2", f"{chapter:02}") for chapter in range(1, 98))
    assert max(len(name_of("hts2", f"{chapter:02}")) for chapter in range(1, 98)) <= 32


def test_every_sector_has_a_short_name(imports: pl.DataFrame) -> None:
    sectors = {code for code in sector_of(imports["hts"].unique().to_list()) if code}
    assert [code for code in sectors if not name_of("sector", code)] == []


def test_every_heading_has_a_name_of_its_own(imports: pl.DataFrame) -> None:
    codes = imports["hts"].str.slice(0, 4).unique()
    with (DATA / "headings.csv").open(encoding="utf-8", newline="") as file:
        named = {row["code"]: row["name"] for row in csv.DictReader(file)}
    assert set(codes) - named.keys() == set()
    assert max(map(len, named.values())) <= 32
    assert len(set(named.values())) == len(named)
    assert all(name_of("hts4", code) == name for code, name in named.items())


def test_goods_without_a_heading_of_their_own_have_the_name_of_their_chapter() -> None:
    assert name_of("hts8", "85171300") == name_of("hts4", "8517")
    assert name_of("hts4", "0799") == "Vegetables"
    assert name_of("hts4", "0000") == ""


def test_a_label_keeps_the_code_of_goods_alone() -> None:
    assert label_of("hts2", "85") == "85 Electronics"
    assert label_of("origin", "VN") == "Vietnam"
    assert label_of("authority", "s301.fl") == "Section 301, forced labor"
    assert label_of("sku", "A-7") == "A-7"


def test_changes_are_written_by_authority_what_country_and_rate() -> None:
    written = {
        "set_rate fl301 for CN to 20% from 2027-01-01": "Section 301, forced labor: China 20 % from 2027-01-01",
        "terminate s122_10 from 2026-02-24": "Section 122 import surcharge: ended from 2026-02-24",
        "revalidate ieepa": "IEEPA: valid again",
        "mine": "mine",
    }
    assert {text: change_words(text) for text in written} == written


def test_groups_by_authority_name_it_before_the_country() -> None:
    rows = pl.DataFrame({"origin": ["CN", "VN"], "authority": ["s301.fl", None], "duty": [2.5e9, 1e9]})
    table = Section("duty", rows, ["origin", "authority"], ["duty"], 1, total={"duty": 3.5e9}).short()
    assert table.rows == [["Section 301, forced labor: China", "2.50"], ["total, with 1 more", "3.50"]]
    exact = Section("duty", rows, ["origin", "authority"], ["duty"], 1).exact()
    assert exact.caption == "duty; million USD; rates in percent"
    assert exact.rows == [["CN", "s301.fl", "2,500.00"], ["and 1 more", "", ""]]


def test_texts_name_measures_by_their_titles() -> None:
    assert spelled_out("void (ieepa, s232_IA)") == "void (IEEPA, Section 232, metals, Annex I-A)"
    assert spelled_out("s301_l4b: no longer suspended") == "Section 301 China, list 4B: no longer suspended"
    assert spelled_out("the rate of mine_25 rises") == "the rate of mine_25 rises"


def test_frames_get_names_behind_codes() -> None:
    frame = pl.DataFrame({"hts4": ["8517", None], "authority": ["s122", "mine"], "duty": [1.0, 2.0]})
    assert with_names(frame).columns == ["hts4", "hts4_name", "authority", "authority_name", "duty"]
    assert with_names(frame)["authority_name"].to_list() == ["Section 122 of the Trade Act of 1974", None]
    assert with_names(frame.clear()).height == 0
