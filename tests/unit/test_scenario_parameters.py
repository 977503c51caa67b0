"""Parameters of scenarios: a filled scenario is the one written with plain values; every mistake has its place."""

from __future__ import annotations

import pickle
import random
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.law.values import read_share
from tariffs.engine.scenario import (
    Scenario,
    apply_scenario,
    check_scenario,
    column_value,
    components,
    difference,
    fill_parameters,
    lineage,
    parse_scenario,
)
from tariffs.engine.scenario.named import library_of
from tariffs.engine.scenario.read import read_draft
from tests.unit.scenario_tables import HEAD, MINE, faults

DECLARED = MINE + (
    "parameters:\n"
    "  cn: {default: 12.5%, title: rate of the forced-labor duty on China}\n"
    "  start: {default: 2027-01-01}\n"
    "  stop: {default: '2028-01-01'}\n"
    "  eu_too: {default: off}\n"
    "  usmca: {default: 0.9}\n"
)
CHANGES = (
    "changes:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [EU]}, from: $start, rate: $cn, when: $eu_too}\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: $start, rate: $cn}\n"
    "  - {op: set_claim, claim: usmca_share, share: $usmca, from: $start, until: $stop}\n"
)
VALUES = {
    "cn": ("12.5%", "0.2", "20%", "0%", "300%", "0.125"),
    "start": ("2027-01-01", "2027-01-01T00:01-05:00", "2026-12-31"),
    "stop": ("2028-01-01", "2027-06-30"),
    "eu_too": ("on", "off", "yes", "no", "true", "0"),
    "usmca": ("0.9", "90%", "1", "0"),
}


def written(values: dict[str, str]) -> str:
    """Write the scenario with plain values by replacing text, which shares nothing with the reader."""
    lines = CHANGES.splitlines()
    if values["eu_too"] in {"off", "no", "0"}:
        lines = [line for line in lines if "when:" not in line]
    text = "\n".join(lines).replace(", when: $eu_too", "")
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return MINE + text + "\n"


def error_of(text: str, **values: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "mine.yaml").with_parameters(values)
    return caught.value


def at(text: str, mark: str) -> tuple[int, int]:
    """Line and column of the place that `|` marks in a piece of the text."""
    before, _ = mark.split("|")
    index = text.index(mark.replace("|", "")) + len(before)
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def problems(text: str, **values: str) -> list[tuple[str, str, int, int]]:
    found = check_scenario(text, load_law(), "mine.yaml", parameters=values)
    return [(problem.reason, problem.path, problem.line, problem.column) for problem in found]


def test_a_filled_scenario_is_the_one_read_as_a_whole_and_the_one_written_with_plain_values(
    scale: int,
) -> None:
    text, draw = DECLARED + CHANGES, random.Random(2)
    scenario = parse_scenario(text)
    defaults = {name: parameter.default for name, parameter in scenario.parameters.items()}
    assert scenario.values == defaults
    assert scenario.digest == scenario.with_parameters({}).digest == parse_scenario(written(defaults)).digest
    for _ in range(60 * scale):
        values = {name: draw.choice(texts) for name, texts in VALUES.items() if draw.random() < 0.7}
        read, plain = (
            read_draft(text, "scenario", values).scenario,
            parse_scenario(written(defaults | values)),
        )
        assert read is not None
        filled = scenario.with_parameters(values)
        assert filled.digest == plain.digest
        assert filled.with_parameters({}).digest == scenario.digest
        assert filled.changes == read.changes == plain.changes
        assert (filled.values, filled.places) == (read.values, read.places)
        with pytest.raises(ScenarioError) as caught:
            scenario.with_parameters({**values, "usmca": "200%"})
        assert (caught.value.reason, caught.value.path) == ("PARAMETER_INVALID", "changes[2].share")
    assert scenario.with_parameters({"cn": " 20% "}).values == {**defaults, "cn": "20%"}


def test_parameters_have_titles_kinds_and_values_of_columns() -> None:
    found = parse_scenario(DECLARED + CHANGES).parameters
    assert found["cn"].title == "rate of the forced-labor duty on China"
    columns = {"cn": 0.125, "start": "2027-01-01", "stop": "2028-01-01", "eu_too": 0.0, "usmca": 0.9}
    assert {name: column_value(one, one.default) for name, one in found.items()} == columns
    kinds = ["rate", "date", "date", "on_off", "share"]
    assert [parameter.kind for parameter in found.values()] == kinds


def test_a_changes_place_is_that_in_the_file_when_one_before_it_is_off() -> None:
    scenario = parse_scenario(DECLARED + CHANGES)
    assert [change.path for change in scenario.changes] == ["changes[0]", "changes[1]"]
    assert (scenario.places["changes[0].rate"].line, scenario.places["changes[1].claim"].line) == (13, 14)
    assert "changes[2]" not in scenario.places
    assert problems(DECLARED + CHANGES.replace("[CN]", "[XX]")) == [
        ("NOTHING_MATCHED", "changes[0].measures.origins", 13, 51)
    ]


@pytest.mark.parametrize(
    ("name", "value", "reason", "path", "place"),
    [
        ("cm", "20%", "PARAMETER_UNKNOWN", "parameters", "parameters:\n  |cn"),
        ("cn", "20", "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ("cn", "", "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ("cn", "$stop", "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ("start", "soon", "PARAMETER_INVALID", "changes[0].from", "[EU]}, from: |$start"),
        ("eu_too", "maybe", "PARAMETER_INVALID", "changes[0].when", "when: |$eu_too"),
        ("usmca", "110%", "PARAMETER_INVALID", "changes[2].share", "share: |$usmca"),
        ("stop", "2026-01-01", "CHANGE_DATES_REVERSED", "changes[2].until", "until: |$stop"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(
    name: str, value: str, reason: str, path: str, place: str
) -> None:
    text = DECLARED + CHANGES
    assert (reason, path, *at(text, place)) in problems(text, **{name: value})
    error = error_of(text, **{name: value})
    assert error.reason == reason
    assert error.line
    assert error.column
    assert error.fix


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    error = error_of(DECLARED + CHANGES, eu_to="on")
    assert "Did you mean eu_too?" in error.fix
    assert "Known: cn, eu_too, start, stop, usmca." in error.fix
    assert error.metadata["nearest"] == "eu_too"
    assert error_of(MINE, cn="20%").reason == "PARAMETER_UNKNOWN"


RATE = "changes:\n  - {op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: "
OF_CN = RATE + "$cn}\n"
SYNTAX = "SCENARIO_SYNTAX"


@pytest.mark.parametrize(
    ("text", "reason", "path", "line", "column"),
    [
        (OF_CN, SYNTAX, "changes[0].rate", 6, 67),
        ("parameters: {cn: {default: 20}}\n" + OF_CN, SYNTAX, "parameters.cn.default", 5, 28),
        ("parameters: {cn: {title: A rate}}\n" + OF_CN, SYNTAX, "parameters.cn", 5, 18),
        ("parameters: {cn: {default: ''}}\n" + OF_CN, SYNTAX, "parameters.cn.default", 5, 28),
        ("parameters: {cn: 20%}\n" + OF_CN, SYNTAX, "parameters.cn", 5, 18),
        ("parameters: [cn]\n", SYNTAX, "parameters", 5, 13),
        ("parameters: {CN: {default: 20%}}\n" + RATE + "$CN}\n", SYNTAX, "parameters.CN", 5, 18),
        ("parameters: {cn: {default: 2%, hue: red}}\n" + OF_CN, "SCENARIO_UNKNOWN_KEY", "parameters.cn.hue", 5, 32),
        ("parameters: {cn: {default: 20%}}\ntags: [$cn]\nparents: [$cn]\n" + OF_CN, SYNTAX, "parents[0]", 7, 11),
        ("parameters: {c: {default: 2%}}\n" + RATE + "$c, heading: $c}\n", SYNTAX, "changes[0].heading", 7, 80),
        ("parameters: {x: {default: 2%}}\n" + RATE + "$x, known_from: $x}\n", SYNTAX, "changes[0].known_from", 7, 83),
        ("parameters: {cn: {default: 20%}}\n" + RATE + "20%}\n", "PARAMETER_UNUSED", "parameters.cn", 5, 18),
        (RATE + "20%, when: perhaps}\n", SYNTAX, "changes[0].when", 6, 78),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_has_its_place(
    text: str, reason: str, path: str, line: int, column: int
) -> None:
    assert problems(MINE + text) == [(reason, path, line, column)]


def test_texts_for_people_may_have_dollar_signs() -> None:
    text = MINE.replace("Mine", "$cn") + RATE + "20%, note: $100}\n"
    assert parse_scenario(text).title == "$cn"


def test_a_change_that_is_off_is_checked_for_its_names() -> None:
    text = "parameters: {on: {default: off}}\n" + RATE.replace("fl301", "fl302") + "20%, when: $on}\n"
    assert ("NOTHING_MATCHED", "changes[0].measures.id", 7, 35) in problems(MINE + text)
    assert [change.op for change in parse_scenario(MINE + text).changes] == []
    assert parse_scenario(MINE + text).digest == parse_scenario(MINE).digest


ASSUMED = (
    "assumptions:\n"
    "  let_through: {cn.rare_earth_controls: SHARE}\n"
    "  compliance: {cn.commitment_soybeans: SHARE}\n"
    "  port_calls: {port_fees: {kind: operated, net_tons: TONS, teu: 10000, calls: 1, share: SHARE}}\n"
    "changes:\n"
    "  - op: add\n"
    "    measure:\n"
    "      id: new\n"
    "      title: New\n"
    "      authority: s301.new\n"
    "      periods:\n"
    "        - id: new_1\n"
    "          from: START\n"
    "          base: {full: SHARE}\n"
    "          rows: [{by_origin: {CN: [RATE, 9903.99.99]}}, {origins: [VN], rate: RATE}]\n"
    "  - {op: set_rate, measures: {id: fl301}, from: START, by: STEP}\n"
    "  - {op: invalidate, measures: {id: fl301}, at: START, from_beginning: VOID}\n"
    "  - {op: shock_quantity, from: START, floor: TONS, compliance: SHARE}\n"
)
FILLED = {  # default and value
    "SHARE": ("0", "0.4"),
    "TONS": ("1", "60000"),
    "RATE": ("0%", "20%"),
    "START": ("2026-12-01", "2027-02-01"),
    "STEP": ("x2", "+10pp"),
    "VOID": ("no", "yes"),
}


def test_parameters_stand_in_assumptions_measures_and_every_kind_of_value() -> None:
    text, plain = ASSUMED, ASSUMED
    for name, (_, value) in FILLED.items():
        text, plain = text.replace(name, f"${name.lower()}"), plain.replace(name, value)
    parameters = {name.lower(): {"default": default} for name, (default, _) in FILLED.items()}
    scenario = parse_scenario(MINE + yaml.safe_dump({"parameters": parameters}) + text)
    filled = scenario.with_parameters({name.lower(): value for name, (_, value) in FILLED.items()})
    expected = parse_scenario(MINE + plain)
    assert filled.digest == expected.digest != scenario.digest
    assert (filled.changes, filled.assumptions) == (expected.changes, expected.assumptions)
    assert faults(yaml.load(scenario.text, Loader=yaml.BaseLoader)) == []


def known(folder: Path, **files: str) -> dict[str, Scenario]:
    """Read files by name as a library."""
    for name, rest in files.items():
        (folder / f"{name}.yaml").write_text(HEAD.format(id=name) + rest, encoding="utf-8")
    return dict(library_of(folder))


PARENT = "parameters: {cn: {default: 15%, title: China}}\n" + OF_CN


def test_a_value_fills_parents_too_and_a_childs_default_holds_for_them(tmp_path: Path) -> None:
    rate = RATE.replace("fl301", "s122_10")
    child = "parents: [parent]\nparameters: {vn: {default: 5%}}\n" + rate + "$vn}\n"
    found = known(tmp_path, parent=PARENT, child=child)
    assert set(found["child"].parameters) == {"cn", "vn"}
    filled = found["child"].with_parameters({"cn": "30%", "vn": "7%"})
    rates = [step.changes[0].rate for step in lineage(filled, found)]
    changed = apply_scenario(load_law(), filled, found)
    plain = known(tmp_path, parent=RATE + "30%}\n", child=f"parents: [parent]\n{rate}7%}}\n")
    assert filled.digest == plain["child"].digest
    assert rates == [step.changes[0].rate for step in lineage(plain["child"], plain)]
    assert difference(changed, apply_scenario(load_law(), plain["child"], plain)) == []
    own = known(tmp_path, parent=PARENT, child="parents: [parent]\nparameters: {cn: {default: 40%}}\n")
    rates = [change.rate for step in lineage(own["child"], own) for change in step.changes]
    assert [str(rate) for rate in rates] == ["0.4"]
    assert own["child"].parameters["cn"].title == "China"


def test_parents_that_disagree_or_do_not_fit_are_an_error_where_the_parent_is_named(tmp_path: Path) -> None:
    files = {"one": PARENT, "two": PARENT.replace("15%", "16%"), "child": "parents: [one, two]\n"}
    with pytest.raises(ScenarioError, match="the defaults 15% and 16%") as caught:
        known(tmp_path, **files)
    assert (caught.value.path, caught.value.line, caught.value.column) == ("parents[1]", 5, 16)
    agreed = known(tmp_path, **{**files, "child": "parents: [one, two]\nparameters: {cn: {default: 1%}}\n"})
    assert agreed["child"].values == {"cn": "1%"}
    with pytest.raises(ScenarioError, match=r"one.yaml:7:67: The value of the parameter cn") as caught:
        agreed["child"].with_parameters({"cn": "20"})
    assert (caught.value.reason, caught.value.path) == ("PARAMETER_INVALID", "parents[0]")


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
    filled = parse_scenario(MINE + declared + MIXED % ("$p", "rest")).with_parameters({"p": text})
    assert filled.digest == parse_scenario(MINE + MIXED % (text, left)).digest
    assert [part.weight for part in filled.mixture] == [read_share(text), Decimal(left)]
    for weights in (("rest", "rest"), ("120%", "rest"), ("$p", "rest")):
        assert problems(MINE + MIXED % weights)[0][:3] == (SYNTAX, "mixture[0].weight", 5)


def test_a_value_fills_every_scenario_of_a_call_that_declares_it_also_in_another_process() -> None:
    both = parse_scenario(DECLARED + CHANGES), parse_scenario(MINE + PARENT), parse_scenario(MINE)
    one, two, three = fill_parameters(both, {"cn": "20%", "start": "2027-02-01"})
    assert one.values == {**both[0].values, "cn": "20%", "start": "2027-02-01"}
    assert two.values == {"cn": "20%"}
    assert three is both[2]
    with pytest.raises(ScenarioError, match="mine has no parameter 'vn'") as caught:
        fill_parameters(both, {"cn": "20%", "vn": "1%"})
    assert caught.value.reason == "PARAMETER_UNKNOWN"
    again = pickle.loads(pickle.dumps(one))
    assert again.with_parameters({"cn": "30%"}).digest == one.with_parameters({"cn": "30%"}).digest
