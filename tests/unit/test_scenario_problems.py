"""Every mistake in a scenario file is a problem with reason, path, line, column and fix, whichever part it is in."""

from __future__ import annotations

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.scenario import Problem, apply_scenario, check_scenario, parse_scenario
from tariffs.engine.scenario.read import read_draft
from tests.unit.scenario_tables import MINE

LAST = "schema: tariffs.scenario/v1\nid: mine\nbasis: hypothesis\n"
MARK = "¦"
"""Stands before the place that a problem must name."""
SYNTAX, KEY, NOTHING, SWITCH = "SCENARIO_SYNTAX", "SCENARIO_UNKNOWN_KEY", "NOTHING_MATCHED", "SWITCH_UNKNOWN"
RATE = "op: set_rate, measures: {id: fl301}, from: 2027-01-01"
OF = "op: terminate, at: 2027-01-01, measures: {id: fl301"
STACKING = "op: set_stacking, from: 2027-01-01T00:01-05:00"
NEW = "op: add, measure: {id: new, authority: new"
ADD = f"{NEW}, periods: [{{id: new_1, from: 2027-01-01, rows: "
ROW = "measure.periods[0].rows[0]"
CONTROLS, SOYBEANS = "cn.rare_earth_controls", "cn.commitment_soybeans"
CALLS = "assumptions.port_calls.port_fees"
VOYAGE = "assumptions: {port_calls: {port_fees: {kind: operated, "


def errors_of(text: str) -> list[Problem]:
    return [one for one in check_scenario(text, load_law(), "mine.yaml") if one.severity == "error"]


def changes(*lines: str) -> str:
    return f"{MINE}changes:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


HEADS = [
    ("schema: ¦tariffs.scenario/v9\nid: mine\ntitle: Mine\nbasis: hypothesis\n", SYNTAX, "schema", ""),
    ("schema: tariffs.scenario/v1\nid: ¦Mine Own\ntitle: Mine\nbasis: hypothesis\n", SYNTAX, "id", ""),
    (f"{LAST}title: ¦''\n", SYNTAX, "title", ""),
    (f"{LAST}title: ¦[Mine]\n", SYNTAX, "title", ""),
    (MINE.replace("hypothesis", "¦hope"), SYNTAX, "basis", ""),
    (f"¦{LAST}", SYNTAX, "", ""),
    (f"{MINE.replace('mine', 'base')}parents: [¦base]\n", "SCENARIO_CYCLE", "parents[0]", ""),
    (f"{MINE}changes: [\n¦", SYNTAX, "", ""),
    ("¦- a\n- b\n", SYNTAX, "", ""),
    (f"{MINE}¦---\nid: other\n", SYNTAX, "", ""),
]
FILES = [
    ("¦colour: red", KEY, "colour", ""),
    ("¦title: Twice", KEY, "title", ""),
    ("parents: ¦{a: b}", SYNTAX, "parents", ""),
    ("parents: [¦truce-lapse]", "SCENARIO_NOT_FOUND", "parents[0]", "truce-lapses"),
    ("parents: [base, ¦mine]", "SCENARIO_CYCLE", "parents[1]", ""),
    ("changes: ¦{op: extend}", SYNTAX, "changes", ""),
    ("changes:\n  - ¦extend", SYNTAX, "changes[0]", ""),
    ("changes:\n  - {op: ¦explode}", SYNTAX, "changes[0].op", ""),
    ("tags: [¦&a x, *a]", SYNTAX, "tags[0]", ""),
    ("tags: [¦!!int 3]", SYNTAX, "tags[0]", ""),
    ("? ¦[a]\n: b", SYNTAX, "", ""),
    ("valid: {from: ¦soon}", SYNTAX, "valid.from", ""),
    ("valid: {from: 2026-01-01, to: ¦2026-01-01}", "CHANGE_DATES_REVERSED", "valid.to", ""),
    ("valid: {¦until: 2026-01-01}", KEY, "valid.until", ""),
    ("valid: ¦[2026-01-01]", SYNTAX, "valid", ""),
    ("mixture: ¦[]", SYNTAX, "mixture", "1 or more"),
    ("mixture: ¦[{scenario: base, weight: 50%}]", SYNTAX, "mixture", "sum to 0.5"),
    ("mixture: [{scenario: base, weight: ¦much}]", SYNTAX, "mixture[0].weight", "not a rate"),
    ("mixture: [{scenario: base, weight: 1, ¦odds: 2}]", KEY, "mixture[0].odds", "the key"),
    ("mixture: [¦base]", SYNTAX, "mixture[0]", "must be a mapping"),
    ("parents: ¦[base]\nmixture: [{scenario: base, weight: 1}]", SYNTAX, "parents", "of its own"),
    ("mixture: [{scenario: ¦nobody, weight: 1}]", "SCENARIO_NOT_FOUND", "mixture[0].scenario", ""),
    ("assumptions: ¦[a]", SYNTAX, "assumptions", ""),
    ("assumptions: {¦let_trough: {}}", KEY, "assumptions.let_trough", ""),
    (f"assumptions: {{let_through: {{{CONTROLS}: ¦1.5}}}}", SYNTAX, f"assumptions.let_through.{CONTROLS}", ""),
    (f"assumptions: {{compliance: {{{SOYBEANS}: ¦[80%]}}}}", SYNTAX, f"assumptions.compliance.{SOYBEANS}", ""),
    (f"assumptions: {{compliance: {{{CONTROLS}: ¦1}}}}", NOTHING, f"assumptions.compliance.{CONTROLS}", ""),
    (f"assumptions: {{let_through: {{{SOYBEANS}: ¦1}}}}", NOTHING, f"assumptions.let_through.{SOYBEANS}", ""),
    (f"{VOYAGE}net_tons: ¦-1}}}}}}", SYNTAX, f"{CALLS}.net_tons", ""),
    (f"{VOYAGE}net_tons: ¦0}}}}}}", SYNTAX, f"{CALLS}.net_tons", ""),
    (f"{VOYAGE}calls: ¦0}}}}}}", SYNTAX, f"{CALLS}.calls", ""),
    (f"{VOYAGE}¦tue: 9}}}}}}", KEY, f"{CALLS}.tue", ""),
    (f"{VOYAGE}ship: ¦canoe}}}}}}", NOTHING, f"{CALLS}.ship", ""),
    ("assumptions: {port_calls: {port_fees: ¦{teu: 9}}}", SYNTAX, CALLS, ""),
    ("assumptions: {port_calls: {port_fees: {net_tons: 9, kind: ¦rowed}}}", NOTHING, f"{CALLS}.kind", ""),
    ("assumptions: {port_calls: {port_fee: ¦{kind: operated}}}", NOTHING, CALLS[:-1], ""),
]  # fmt: skip
CHANGES = [
    ("op: extend, measures: {id: fl301}, until: ¦soon", SYNTAX, "until", ""),
    ("op: terminate, measures: {¦name: fl301}, at: 2027-01-01", KEY, "measures.name", ""),
    ("op: set_rate, measures: {id: fl301}, from: 2027-01-01, rate: ¦'20'", SYNTAX, "rate", ""),
    ("op: enjoin, measures: {id: fl301}, at: 2027-01-02, until: ¦2027-01-01", "CHANGE_DATES_REVERSED", "until", ""),
    ("op: terminate, measures: {id: ¦fent_cm}, at: 2025-11-10", NOTHING, "measures.id", "fent_cn"),
    ("op: terminate, measures: {id: ¦[fent_cn, fent_cb]}, at: 2025-11-10", NOTHING, "measures.id", ""),
    ("op: terminate, measures: {id: ¦ieepa}, at: 2025-11-10", NOTHING, "measures.id", "authority"),
    ("op: revalidate, measures: {authority: ¦iepa}", NOTHING, "measures.authority", "ieepa"),
    (f"{OF}, origins: ¦[EU_27]}}", NOTHING, "measures.origins", "EU"),
    (f"{OF}, origins: ¦[CHN]}}", NOTHING, "measures.origins", "CN?"),
    (f"{OF}, origins: ¦[South Korea]}}", NOTHING, "measures.origins", "KR?"),
    (f"{OF}, not_origins: ¦[UK]}}", NOTHING, "measures.not_origins", "GB?"),
    (f"{OF}, products: ¦['9999']}}", NOTHING, "measures.products", "9706"),
    (f"{OF}, products: ¦['85044']}}", NOTHING, "measures.products", "850440"),
    (f"{OF}, products: ¦[8504.40.98]}}", NOTHING, "measures.products", "85044095"),
    (f"{OF}, products: ¦[9503.00.0099]}}", NOTHING, "measures.products", "9503000090"),
    (f"{OF}, products: ¦[S122_UNCO]}}", NOTHING, "measures.products", "S122_UNCOND"),
    ("op: terminate, measures: {id: fl301}, at: 2027-01-01, switch: {no: ¦'on'}", SWITCH, "switch.no", ""),
    ("op: terminate, measures: {id: fl301}, at: 2027-01-01, switch: {teu: ¦many}", SWITCH, "switch.teu", ""),
    ("op: exempt, measures: {id: fl301}, from: 2026-11-10, if: ¦[wishful]", SYNTAX, "if", ""),
    ("op: extend, measures: {id: recip_cn}, until: ¦2026-01-10", "CHANGE_DATES_REVERSED", "until", "snap_back"),
    (f"{RATE}, rate: 20%, base: {{steel: ¦abc}}", SYNTAX, "base.steel", ""),
    (f"{RATE}, rate: 20%, base: {{steel: ¦1e30}}", SYNTAX, "base.steel", ""),
    (f"{RATE}, rate: 20%, base: {{full: ¦5}}", SYNTAX, "base.full", ""),
    (f"{RATE}, rate: 20%, base: ¦{{full: 1, steel: 1}}", SYNTAX, "base", ""),
    (f"{RATE}, rate: 20%, base: ¦{{steel: 0.5, full: -1}}", SYNTAX, "base", ""),
    (f"{RATE}, rate: 20%, base: {{gold: ¦1}}", SYNTAX, "base.gold", ""),
    (f"{ADD}[{{rate: ¦abc}}]}}]}}", SYNTAX, f"{ROW}.rate", ""),
    (f"{ADD}[{{rate: 10%, base: {{steel: ¦abc}}}}]}}]}}", SYNTAX, f"{ROW}.base.steel", ""),
    (f"{ADD}[{{kind: specific, rate: ¦5%}}]}}]}}", SYNTAX, f"{ROW}.rate", ""),
    (f"{ADD}[{{kind: specific, rate: ¦0.22 USD/parsec}}]}}]}}", SYNTAX, f"{ROW}.rate", ""),
    (f"{ADD}[{{kind: specific, tiers: [¦{{up_to: 5 kg}}]}}]}}]}}", SYNTAX, f"{ROW}.tiers[0]", ""),
    (f"{ADD}[{{kind: specific, tiers: [{{rate: ¦5%}}]}}]}}]}}", SYNTAX, f"{ROW}.tiers[0].rate", ""),
    (f"{ADD}[{{kind: specific, tiers: [{{up_to: ¦x, rate: 1 USD/L}}]}}]}}]}}", SYNTAX, f"{ROW}.tiers[0].up_to", ""),
    (f"{ADD}[{{rate: 10%, if: ¦[processing_value > nan]}}]}}]}}", SYNTAX, f"{ROW}.if", ""),
    (f"{ADD}[{{rate: 10%, if: ¦[processing_value > 1e999999999]}}]}}]}}", SYNTAX, f"{ROW}.if", ""),
    (f"{ADD}[{{rate: 10%, origins: ¦[XQ]}}]}}]}}", NOTHING, f"{ROW}.origins", ""),
    (f"{ADD}[{{rate: 10%, products: ¦[NO_LIST]}}]}}]}}", NOTHING, f"{ROW}.products", ""),
    (f"{ADD}[{{rate: 10%, not_products: ¦['9999']}}]}}]}}", NOTHING, f"{ROW}.not_products", ""),
    (f"{ADD}[{{rate: 10%, undeclared: ¦perhaps}}]}}]}}", SYNTAX, f"{ROW}.undeclared", ""),
    (f"{ADD}[{{rate: 10%}}]}}], switch: {{no_such: ¦'on'}}}}", SWITCH, "measure.switch.no_such", ""),
    (f"{ADD}[{{rate: 10%}}]}}], direction: ¦sideways}}", SYNTAX, "measure.direction", ""),
    (f"{ADD}[{{rate: 10%}}]}}], status: ¦rumoured}}", SYNTAX, "measure.status", ""),
    (f"{ADD}[{{rate: 10%}}]}}], events: ¦[{{op: terminate}}]}}", KEY, "measure.events", ""),
    (f"{NEW}, periods: ¦none}}", SYNTAX, "measure.periods", ""),
    ("op: add, measure: {id: ¦[a], authority: y}", SYNTAX, "measure.id", ""),
    ("op: add, measure: {id: ¦fl301, title: x, authority: s301.fl}", SYNTAX, "measure.id", ""),
    (f"{STACKING}, rule: ¦fl301_of_232, value: 'off'", NOTHING, "rule", "fl301_off_232"),
    (f"{STACKING}, rule: x, as: {{on: ¦[s301.fx], take: all}}", NOTHING, "as.on", "s301.fl"),
    (f"{STACKING}, rule: x, after: ¦y, as: {{on: [s301.fl], take: all}}", NOTHING, "after", ""),
    (f"{STACKING}, rule: x, as: {{id: ¦y, on: [s301.fl], take: all}}", KEY, "as.id", ""),
    (f"{STACKING}, rule: x, as: {{on: [s301.fl], take: ¦most}}", SYNTAX, "as.take", ""),
    (f"{STACKING}, rule: x, as: {{on: [s301], take: all, switch: {{no: ¦'on'}}}}", SWITCH, "as.switch.no", ""),
    ("op: set_claim, claim: ¦usmca_shar, share: 1%", NOTHING, "claim", "usmca_share"),
    ("op: set_claim, claim: ¦donation, share: 1%", NOTHING, "claim", ""),
    ("op: set_claim, claim: usmca_share, share: 1%, origins: ¦[XQ]", NOTHING, "origins", ""),
    ("op: set_claim, claim: usmca_share, share: 1%, products: ¦['9999']", NOTHING, "products", ""),
    ("op: set_claim, claim: usmca_share, share: ¦120%", SYNTAX, "share", ""),
    ("op: shock_quantity, from: 2027-01-01, share: 50%, products: ¦[NO_LIST]", NOTHING, "products", ""),
]  # fmt: skip
WHOLE = [
    ("op: extend, measures: {id: fl301}, until: 2027-11-10", "SUSPENSION_NOT_FOUND", ""),
    ("op: set_switch, name: truce_extention, value: 'on'", SWITCH, "truce_extension"),
    ("op: set_stacking, from: 2027-01-01, rule: fl301_off_232", SYNTAX, "Give one"),
    ("op: shock_quantity, from: 2027-01-01", SYNTAX, "Give one"),
]


@pytest.mark.parametrize(
    ("marked", "reason", "path", "near"),
    [
        *HEADS,
        *((f"{MINE}{text}\n", *rest) for text, *rest in FILES),
        *((changes(change), reason, f"changes[0].{path}", near) for change, reason, path, near in CHANGES),
        *((changes(one).replace("{", "¦{", 1), reason, "changes[0]", near) for one, reason, near in WHOLE),
    ],
)
def test_a_mistake_is_a_problem_at_its_mark(marked: str, reason: str, path: str, near: str) -> None:
    """The one error of a text stands at its mark, in the check and where the scenario is applied."""
    text = marked.replace(MARK, "")
    before = marked.partition(MARK)[0]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    (problem,) = errors_of(text)
    assert (problem.reason, problem.path, problem.line, problem.column) == (reason, path, *place)
    assert problem.message
    assert problem.fix
    assert near in f"{problem.message} {problem.fix}"
    with pytest.raises(ScenarioError) as caught:
        apply_scenario(load_law(), parse_scenario(text, "mine.yaml"))
    error = caught.value
    assert (error.reason, error.path, error.line, error.column) == (reason, path, *place)
    assert str(error).startswith(f"mine.yaml:{place[0]}:{place[1]}: ")
    assert error.exit_code == (2 if reason == SWITCH else 4)


@pytest.mark.parametrize(
    ("change", "path", "near"),
    [
        (f"{RATE}, rate: ¦500%", "rate", "5%"),
        (f"{RATE}, rate: ¦-5%", "rate", "by: -5pp"),
        (f"{RATE}, by: ¦-500pp", "by", "by: -5pp"),
        (f"{RATE}, by: ¦+1250pp", "by", "by: +12.5pp"),
        ("op: suspend, measures: {id: fl301}, from: 2027-01-01, on_end: none_scheduled, kept: ¦1250%", "kept", "12.5%"),
        (f"{ADD}[{{rate: 5%}}, {{rate: ¦750%}}]}}]}}", "measure.periods[0].rows[1].rate", "7.5%"),
        (f"{ADD}[{{by_origin: {{JP: ¦[1500%, 9903.99.01]}}}}]}}]}}", f"{ROW}.by_origin.JP", "15%"),
    ],
)  # fmt: skip
def test_a_rate_below_0_or_above_every_rate_of_the_law_is_a_warning(
    change: str, path: str, near: str
) -> None:
    marked = changes(change)
    found = check_scenario(marked.replace(MARK, ""), load_law())
    (problem,) = (one for one in found if one.reason == "RATE_UNUSUAL")
    assert (problem.severity, problem.path, problem.line) == ("warning", f"changes[0].{path}", 6)
    assert problem.column == marked.splitlines()[5].index(MARK) + 1
    assert near in problem.fix


@pytest.mark.parametrize(
    "change",
    [
        f"{RATE}, rate: 200%",  # charged on aluminum of Russia
        f"{RATE}, rate: 20%, base: {{steel: 40%}}",
        f"{RATE}, rate: 20%, base: {{full: 1, us: -1}}",
        f"{RATE}, rate: 20%, base: {{full: 1, us_capped: -1}}",
        f"{OF}, products: ['85', '8504', '850440', '85044095', 8504.40.9580]}}",
        f"{ADD}[{{origins: [CN], products: [S301_L1], rate: 7.5%}}]}}]}}",
    ],
)  # fmt: skip
def test_what_the_law_knows_is_no_problem(change: str) -> None:
    assert check_scenario(changes(change), load_law()) == []


def test_all_problems_of_form_and_names_are_collected_at_once() -> None:
    text = changes(
        "op: set_rate, measures: {id: fl3O1, origins: [CHN], products: [NO_LIST, '9999']}, from: soon, rate: abc",
        "op: set_switch, name: truce, value: 'on'",
        "op: terminate, measures: {id: fl301}, at: 2027-01-01, colour: red",
        "op: set_stacking, rule: nope, from: 2027-01-01, value: 'off'",
        "op: suspend, measures: {id: fl301}, until: ''",
        "op: terminate, measures: {id: [fl3O1, recip_c], origins: [CHN, EUU]}, at: 2027-01-01",
    )
    found = errors_of(text.replace("hypothesis", "hope"))
    assert sorted((problem.reason, problem.path) for problem in found) == [
        *[(NOTHING, "changes[0].measures.id"), (NOTHING, "changes[0].measures.origins")],
        *[(NOTHING, "changes[0].measures.products")] * 2,
        (NOTHING, "changes[3].rule"),
        *[(NOTHING, "changes[5].measures.id")] * 2,
        *[(NOTHING, "changes[5].measures.origins")] * 2,
        *[(SYNTAX, "basis"), (SYNTAX, "changes[0].from"), (SYNTAX, "changes[0].rate")],
        *[(SYNTAX, "changes[4]"), (SYNTAX, "changes[4]"), (SYNTAX, "changes[4].until")],
        *[(KEY, "changes[2].colour"), (SWITCH, "changes[1]")],
    ]


def test_a_name_that_a_faulty_change_would_bring_is_not_unknown() -> None:
    found = errors_of(
        changes(
            "op: add, colour: red, measure: {id: new, authority: own.new, periods: [{id: new_1, from: x, rows: []}]}",
            "op: terminate, measures: {id: new}, at: 2028-01-01",
            "op: terminate, measures: {authority: own}, at: 2028-01-01",
        )
    )
    assert [(problem.reason, problem.path) for problem in found] == [(KEY, "changes[0].colour")]


EMPTY = ("", "\n", "# nothing\n")


@pytest.mark.parametrize("text", [*EMPTY, "\x00", "a: \t- b", "\ud800"])
def test_what_is_no_document_is_a_problem(text: str) -> None:
    problem = read_draft(text, "mine.yaml").problems[0]
    assert (problem.reason, problem.line) == (SYNTAX, 1)
    assert ("empty" in problem.message) == (text in EMPTY)
