"""Notes that the law has on goods and origins: seasons, publication, and origins that are no foreign country."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.loader import law_from_raw
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.seasons import season_of
from tariffs.engine.tables.prepare import check_imports
from tests.law.real_law import raw_law

SEASONS = (
    ("07020020", "07020040", "07020060"),
    ("07070020", "07070040", "07070050", "07070060"),
    ("08061020", "08061040", "08061060"),
    ("07051120", "07051140"),
    ("08045040", "08045060"),
    ("08071130", "08071140"),
    ("08101020", "08101040"),
)


def test_each_day_of_a_year_is_in_the_season_of_one_line() -> None:
    for siblings in SEASONS:
        seasons = [season_of(code) for code in siblings]
        for number in range(366):
            day = date(2028, 1, 1) + timedelta(days=number)
            assert [one.has(day) for one in seasons if one].count(True) == 1, (siblings, day)
    assert season_of("95030000") is None
    assert all(load_schedule().children(code) for code in ("08061020", "07094040"))


def test_a_note_is_said_once_it_is_known() -> None:
    note = {**raw_law()["line_notes"][0], "origins": ["CN"], "from": "2026-01-01", "known_from": "2026-03-01"}
    law = law_from_raw({**raw_law(), "line_notes": [note]})
    line = EntryLine("9503.00.0073", "CN", 100, "2026-02-01")
    days = ("2026-02-28", "2026-03-01")
    assert [treatments(quote_line(law, line, known_on=known)) for known in days] == [0, 1]
    without = {name: part for name, part in raw_law().items() if name != "line_notes"}
    assert law_from_raw(without).line_notes == ()


# -- origins that are no foreign country ----------------------------------------------------------------------

DAYS = ("2025-04-06", "2025-04-09", "2025-06-10", "2025-09-01", "2025-12-01", "2026-03-10", "2026-11-20")
CODES = ("9503.00.0073", "6109.10.0012", "8703.23.0190", "7318.15.2065", "3004.90.9290", "4409.10.4010")


def quote(hts: str, origin: str, day: str) -> Quote:
    return quote_line(load_law(), EntryLine(hts, origin, 10000, day, quantity=100, unit="kg"))


def treatments(found: Quote) -> int:
    return [note.reason for note in found.notes].count("ORIGIN_TREATMENT")


@pytest.mark.parametrize("origin", ["PR", "Puerto Rico", "PRI"])
def test_goods_of_the_customs_territory_are_refused_with_the_reason(origin: str) -> None:
    with pytest.raises(InputError) as caught:
        quote("9503.00.0073", origin, "2025-09-01")
    assert caught.value.reason == "ORIGIN_NOT_FOREIGN"
    assert caught.value.field == "origin"
    assert "HTS general note 2" in caught.value.message


def test_a_table_refuses_them_row_by_row() -> None:
    origins = ["PR", "CN", "puerto rico"]
    table = pl.DataFrame({"hts": ["9503000073"] * 3, "origin": origins, "customs_value": [1.0, 2.0, 3.0]})
    checked = check_imports(table, load_law())
    refused = checked.refused.select("row", "column", "reason").rows()
    assert refused == [(row, "origin", "ORIGIN_NOT_FOREIGN") for row in (0, 2)]
    assert checked.lines["origin"].to_list() == ["CN"]


@pytest.mark.parametrize("origin", ["US", *sorted(load_law().groups["US_POSSESSIONS"][0].members)])
def test_the_united_states_and_its_possessions_pay_no_reciprocal_duty(origin: str) -> None:
    for hts, day in itertools.product(CODES, DAYS):
        found = quote(hts, origin, day)
        assert not [x for x in found.layers if x.measure.startswith("recip") and x.amount], (hts, day)
        assert treatments(found) == 1


@pytest.mark.parametrize(
    ("origin", "country"), [*((one, "FR") for one in ("GF", "GP", "MC", "MQ", "RE", "YT")), ("SM", "IT")]
)
def test_a_territory_pays_what_its_country_pays(origin: str, country: str) -> None:
    def charged(one: Quote) -> list[tuple[Any, ...]]:
        return [(x.measure, x.heading, x.amount) for x in one.layers if x.amount]

    for hts, day in itertools.product(CODES, DAYS):
        found, other = quote(hts, origin, day), quote(hts, country, day)
        assert charged(found) == charged(other), (hts, day)
        assert (treatments(found), treatments(other)) == (1, 0)
