"""A check of a scenario lists all problems at once: format, names, codes, and rates that look mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tariffs.client import Client, Scenario
from tariffs.engine.law import load_law
from tariffs.engine.scenario import Problem, check_scenario, library, problems_of

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"


def check(*changes: str) -> list[Problem]:
    return check_scenario(HEAD + "".join(f"  - {change}\n" for change in changes), load_law())


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_an_empty_file_is_an_error_and_not_the_law_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text(text, encoding="utf-8")
    with Client.local() as client:
        result = client.check(Scenario.of(path))
    assert not result.ok
    (problem,) = result.problems
    assert (problem.reason, problem.line, problem.column) == ("SCENARIO_SYNTAX", 1, 1)
    assert "empty" in problem.message


@pytest.mark.parametrize(
    ("code", "near"),
    [("9999", "9706"), ("85044", "850440"), ("8504.40.98", "85044095"), ("77", "76"), ("9503.00.0099", "9503000090")],
)  # fmt: skip
def test_a_code_that_no_schedule_or_list_has_is_an_error_with_the_nearest(code: str, near: str) -> None:
    (problem,) = check(f"{{op: terminate, measures: {{id: fl301, products: ['{code}']}}, at: 2027-01-01}}")
    assert (problem.reason, problem.path) == ("NOTHING_MATCHED", "changes[0].measures.products")
    assert near in problem.fix


@pytest.mark.parametrize("where", ["products", "not_products"])
def test_codes_of_a_claim_and_of_a_new_measure_are_looked_up_too(where: str) -> None:
    rows = f"[{{rate: 5%, {where}: ['9999']}}]"
    found = check(
        f"{{op: set_claim, claim: usmca_share, share: 50%, {where}: ['9999']}}",
        f"{{op: add, measure: {{id: new, authority: new, periods: [{{id: a, from: 2027-01-01, rows: {rows}}}]}}}}",
    )
    assert [(problem.reason, problem.path) for problem in found] == [
        ("NOTHING_MATCHED", f"changes[0].{where}"),
        ("NOTHING_MATCHED", f"changes[1].measure.periods[0].rows[0].{where}"),
    ]


@pytest.mark.parametrize("code", ["85", "8504", "850440", "85044095", "8504.40.9580"])
def test_codes_of_every_level_of_the_schedule_are_known(code: str) -> None:
    found = check(f"{{op: terminate, measures: {{id: fl301, products: ['{code}']}}, at: 2027-01-01}}")
    assert [problem for problem in found if problem.severity == "error"] == []


def test_names_are_checked_beside_the_form_all_at_once() -> None:
    found = check(
        "{op: set_rate, measures: {id: fl3O1, origins: [CHN], products: [NO_LIST, '9999']}, from: soon, rate: abc}",
        "{op: set_switch, name: truce, value: 'on'}",
        "{op: terminate, measures: {id: fl301}, at: 2027-01-01, colour: red}",
        "{op: set_stacking, rule: nope, from: 2027-01-01, value: 'off'}",
    )
    assert [(problem.reason, problem.path) for problem in found] == [
        ("NOTHING_MATCHED", "changes[0].measures.id"),
        ("NOTHING_MATCHED", "changes[0].measures.origins"),
        ("NOTHING_MATCHED", "changes[0].measures.products"),
        ("NOTHING_MATCHED", "changes[0].measures.products"),
        ("SCENARIO_SYNTAX", "changes[0].from"),
        ("SCENARIO_SYNTAX", "changes[0].rate"),
        ("SWITCH_UNKNOWN", "changes[1]"),
        ("SCENARIO_UNKNOWN_KEY", "changes[2].colour"),
        ("NOTHING_MATCHED", "changes[3].rule"),
    ]


def test_several_unknown_names_of_one_change_are_all_said() -> None:
    found = check("{op: terminate, measures: {id: [fl3O1, recip_c], origins: [CHN, EUU]}, at: 2027-01-01}")
    assert len(found) == 4


def test_a_name_that_a_faulty_change_would_bring_is_not_unknown() -> None:
    rows = "[{rate: abc}]"
    found = check(
        f"{{op: add, measure: {{id: new, authority: own.new, periods: [{{id: new_1, from: x, rows: {rows}}}]}}, "
        "colour: red}",
        "{op: terminate, measures: {id: new}, at: 2028-01-01}",
        "{op: terminate, measures: {authority: own}, at: 2028-01-01}",
    )
    assert [(problem.reason, problem.path) for problem in found] == [
        ("SCENARIO_UNKNOWN_KEY", "changes[0].colour")
    ]


@pytest.mark.parametrize(
    ("change", "path", "fix"),
    [
        ("{op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: 500%}", "rate", "5%"),
        ("{op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: -5%}", "rate", "by: -5pp"),
        (
            "{op: suspend, measures: {id: fl301}, from: 2027-01-01, on_end: none_scheduled, kept: 1250%}",
            "kept",
            "12.5%",
        ),
        (
            "{op: add, measure: {id: new, authority: new, periods: [{id: a, from: 2027-01-01, rows: [{rate: 5%}, "
            "{rate: 750%}]}]}}",
            "measure.periods[0].rows[1].rate",
            "7.5%",
        ),
        (
            "{op: add, measure: {id: new, authority: new, periods: [{id: a, from: 2027-01-01, rows: "
            "[{by_origin: {JP: [1500%, 9903.99.01]}}]}]}}",
            "measure.periods[0].rows[0].by_origin.JP",
            "15%",
        ),
        ("{op: set_rate, measures: {id: fl301}, from: 2027-01-01, by: -500pp}", "by", "by: -5pp"),
        ("{op: set_rate, measures: {id: fl301}, from: 2027-01-01, by: +1250pp}", "by", "by: +12.5pp"),
    ],
)
def test_a_rate_below_0_or_above_every_rate_of_the_law_is_a_warning(change: str, path: str, fix: str) -> None:
    (problem,) = (problem for problem in check(change) if problem.reason == "RATE_UNUSUAL")
    assert (problem.severity, problem.path, problem.line) == ("warning", f"changes[0].{path}", 6)
    assert problem.column > 5
    assert fix in problem.fix


def test_rates_that_the_law_knows_are_no_warning() -> None:
    """200 percent is charged on aluminum of Russia."""
    found = check("{op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: 200%}")
    assert found == []


def test_the_library_has_no_error_and_no_unusual_rate() -> None:
    found = [problem for scenario in library().values() for problem in problems_of(scenario, load_law())]
    assert {problem.reason for problem in found} <= {"SAME_AS_BASE", "CHANGE_HAS_NO_EFFECT", "NOT_MODELLED"}


@pytest.mark.parametrize(
    ("text", "code"), [("UK", "GB"), ("CHN", "CN"), ("Germany", "DE"), ("South Korea", "KR")]
)
@pytest.mark.parametrize("key", ["origins", "not_origins"])
def test_an_origin_by_another_name_is_answered_with_its_code(key: str, text: str, code: str) -> None:
    (problem,) = check(f"{{op: terminate, measures: {{id: fl301, {key}: [{text}]}}, at: 2027-01-01}}")
    assert problem.reason == "NOTHING_MATCHED"
    assert problem.fix == f"Did you mean {code}?"


def test_a_misspelt_group_is_answered_with_the_group() -> None:
    (problem,) = check("{op: terminate, measures: {id: fl301, origins: [EU_27]}, at: 2027-01-01}")
    assert "EU" in problem.fix.removesuffix("?").replace(",", "").split()
