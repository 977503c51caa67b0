"""State of a measure after the verbs of law and scenarios, each on its own and against the others."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.law import Law
from tariffs.engine.scenario.diff import same_state
from tests.unit.laws import at, changed, make_law, measure, rates

DUTY = measure("duty", [{"rate": "20%", "heading": "9903.00.01"}])
PERIOD = DUTY["periods"][0]
LAW = make_law([DUTY])
DAY, AFTER = "2025-06-15", "2025-09-15"
INVALIDATE = {
    "op": "invalidate", "measures": {"authority": "top"}, "at": "2025-06-01", "collection_stop": "2025-07-01",
}  # fmt: skip
VOID = make_law([DUTY], events=[INVALIDATE])


def act(op: str, origins: list[str] | None = None, **keys: Any) -> dict[str, Any]:
    measures = {"id": "duty"} | ({"origins": origins} if origins else {})
    return {"op": op, "measures": measures, **{key.rstrip("_"): value for key, value in keys.items()}}


def suspension(**keys: Any) -> dict[str, Any]:
    return act("suspend", **{"from_": "2025-06-01", "until": "2025-08-01", "on_end": "snap_back", **keys})


BACK = act("snap_back", at="2025-06-10")


def voids(law: Law, day: str) -> list[bool]:
    return [row.void for active in law.in_force(at(day)).actives for row in active.rows]


@pytest.mark.parametrize(
    ("acts", "found"),
    [
        ([], {"2025-02-01T00:00-05:00": [], "2025-02-01T00:01-05:00": ["0.2"]}),
        ([suspension(kept="0%")], {"2025-05-31": ["0.2"], DAY: ["-"], "2025-08-01": ["0.2"]}),
        ([suspension(kept="5%")], {"2025-05-31": ["0.2"], DAY: ["0.05"], "2025-08-01": ["0.2"]}),
        # An extension moves the end of the last suspension alone.
        (
            [suspension(from_="2025-03-01", until="2025-04-01"), suspension(), act("extend", until="2025-12-01")],
            {"2025-03-15": ["-"], "2025-05-01": ["0.2"], AFTER: ["-"], "2025-12-01": ["0.2"]},
        ),
        # The end of a suspension for part of the scope leaves the rest suspended.
        ([suspension(), act("snap_back", ["AA"], at="2025-06-10")], {DAY: ["0.2", "-"]}),
        # Touching suspensions are one.
        (
            [suspension(on_end="terminate"), suspension(from_="2025-08-01", until="2025-10-01")],
            {AFTER: ["-"], "2025-11-01": ["0.2"]},
        ),
        ([act("set_rate", from_="2025-05-01", rate="35%")], {"2025-04-30": ["0.2"], DAY: ["0.35"]}),
        ([act("set_rate", from_="2025-05-01", by="+10pp")], {"2025-04-30": ["0.2"], DAY: ["0.3"]}),
        ([act("set_rate", from_="2025-05-01", by="x0.5")], {"2025-04-30": ["0.2"], DAY: ["0.10"]}),
        # A rate for an origin goes before the general row.
        ([act("set_rate", ["AA"], from_="2025-05-01", rate="0%")], {DAY: ["0", "0.2"]}),
        # Acts for ten origins do not overlap, so that they are never too many to tell apart.
        (
            [act("set_rate", [origin * 2], from_="2025-05-01", rate="1%") for origin in "ABCDEFGHIJ"],
            {DAY: ["0.01"] * 10 + ["0.2"]},
        ),
        # At one instant a scenario wins over a period.
        ([act("set_rate", from_="2025-02-01T00:01-05:00", rate="25%")], {DAY: ["0.25"]}),
        # An ended measure stays ended whatever comes.
        ([act("terminate", at="2025-05-01"), suspension(), BACK], {"2025-04-30": ["0.2"], DAY: []}),
        ([act("expire", at="2025-05-01"), suspension(), BACK], {"2025-04-30": ["0.2"], DAY: []}),
        ([act("delay", to="2025-07-01")], {DAY: [], AFTER: ["0.2"]}),
    ],
)  # fmt: skip
def test_rates_after_acts(acts: list[dict[str, Any]], found: dict[str, list[str]]) -> None:
    law = changed(LAW, *acts)
    shown = {day: [str(rate) for rate in rates(law, day).get("duty", [])] for day in found}
    as_numbers = [[rate if rate == "-" else float(rate) for rate in each] for each in shown.values()]
    assert as_numbers == [[rate if rate == "-" else float(rate) for rate in each] for each in found.values()]


@pytest.mark.parametrize(
    ("origin", "first"),
    [("AA", ["0.4", "0.4", "0.4"]), ("BB", ["0.4", "0.4"]), ("PAIR", ["0.4", "0.4", "0.4"])],
)
def test_set_rate_narrowed_to_an_origin_leaves_out_rows_for_others(origin: str, first: list[str]) -> None:
    wide: list[dict[str, Any]] = [
        {"origins": ["AA"], "rate": "30%"},
        {"origins": ["PAIR"], "rate": "25%"},
        {"origins": ["CC"], "rate": "15%"},
        {"rate": "10%"},
    ]
    law = changed(
        make_law([measure("duty", wide)]), act("set_rate", [origin], from_="2025-05-01", rate="40%")
    )
    assert rates(law, DAY) == {"duty": [*first, "0.3", "0.25", "0.15", "0.1"]}


def test_a_later_period_is_an_act_that_ends_an_earlier_change_of_rate() -> None:
    later = {"id": "duty_later", "from": "2025-07-01", "rows": [{"rate": "30%"}]}
    law = make_law([{**DUTY, "periods": [PERIOD, later]}])
    law = changed(law, act("set_rate", from_="2025-05-01", rate="25%"))
    assert rates(law, DAY) == {"duty": ["0.25"]}
    assert rates(law, AFTER) == {"duty": ["0.3"]}


def test_invalidation_voids_what_is_collected_until_the_stop_or_from_the_beginning() -> None:
    law = changed(LAW, INVALIDATE)
    assert [voids(law, day) for day in ("2025-05-15", DAY, AFTER)] == [[False], [True], []]
    assert voids(changed(LAW, {**INVALIDATE, "from_beginning": "yes"}), "2025-05-15") == [True]
    # A suspension that ends over a void measure brings nothing back; a revalidation undoes it.
    assert rates(changed(VOID, suspension()), AFTER) == {}
    undone = changed(VOID, {"op": "revalidate", "measures": {"authority": "top.sub"}})
    assert rates(undone, AFTER) == {"duty": ["0.2"]}
    assert voids(undone, DAY) == [False]


def test_exempt_puts_relief_before_the_rows_and_lapses() -> None:
    relief = {**act("exempt", from_="2025-05-01", heading="9903.00.09")}
    relief["measures"] = {"id": "duty", "products": ["8471"]}
    law = changed(LAW, relief, act("lapse_exemption", at="2025-08-01", heading="9903.00.09"))
    assert rates(law, DAY)["duty"][:2] == ["0", "0.2"]
    assert set(rates(law, AFTER)["duty"]) == {"0.2"}


def test_an_act_is_unknown_before_its_publication() -> None:
    event = {"op": "set_rate", "from": "2025-05-01", "rate": "5%", "known_from": "2025-07-01"}
    law = make_law([{**DUTY, "events": [event]}])
    assert rates(law, DAY) == {"duty": ["0.05"]}
    assert rates(law, DAY, date(2025, 6, 15)) == {"duty": ["0.2"]}


def test_a_written_end_holds_and_can_be_extended() -> None:
    timed = make_law([{**DUTY, "periods": [{**PERIOD, "to": "2025-08-01"}]}])
    assert rates(timed, AFTER) == {}
    assert rates(changed(timed, act("extend", until="2025-12-01")), AFTER) == {"duty": ["0.2"]}
    assert rates(changed(timed, act("snap_back", at="2025-06-01")), DAY) == {}


def test_switches_choose_between_readings_and_a_confidence_limit_leaves_out_the_less_sure() -> None:
    switches = {"reading": {"default": "wide", "values": ["wide", "narrow"]}}
    law = make_law([{**DUTY, "switch": {"reading": "wide"}}], switches=switches)
    assert rates(law, DAY) == {"duty": ["0.2"]}
    assert law.with_switches({}) is law
    assert rates(law.with_switches({"reading": "narrow"}), DAY) == {}
    with pytest.raises(ScenarioError) as caught:
        law.with_switches({"reading": "wrong"})
    assert caught.value.reason == "SWITCH_UNKNOWN"
    assert rates(LAW.with_min_conf("B"), DAY) == {}


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        (act("extend", until="2025-12-01"), "SUSPENSION_NOT_FOUND", "changes[0]"),
        ({**BACK, "measures": {"id": "dutty"}}, "NOTHING_MATCHED", "changes[0].measures"),
        (
            {"op": "add", "measure": measure("extra", [{"rate": "7.5"}])},
            "SCENARIO_SYNTAX",
            "changes[0].measure.periods[0].rows[0].rate",
        ),
    ],
)  # fmt: skip
def test_acts_that_cannot_be_done_point_at_themselves(change: dict[str, Any], reason: str, path: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(LAW, change)
    assert (caught.value.reason, caught.value.path) == (reason, path)
    assert reason != "NOTHING_MATCHED" or "duty" in caught.value.metadata["nearest"]


def test_an_added_measure_charges_and_the_same_state_is_seen_through_acts_that_change_nothing() -> None:
    new = {"op": "add", "measure": measure("extra", [{"rate": "7.5%"}])}
    assert rates(changed(LAW, new), DAY) == {"duty": ["0.2"], "extra": ["0.075"]}
    undone = changed(LAW, suspension(), act("snap_back", at="2025-06-01"))
    assert same_state(LAW, undone, LAW.measures)
    assert not same_state(LAW, changed(LAW, suspension()), LAW.measures)


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
