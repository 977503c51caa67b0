"""Bases of layers: rules on full bases leave content alone, undeclared metal is that of the highest rate in force."""

from __future__ import annotations

import pytest

from tariffs.engine.law.model import METALS, PARTS
from tariffs.engine.law.stacking import walk
from tests.law.harness import Rates, duties, quote_of
from tests.unit.laws import at, changed, make_law, measure


@pytest.mark.parametrize(("take", "second"), [("base", "processing"), ("full_base", "steel")])
@pytest.mark.parametrize("holds", [True, False])
def test_a_rule_replaces_every_base_or_those_of_the_full_value_alone(
    take: str, second: str, holds: bool
) -> None:
    rule = {"id": "r", "if": ["gift"], "on": ["top"], "take": take, "base": {"processing": "1"}}
    of_steel = measure("second", [{"rate": "50%", "base": {"steel": "1"}}])
    law = make_law([measure("first", [{"rate": "25%"}]), of_steel], rules=[rule])
    in_force = law.in_force(at("2025-06-15"))
    fits = [(active, active.rows[0]) for active in in_force.actives]
    layers = walk(fits, in_force.rules, lambda condition: holds, frozenset(METALS))
    found = [{p for p, w in zip(PARTS, layer.weights, strict=True) if w} for layer in layers]
    assert found == ([{"processing"}, {second}] if holds else [{*PARTS} - {"processing"}, {"steel"}])


RATES: Rates = {"7318000000": {"general": ("0", "0", "kg"), "other": ("0", "0", "kg")}}
LINE = {
    "hts": "7318000000",
    "origin": "JP",
    "value": "10000",
    "entry": "2025-06-15",
    "quantity": "1",
    "unit": "kg",
}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [("", {"on_aluminum": 2500}), ("10%", {"on_aluminum": 2500}), ("30%", {"on_steel": 3000})],
)
def test_a_suspended_duty_ranks_by_the_rate_that_it_keeps(kept: str, expected: dict[str, int]) -> None:
    steel, aluminum = (
        measure(f"on_{metal}", [{"base": {metal: "1"}, "rate": rate, "heading": "9999.01.01"}])
        for metal, rate in (("steel", "50%"), ("aluminum", "25%"))
    )
    act = {"op": "suspend", "measures": {"id": "on_steel"}, "from": "2025-06-01", "on_end": "none_scheduled"}
    law, line = (
        changed(make_law([steel, aluminum]), act | ({"kept": kept} if kept else {})),
        {**LINE, "claims": {}},
    )
    quote = quote_of(law, line, RATES)
    assert {layer.measure: layer.amount for layer in quote.layers if layer.amount} == expected
    assert duties(law, [line], RATES, [""]).duty[0] == pytest.approx(sum(expected.values()))
