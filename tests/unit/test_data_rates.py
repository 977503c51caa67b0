"""Reading rate texts of the schedule."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.schedule.equivalents import DATA
from tariffs.engine.schedule.rates import Rate, parse_rate
from tariffs.engine.schedule.usitc_export import stat_unit

UNITS = Path(__file__).parents[2] / "engine" / "tariffs" / "engine" / "schedule" / "data" / "units.csv"


@pytest.mark.parametrize(
    ("text", "kind", "ad_valorem", "specific"),
    [
        ("Free", "free", "0", ()),
        ("Free, under bond", "free", "0", ()),
        ("5.3%", "ad_valorem", "0.053", ()),
        ("33 1/3%", "ad_valorem", "0.333333333333", ()),  # kept to twelve places
        ("6.5% on the entire set", "ad_valorem", "0.065", ()),
        ("37.2¢/kg", "specific", "0", (("0.372", "kg"),)),
        ("$1.80 each", "specific", "0", (("1.80", "no"),)),
        ("4.4¢/liter + 31.4¢/pf. liter", "specific", "0", (("0.044", "L"), ("0.314", "pf.L"))),
        ("42.3¢/kg +8.5%", "compound", "0.085", (("0.423", "kg"),)),
        ("36¢ each + 5.6% + 2¢/jewel", "compound", "0.056", (("0.36", "no"), ("0.02", "jewel"))),
        ("$1.44/1000", "specific", "0", (("1.44", "thousand"),)),
        ("1.7¢/kg on lead content", "specific", "0", (("0.017", "kg-Pb"),)),
        ("5.9¢/kg on drained weight", "specific", "0", (("0.059", "kg"),)),
    ],
)
def test_computable_texts(
    text: str, kind: str, ad_valorem: str, specific: tuple[tuple[str, str], ...]
) -> None:
    terms = tuple((Decimal(usd), unit) for usd, unit in specific)
    rate = parse_rate(text)
    assert rate == Rate(kind, Decimal(ad_valorem), terms, text)
    assert rate.computable


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "none"),
        ("44¢ each + 6% on the case + 5.3% on the battery", "component"),
        ("2.5% on the value of the lead content", "component"),
        ("5 1/0%", "reference"),
        ("43¢ each + 2.8¢/jewel over 7 + 3.7% on the case", "component"),
        ("3.6606¢/kg less 0.020668¢/kg for each degree under 100 degrees", "formula"),
        ("The rate applicable to the natural juice in heading 2009", "reference"),
        ("See 9823.01.01-9823.01.07", "reference"),
    ],
)
def test_texts_that_value_and_quantity_do_not_settle(text: str, kind: str) -> None:
    rate = parse_rate(text)
    assert (rate.kind, rate.computable, rate.text) == (kind, False, text)


NUMBERS = st.sampled_from(["0", "5", "5.3", ".5", "37.2", "1.80", "33 1/3", "5 1/0"])
TERMS = st.one_of(
    st.builds(lambda number, tail: f"{number}%{tail}", NUMBERS, st.sampled_from(["", " on the case", " /"])),
    st.builds(
        lambda number, unit: f"{number}¢/{unit}", NUMBERS, st.sampled_from(["kg", "liter", "ounce", ""])
    ),
    st.builds(lambda number, unit: f"${number}{unit}", NUMBERS, st.sampled_from([" each", "/pr.", "/kg"])),
    st.sampled_from(["Free", "the rate of heading 2009", "less 2%", ""]),
)
KINDS = {"free", "ad_valorem", "specific", "compound", "formula", "reference", "component", "none"}


@given(st.one_of(st.text(max_size=40), st.lists(TERMS, max_size=3).map(" + ".join)))
def test_any_text_is_a_rate_of_its_own_numbers_or_not_computable(text: str) -> None:
    rate = parse_rate(text)
    assert rate.kind in KINDS
    assert rate.ad_valorem >= 0
    assert all(usd >= 0 and unit for usd, unit in rate.specific)
    if not rate.computable:
        assert rate.ad_valorem == 0
        assert not rate.specific
    elif rate.kind != "free":
        # Every term was read: as many prices as the text has, and a share only of percentages.
        assert len(rate.specific) == text.count("¢") + text.count("$")
        assert rate.kind == ("compound" if rate.specific else "ad_valorem") or "%" not in text
    if "the rate of" in text or "ounce" in text or "1/0" in text:
        assert not rate.computable or rate.kind == "free"


def test_every_unit_of_a_rate_or_a_code_is_in_the_unit_table() -> None:
    with UNITS.open(encoding="utf-8", newline="") as file:
        known = {row["unit"] for row in csv.DictReader(file)}
    lines = pl.read_parquet(DATA / "schedule_lines.parquet")
    special = pl.read_parquet(DATA / "special_rates.parquet")
    texts = {*lines["general"], *lines["other"], *special["rate"]}
    in_rates = {unit for text in texts for _, unit in parse_rate(text).specific}
    codes = pl.read_parquet(DATA / "schedule_codes.parquet")
    assert in_rates <= known
    assert {*codes["unit_1"], *codes["unit_2"]} - {""} <= known


@pytest.mark.parametrize(
    ("words", "symbol"),
    [
        ("No.", "no"),
        ("Pb kg", "kg-Pb"),
        ("m²", "m2"),
        ("No. and kg", "no"),
        ("\n", ""),
        (None, ""),
        ("W", "W"),
    ],
)
def test_statistical_units(words: str | None, symbol: str) -> None:
    assert stat_unit(words) == symbol
