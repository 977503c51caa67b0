"""A scenario's changes are known on every day, unless they say from when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law.amendments import CHANGE_KEYS, OPS, UNPUBLISHED, change_from_mapping
from tests.unit.laws import changed, make_law, measure, rates

WHEN, EARLY = "2026-06-01", date(2025, 3, 1)
LAW = make_law(
    [
        measure("duty", [{"if": ["gift"], "rate": "0%"}, {"rate": "10%"}]),
        measure("other", [{"rate": "20%"}]),
        measure("total", [{"kind": "total", "rate": "30%"}]),
    ],
    rules=[
        {"id": "late", "from": "2025-05-01", "known_from": "2025-04-28", "when": ["duty"], "on": ["other"],
         "take": "all", "conf": "C", "cite": [],
         "events": [{"op": "terminate", "at": "2026-01-01", "known_from": "2025-12-01", "conf": "C"}]},
    ],
)  # fmt: skip
PERIOD = {"id": "added_1", "from": "2026-01-01", "rows": [{"rate": "5%"}]}
ADDED: dict[str, Any] = {"id": "added", "authority": "top", "periods": [PERIOD]}
REPLACING = ADDED | {"periods": [{"id": "added_1", "rows": [{"rate": "5%"}]}]}
DUTY = {"measures": {"id": "duty"}}
CHANGES: dict[str, dict[str, Any]] = {
    "add": {"op": "add", "measure": ADDED},
    "add without a start": {"op": "add", "measure": ADDED | {"periods": [{**PERIOD, "from": WHEN}]}},
    "replace": {"op": "replace", "at": "2026-01-01", "measure": REPLACING, **DUTY},
    "set_rate": {"op": "set_rate", "from": "2026-01-01", "rate": "15%", **DUTY},
    "suspend": {"op": "suspend", "from": "2026-01-01", "on_end": "none_scheduled", **DUTY},
    "terminate": {"op": "terminate", "at": "2026-01-01", **DUTY},
    "exempt": {"op": "exempt", "from": "2026-01-01", **DUTY},
    "lapse_exemption": {"op": "lapse_exemption", "at": "2026-01-01", **DUTY},
    "delay": {"op": "delay", "to": "2027-01-01", **DUTY},
    "set_stacking on": {"op": "set_stacking", "rule": "late", "from": "2026-01-01", "value": "on"},
    "set_stacking off": {"op": "set_stacking", "rule": "late", "from": "2025-05-02", "value": "off"},
    "set_stacking as": {
        "op": "set_stacking", "rule": "new", "from": "2026-01-01",
        "as": {"when": ["duty"], "on": ["total"], "take": "all"},
    },
}  # fmt: skip


def law_of(change: Mapping[str, Any], known_on: date, when: str = WHEN) -> tuple[object, object]:
    """Rates in force and stacking rules, by what was known on a day."""
    law = changed(LAW, change) if change else LAW
    rules = law.rule_book.in_force(law.context("import").instant(when), known_on, law.choices)
    return rates(law, when, known_on), [(one.rule.id, one.rule.on, one.rule.take) for one in rules]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_known_on_every_day(name: str) -> None:
    when = "2025-12-15" if name == "set_stacking off" else WHEN
    known_on = date(2025, 5, 3) if name == "set_stacking off" else EARLY
    assert law_of(CHANGES[name], known_on, when) != law_of({}, known_on, when)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_says_when_it_was_published_is_known_from_that_day(name: str) -> None:
    day = date(2025, 12, 15)
    when = "2025-12-15" if name == "set_stacking off" else WHEN
    change = CHANGES[name] | {"known_from": day.isoformat()}
    eve = day - timedelta(days=1)
    assert law_of(change, eve, when) == law_of({}, eve, when)
    assert law_of(change, day, when) == law_of(CHANGES[name], day, when) != law_of({}, day, when)


def test_a_period_of_an_added_measure_says_when_it_was_published() -> None:
    periods = [{**PERIOD, "known_from": "2025-04-01"}]
    law = changed(LAW, {"op": "add", "measure": ADDED | {"periods": periods}, "known_from": "2025-02-01"})
    assert "added" not in rates(law, WHEN, date(2025, 3, 31))
    assert rates(law, WHEN, date(2025, 4, 1))["added"] == ["0.05"]


@pytest.mark.parametrize("op", sorted(OPS))
def test_a_verb_either_has_a_day_of_publication_or_names_the_verbs_that_have_one(op: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        change_from_mapping({"op": op, "known_from": "2026-01-01", "neither": ""}, "changes[0]")
    takes = "known_from" in CHANGE_KEYS[op]
    assert takes == (op not in UNPUBLISHED)
    assert caught.value.reason == "SCENARIO_UNKNOWN_KEY"
    assert caught.value.path == ("changes[0].neither" if takes else "changes[0].known_from")
    takers = {one for one, known in CHANGE_KEYS.items() if "known_from" in known}
    fix = caught.value.fix.partition("Verbs with known_from: ")[2].rstrip(".").split(", ")
    assert takes or set(fix) == takers
