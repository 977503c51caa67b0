"""Acts at the edge of their time: which of two acts of one instant wins, and that every end is exclusive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tariffs.engine.law import Law
from tariffs.engine.law.amendments import OPS
from tests.unit.laws import at, changed, make_law, measure, rates

START, END = "2025-06-01T00:01-04:00", "2025-09-01T00:01-04:00"
MINUTE = timedelta(minutes=1)
ROWS = [{"rate": "20%", "heading": "9903.00.01"}]
SELECTED = {"measures": {"id": "duty"}}
SUSPEND = {"op": "suspend", **SELECTED, "from": START, "on_end": "snap_back"}


@pytest.mark.parametrize("start", [START, "2025-07-01"])
def test_a_rate_of_a_scenario_wins_over_one_of_the_law_at_the_same_instant(start: str) -> None:
    enacted = {"op": "set_rate", "from": start, "rate": "30%"}
    law = make_law([measure("duty", ROWS, events=[enacted])])
    assert rates(law, "2025-08-01") == {"duty": ["0.3"]}
    raised = changed(law, {"op": "set_rate", **SELECTED, "from": start, "rate": "77%"})
    assert rates(raised, "2025-08-01") == {"duty": ["0.77"]}
    later = changed(law, {"op": "set_rate", **SELECTED, "from": "2025-05-01", "rate": "77%"})
    assert rates(later, "2025-08-01") == {"duty": ["0.3"]}, "a later act of the law ends an earlier one"


def state(law: Law, minutes: int) -> str:
    """How the duty stands so many minutes from the end."""
    instant = at(END) + minutes * MINUTE
    (active,) = law.in_force(instant).actives or (None,)
    if active is None:
        return "absent"
    row = active.rows[0]
    words = [word for word in ("suspended", "void", "relief") if getattr(row, word)]
    return " ".join(words) or str(row.rate)


UNTIL_END: dict[str, tuple[list[dict[str, Any]], str]] = {
    "suspend": ([{**SUSPEND, "until": END}], "suspended"),
    "extend": ([{**SUSPEND, "until": "2025-07-01"}, {"op": "extend", **SELECTED, "until": END}], "suspended"),
    "snap_back": (
        [{**SUSPEND, "until": "2026-07-01"}, {"op": "snap_back", **SELECTED, "at": END}],
        "suspended",
    ),
    "enjoin": ([{"op": "enjoin", **SELECTED, "at": START, "until": END}], "void"),
    "exempt": ([{"op": "exempt", **SELECTED, "from": START, "until": END}], "relief"),
    "lapse_exemption": (
        [{"op": "exempt", **SELECTED, "from": START}, {"op": "lapse_exemption", **SELECTED, "at": END}],
        "relief",
    ),
}


@pytest.mark.parametrize("verb", UNTIL_END)
def test_what_lasts_until_an_instant_lasts_to_the_minute_before(verb: str) -> None:
    acts, inside = UNTIL_END[verb]
    law = changed(make_law([measure("duty", ROWS)]), *acts)
    assert [state(law, minutes) for minutes in (-1, 0, 1)] == [inside, "0.2", "0.2"]


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        ({"op": "terminate", "at": END}, "0.2", "absent"),
        ({"op": "expire", "at": END}, "0.2", "absent"),
        ({"op": "set_rate", "from": END, "rate": "30%"}, "0.2", "0.3"),
        ({"op": "suspend", "from": END, "on_end": "none_scheduled"}, "0.2", "suspended"),
        ({"op": "enjoin", "at": END}, "0.2", "void"),
        ({"op": "exempt", "from": END}, "0.2", "relief"),
        ({"op": "invalidate", "at": START, "collection_stop": END}, "void", "absent"),
        ({**SUSPEND, "until": END, "on_end": "terminate"}, "suspended", "absent"),
    ],
)  # fmt: skip
def test_what_begins_at_an_instant_holds_from_it_on(act: dict[str, Any], before: str, after: str) -> None:
    law = changed(make_law([measure("duty", ROWS)]), {**act, **SELECTED})
    assert [state(law, minutes) for minutes in (-1, 0, 1)] == [before, after, after]


def test_the_end_of_a_period_and_of_a_list_is_exclusive() -> None:
    duty = measure("duty", ROWS)
    duty["periods"][0]["to"] = END
    assert [state(make_law([duty]), minutes) for minutes in (-1, 0, 1)] == ["0.2", "absent", "absent"]
    lists = {"SOME": [["9503", "2025-06-01", "2025-09-01"]]}
    listed = make_law([measure("duty", [{"rate": "20%", "products": ["SOME"]}])], lists=lists)
    codes = [listed.in_force(at(END) + n * MINUTE).lists["SOME"] for n in (-1, 0, 1)]
    assert codes == [("9503",), (), ()]


def test_every_verb_with_an_end_is_among_those_held_here() -> None:
    ending = {op for op, verb in OPS.items() if "until" in verb.required | verb.optional}
    assert ending - UNTIL_END.keys() == {"set_stacking", "set_claim", "shock_quantity"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"op": "set_claim", "claim": "treaty_share", "share": "50%", "from": START, "until": END}, "set_claims"),
        ({"op": "shock_quantity", "share": "50%", "from": START, "until": END}, "constraints"),
    ],
)  # fmt: skip
def test_what_scenarios_set_beside_measures_ends_to_the_minute_before(
    change: dict[str, Any], kind: str
) -> None:
    law = changed(make_law([measure("duty", ROWS)]), change)
    (found,) = getattr(law, kind)
    assert [found.holds(at(END) + minutes * MINUTE) for minutes in (-1, 0, 1)] == [True, False, False]
    assert [found.holds(at(START) + minutes * MINUTE) for minutes in (-1, 0, 1)] == [False, True, True]


def test_a_stacking_rule_of_a_scenario_ends_to_the_minute_before() -> None:
    definition = {"when": ["duty"], "on": ["other"], "take": "all"}
    change = {"op": "set_stacking", "rule": "mine", "from": START, "until": END, "as": definition}
    law = changed(make_law([measure("duty", ROWS), measure("other", ROWS)]), change)
    found = [[one.rule.id for one in law.in_force(at(END) + n * MINUTE).rules] for n in (-1, 0, 1)]
    assert found == [["mine"], [], []]
