"""Metal content that a line leaves undeclared: all value in the listed metal with the highest rate in force."""

from __future__ import annotations

from typing import Any

import pytest

from tariffs.engine.law import Law
from tests.law.harness import Rates, duties, quote_of
from tests.unit.laws import changed, make_law, measure

RATES: Rates = {"7318000000": {"general": ("0", "0", "kg"), "other": ("0", "0", "kg")}}
LINE: dict[str, Any] = {
    "hts": "7318000000", "origin": "JP", "value": "10000", "entry": "2025-06-15T12:00-04:00",
    "claims": {}, "quantity": "1", "unit": "kg",
}  # fmt: skip


def _law(steel: str, aluminum: str) -> Law:
    return make_law(
        [
            measure("on_steel", [{"base": {"steel": "1"}, "rate": steel, "heading": "9999.01.01"}]),
            measure("on_aluminum", [{"base": {"aluminum": "1"}, "rate": aluminum, "heading": "9999.01.02"}]),
        ]
    )


def _suspended(law: Law, name: str, kept: str = "") -> Law:
    act = {
        "op": "suspend", "measures": {"id": name}, "from": "2025-06-01T00:01-04:00",
        "until": "2025-07-01T00:01-04:00", "on_end": "snap_back",
    }  # fmt: skip
    return changed(law, act | ({"kept": kept} if kept else {}))


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (_law("50%", "25%"), {"on_steel": 5000}),
        (_law("25%", "50%"), {"on_aluminum": 5000}),
        # A tie goes to steel.
        (_law("50%", "50%"), {"on_steel": 5000}),
        # A suspended duty charges nothing, so its metal ranks below one that is charged.
        (_suspended(_law("50%", "25%"), "on_steel"), {"on_aluminum": 2500}),
        (_suspended(_law("50%", "50%"), "on_steel"), {"on_aluminum": 5000}),
        (_suspended(_law("25%", "50%"), "on_aluminum"), {"on_steel": 2500}),
        # A suspension that keeps a rate ranks by the rate kept.
        (_suspended(_law("50%", "25%"), "on_steel", "10%"), {"on_aluminum": 2500}),
        (_suspended(_law("50%", "25%"), "on_steel", "30%"), {"on_steel": 3000}),
    ],
)
def test_the_metal_with_the_highest_rate_in_force_is_assumed(law: Law, expected: dict[str, int]) -> None:
    quote = quote_of(law, LINE, RATES)
    assert {layer.measure: layer.amount for layer in quote.layers if layer.amount} == expected
    assert duties(law, [LINE], RATES, [""]).duty[0] == pytest.approx(sum(expected.values()))
