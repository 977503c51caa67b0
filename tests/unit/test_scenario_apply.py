"""Apply scenarios to the embedded law: changes, errors and warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.scenario import (
    Problem,
    apply_scenario,
    check_scenario,
    library,
    parse_scenario,
)

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
NOVEMBER = "2025-11-10T00:01-05:00"


def check(*changes: str, law: Law | None = None) -> list[Problem]:
    return check_scenario(HEAD + "".join(f"  - {change}\n" for change in changes), law or load_law())


def reasons(*changes: str, law: Law | None = None) -> list[tuple[str, str, str]]:
    return [(p.reason, p.path, p.severity) for p in check(*changes, law=law)]


def rates(law: Law, measure: str, day: datetime) -> list[Decimal | None]:
    found = law.state_of(law.measures[measure], day, law.as_of)
    return [row.rate for row in found.rows if row.charging] if found else []


def test_a_scenario_makes_another_law_and_leaves_the_first_alone() -> None:
    law = load_law()
    text = HEAD + f"  - {{op: set_rate, measures: {{id: fent_cn}}, from: {NOVEMBER}, rate: 20%}}\n"
    after = apply_scenario(law, parse_scenario(text))
    day = datetime(2025, 12, 1, 17, tzinfo=UTC)
    assert rates(after, "fent_cn", day) == [Decimal("0.2")]
    assert rates(law, "fent_cn", day) == [Decimal("0.1")]


@pytest.mark.parametrize(
    ("change", "reason", "path", "near"),
    [
        (
            "{op: terminate, measures: {id: fent_cm}, at: 2025-11-10}",
            "NOTHING_MATCHED",
            "measures.id",
            "fent_cn",
        ),
        (
            "{op: terminate, measures: {id: [fent_cn, fent_cb]}, at: 2025-11-10}",
            "NOTHING_MATCHED",
            "measures.id",
            "",
        ),
        (
            "{op: terminate, measures: {id: ieepa}, at: 2025-11-10}",
            "NOTHING_MATCHED",
            "measures.id",
            "authority",
        ),
        ("{op: revalidate, measures: {authority: iepa}}", "NOTHING_MATCHED", "measures.authority", "ieepa"),
        (
            "{op: terminate, measures: {id: fl301, origins: [EUU]}, at: 2026-11-10}",
            "NOTHING_MATCHED",
            "measures.origins",
            "EU",
        ),
        (
            "{op: exempt, measures: {id: fl301, products: [S122_UNCONDD]}, from: 2026-11-10}",
            "NOTHING_MATCHED",
            "measures.products",
            "S122_UNCOND",
        ),
        ("{op: extend, measures: {id: fl301}, until: 2027-11-10}", "SUSPENSION_NOT_FOUND", "", ""),
        (
            "{op: extend, measures: {id: recip_cn}, until: 2026-01-10}",
            "CHANGE_DATES_REVERSED",
            "until",
            "snap_back",
        ),
        ("{op: set_switch, name: truce_extention, value: 'on'}", "SWITCH_UNKNOWN", "", "truce_extension"),
        (
            "{op: terminate, measures: {id: fl301}, at: 2026-11-10, switch: {no_such: 'on'}}",
            "SWITCH_UNKNOWN",
            "switch.no_such",
            "",
        ),
        ("{op: exempt, measures: {id: fl301}, from: 2026-11-10, if: [wishful]}", "SCENARIO_SYNTAX", "if", ""),
        (
            "{op: set_rate, measures: {id: fl301}, from: 2026-11-10, rate: 1%, base: {gold: 1}}",
            "SCENARIO_SYNTAX",
            "base.gold",
            "",
        ),
        (
            "{op: add, measure: {id: fl301, title: x, authority: s301.fl}}",
            "SCENARIO_SYNTAX",
            "measure.id",
            "",
        ),
    ],
)
def test_what_the_law_does_not_have_is_refused_with_its_place(
    change: str, reason: str, path: str, near: str
) -> None:
    (problem,) = check(change)
    assert (problem.reason, problem.severity) == (reason, "error")
    assert problem.path.removeprefix("changes[0]").lstrip(".") == path
    assert (problem.line, problem.column > 0) == (6, True)
    assert near in problem.fix
    with pytest.raises(ScenarioError) as caught:
        apply_scenario(load_law(), parse_scenario(HEAD + f"  - {change}\n", "mine.yaml"))
    assert (caught.value.reason, caught.value.line) == (reason, 6)


def test_a_retired_id_says_what_to_use() -> None:
    law = replace(load_law(), retired={"fent_old": "fent_cn"})
    (problem,) = check("{op: terminate, measures: {id: fent_old}, at: 2025-11-10}", law=law)
    assert problem.reason == "MEASURE_RETIRED"
    assert "fent_cn" in problem.fix


def test_all_problems_with_a_law_are_collected() -> None:
    found = reasons(
        "{op: terminate, measures: {id: nope}, at: 2025-11-10}",
        f"{{op: terminate, measures: {{id: fent_cn}}, at: {NOVEMBER}}}",
        "{op: extend, measures: {id: fl301}, until: 2027-11-10}",
    )
    assert found == [
        ("NOTHING_MATCHED", "changes[0].measures.id", "error"),
        ("SUSPENSION_NOT_FOUND", "changes[2]", "error"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("{op: set_switch, name: truce_extension, value: 'on'}", "CHANGE_HAS_NO_EFFECT"),
        (f"{{op: set_rate, measures: {{id: fent_cn}}, from: {NOVEMBER}, rate: 10%}}", "CHANGE_HAS_NO_EFFECT"),
        ("{op: terminate, measures: {id: s122_10}, at: 2027-01-01}", "CHANGE_HAS_NO_EFFECT"),
        ("{op: extend, measures: {id: cn.port_fee}, until: 2027-11-10}", "NOT_MODELLED"),
    ],
)
def test_a_change_that_changes_nothing_is_a_warning(change: str, reason: str) -> None:
    other = "{op: terminate, measures: {id: fl301}, at: 2026-07-24T00:01-04:00}"
    assert reasons(change, other) == [(reason, "changes[0]", "warning")]


def test_a_suspension_that_ends_over_a_void_duty_says_why_nothing_happens() -> None:
    problem = check("{op: snap_back, measures: {id: recip_cn}, at: 2027-01-10}")[-1]
    assert problem.reason == "CHANGE_HAS_NO_EFFECT"
    assert "its parent ieepa was invalidated on 2026-02-20" in problem.message


def test_a_scenario_without_effect_is_the_same_as_base() -> None:
    assert reasons() == [("SAME_AS_BASE", "changes", "warning")]
    assert ("SAME_AS_BASE", "changes", "warning") in reasons(
        "{op: set_switch, name: truce_extension, value: 'on'}"
    )


def test_suspend_then_snap_back_at_once_is_the_same_as_base() -> None:
    day = "2026-08-01T00:01-04:00"
    found = reasons(
        f"{{op: suspend, measures: {{id: fl301}}, from: {day}, until: 2027-01-01, on_end: snap_back}}",
        f"{{op: snap_back, measures: {{id: fl301}}, at: {day}}}",
    )
    assert ("SAME_AS_BASE", "changes", "warning") in found


def test_a_parent_of_the_library_comes_first() -> None:
    text = HEAD.replace("changes:", "parents: [ieepa-upheld-truce-kept]\nchanges:")
    text += "  - {op: snap_back, measures: {id: recip_cn}, at: 2026-11-10T00:01-05:00}\n"
    law = apply_scenario(load_law(), parse_scenario(text))
    assert Decimal("0.34") in rates(law, "recip_cn", datetime(2026, 11, 24, 17, tzinfo=UTC))


def test_an_added_measure_is_charged_and_its_lists_must_exist() -> None:
    row = "{origins: [CN], products: [LIST], rate: 7.5%}"
    measure = (
        "{op: add, measure: {id: xcap, title: Excess capacity, authority: s301.xcap, conf: C,"
        f" periods: [{{id: xcap_1, from: 2026-12-01, conf: C, rows: [{row}]}}]}}}}"
    )
    assert reasons(measure.replace("LIST", "NO_SUCH_LIST"))[0][0] == "NOTHING_MATCHED"
    assert reasons(measure.replace("LIST", "S301_L1")) == []


def test_only_the_refunds_and_the_lapse_of_the_truce_are_the_same_as_base() -> None:
    same = [
        scenario.id
        for scenario in library().values()
        if any(p.reason == "SAME_AS_BASE" for p in check_scenario(scenario.text, load_law()))
    ]
    assert same == ["ieepa-refunds", "truce-lapses"]
