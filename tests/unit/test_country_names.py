"""Countries by name: what the standard and the Census Bureau call them, told apart or refused with the choices."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.schedule.countries import countries, origin_codes
from tariffs.engine.schedule.country_names import origins_named, read_country
from tariffs.engine.tables.prepare import prepare_table
from tariffs.importers.country_names import CLDR, ISO, USAGE, rows_of

ISO_CODES = Path("/usr/share/iso-codes/json/iso_3166-1.json")
DATA = Path(__file__).parents[2] / "engine/tariffs/engine/schedule/data/country_names.csv"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("China", "CN"), (" CHINA ", "CN"), ("VIETNAM", "VN"), ("Korea, Republic of", "KR"),
        ("Democratic People's Republic of Korea", "KP"), ("China, People's Republic of", "CN"),
        ("Türkiye", "TR"), ("Cote d'Ivoire", "CI"), ("CÔTE D\u2019IVOIRE", "CI"), ("The Netherlands", "NL"),
        ("Bahamas (the)", "BS"), ("St. Lucia", "LC"), ("Trinidad & Tobago", "TT"), ("U.S.A.", "US"),
        ("Bolivia (Plurinational State of)", "BO"), ("Taiwan, Province of China", "TW"), ("P.R. China", "CN"),
        ("Deutschland", "DE"), ("Corea del Sud", "KR"), ("\u4e2d\u56fd", "CN"),
    ],
)  # fmt: skip
def test_names_are_read_as_people_write_them(text: str, code: str) -> None:
    assert read_country(text)[0] == code


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("Korea", "KP,KR"), ("Congo", "CD,CG"), ("virgin islands", "VG,VI"), ("Republic of China", "CN,TW"),
        ("Netherlands Antilles", "CW,SX"),
        *((text, "") for text in ("", " ", "EU", "European Union", "Atlantis", "XX", "5700", "China (Taiwan)")),
    ],
)  # fmt: skip
def test_a_name_of_several_countries_is_refused_with_the_choices_and_one_of_none_too(
    text: str, choices: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_country(text)
    assert caught.value.reason == ("ORIGIN_AMBIGUOUS" if choices else "ORIGIN_UNKNOWN")
    if choices:
        assert caught.value.metadata["choices"] == choices
        assert all(code in caught.value.fix for code in choices.split(","))


def test_every_country_is_read_by_its_census_name_and_its_codes_are_names_of_no_other() -> None:
    for iso2, name, iso3 in countries().select("iso2", "name", "iso3").iter_rows():
        assert read_country(name)[0] == read_country(iso3)[0] == iso2
    for code in origin_codes():
        assert origins_named(code) in {(), (code,)}


@pytest.mark.skipif(not ISO_CODES.exists(), reason="the package iso-codes is not installed")
def test_every_short_name_of_the_standard_is_read_or_refused_for_several() -> None:
    entries = json.loads(ISO_CODES.read_text(encoding="utf-8"))["3166-1"]
    refused = []
    for entry in entries:
        if entry["alpha_2"] not in origin_codes():
            continue
        try:
            assert read_country(entry["name"])[0] == entry["alpha_2"]
        except InputError as error:
            refused.append((entry["name"], error.reason))
    assert refused == [("Congo", "ORIGIN_AMBIGUOUS")]


def test_the_table_of_names_has_a_source_in_every_row() -> None:
    names = pl.read_csv(DATA, infer_schema=False)
    assert names.filter(pl.any_horizontal(pl.all().is_null())).is_empty()
    assert set(names["iso2"]) <= origin_codes()


def test_the_importer_leaves_out_countries_without_trade_and_tells_shared_names_apart() -> None:
    entries = [
        {"alpha_2": code, "name": name} for code, name in (("CG", "Congo"), ("VN", "Viet Nam"), ("AQ", "Ice"))
    ]
    languages = [("Nga", "VN"), ("Wietnam", "VN"), ("Eis", "AQ"), ("CONGO", "CG")]
    rows = rows_of(entries, languages, frozenset({"CG", "VN"}))
    of_standard, of_languages = ([row for row in rows if row[2] == source] for source in (ISO, CLDR))
    assert (of_standard, of_languages) == ([("Viet Nam", "VN", ISO)], [("Wietnam", "VN", CLDR)])
    assert [row for row in rows if row[0] == "Congo"] == [("Congo", "CD", USAGE), ("Congo", "CG", USAGE)]


def test_tables_and_lines_read_names_with_a_note() -> None:
    goods = {"hts": ["9503000073"] * 4, "customs_value": [1.0, 2.0, 3.0, 4.0]}
    table = pl.DataFrame({**goods, "origin": ["CN", "china", "Korea", "Atlantis"]})
    refused = prepare_table(table, load_law()).checked.refused.select("row", "reason").rows()
    assert refused == [(2, "ORIGIN_AMBIGUOUS"), (3, "ORIGIN_UNKNOWN")]
    line = EntryLine("9503.00.0073", "viet nam", 100, "2025-11-10")
    assert "ORIGIN_NAMED" in {note.reason for note in quote_line(load_law(), line).notes}
