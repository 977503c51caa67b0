"""Differences of two laws in words: for which goods, from which rate or rule to which, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.scenario import apply_scenario, difference, library
from tests.unit.laws import changed, make_law, measure
from tests.unit.scenario_tables import applied

FOREVER = "2027-01-01"
OF_CHINA = "measures: {id: fl301, origins: [CN]"
RULE: Mapping[str, Any] = {
    "id": "one", "from": "2025-05-01T00:01-04:00", "known_from": "2025-04-28", "when": ["duty"], "on": ["other"],
    "take": "all", "text": "a text", "cite": [], "conf": "C",
}  # fmt: skip
END = {"op": "terminate", "at": "2026-01-01T00:01-05:00", "known_from": "2025-12-01", "conf": "C"}
Row = tuple[str, str, str, str, str]


def told(*changes: str) -> list[Row]:
    """Goods, rate before and after, first and last day of what a scenario changes of the forced-labor duty."""
    found = difference(load_law(), applied(*changes))
    return [
        (one.goods, one.first, one.second, f"{one.start:%Y-%m-%d}", f"{one.end:%Y-%m-%d}" if one.end else "")
        for one in found
        if one.id == "fl301" and one.start
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (f"{{op: set_rate, {OF_CHINA}, products: ['9503', '8471.30']}}, from: 2027-01-01, rate: 20%}}",
         ("CN of 8471.30, 9503", "12.5%", "20%", FOREVER, "")),
        ("{op: set_rate, measures: {id: fl301, origins: [EU], products: ['2204']}, from: 2027-01-01, rate: 5%}",
         ("EU of 2204", "up to 10%", "up to 5%", FOREVER, "")),
        ("{op: exempt, measures: {id: fl301, origins: [VN], products: ['61']}, from: 2027-01-01, until: 2027-06-01}",
         ("VN of 61", "12.5%", "exempt", FOREVER, "2027-06-01")),
        (f"{{op: terminate, {OF_CHINA}, products: ['9503']}}, at: 2027-01-01}}",
         ("CN of 9503", "12.5%", "not in force", FOREVER, "")),
        (f"{{op: suspend, {OF_CHINA}}}, from: 2027-01-01, until: 2027-03-01, on_end: snap_back}}",
         ("CN", "12.5%", "suspended", FOREVER, "2027-03-01")),
        (f"{{op: suspend, {OF_CHINA}}}, from: 2027-01-01, kept: 5%, on_end: none_scheduled}}",
         ("CN", "12.5%", "5%", FOREVER, "")),
        ("{op: terminate, measures: {id: fl301}, at: 2027-01-01}",
         ("", "12.5%, 10%, up to 12.5%, up to 10%", "not in force", FOREVER, "")),
    ],
)  # fmt: skip
def test_a_change_of_part_of_the_goods_says_which_and_both_rates(change: str, expected: Row) -> None:
    assert told(change) == [expected]


def test_two_windows_with_the_same_words_are_two_rows() -> None:
    window = "{{op: suspend, measures: {{id: fl301}}, from: {}, until: {}, on_end: snap_back}}"
    january, february = ("2027-01-05", "2027-01-20"), ("2027-02-05", "2027-02-20")
    found = told(window.format(*january), window.format(*february))
    assert [row[2:] for row in found] == [("suspended", *january), ("suspended", *february)]


def test_a_change_of_the_base_names_both_bases() -> None:
    change = "{op: set_rate, measures: {id: s232_III}, from: 2027-01-01, by: x1, base: {steel: 1}}"
    (found,) = [one for one in difference(load_law(), applied(change)) if one.id == "s232_III"]
    assert "on the customs value" in found.first
    assert "on the steel content" in found.second
    assert "some goods" not in found.first


def law_of(rules: Sequence[Mapping[str, Any]]) -> Law:
    return make_law([measure("duty", [{"rate": "10%"}]), measure("other", [{"rate": "20%"}])], rules=rules)


def rules_told(first: Law, second: Law) -> list[Row]:
    """Rule, first and last day, terms before and after."""
    return [
        (one.id, f"{one.start:%Y-%m-%d}" if one.start else "", f"{one.end:%Y-%m-%d}" if one.end else "", one.first,
         one.second)
        for one in difference(first, second)
        if one.kind == "rule"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"take": "content"}, ("one", "2025-05-01", "", "take all", "take content")),
        (
            {"take": "content", "heading": "9903.01.33"},
            ("one", "2025-05-01", "", "take all; heading none", "take content; heading 9903.01.33"),
        ),
        ({"when": ["duty", "other"]}, ("one", "2025-05-01", "", "when duty", "when duty, other")),
        ({"from": "2025-06-01T00:01-04:00"}, ("one", "2025-05-01", "2025-06-01", "in force", "not in force")),
        ({"events": [END]}, ("one", "2026-01-01", "", "in force", "not in force")),
        ({"known_from": "2025-04-29"}, ("one", "", "", "known_from 2025-04-28", "known_from 2025-04-29")),
        ({"text": "another"}, ("one", "", "", "text a text", "text another")),
        ({"conf": "U"}, ("one", "", "", "conf C", "conf U")),
    ],
)
def test_a_changed_rule_is_one_change(edit: Mapping[str, Any], expected: Row) -> None:
    assert rules_told(law_of([RULE]), law_of([{**RULE, **edit}])) == [expected]
    assert rules_told(law_of([RULE]), law_of([RULE])) == []


def test_a_rule_of_one_law_alone_or_for_a_time_is_in_force_there() -> None:
    none, law = law_of([]), law_of([RULE])
    assert rules_told(none, law) == [("one", "2025-05-01", "", "not in force", "in force")]
    assert rules_told(law, none) == [("one", "2025-05-01", "", "in force", "not in force")]
    off = {"op": "set_stacking", "rule": "one", "from": "2026-02-01", "until": "2026-03-01", "value": "off"}
    assert rules_told(law, changed(law, off)) == [
        ("one", "2026-02-01", "2026-03-01", "in force", "not in force")
    ]


def test_the_truce_extended_against_the_truce_lapsed() -> None:
    """United States duty is unchanged but for cranes, chassis and exclusions; China's goes from 10 to 34."""
    lapsed, extended = (
        apply_scenario(load_law(), library()[name]) for name in ("truce-lapses", "truce-extended")
    )
    found = {item.id: item for item in difference(lapsed, extended)}
    imports = {name for name, item in found.items() if item.direction == "import"}
    assert imports == {"sts_crane_100", "chassis_100", "s301_exclusions_69", "s301_exclusions_70"}
    assert found["cn.recip"].words.startswith(
        "cn.recip from 2027-01-10 13:01 CST until 2027-11-10 13:01 CST: 34% in the first"
    )
    assert found["cn.recip"].second[:3] == "10%"


def test_a_difference_tells_of_switches_claims_rules_and_quantities() -> None:
    law = load_law()
    other = law.with_switches({"truce_extension": "off"})
    assert "truce_extension" in {item.id for item in difference(law, other) if item.kind == "switch"}
    for name, kind, words in (
        ("usmca-lapses", "claim", "0%"),
        ("rare-earths-cut", "quantity", "50%"),
        ("metals-by-content", "rule", "in force"),
    ):
        found = difference(law, apply_scenario(law, library()[name]))
        assert any(item.kind == kind and words in item.second for item in found), name
    assert difference(law, law) == []
