"""Parameters of scenarios: a filled scenario is the one written with plain values; every mistake has its place."""

from __future__ import annotations

import random

import pytest
import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.scenario import (
    apply_scenario,
    check_scenario,
    column_value,
    difference,
    parse_scenario,
)
from tariffs.engine.scenario.read import read_draft
from tariffs.engine.scenario.schema import json_schema
from tests.unit.json_schema import faults

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"
DECLARED = HEAD + (
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
    return HEAD + text + "\n"


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


def test_a_filled_scenario_is_the_one_written_with_plain_values(scale: int) -> None:
    scenario, law, draw = parse_scenario(DECLARED + CHANGES), load_law(), random.Random(1)
    for _ in range(12 * scale):
        values = {name: draw.choice(texts) for name, texts in VALUES.items()}
        filled, plain = scenario.with_parameters(values), parse_scenario(written(values))
        assert filled.digest == plain.digest
        assert filled.changes == plain.changes
        assert difference(apply_scenario(law, filled), apply_scenario(law, plain)) == []


def test_a_scenario_filled_many_times_is_the_one_read_as_a_whole(scale: int) -> None:
    text = DECLARED + CHANGES
    scenario, draw = parse_scenario(text), random.Random(2)
    for _ in range(100 * scale):
        values = {name: draw.choice(texts) for name, texts in VALUES.items() if draw.random() < 0.7}
        read = read_draft(text, "scenario", values).scenario
        assert read is not None
        filled = scenario.with_parameters(values)
        assert (filled.changes, filled.values, filled.places) == (read.changes, read.values, read.places)
        with pytest.raises(ScenarioError) as caught:
            scenario.with_parameters({**values, "usmca": "200%"})
        assert (caught.value.reason, caught.value.path) == ("PARAMETER_INVALID", "changes[2].share")


def test_defaults_hold_where_no_value_is_given() -> None:
    scenario = parse_scenario(DECLARED + CHANGES)
    defaults = {name: parameter.default for name, parameter in scenario.parameters.items()}
    plain = parse_scenario(written(defaults))
    assert scenario.digest == plain.digest == scenario.with_parameters({}).digest
    assert scenario.with_parameters({"cn": "20%"}).with_parameters({}).digest == plain.digest
    assert scenario.values == defaults
    assert scenario.with_parameters({"cn": " 20% "}).values == {**defaults, "cn": "20%"}


def test_parameters_have_titles_and_kinds() -> None:
    found = parse_scenario(DECLARED + CHANGES).parameters
    assert found["cn"].title == "rate of the forced-labor duty on China"
    assert {name: parameter.kind for name, parameter in found.items()} == {
        "cn": "rate",
        "start": "date",
        "stop": "date",
        "eu_too": "on_off",
        "usmca": "share",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("cn", "12.5%", 0.125),
        ("cn", "0.1", 0.1),
        ("eu_too", "on", 1.0),
        ("eu_too", "no", 0.0),
        ("start", "2027-01-01", "2027-01-01"),
        ("usmca", "1", 1.0),
    ],
)
def test_a_value_in_a_column_is_the_float_of_its_decimal_text(name: str, text: str, value: object) -> None:
    assert column_value(parse_scenario(DECLARED + CHANGES).parameters[name], text) == value


def test_a_scenario_without_parameters_is_returned_as_it_is() -> None:
    scenario = parse_scenario(HEAD)
    assert scenario.with_parameters({}) is scenario
    assert error_of(HEAD, cn="20%").reason == "PARAMETER_UNKNOWN"


def test_a_changes_place_is_that_in_the_file_when_one_before_it_is_off() -> None:
    scenario = parse_scenario(DECLARED + CHANGES)
    assert [change.path for change in scenario.changes] == ["changes[0]", "changes[1]"]
    assert (scenario.places["changes[0].rate"].line, scenario.places["changes[1].claim"].line) == (13, 14)
    assert "changes[2]" not in scenario.places
    assert problems(DECLARED + CHANGES.replace("[CN]", "[XX]")) == [
        ("NOTHING_MATCHED", "changes[0].measures.origins", 13, 51)
    ]


@pytest.mark.parametrize(
    ("values", "reason", "path", "place"),
    [
        ({"cm": "20%"}, "PARAMETER_UNKNOWN", "parameters", "parameters:\n  |cn"),
        ({"cn": "20"}, "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ({"cn": ""}, "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ({"cn": "$stop"}, "PARAMETER_INVALID", "changes[0].rate", "[EU]}, from: $start, rate: |$cn"),
        ({"start": "soon"}, "PARAMETER_INVALID", "changes[0].from", "[EU]}, from: |$start"),
        ({"eu_too": "maybe"}, "PARAMETER_INVALID", "changes[0].when", "when: |$eu_too"),
        ({"usmca": "110%"}, "PARAMETER_INVALID", "changes[2].share", "share: |$usmca"),
        ({"stop": "2026-01-01"}, "CHANGE_DATES_REVERSED", "changes[2].until", "until: |$stop"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(
    values: dict[str, str], reason: str, path: str, place: str
) -> None:
    text = DECLARED + CHANGES
    assert (reason, path, *at(text, place)) in problems(text, **values)
    error = error_of(text, **values)
    assert error.reason == reason
    assert error.line
    assert error.column
    assert error.fix


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    error = error_of(DECLARED + CHANGES, eu_to="on")
    assert "Did you mean eu_too?" in error.fix
    assert "Known: cn, eu_too, start, stop, usmca." in error.fix
    assert error.metadata["nearest"] == "eu_too"


RATE = "changes:\n  - {op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RATE + "$cn}\n", ("SCENARIO_SYNTAX", "changes[0].rate", 6, 67)),
        ("parameters: {cn: {default: 20}}\n" + RATE + "$cn}\n",
         ("SCENARIO_SYNTAX", "parameters.cn.default", 5, 28)),
        ("parameters: {cn: {title: A rate}}\n" + RATE + "$cn}\n", ("SCENARIO_SYNTAX", "parameters.cn", 5, 18)),
        ("parameters: {cn: {default: ''}}\n" + RATE + "$cn}\n",
         ("SCENARIO_SYNTAX", "parameters.cn.default", 5, 28)),
        ("parameters: {cn: 20%}\n" + RATE + "$cn}\n", ("SCENARIO_SYNTAX", "parameters.cn", 5, 18)),
        ("parameters: [cn]\n", ("SCENARIO_SYNTAX", "parameters", 5, 13)),
        ("parameters: {CN: {default: 20%}}\n" + RATE + "$CN}\n", ("SCENARIO_SYNTAX", "parameters.CN", 5, 18)),
        ("parameters: {cn: {default: 20%, colour: red}}\n" + RATE + "$cn}\n",
         ("SCENARIO_UNKNOWN_KEY", "parameters.cn.colour", 5, 33)),
        ("parameters: {cn: {default: 20%}}\ntags: [$cn]\nparents: [$cn]\n" + RATE + "$cn}\n",
         ("SCENARIO_SYNTAX", "parents[0]", 7, 11)),
        ("parameters: {cn: {default: 20%}}\n" + RATE + "$cn, heading: $cn}\n",
         ("SCENARIO_SYNTAX", "changes[0].heading", 7, 81)),
        ("parameters: {x: {default: 20%}}\n" + RATE + "$x, known_from: $x}\n",
         ("SCENARIO_SYNTAX", "changes[0].known_from", 7, 83)),
        ("parameters: {cn: {default: 20%}}\n" + RATE + "20%}\n", ("PARAMETER_UNUSED", "parameters.cn", 5, 18)),
        (RATE + "20%, when: perhaps}\n", ("SCENARIO_SYNTAX", "changes[0].when", 6, 78)),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_has_its_place(text: str, expected: tuple[str, str, int, int]) -> None:
    assert problems(HEAD + text) == [expected]


def test_texts_for_people_may_have_dollar_signs() -> None:
    text = HEAD.replace("Mine", "$cn") + RATE + "20%, note: $100}\n"
    assert parse_scenario(text).title == "$cn"


def test_a_change_that_is_off_is_checked_for_its_names() -> None:
    text = "parameters: {on: {default: off}}\n" + RATE.replace("fl301", "fl302") + "20%, when: $on}\n"
    assert ("NOTHING_MATCHED", "changes[0].measures.id", 7, 35) in problems(HEAD + text)
    assert [change.op for change in parse_scenario(HEAD + text).changes] == []
    assert parse_scenario(HEAD + text).digest == parse_scenario(HEAD).digest


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
    "          rows: [{by_origin: {CN: [RATE, HEADING_A]}}, {origins: [VN], rate: RATE}]\n"
    "  - {op: set_rate, measures: {id: fl301}, from: START, by: STEP}\n"
    "  - {op: invalidate, measures: {id: fl301}, at: START, from_beginning: VOID}\n"
    "  - {op: shock_quantity, from: START, floor: TONS, compliance: SHARE}\n"
)
FILLED = {
    "SHARE": "0.4",
    "TONS": "60000",
    "RATE": "20%",
    "START": "2027-02-01",
    "STEP": "+10pp",
    "VOID": "yes",
}


def test_parameters_stand_in_assumptions_measures_and_every_kind_of_value() -> None:
    text, plain = ASSUMED, ASSUMED
    for name, value in FILLED.items():
        text, plain = text.replace(name, f"${name.lower()}"), plain.replace(name, value)
    text = text.replace("HEADING_A", "9903.99.99")
    plain = plain.replace("HEADING_A", "9903.99.99")
    defaults = {"SHARE": "0", "TONS": "1", "RATE": "0%", "START": "2026-12-01", "STEP": "x2", "VOID": "no"}
    declared = yaml.safe_dump(
        {"parameters": {name.lower(): {"default": value} for name, value in defaults.items()}}
    )
    scenario = parse_scenario(HEAD + declared + text)
    filled = scenario.with_parameters({name.lower(): value for name, value in FILLED.items()})
    expected = parse_scenario(HEAD + plain)
    assert filled.digest == expected.digest != scenario.digest
    assert (filled.changes, filled.assumptions) == (expected.changes, expected.assumptions)
    form = json_schema()
    assert faults(yaml.load(scenario.text, Loader=yaml.BaseLoader), form, form) == []
