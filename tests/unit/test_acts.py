"""Acts on measures: day of publication, parts of the goods, what is refused, and the state that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.amendments import CHANGE_KEYS, OPS, UNPUBLISHED, change_from_mapping
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import void_suspensions
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.law_history.law_changes import changes, read_window
from tariffs.engine.scenario import check_scenario
from tariffs.engine.scenario.diff import same_state
from tests.unit.laws import at, changed, make_law, measure, rates
from tests.unit.scenario_tables import applied, text_of

START, END = "2025-06-01T00:01-04:00", "2025-09-01T00:01-04:00"
MINUTE = timedelta(minutes=1)
WHEN = "2026-06-01"
DUTY = measure("duty", [{"rate": "20%", "heading": "9903.00.01"}])
PERIOD = DUTY["periods"][0]
PLAIN = make_law([DUTY])
SELECTED = {"measures": {"id": "duty"}}
SUSPEND = {"op": "suspend", **SELECTED, "from": START, "until": END, "on_end": "snap_back"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"op": "set_claim", "claim": "treaty_share", "share": "50%"}, "set_claims"),
        ({"op": "shock_quantity", "share": "50%"}, "constraints"),
        ({"op": "set_stacking", "rule": "mine", "as": {"on": ["top"], "take": "all"}}, ""),
    ],
)
def test_what_scenarios_set_beside_measures_holds_from_its_minute_to_that_before_its_end(
    change: dict[str, Any], kind: str
) -> None:
    law = changed(PLAIN, {**change, "from": START, "until": END})
    for edge, held in ((START, [False, True, True]), (END, [True, False, False])):
        moments = [at(edge) + minutes * MINUTE for minutes in (-1, 0, 1)]
        found = [
            getattr(law, kind)[0].holds(one) if kind else bool(law.in_force(one).rules) for one in moments
        ]
        assert found == held


EXEMPT = {"op": "exempt", **SELECTED, "from": START}
UNTIL_END: dict[str, tuple[list[dict[str, Any]], str]] = {
    "suspend": ([SUSPEND], "suspended"),
    "extend": ([{**SUSPEND, "until": "2025-07-01"}, {"op": "extend", **SELECTED, "until": END}], "suspended"),
    "snap_back": ([{**SUSPEND, "until": WHEN}, {"op": "snap_back", **SELECTED, "at": END}], "suspended"),
    "enjoin": ([{"op": "enjoin", **SELECTED, "at": START, "until": END}], "void"),
    "exempt": ([{**EXEMPT, "until": END}], "relief"),
    "lapse_exemption": ([EXEMPT, {"op": "lapse_exemption", **SELECTED, "at": END}], "relief"),
}


@pytest.mark.parametrize("verb", UNTIL_END)
def test_what_lasts_until_an_instant_lasts_to_the_minute_before(verb: str) -> None:
    acts, inside = UNTIL_END[verb]
    law = changed(PLAIN, *acts)
    firsts = [law.in_force(at(END) + minutes * MINUTE).actives[0].rows[0] for minutes in (-1, 0, 1)]
    words = [[word for word in ("suspended", "void", "relief") if getattr(row, word)] for row in firsts]
    assert words == [[inside], [], []]


def test_every_verb_with_an_end_is_among_those_held_here() -> None:
    ended = {op for op, verb in OPS.items() if "until" in verb.required | verb.optional}
    assert ended - UNTIL_END.keys() == {"set_stacking", "set_claim", "shock_quantity"}


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
ADDED_PERIOD = {"id": "added_1", "from": "2026-01-01", "rows": [{"rate": "5%"}]}
ADDED: dict[str, Any] = {"id": "added", "authority": "top", "periods": [ADDED_PERIOD]}
REPLACING = ADDED | {"periods": [{"id": "added_1", "rows": [{"rate": "5%"}]}]}
CHANGES: dict[str, dict[str, Any]] = {
    "add": {"op": "add", "measure": ADDED},
    "add on the day": {"op": "add", "measure": ADDED | {"periods": [{**ADDED_PERIOD, "from": WHEN}]}},
    "replace": {"op": "replace", "at": "2026-01-01", "measure": REPLACING, **SELECTED},
    "set_rate": {"op": "set_rate", "from": "2026-01-01", "rate": "15%", **SELECTED},
    "suspend": {"op": "suspend", "from": "2026-01-01", "on_end": "none_scheduled", **SELECTED},
    "terminate": {"op": "terminate", "at": "2026-01-01", **SELECTED},
    "exempt": {"op": "exempt", "from": "2026-01-01", **SELECTED},
    "lapse_exemption": {"op": "lapse_exemption", "at": "2026-01-01", **SELECTED},
    "delay": {"op": "delay", "to": "2027-01-01", **SELECTED},
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
def test_a_change_is_known_on_every_day_or_from_the_day_that_it_says(name: str) -> None:
    off = name == "set_stacking off"
    when, early = ("2025-12-15", date(2025, 5, 3)) if off else (WHEN, date(2025, 3, 1))
    assert law_of(CHANGES[name], early, when) != law_of({}, early, when)
    day = date(2025, 12, 15)
    eve, published = day - timedelta(days=1), CHANGES[name] | {"known_from": day.isoformat()}
    assert law_of(published, eve, when) == law_of({}, eve, when)
    assert law_of(published, day, when) == law_of(CHANGES[name], day, when) != law_of({}, day, when)


def test_a_period_of_an_added_measure_says_when_it_was_published() -> None:
    periods = [{**ADDED_PERIOD, "known_from": "2025-04-01"}]
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


def test_acts_for_ten_origins_are_never_too_many_to_tell_apart() -> None:
    acts = [
        {"op": "set_rate", "measures": {"id": "duty", "origins": [origin * 2]}, "from": START, "rate": "1%"}
        for origin in "ABCDEFGHIJ"
    ]
    assert rates(changed(PLAIN, *acts), WHEN) == {"duty": ["0.01"] * 10 + ["0.2"]}


def test_switches_choose_between_readings_and_a_confidence_limit_leaves_out_the_less_sure() -> None:
    switches = {"reading": {"default": "wide", "values": ["wide", "narrow"]}}
    law = make_law([{**DUTY, "switch": {"reading": "wide"}}], switches=switches)
    assert law.with_switches({}) is law
    assert rates(law.with_switches({"reading": "narrow"}), WHEN) == {}
    with pytest.raises(ScenarioError) as caught:
        law.with_switches({"reading": "wrong"})
    assert caught.value.reason == "SWITCH_UNKNOWN"
    assert rates(PLAIN.with_min_conf("B"), WHEN) == {}


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"op": "extend", **SELECTED, "until": END}, "SUSPENSION_NOT_FOUND", "changes[0]"),
        ({"op": "snap_back", "measures": {"id": "dutty"}, "at": START}, "NOTHING_MATCHED", "changes[0].measures"),
        ({"op": "add", "measure": measure("extra", [{"rate": "7.5"}])}, "SCENARIO_SYNTAX",
         "changes[0].measure.periods[0].rows[0].rate"),
    ],
)  # fmt: skip
def test_acts_that_cannot_be_done_point_at_themselves(change: dict[str, Any], reason: str, path: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(PLAIN, change)
    assert (caught.value.reason, caught.value.path) == (reason, path)
    assert reason != "NOTHING_MATCHED" or "duty" in caught.value.metadata["nearest"]


def test_the_same_state_is_seen_through_acts_that_change_nothing() -> None:
    undone = changed(PLAIN, SUSPEND, {"op": "snap_back", **SELECTED, "at": START})
    assert same_state(PLAIN, undone, PLAIN.measures)
    assert not same_state(PLAIN, changed(PLAIN, SUSPEND), PLAIN.measures)


def test_a_written_end_can_be_extended_and_acts_on_one_period_leave_suspensions_of_another() -> None:
    timed = make_law([{**DUTY, "periods": [{**PERIOD, "to": "2025-08-01"}]}])
    assert rates(changed(timed, {"op": "extend", **SELECTED, "until": "2025-12-01"}), END) == {
        "duty": ["0.2"]
    }
    later = {"id": "later", "from": "2025-08-01T00:01-04:00", "rows": [{"rate": "30%"}]}
    suspend = {"op": "suspend", "on_end": "snap_back", "from": "2025-03-01"}
    law = changed(
        make_law([{**DUTY, "periods": [PERIOD, later]}]),
        {**suspend, "measures": {"id": "duty_period"}, "until": "2026-12-01"},
        {**suspend, "measures": {"id": "later"}, "until": "2025-09-01"},
        {"op": "extend", "measures": {"id": "later"}, "until": "2025-10-01"},
    )
    assert rates(law, "2025-09-15") == {"duty": ["-"]}
    assert rates(law, "2025-10-15") == {"duty": ["0.3"]}


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        ({**DUTY, "authorty": "x"}, "authorty"),
        ({**DUTY, "periods": [{**PERIOD, "rows": [{"rate": "12.5"}]}]}, "rate"),
        ({**DUTY, "periods": [{**PERIOD, "rows": [{"rate": "5%", "if": ["no_claim"]}]}]}, "no_claim"),
        ({**DUTY, "periods": [{**PERIOD, "rows": [{"rate": "5%", "products": ["NO_LIST"]}]}]}, "NO_LIST"),
        (measure("floor", [{"kind": "topup_to", "rate": "15%"}]), "displaces_at_zero"),
        ({**DUTY, "periods": [{**PERIOD, "conf": "A"}]}, "citation"),
    ],
)
def test_law_data_that_breaks_its_form_is_refused_with_its_place(broken: dict[str, Any], names: str) -> None:
    with pytest.raises(LawError) as caught:
        make_law([broken])
    assert names in str(caught.value)


UNTIL_ENDED = "op: suspend, from: 2026-12-01, on_end: snap_back"
AUSTRALIA = f"{{{UNTIL_ENDED}, measures: {{id: fl301, origins: [AU]}}, until: 2027-11-10}}"
ARGENTINA = f"{{{UNTIL_ENDED}, measures: {{id: fl301, origins: [AR]}}, until: 2027-03-01}}"


def charged(law: Law, origin: str, day: str) -> bool:
    """Whether the forced-labor duty is charged on goods of an origin that no list frees."""
    quote = quote_line(law, EntryLine("9503000073", origin, "10000", day))
    return any(layer.measure == "fl301" and layer.amount > 0 for layer in quote.layers)


def test_the_suspension_of_one_country_is_extended_though_another_ends_later() -> None:
    extend = "{op: extend, measures: {id: fl301, origins: [AR]}, until: 2027-06-01}"
    for order in ((AUSTRALIA, ARGENTINA), (ARGENTINA, AUSTRALIA)):
        assert [p for p in check_scenario(text_of(*order, extend), load_law()) if p.severity == "error"] == []
        law = applied(*order, extend)
        assert [charged(law, "AR", day) for day in ("2027-05-31", "2027-06-02")] == [False, True]
        assert [charged(law, "AU", day) for day in ("2027-11-09", "2027-11-11")] == [False, True]


@pytest.mark.parametrize(
    ("origins", "reason"),
    [
        (", origins: [AU]", "CHANGE_DATES_REVERSED"),
        ("", "CHANGE_DATES_REVERSED"),
        (", origins: [AU, AR]", "CHANGE_DATES_REVERSED"),
        (", origins: [BR]", "SUSPENSION_NOT_FOUND"),
    ],
)
def test_an_extension_that_would_shorten_one_or_finds_none_is_refused(origins: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        applied(AUSTRALIA, ARGENTINA, f"{{op: extend, measures: {{id: fl301{origins}}}, until: 2027-06-01}}")
    assert caught.value.reason == reason


def test_the_end_of_a_suspension_is_announced_to_the_goods_it_reaches() -> None:
    law = applied(AUSTRALIA, ARGENTINA)

    def ends(origin: str) -> list[str]:
        window = read_window("2027-01-01", "2027-12-31", "9503000073", origin)
        found = [n for n in changes(law, window) if n.kind == "end" and "suspension" in n.text]
        return [f"{n.at:%Y-%m-%d} {n.text}" for n in found]

    ((australian,), (argentine,), none) = map(ends, ("AU", "AR", "BR"))
    assert australian.startswith("2027-11-10")
    assert "for origins AU ends" in australian
    assert argentine.startswith("2027-03-01")
    assert none == []
    both = [n for n in changes(law, read_window("2027-01-01", "2027-12-31")) if n.id == "fl301.suspension"]
    assert len(both) == 2


def test_a_note_of_a_void_suspension_is_for_the_goods_it_reaches() -> None:
    event = {"op": "suspend", "measures": {"origins": ["AA"]}, "from": "2025-03-01", "until": "2025-09-01"}
    void = {"op": "invalidate", "at": "2025-06-01", "measures": {"authority": "top"}}
    duty = measure("duty", [{"rate": "20%"}], events=[{**event, "on_end": "snap_back"}])
    law, day = make_law([duty], events=[void]), at("2025-10-01")
    in_force = law.in_force(day)

    def told(origin: str) -> list[str]:
        def reaches(scope: Scope) -> bool:
            return Reach.of(scope, in_force).fits("9503", origin)

        return [note.reason for note in void_suspensions(law, day, law.as_of, reaches)]

    assert (told("AA"), told("BB")) == (["PARENT_VOID"], [])
