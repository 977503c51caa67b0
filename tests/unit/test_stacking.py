"""Bases of layers: rules on full bases leave content alone, undeclared metal is that of the highest rate in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tariffs.engine.law.model import METALS, PARTS
from tariffs.engine.law.stacking import Layer, walk
from tests.law.harness import Rates, duties, quote_of
from tests.unit.laws import at, changed, make_law, measure

FIRST, SECOND, THIRD = (measure(name, [{"rate": "10%"}]) for name in ("first", "second", "third"))
FREE, DEAR = (measure("first", [{"rate": rate}]) for rate in ("0%", "25%"))
HEADED = measure("first", [{"rate": "25%", "heading": "9903.01.67"}])
STEEL, MORE_STEEL = (measure(name, [{"rate": "50%", "base": {"steel": "1"}}]) for name in ("second", "third"))
ALL = {"id": "r", "when": ["first"], "on": ["second"], "take": "all"}
NEXT = {"id": "next", "when": ["second"], "on": ["third"], "take": "all"}
NOT_67 = ALL | {"when_not": ["9903.01.67"]}
ONE_OF = {"id": "r", "one_of": ["second", "first"]}
Parts = Sequence[Mapping[str, Any]]


def walked(measures: Parts, rules: Parts, *, holds: bool = True) -> list[Layer]:
    """The layers of goods that every measure reaches, with every condition true or none."""
    in_force = make_law(measures, rules=rules).in_force(at("2025-06-15"))
    fits = [(active, active.rows[0]) for active in in_force.actives]
    return walk(fits, in_force.rules, lambda condition: holds, frozenset(METALS))


def bases(layers: Sequence[Layer]) -> list[set[str]]:
    return [{p for p, w in zip(PARTS, layer.weights, strict=True) if w} for layer in layers]


@pytest.mark.parametrize(
    ("measures", "rules", "states"),
    [
        pytest.param([FIRST, SECOND], [ALL], "applied displaced", id="displaced"),
        pytest.param([FREE, SECOND], [ALL], "exempt applied", id="what charges nothing displaces nothing"),
        pytest.param([FIRST, SECOND, THIRD], [ALL, NEXT], "applied displaced applied", id="in order"),
        pytest.param([FIRST, SECOND, THIRD], [NEXT, ALL], "applied displaced displaced", id="other order"),
        pytest.param([DEAR, SECOND], [ONE_OF | {"pick": "first"}], "displaced applied", id="first"),
        pytest.param([DEAR, SECOND], [ONE_OF | {"pick": "highest"}], "applied displaced", id="highest"),
        pytest.param([HEADED, SECOND], [NOT_67], "applied applied", id="when_not"),
        pytest.param([HEADED, SECOND], [ALL | {"when_not": ["9903.01.02"]}], "applied displaced", id="other"),
        pytest.param([FIRST, SECOND], [ALL | {"unless": ["gift"]}], "applied applied", id="unless"),
    ],
)
def test_states_after_rules(measures: Parts, rules: Parts, states: str) -> None:
    assert [layer.state for layer in walked(measures, rules)] == states.split()


def test_content_is_taken_once_and_a_displaced_layer_names_the_last_rule_with_its_heading() -> None:
    content = {"id": "content", "when": ["second", "third"], "on": ["first"], "take": "content"}
    rest = {"id": "rest", "when": ["third"], "on": ["first"], "take": "all"}
    left = walked([FIRST, STEEL, MORE_STEEL], [content])[0]
    assert (left.state, float(min(left.weights))) == ("applied", 0)
    assert bases([left]) == [{"aluminum", "copper", "us", "us_above", "rest"}]
    rules = [content | {"heading": "9903.01.33"}, rest | {"heading": "9903.01.34"}]
    gone = walked([FIRST, STEEL, MORE_STEEL], rules)[0]
    assert (gone.state, gone.heading) == ("displaced", "9903.01.34")
    steps = [(step.rule, step.by) for step in gone.steps]
    assert steps == [("content", ("second", "third")), ("rest", ("third",))]


@pytest.mark.parametrize(("take", "second"), [("base", "processing"), ("full_base", "steel")])
@pytest.mark.parametrize("holds", [True, False])
def test_a_rule_replaces_every_base_or_those_of_the_full_value_alone(
    take: str, second: str, holds: bool
) -> None:
    rule = {"id": "r", "if": ["gift"], "on": ["top"], "take": take, "base": {"processing": "1"}}
    found = bases(walked([FIRST, STEEL], [rule], holds=holds))
    assert found == ([{"processing"}, {second}] if holds else [{*PARTS} - {"processing"}, {"steel"}])


RATES: Rates = {"7318000000": {"general": ("0", "0", "kg"), "other": ("0", "0", "kg")}}
LINE: dict[str, Any] = {
    "hts": "7318000000", "origin": "JP", "value": "10000", "entry": "2025-06-15", "quantity": "1", "unit": "kg",
    "claims": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "metal", "amount"),
    [("", "aluminum", 2500), ("10%", "aluminum", 2500), ("25%", "steel", 2500), ("30%", "steel", 3000)],
)
def test_a_suspended_duty_ranks_by_the_rate_it_keeps_and_steel_first(
    kept: str, metal: str, amount: int
) -> None:
    steel, aluminum = (
        measure(f"on_{name}", [{"base": {name: "1"}, "rate": rate, "heading": "9999.01.01"}])
        for name, rate in (("steel", "50%"), ("aluminum", "25%"))
    )
    act = {"op": "suspend", "measures": {"id": "on_steel"}, "from": "2025-06-01", "on_end": "none_scheduled"}
    law = changed(make_law([aluminum, steel]), act | ({"kept": kept} if kept else {}))
    quote = quote_of(law, LINE, RATES)
    assert {layer.measure: layer.amount for layer in quote.layers if layer.amount} == {f"on_{metal}": amount}
    assert duties(law, [LINE], RATES, [""]).duty[0] == pytest.approx(amount)
