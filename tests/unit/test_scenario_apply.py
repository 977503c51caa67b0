"""Apply scenarios to the embedded law: changes, errors and warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.scenario import (
    Problem,
    apply_scenario,
    check_scenario,
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


def test_a_retired_id_says_what_to_use() -> None:
    law = replace(load_law(), retired={"fent_old": "fent_cn"})
    (problem,) = check("{op: terminate, measures: {id: fent_old}, at: 2025-11-10}", law=law)
    assert problem.reason == "MEASURE_RETIRED"
    assert "fent_cn" in problem.fix


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
    ended = "its parent ieepa was invalidated on 2026-02-20 and is not collected from 2026-02-24."
    assert problem.message.endswith(ended)


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
