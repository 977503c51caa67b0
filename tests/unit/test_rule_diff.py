"""Stacking rules of two laws compared: a changed rule is one change, with the terms that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tariffs.engine.law import Law
from tariffs.engine.scenario import difference
from tests.unit.laws import changed, make_law, measure

RULE: Mapping[str, Any] = {
    "id": "one", "from": "2025-05-01T00:01-04:00", "known_from": "2025-04-28", "when": ["duty"], "on": ["other"],
    "take": "all", "text": "a text", "cite": [], "conf": "C",
}  # fmt: skip
END = {"op": "terminate", "at": "2026-01-01T00:01-05:00", "known_from": "2025-12-01", "conf": "C"}


def law_of(rules: Sequence[Mapping[str, Any]]) -> Law:
    return make_law([measure("duty", [{"rate": "10%"}]), measure("other", [{"rate": "20%"}])], rules=rules)


def told(first: Law, second: Law) -> list[tuple[str, str, str, str, str]]:
    found = [one for one in difference(first, second) if one.kind == "rule"]
    return [
        (
            one.id,
            f"{one.start:%Y-%m-%d}" if one.start else "",
            f"{one.end:%Y-%m-%d}" if one.end else "",
            one.first,
            one.second,
        )
        for one in found
    ]


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
def test_a_changed_rule_is_one_change(edit: Mapping[str, Any], expected: tuple[str, ...]) -> None:
    assert told(law_of([RULE]), law_of([{**RULE, **edit}])) == [expected]
    assert told(law_of([RULE]), law_of([RULE])) == []


def test_a_rule_of_one_law_alone_is_in_force_there() -> None:
    assert told(law_of([]), law_of([RULE])) == [("one", "2025-05-01", "", "not in force", "in force")]
    assert told(law_of([RULE]), law_of([])) == [("one", "2025-05-01", "", "in force", "not in force")]


def test_a_scenario_that_ends_a_rule_and_brings_it_back_is_one_change_of_that_time() -> None:
    law = law_of([RULE])
    off = {"op": "set_stacking", "rule": "one", "from": "2026-02-01", "until": "2026-03-01", "value": "off"}
    assert told(law, changed(law, off)) == [("one", "2026-02-01", "2026-03-01", "in force", "not in force")]
