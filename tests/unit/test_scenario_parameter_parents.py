"""Parameters of parents, mixtures and several scenarios of one call."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_share
from tariffs.engine.scenario import (
    Scenario,
    apply_scenario,
    components,
    difference,
    fill_parameters,
    lineage,
    parse_scenario,
)
from tariffs.engine.scenario.named import library_of
from tests.unit.test_scenario_parameters import CHANGES, DECLARED, HEAD, RATE, problems


def file_of(name: str, rest: str) -> str:
    return HEAD.replace("id: mine", f"id: {name}") + rest


def known(tmp_path: Path, **files: str) -> dict[str, Scenario]:
    """Read files by name as a library; an underscore is written as a hyphen."""
    for name, rest in files.items():
        path = tmp_path / f"{name.replace('_', '-')}.yaml"
        path.write_text(file_of(path.stem, rest), encoding="utf-8")
    return dict(library_of(tmp_path))


PARENT = "parameters: {cn: {default: 15%, title: China}}\n" + RATE + "$cn}\n"


def test_a_value_fills_parents_too(tmp_path: Path) -> None:
    child = (
        "parents: [parent]\nparameters: {vn: {default: 5%}}\n" + RATE.replace("fl301", "s122_10") + "$vn}\n"
    )
    plain = child.replace("parameters: {vn: {default: 5%}}\n", "").replace("$vn", "7%")
    found, other_known = (
        known(tmp_path, parent=parent, child=child)
        for parent, child in ((PARENT, child), (RATE + "30%}\n", plain))
    )
    assert set(found["child"].parameters) == {"cn", "vn"}
    filled = found["child"].with_parameters({"cn": "30%", "vn": "7%"})
    assert filled.digest == other_known["child"].digest
    rates = [step.changes[0].rate for step in lineage(filled, found)]
    assert rates == [step.changes[0].rate for step in lineage(other_known["child"], other_known)]
    assert (
        difference(
            apply_scenario(load_law(), filled, found),
            apply_scenario(load_law(), other_known["child"], other_known),
        )
        == []
    )


def test_a_childs_default_holds_for_its_parents(tmp_path: Path) -> None:
    child = "parents: [parent]\nparameters: {cn: {default: 40%}}\n"
    found = known(tmp_path, parent=PARENT, child=child)
    rates = [change.rate for step in lineage(found["child"], found) for change in step.changes]
    assert [str(rate) for rate in rates] == ["0.4"]
    assert found["child"].parameters["cn"].title == "China"


def test_parents_that_disagree_on_a_default_are_an_error(tmp_path: Path) -> None:
    files = {"one": PARENT, "two": PARENT.replace("15%", "16%"), "child": "parents: [one, two]\n"}
    with pytest.raises(ScenarioError, match="the defaults 15% and 16%") as caught:
        known(tmp_path, **files)
    assert (caught.value.path, caught.value.line, caught.value.column) == ("parents[1]", 5, 16)
    agreed = known(tmp_path, **{**files, "child": "parents: [one, two]\nparameters: {cn: {default: 1%}}\n"})
    assert agreed["child"].values == {"cn": "1%"}


def test_a_value_that_does_not_fit_a_parent_is_refused_where_the_parent_is_named(tmp_path: Path) -> None:
    found = known(tmp_path, parent=PARENT, child="parents: [parent]\n")
    with pytest.raises(ScenarioError, match=r"parent.yaml:7:67: The value of the parameter cn") as caught:
        found["child"].with_parameters({"cn": "20"})
    assert (caught.value.reason, caught.value.path, caught.value.line) == (
        "PARAMETER_INVALID",
        "parents[0]",
        5,
    )


def test_a_mixture_takes_weights_and_the_parameters_of_its_components(tmp_path: Path) -> None:
    mixed = (
        "parameters: {p: {default: 60%}, q: {default: 40%}}\n"
        "mixture: [{scenario: parent, weight: $p}, {scenario: child, weight: $q}]\n"
    )
    found = known(tmp_path, parent=PARENT, child="parents: [parent]\n", mixed=mixed)
    filled = found["mixed"].with_parameters({"p": "0.25", "q": "75%", "cn": "33%"})
    parts = components(filled, found)
    assert [(str(weight), part.id) for weight, part in parts] == [("0.25", "parent"), ("0.75", "child")]
    assert [str(lineage(part, found)[0].changes[0].rate) for _, part in parts] == ["0.33", "0.33"]
    with pytest.raises(ScenarioError, match=r"The weights sum to 0\.9\."):
        found["mixed"].with_parameters({"p": "50%"})


MIXED = "mixture: [{scenario: truce-lapses, weight: %s}, {scenario: truce-extended, weight: %s}]\n"


@pytest.mark.parametrize(("text", "left"), [("30%", "0.7"), ("0.125", "0.875"), ("1", "0"), ("0", "1")])
def test_the_rest_of_a_mixture_is_what_the_other_weights_leave(text: str, left: str) -> None:
    declared = "parameters: {p: {default: 50%}}\n"
    filled = parse_scenario(HEAD + declared + MIXED % ("$p", "rest")).with_parameters({"p": text})
    assert filled.digest == parse_scenario(HEAD + MIXED % (text, left)).digest
    assert [part.weight for part in filled.mixture] == [read_share(text), Decimal(left)]


@pytest.mark.parametrize(
    ("weights", "path"),
    [
        (("rest", "rest"), "mixture[0].weight"),
        (("120%", "rest"), "mixture[0].weight"),
        (("$p", "rest"), "mixture[0].weight"),
    ],
)
def test_a_rest_that_cannot_be_told_is_a_problem(weights: tuple[str, str], path: str) -> None:
    found = problems(HEAD + MIXED % weights)
    assert found[0][:3] == ("SCENARIO_SYNTAX", path, 5)


def test_a_value_fills_every_scenario_of_a_call_that_declares_it() -> None:
    both = parse_scenario(DECLARED + CHANGES), parse_scenario(HEAD + PARENT), parse_scenario(HEAD)
    one, two, three = fill_parameters(both, {"cn": "20%", "start": "2027-02-01"})
    assert one.values == {**both[0].values, "cn": "20%", "start": "2027-02-01"}
    assert two.values == {"cn": "20%"}
    assert three is both[2]
    with pytest.raises(ScenarioError, match="mine has no parameter 'vn'") as caught:
        fill_parameters(both, {"cn": "20%", "vn": "1%"})
    assert caught.value.reason == "PARAMETER_UNKNOWN"


def test_a_filled_scenario_can_be_sent_to_another_process() -> None:
    filled = parse_scenario(DECLARED + CHANGES).with_parameters({"cn": "20%"})
    filled.with_parameters({"cn": "25%"})
    again = pickle.loads(pickle.dumps(filled))
    assert again.with_parameters({"cn": "30%"}).digest == filled.with_parameters({"cn": "30%"}).digest
