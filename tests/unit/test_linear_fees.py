"""Fees in whole cents are those in decimals, at any value, on any day, by any mode."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.fees import DayFees, FeeLine, LinearFees, fees_on, linear_fees

DAYS = (date(2024, 12, 31), date(2025, 10, 1), date(2026, 2, 1), date(1999, 1, 1))
MODES = ("ocean", "air", "truck", "rail", "")
SHARES = (Decimal(0), Decimal("0.25"), Decimal(1))


def scaled(day: date, mode: str = "ocean", share: Decimal = Decimal(1)) -> LinearFees:
    found = linear_fees(fees_on(load_law(), day), mode, share)
    assert found is not None
    return found


@given(
    cents=st.integers(50, 10**11),
    day=st.sampled_from(DAYS),
    mode=st.sampled_from(MODES),
    share=st.sampled_from(SHARES),
)
@example(cents=250_000, day=DAYS[1], mode="air", share=Decimal(1))
@example(cents=250_001, day=DAYS[1], mode="air", share=Decimal(1))
@example(cents=250_049, day=DAYS[1], mode="ocean", share=Decimal("0.25"))
def test_whole_cents_are_what_decimals_come_to(cents: int, day: date, mode: str, share: Decimal) -> None:
    declared = Decimal(cents) / 100
    value = declared.quantize(Decimal(1), ROUND_HALF_UP)
    mpf, hmf = fees_on(load_law(), day).of_line(FeeLine(value, declared, value * share, mode))
    assert scaled(day, mode, share).at(int(value), declared) == (int(mpf * 100), int(hmf * 100))


def test_the_bounds_of_fiscal_2026_hold() -> None:
    # 33.58 at least, 651.50 at most, 0.3464 % between; 2.69 on informal entries, which end at 2,500.
    fees = scaled(date(2025, 10, 1), "air")
    assert fees.at(2_501, 2_501) == (3_358, 0)
    assert fees.at(100_000, 100_000) == (34_640, 0)
    assert fees.at(10_000_000, 10_000_000) == (65_150, 0)
    assert fees.at(2_500, 2_500) == (269, 0)


@pytest.mark.parametrize(
    "fees",
    [
        DayFees(Decimal("2500.50"), None, Decimal(0), frozenset()),
        DayFees(Decimal(2500), None, Decimal("0.00125000000001"), frozenset({"ocean"})),
    ],
    ids=["limit", "rate"],
)
def test_what_is_finer_than_whole_numbers_has_no_such_form(fees: DayFees) -> None:
    assert linear_fees(fees, "ocean", Decimal(1)) is None
