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


def walked(
    measures: Sequence[Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
    *,
    content: frozenset[int] = frozenset(METALS),
    true: frozenset[str] = frozenset(),
) -> dict[str, Layer]:
    in_force = make_law(measures, rules=rules).in_force(at("2025-06-15"))
    fits = [(active, active.rows[0]) for active in in_force.actives]
    layers = walk(fits, in_force.rules, lambda c: (c.claim in true) != c.negated, content)
    return {layer.active.measure.id: layer for layer in layers}


def weights(layer: Layer) -> dict[str, float]:
    return {part: float(weight) for part, weight in zip(PARTS, layer.weights, strict=True) if weight}


def test_without_rules_layers_add_up() -> None:
    layers = walked([FIRST, SECOND], [])
    assert [layer.state for layer in layers.values()] == ["applied", "applied"]


def test_take_all_displaces_with_heading_and_reason() -> None:
    rule = {
        "id": "r",
        "when": ["first"],
        "on": ["second"],
        "take": "all",
        "heading": "9903.01.33",
        "text": "because",
    }
    layer = walked([FIRST, SECOND], [rule])["second"]
    assert (layer.state, layer.heading, layer.steps[-1].rule, layer.steps[-1].by) == (
        "displaced",
        "9903.01.33",
        "r",
        ("first",),
    )


@pytest.mark.parametrize("row", [{"rate": "0%"}, {"rate": "25%", "base": {"steel": "1"}}])
def test_a_measure_that_charges_nothing_displaces_nothing(row: dict[str, Any]) -> None:
    rule = {"id": "r", "when": ["first"], "on": ["second"], "take": "all"}
    layers = walked([measure("first", [row]), SECOND], [rule], content=frozenset({COPPER}))
    assert layers["first"].state == "exempt"
    assert layers["second"].state == "applied"


def test_take_content_leaves_what_the_other_does_not_cover() -> None:
    steel = measure("first", [{"rate": "50%", "base": {"steel": "1"}}])
    layer = walked([steel, SECOND], [{"id": "r", "when": ["first"], "on": ["second"], "take": "content"}])[
        "second"
    ]
    assert layer.state == "applied"
    assert weights(layer) == dict.fromkeys(("aluminum", "copper", "us", "us_above", "rest"), 1.0)


def test_content_taken_twice_is_taken_once() -> None:
    steel = measure("first", [{"rate": "50%", "base": {"steel": "1"}}])
    again = measure("third", [{"rate": "20%", "base": {"steel": "1"}}])
    rule = {"id": "r", "when": ["first", "third"], "on": ["second"], "take": "content"}
    assert min(walked([steel, again, SECOND], [rule])["second"].weights) == 0


def test_content_of_a_full_base_takes_everything() -> None:
    layer = walked([FIRST, SECOND], [{"id": "r", "when": ["first"], "on": ["second"], "take": "content"}])[
        "second"
    ]
    assert layer.state == "displaced"


def test_rules_are_walked_in_order_and_a_displaced_measure_fires_no_more() -> None:
    third = measure("third", [{"rate": "5%"}])
    rules = [
        {"id": "one", "when": ["first"], "on": ["second"], "take": "all"},
        {"id": "two", "when": ["second"], "on": ["third"], "take": "all"},
    ]
    assert walked([FIRST, SECOND, third], rules)["third"].state == "applied"
    assert walked([FIRST, SECOND, third], rules[::-1])["third"].state == "displaced"


def test_take_base_puts_another_base_under_a_condition() -> None:
    rule = {"id": "r", "if": ["gift"], "on": ["top"], "take": "base", "base": {"processing": "1"}}
    assert weights(walked([FIRST], [rule], true=frozenset({"gift"}))["first"]) == {"processing": 1.0}
    assert "rest" in weights(walked([FIRST], [rule])["first"])


@pytest.mark.parametrize(("base", "left"), [({}, "processing"), ({"steel": "1"}, "steel")])
def test_take_full_base_replaces_the_base_of_a_layer_on_the_full_value_alone(
    base: dict[str, str], left: str
) -> None:
    rule = {"id": "r", "if": ["gift"], "on": ["top"], "take": "full_base", "base": {"processing": "1"}}
    first = measure("first", [{"rate": "25%", **({"base": base} if base else {})}])
    assert weights(walked([first], [rule], true=frozenset({"gift"}))["first"]) == {left: 1.0}


def test_unless_holds_a_rule_back() -> None:
    rule = {"id": "r", "when": ["first"], "on": ["second"], "take": "all", "unless": ["gift"]}
    assert walked([FIRST, SECOND], [rule], true=frozenset({"gift"}))["second"].state == "applied"


@pytest.mark.parametrize(("heading", "state"), [("9903.01.67", "applied"), ("9903.01.02", "displaced")])
def test_a_measure_charged_under_a_heading_of_when_not_does_not_fire(heading: str, state: str) -> None:
    rule = {"id": "r", "when": ["first"], "when_not": ["9903.01.67"], "on": ["second"], "take": "all"}
    first = measure("first", [{"rate": "25%", "heading": heading}])
    assert walked([first, SECOND], [rule])["second"].state == state


@pytest.mark.parametrize(("pick", "kept"), [("first", "second"), ("highest", "first")])
def test_one_of_keeps_one(pick: str, kept: str) -> None:
    layers = walked([FIRST, SECOND], [{"id": "r", "one_of": ["second", "first"], "pick": pick}])
    assert [name for name, layer in layers.items() if layer.charged] == [kept]


def test_a_top_up_counts_as_charged_whatever_it_comes_to() -> None:
    floor = measure("first", [{"kind": "topup_to", "rate": "15%"}], displaces_at_zero="yes")
    layers = walked([floor, SECOND], [{"id": "r", "one_of": ["first", "second"], "pick": "first"}])
    assert layers["second"].state == "displaced"


def test_a_total_is_in_lieu_of_the_ordinary_duty() -> None:
    ordinary = measure("ordinary", [{"kind": "ordinary", "column": "general"}])
    total = measure("total", [{"kind": "total", "rate": "100%"}])
    layers = walked([ordinary, total], [])
    assert (layers["ordinary"].state, layers["ordinary"].steps[-1].rule) == ("displaced", "in_lieu")


def test_an_authority_node_selects_all_below() -> None:
    other = {**measure("third", [{"rate": "5%"}]), "authority": "elsewhere"}
    rule = {"id": "r", "when": ["third"], "on": ["top"], "take": "all"}
    states = {name: layer.state for name, layer in walked([FIRST, SECOND, other], [rule]).items()}
    assert states == {"first": "displaced", "second": "displaced", "third": "applied"}


def test_part_of_a_mixed_base_survives_without_content() -> None:
    mixed = measure("first", [{"rate": "25%", "base": {"steel": "1", "copper": "1"}}])
    assert walked([mixed], [], content=frozenset({STEEL}))["first"].state == "applied"
