"""Wrong numbers and names in changes of a scenario are problems with line, column and fix."""

from __future__ import annotations

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, check_scenario, parse_scenario

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
SET_RATE = "  - op: set_rate\n    measures: {id: fl301}\n    from: 2027-01-01\n    rate: 20%\n    base: "
ADD = (
    "  - op: add\n    measure:\n      id: mine\n      authority: mine\n      periods:\n        - id: mine_1\n"
    "          from: 2027-01-01\n          rows:\n            - "
)
ADDED = "changes[0].measure.periods[0].rows[0]"


@pytest.mark.parametrize(
    ("change", "path", "line", "column"),
    [
        (SET_RATE + "{steel: abc}", "changes[0].base.steel", 10, 19),
        (SET_RATE + "{steel: nan}", "changes[0].base.steel", 10, 19),
        (SET_RATE + "{steel: inf}", "changes[0].base.steel", 10, 19),
        (SET_RATE + "{steel: 1e30}", "changes[0].base.steel", 10, 19),
        (SET_RATE + "{full: 5}", "changes[0].base.full", 10, 18),
        (SET_RATE + "{full: 1, steel: 1}", "changes[0].base", 10, 11),
        (SET_RATE + "{steel: 0.5, full: -1}", "changes[0].base", 10, 11),
        (SET_RATE + "{gold: 1}", "changes[0].base.gold", 10, 18),
        (ADD + "{rate: abc}", f"{ADDED}.rate", 14, 22),
        (ADD + "{rate: nan}", f"{ADDED}.rate", 14, 22),
        (ADD + "{rate: 10%, base: {steel: abc}}", f"{ADDED}.base.steel", 14, 41),
        (ADD + "{rate: 10%, base: {full: 1e30}}", f"{ADDED}.base.full", 14, 40),
        (ADD + "{kind: specific, rate: 5%}", f"{ADDED}.rate", 14, 38),
        (ADD + "{kind: specific, rate: 0.22 USD/parsec}", f"{ADDED}.rate", 14, 38),
        (ADD + "{kind: specific, tiers: [{up_to: 5 kg}]}", f"{ADDED}.tiers[0]", 14, 40),
        (ADD + "{kind: specific, tiers: [{rate: 5%}]}", f"{ADDED}.tiers[0].rate", 14, 47),
        (ADD + "{kind: specific, tiers: [{up_to: x, rate: 1 USD/kg}]}", f"{ADDED}.tiers[0].up_to", 14, 48),
        (ADD + "{rate: 10%, if: [processing_value > nan]}", f"{ADDED}.if", 14, 31),
        (ADD + "{rate: 10%, if: [processing_value > 1e999999999]}", f"{ADDED}.if", 14, 31),
        (ADD + "{rate: 10%, origins: [XQ]}", f"{ADDED}.origins", 14, 36),
        (ADD + "{rate: 10%, products: [NO_SUCH_LIST]}", f"{ADDED}.products", 14, 37),
        (ADD + "{rate: 10%, undeclared: perhaps}", f"{ADDED}.undeclared", 14, 39),
    ],
)  # fmt: skip
def test_a_value_out_of_form_or_bounds_is_a_problem_at_its_place(
    change: str, path: str, line: int, column: int
) -> None:
    text = f"{HEAD}{change}\n"
    (problem,) = check_scenario(text, load_law())
    assert (problem.severity, problem.path, problem.line, problem.column) == ("error", path, line, column)
    assert problem.reason in {"SCENARIO_SYNTAX", "NOTHING_MATCHED"}
    assert problem.message
    assert problem.fix
    with pytest.raises(ScenarioError) as caught:
        apply_scenario(load_law(), parse_scenario(text))
    assert (caught.value.path, caught.value.line, caught.value.column) == (path, line, column)


@pytest.mark.parametrize(
    "base", ["{steel: 1}", "{steel: 0.4}", "{steel: 40%}", "{full: 1, us: -1}", "{full: 1, us_capped: -1}"]
)
def test_weights_that_leave_each_part_between_0_and_1_are_accepted(base: str) -> None:
    errors = [p for p in check_scenario(f"{HEAD}{SET_RATE}{base}\n", load_law()) if p.severity == "error"]
    assert errors == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (ADD + "{rate: 10%}\n      switch: {no_such: 'on'}", "changes[0].measure.switch.no_such"),
        (
            ADD + "{rate: 10%}\n          switch: {truce_extension: maybe}",
            "changes[0].measure.periods[0].switch.truce_extension",
        ),
        (
            "  - op: set_stacking\n    rule: mine\n    from: 2027-01-01\n"
            "    as: {when: [s232], on: [s301.fl], take: all, switch: {no_such: 'on'}}",
            "changes[0].as.switch.no_such",
        ),
    ],
)
def test_a_new_measure_or_rule_with_an_unknown_switch_is_a_problem(change: str, path: str) -> None:
    (problem,) = check_scenario(f"{HEAD}{change}\n", load_law())
    assert (problem.reason, problem.path) == ("SWITCH_UNKNOWN", path)
    assert problem.line > 5


@pytest.mark.parametrize(
    ("key", "value"), [("direction", "sideways"), ("status", "rumoured"), ("events", "[{op: terminate}]")]
)
def test_a_new_measure_with_a_key_that_would_be_ignored_is_a_problem(key: str, value: str) -> None:
    (problem,) = check_scenario(f"{HEAD}{ADD}{{rate: 10%}}\n      {key}: {value}\n", load_law())
    assert (problem.severity, problem.path) == ("error", f"changes[0].measure.{key}")


def test_the_digest_of_a_scenario_with_a_figure_key_of_another_kind_is_computed() -> None:
    """`teu` is a number of port calls; under `switch` it is only an unknown name."""
    text = f"{HEAD}  - {{op: terminate, measures: {{id: fl301}}, at: 2027-01-01, switch: {{teu: many}}}}\n"
    assert parse_scenario(text).digest
    (problem,) = check_scenario(text, load_law())
    assert problem.reason == "SWITCH_UNKNOWN"
