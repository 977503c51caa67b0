"""What a claim does to ordinary and metals duties, and what an answer says where it does nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

NOT_OPEN = "PREFERENCE_NOT_OPEN"


def quote(
    hts: str, origin: str, day: str, claims: dict[str, float | str] | None = None, known_on: str | None = None
) -> Quote:
    line = EntryLine(hts, origin, 10000, day, claims or {}, quantity=2100, unit="kg")
    return quote_line(load_law(), line, known_on=known_on)


def reasons(found: Quote) -> list[str]:
    return [note.reason for note in found.notes]


@pytest.mark.parametrize(
    ("hts", "origin"), [("6109.10.0012", "KR"), ("0102.29.4062", "MU"), ("0703.10.4000", "JM")]
)
def test_a_preference_that_is_granted_is_no_remark(hts: str, origin: str) -> None:
    found = quote(hts, origin, "2026-10-03", {"fta_share": 1})
    assert NOT_OPEN not in reasons(found)
    assert found.layers[-1].amount == 0
    assert found.layers[-1].heading.split(" ")[1] in {"KR", "D", "E"}


@pytest.mark.parametrize(
    ("hts", "origin", "provision", "other"),
    [
        ("6109.10.0012", "LS", "9819.11.12", "9819.11.09"),
        ("6109.10.0012", "HT", "9820.61.25", "9820.11.12"),
        ("6109.10.0012", "JM", "9820.11.12", "9820.11.03"),
        ("6302.60.0020", "MG", "9819.11.33", "9819.11.27"),
    ],
)
def test_a_preference_without_its_provision_names_those_that_free_the_goods(
    hts: str, origin: str, provision: str, other: str
) -> None:
    (note,) = [x for x in quote(hts, origin, "2026-10-03", {"fta_share": 1}).notes if x.reason == NOT_OPEN]
    assert provision in note.message
    assert other in note.message
    assert "no special program" not in note.message
    granted = quote(hts, origin, "2026-10-03", {"fta_share": 1, "chapter98": provision})
    assert NOT_OPEN not in reasons(granted)
    assert granted.assessed == 0


@pytest.mark.parametrize(
    ("origin", "cites"), [("CU", "31 CFR 515"), ("IR", "31 CFR 560"), ("KP", "31 CFR 510")]
)
def test_goods_under_an_embargo_name_it(origin: str, cites: str) -> None:
    for day in ("2025-01-02", "2026-11-24"):
        (note,) = [note for note in quote("9503.00.0073", origin, day).notes if note.reason == "EMBARGO"]
        assert cites in note.message
    assert "EMBARGO" not in reasons(quote("9503.00.0073", "CN", "2026-11-24"))


def test_the_apparel_provisions_lapsed_and_came_back_for_the_months_between() -> None:
    claims: dict[str, float | str] = {"fta_share": 1, "chapter98": "9819.11.12"}
    lapsed = quote("6109.10.0012", "LS", "2025-12-01", claims, "2025-12-01")
    extended = quote("6109.10.0012", "LS", "2025-12-01", claims, "2026-02-04")
    assert lapsed.assessed - extended.assessed == Decimal("1650.00")
    assert NOT_OPEN in reasons(lapsed)
    assert NOT_OPEN not in reasons(extended)


def test_a_table_frees_apparel_under_its_provision_as_a_line_does() -> None:
    lines = pl.DataFrame(
        {
            "hts": ["6109100012"] * 3,
            "origin": ["LS", "LS", "HT"],
            "customs_value": [1000.0, 300.0, 70.0],
            "fta_share": [1.0, 1.0, 1.0],
            "chapter98": ["9819.11.12", None, "98206125"],
        }
    )
    points = [Point(library()["base"], "2026-10-03")]
    found = impact(lines, points, law=load_law(), options=Options(response="none", by=()))
    (note,) = [note for note in found.notes if note.reason == NOT_OPEN]
    assert "worth 300 USD" in note.message
    total: Any = found.scenarios[0].total
    assert total["duty"] == pytest.approx(300 * 0.165)


def test_a_table_names_the_value_of_preferences_that_no_program_grants() -> None:
    lines = pl.DataFrame(
        {
            "hts": ["6109100012", "6109100012", "6109100012"],
            "origin": ["CN", "KR", "CN"],
            "customs_value": [1000.0, 300.0, 70.0],
            "fta_share": [0.5, 1.0, None],
        }
    )
    found = impact(
        lines,
        [Point(library()["base"], "2026-10-03")],
        law=load_law(),
        options=Options(response="none", by=()),
    )
    (note,) = [note for note in found.notes if note.reason == NOT_OPEN]
    assert "worth 500 USD" in note.message


def test_metal_of_the_united_kingdom_is_assumed_and_the_answer_says_so() -> None:
    silent = quote("7208.10.1500", "GB", "2026-10-03")
    assert silent.assessed == Decimal("2500.00")
    assert "uk_metal_share: not declared, so taken as >= 95%" in silent.assumptions
    (text,) = (x.why["text"] for x in silent.layers if x.amount)
    assert text == (
        "25% on the customs value because uk_metal_share is not declared, so taken as >= 95%. "
        "Switch uk_metals is lower_rate."
    )
