"""Table lines of goods that the law names by kind or by claim: what is charged, and what is named as not known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.lines import load_schedule


def table(hts: str, origin: str, day: str, **claims: float) -> Any:
    """The static answer for a table of one line of 1,000,000 USD."""
    line = {"hts": hts, "origin": origin, "customs_value": 1e6, **claims}
    options = Options(response="none", by=())
    return impact(pl.DataFrame([line]), [Point(library()["base"], day)], law=load_law(), options=options)


def duty(hts: str, origin: str, day: str, **claims: float) -> float:
    return float(table(hts, origin, day, **claims).scenarios[0].total["duty"])


# Rates of note 43(c) and, for aircraft outside general note 6, the forced-labor duty of 12.5 percent.
@pytest.mark.parametrize(
    ("hts", "day", "rate"),
    [
        ("8806240000", "2026-09-02", 0.125),
        ("8806240000", "2026-09-03", 1.125),
        ("8806220000", "2026-09-03", 0.375),
        ("8504409580", "2026-09-03", 0.125),
    ],
)
def test_tables_charge_drones_by_code_and_no_part(hts: str, day: str, rate: float) -> None:
    assert duty(hts, "VN", day, civil_aircraft_share=0) == pytest.approx(rate * 1e6)


def test_a_table_in_numbers_of_2024_keeps_the_drugs_that_were_renumbered() -> None:
    # Of a patented share of 0.48, at 100 percent; the number left the list of note 40(c) on 2026-09-29.
    assert duty("3004200083", "IN", "2026-09-29", patented_share=0.48) == pytest.approx(0.48e6)
    assert duty("3004100000", "IN", "2026-09-29", patented_share=0.48) == 0.0


def test_the_united_kingdom_was_to_pay_10_percent_on_drugs_until_freed() -> None:
    line = EntryLine(
        "3004.90.9218", "GB", 10000, "2026-10-09", claims={"patented_share": 1, "pharma_use_share": 1}
    )
    known = {day: quote_line(load_law(), line, known_on=day).assessed for day in ("2026-07-31", "2026-08-01")}
    assert known == {"2026-07-31": Decimal("1000.00"), "2026-08-01": Decimal("0.00")}


def test_no_drug_of_the_list_has_an_ordinary_duty_above_the_total_in_lieu_of_it() -> None:
    """Totals of 15 and 100 percent are floors; the format's total does not ask for the higher of the two."""
    schedule, law = load_schedule(), load_law()
    for code in law.lists["S232_PHARMA"].codes:
        line = schedule.find(code.ljust(10, "0"), date(2026, 10, 1))
        assert line
        assert (line.general.ad_valorem, line.general.specific) <= (Decimal("0.15"), ()), code


def test_tables_take_slabs_as_quartz_within_the_quota_and_leave_other_glass_out() -> None:
    assert duty("6810990020", "VN", "2026-08-15") == pytest.approx((0.25 + 0.125) * 1e6)
    assert duty("6810990020", "VN", "2028-08-15") == pytest.approx((0.21 + 0.125) * 1e6)
    assert duty("6810990020", "ZA", "2026-08-15") == pytest.approx(0.125 * 1e6)
    assert duty("7020006000", "VN", "2026-08-15") == pytest.approx((0.05 + 0.125) * 1e6)


def test_a_claim_is_asked_for_in_each_scope_of_its_list() -> None:
    for hts, origin, asked in (
        ("8703.23.0190", "GB", True),
        ("8703.23.0190", "DE", False),
        ("6810.99.0020", "VN", True),
        ("9503.00.0073", "VN", False),
    ):
        quote = quote_line(load_law(), EntryLine(hts, origin, 10000, "2026-09-20"))
        assert ("in_quota_share" in quote.missing_claims) == asked, (hts, origin)


def undetermined(hts: str, origin: str, day: str) -> list[str]:
    """The measures that the table says are charged only where the line says so."""
    answer = table(hts, origin, day)
    notes = (*answer.notes, *answer.scenarios[0].notes)
    return [note.message.split()[0] for note in notes if note.reason == "CHARGE_UNDETERMINED"]


def test_a_ban_that_holds_unless_denied_is_not_said_to_wait_for_the_line() -> None:
    # Sparkling wine of Canada is prohibited where it is packaged, which is presumed (Proc 11061).
    answer = table("2204100030", "CA", "2026-11-24").scenarios[0]
    assert "PROHIBITED" in {note.reason for note in answer.notes}
    assert "s338_ca_alcohol_ban" not in undetermined("2204100030", "CA", "2026-11-24")


@pytest.mark.parametrize(("day", "named"), [("2025-11-09", True), ("2026-06-01", False)])
def test_a_charge_on_a_fact_is_named_unless_it_is_suspended(day: str, named: bool) -> None:
    # Intermodal chassis, 90 FR 48320; suspended from 2025-11-10 (90 FR 50947).
    assert ("chassis_100" in undetermined("8716390090", "CN", day)) == named
