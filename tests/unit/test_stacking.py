"""The stacking walk: who displaces whom, on what base, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tariffs.engine.law.model import COPPER, METALS, PARTS, STEEL
from tariffs.engine.law.stacking import Layer, walk
from tests.unit.laws import at, make_law, measure

FIRST = measure("first", [{"rate": "25%"}])
SECOND = measure("second", [{"rate": "10%"}])
THIRD = measure("third", [{"rate": "5%"}])
FREE = measure("first", [{"rate": "0%"}])
OF_STEEL = measure("first", [{"rate": "50%", "base": {"steel": "1"}}])
FLOOR = measure("first", [{"kind": "topup_to", "rate": "15%"}], displaces_at_zero="yes")
HEADED = measure("first", [{"rate": "25%", "heading": "9903.01.67"}])
OTHER_HEADING = measure("first", [{"rate": "25%", "heading": "9903.01.02"}])
ELSEWHERE = {**THIRD, "authority": "elsewhere"}
MIXED = measure("first", [{"rate": "25%", "base": {"steel": "1", "copper": "1"}}])
ALL = {"id": "r", "when": ["first"], "on": ["second"], "take": "all"}
NEXT = {"id": "two", "when": ["second"], "on": ["third"], "take": "all"}
CONTENT = {**ALL, "take": "content"}
NOT_HEADED = {**ALL, "when_not": ["9903.01.67"]}
ONE_OF = {"id": "r", "one_of": ["second", "first"]}
NODE = {**ALL, "when": ["third"], "on": ["top"]}
TRUE = frozenset({"gift"})


def walked(
    measures: Sequence[Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]] = (),
    content: frozenset[int] = frozenset(METALS),
    true: frozenset[str] = frozenset(),
) -> dict[str, Layer]:
    in_force = make_law(measures, rules=rules).in_force(at("2025-06-15"))
    fits = [(active, active.rows[0]) for active in in_force.actives]
    layers = walk(fits, in_force.rules, lambda c: (c.claim in true) != c.negated, content)
    return {layer.active.measure.id: layer for layer in layers}


def weights(layer: Layer) -> dict[str, float]:
    return {part: float(weight) for part, weight in zip(PARTS, layer.weights, strict=True) if weight}


@pytest.mark.parametrize(
    ("measures", "rules", "states"),
    [
        ([FIRST, SECOND], [], "applied applied"),
        ([FIRST, SECOND], [ALL], "applied displaced"),
        ([FREE, SECOND], [ALL], "exempt applied"),  # what charges nothing displaces nothing
        ([FIRST, SECOND], [CONTENT], "applied displaced"),  # content of a full base takes everything
        # In order, and a displaced measure fires no more.
        ([FIRST, SECOND, THIRD], [ALL, NEXT], "applied displaced applied"),
        ([FIRST, SECOND, THIRD], [NEXT, ALL], "applied displaced displaced"),
        ([HEADED, SECOND], [NOT_HEADED], "applied applied"),
        ([OTHER_HEADING, SECOND], [NOT_HEADED], "applied displaced"),
        ([FIRST, SECOND], [{**ONE_OF, "pick": "first"}], "displaced applied"),
        ([FIRST, SECOND], [{**ONE_OF, "pick": "highest"}], "applied displaced"),
        # A top-up counts as charged whatever it comes to.
        ([FLOOR, SECOND], [{"id": "r", "one_of": ["first", "second"], "pick": "first"}], "applied displaced"),
        ([FIRST, SECOND, ELSEWHERE], [NODE], "displaced displaced applied"),  # a node selects all below
    ],
)
def test_states_after_rules(measures: list[dict[str, Any]], rules: list[dict[str, Any]], states: str) -> None:
    assert [layer.state for layer in walked(measures, rules).values()] == states.split()


def test_a_displaced_layer_has_heading_rule_and_reason() -> None:
    layer = walked([FIRST, SECOND], [{**ALL, "heading": "9903.01.33", "text": "because"}])["second"]
    assert (layer.state, layer.heading) == ("displaced", "9903.01.33")
    assert (layer.steps[-1].rule, layer.steps[-1].by) == ("r", ("first",))
    ordinary = measure("ordinary", [{"kind": "ordinary", "column": "general"}])
    total = measure("total", [{"kind": "total", "rate": "100%"}])
    in_lieu = walked([ordinary, total])["ordinary"]
    assert (in_lieu.state, in_lieu.steps[-1].rule) == ("displaced", "in_lieu")


def test_content_is_that_of_the_goods_and_is_taken_once() -> None:
    layer = walked([OF_STEEL, SECOND], [CONTENT])["second"]
    assert layer.state == "applied"
    assert weights(layer) == dict.fromkeys(("aluminum", "copper", "us", "us_above", "rest"), 1.0)
    again = measure("third", [{"rate": "20%", "base": {"steel": "1"}}])
    twice = walked([OF_STEEL, again, SECOND], [{**CONTENT, "when": ["first", "third"]}])
    assert min(twice["second"].weights) == 0
    # A duty on steel charges nothing, and displaces nothing, where the goods are of copper.
    layers = walked([OF_STEEL, SECOND], [ALL], content=frozenset({COPPER}))
    assert [layer.state for layer in layers.values()] == ["exempt", "applied"]
    assert walked([MIXED], content=frozenset({STEEL}))["first"].state == "applied"


def test_take_base_and_unless_hang_on_a_condition() -> None:
    rule = {"id": "r", "if": ["gift"], "on": ["top"], "take": "base", "base": {"processing": "1"}}
    assert weights(walked([FIRST], [rule], true=TRUE)["first"]) == {"processing": 1.0}
    assert "rest" in weights(walked([FIRST], [rule])["first"])
    full = {**rule, "take": "full_base"}  # replaces the base of a layer on the full value alone
    assert weights(walked([FIRST], [full], true=TRUE)["first"]) == {"processing": 1.0}
    assert weights(walked([OF_STEEL], [full], true=TRUE)["first"]) == {"steel": 1.0}
    held = {**ALL, "unless": ["gift"]}
    assert walked([FIRST, SECOND], [held], true=TRUE)["second"].state == "applied"
    assert walked([FIRST, SECOND], [held])["second"].state == "displaced"
