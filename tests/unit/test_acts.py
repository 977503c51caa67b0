"""Acts on measures: at the edges of their time, by the day of their publication, and for part of the goods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.amendments import CHANGE_KEYS, OPS, UNPUBLISHED, change_from_mapping
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import void_suspensions
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.law_history.law_changes import changes, read_window
from tariffs.engine.scenario import apply_scenario, check_scenario, parse_scenario
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


HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
UNTIL_ENDED = "op: suspend, from: 2026-12-01, on_end: snap_back"
AUSTRALIA = f"{{{UNTIL_ENDED}, measures: {{id: fl301, origins: [AU]}}, until: 2027-11-10}}"
ARGENTINA = f"{{{UNTIL_ENDED}, measures: {{id: fl301, origins: [AR]}}, until: 2027-03-01}}"


def text_of(*changes: str) -> str:
    return HEAD + "".join(f"  - {change}\n" for change in changes)


def embedded(*changes: str) -> Law:
    return apply_scenario(load_law(), parse_scenario(text_of(*changes)))


def charged(law: Law, origin: str, day: str) -> bool:
    """Whether the forced-labor duty is charged on goods of an origin that no list frees."""
    quote = quote_line(law, EntryLine("9503000073", origin, "10000", day))
    return any(layer.measure == "fl301" and layer.amount > 0 for layer in quote.layers)


def test_the_suspension_of_one_country_is_extended_though_another_ends_later() -> None:
    extend = "{op: extend, measures: {id: fl301, origins: [AR]}, until: 2027-06-01}"
    for order in ((AUSTRALIA, ARGENTINA), (ARGENTINA, AUSTRALIA)):
        assert [p for p in check_scenario(text_of(*order, extend), load_law()) if p.severity == "error"] == []
        law = embedded(*order, extend)
        assert [charged(law, "AR", day) for day in ("2027-05-31", "2027-06-02")] == [False, True]
        assert [charged(law, "AU", day) for day in ("2027-11-09", "2027-11-11")] == [False, True]


@pytest.mark.parametrize(
    "extend",
    [
        "{op: extend, measures: {id: fl301, origins: [AU]}, until: 2027-06-01}",
        "{op: extend, measures: {id: fl301}, until: 2027-06-01}",
        "{op: extend, measures: {id: fl301, origins: [AU, AR]}, until: 2027-06-01}",
    ],
)
def test_an_extension_that_would_shorten_one_it_reaches_is_refused(extend: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        embedded(AUSTRALIA, ARGENTINA, extend)
    assert caught.value.reason == "CHANGE_DATES_REVERSED"


def test_a_country_without_a_suspension_has_none_to_extend() -> None:
    with pytest.raises(ScenarioError) as caught:
        embedded(AUSTRALIA, "{op: extend, measures: {id: fl301, origins: [BR]}, until: 2028-06-01}")
    assert caught.value.reason == "SUSPENSION_NOT_FOUND"


def test_the_end_of_a_suspension_is_announced_to_the_goods_it_reaches() -> None:
    law = embedded(AUSTRALIA, ARGENTINA)

    def ends(origin: str) -> list[str]:
        window = read_window("2027-01-01", "2027-12-31", "9503000073", origin)
        return [f"{n.at:%Y-%m-%d} {n.text}" for n in changes(law, window) if n.kind == "end"]

    (australian,) = (said for said in ends("AU") if "suspension" in said)
    (argentine,) = (said for said in ends("AR") if "suspension" in said)
    assert australian.startswith("2027-11-10")
    assert "for origins AU ends" in australian
    assert argentine.startswith("2027-03-01")
    assert not [said for said in ends("BR") if "suspension" in said]
    both = [n for n in changes(law, read_window("2027-01-01", "2027-12-31")) if n.id == "fl301.suspension"]
    assert len(both) == 2


def test_a_note_of_a_void_suspension_is_for_the_goods_it_reaches() -> None:
    """A suspension of one country that ended over a void measure tells nothing to goods of another."""
    event = {"op": "suspend", "measures": {"origins": ["AA"]}, "from": "2025-03-01", "until": "2025-09-01"}
    void = {"op": "invalidate", "at": "2025-06-01", "measures": {"authority": "top"}}
    duty = measure("duty", [{"rate": "20%"}], events=[{**event, "on_end": "snap_back"}])
    law = make_law([duty], events=[void])
    day = at("2025-10-01")
    in_force = law.in_force(day)

    def told(origin: str) -> list[str]:
        def reaches(scope: Scope) -> bool:
            return Reach.of(scope, in_force).fits("9503", origin)

        return [note.reason for note in void_suspensions(law, day, law.as_of, reaches)]

    assert (told("AA"), told("BB")) == (["PARENT_VOID"], [])


def test_acts_on_one_period_leave_suspensions_of_another() -> None:
    """A suspension of an earlier period that ends later does not stand in the way of one of a later period."""
    duty = measure("duty", [{"rate": "20%"}])
    duty["periods"] = [
        *duty["periods"],
        {"id": "later", "from": "2025-08-01T00:01-04:00", "rows": [{"rate": "30%"}]},
    ]
    suspend = {"op": "suspend", "on_end": "snap_back", "from": "2025-03-01"}
    law = changed(
        make_law([duty]),
        {**suspend, "measures": {"id": "duty_period"}, "until": "2026-12-01"},
        {**suspend, "measures": {"id": "later"}, "until": "2025-09-01"},
        {"op": "extend", "measures": {"id": "later"}, "until": "2025-10-01"},
    )
    assert rates(law, "2025-09-15") == {"duty": ["-"]}
    assert rates(law, "2025-10-15") == {"duty": ["0.3"]}
