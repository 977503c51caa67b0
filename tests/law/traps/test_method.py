"""Traps of method: fees, the other country's side, and the weights of an average."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tests.law.traps.bench import TOYS, Raw, broken, quote


def entry(law: Law, value: int, day: str = "2026-11-20") -> Quote:
    """Toys of China by sea: what an entry of this value costs."""
    return quote(law, TOYS, "CN", day, value=value, mode="ocean", freight=900, insurance=40)


@pytest.mark.parametrize(
    ("day", "value", "fee"),
    [
        ("2025-09-30", 2500, "2.62"),
        ("2025-09-30", 2501, "32.71"),
        ("2025-10-01", 2501, "33.58"),
        ("2026-09-30", 250_000, "651.50"),
        ("2026-10-01", 2500, "2.77"),
        ("2026-10-01", 6_000, "34.58"),
        ("2026-10-01", 12_000, "41.57"),
        ("2026-10-01", 250_000, "670.86"),
    ],
)
def test_trap_22_the_processing_fee_is_of_the_fiscal_year_and_of_the_entry(
    day: str, value: int, fee: str
) -> None:
    assert entry(load_law(), value, day).landed.mpf == Decimal(fee)


def test_trap_22_no_duty_on_freight() -> None:
    answer = entry(load_law(), 10_000)
    assert answer.assessed == Decimal("1250.00")
    assert answer.landed.total == 10_000 + 940 + answer.assessed + Decimal("34.64") + Decimal("12.50")


def test_trap_25_the_other_side_still_charges_its_ten_percent() -> None:
    def mirrored(raw: Raw) -> None:
        (void,) = (act for act in raw["events"] if act["op"] == "invalidate")
        raw["events"].append({**void, "measures": {"authority": "cn.recip"}})

    noon = datetime.fromisoformat("2026-11-24T12:00+08:00")
    right, wrong = (
        law.state_of(law.measures["cn.recip"], noon, law.as_of) for law in (load_law(), broken(mirrored))
    )
    assert right is not None
    assert [row.rate for row in right.rows] == [Decimal("0.1")]
    assert wrong is None


def test_trap_27_an_average_is_on_the_weights_of_the_base_period() -> None:
    table = reference_table().gather_every(40)
    point = Point(library()["base"], "2025-05-20")
    (found,) = impact(table, [point], law=load_law(), options=Options(baseline="2025-01-01")).scenarios
    total = {name: value for name, value in found.total.items() if value is not None}
    assert total["customs_value"] == pytest.approx(table["customs_value"].sum())
    assert total["effective_rate"] == pytest.approx(total["duty"] / total["customs_value"])
    on_weights_after = total["duty_after"] / total["value_after"]
    assert on_weights_after < total["effective_rate"] - 0.01
    assert total["effective_rate_after"] == pytest.approx(on_weights_after)
