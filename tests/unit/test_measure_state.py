"""State of a measure after the verbs of law and scenarios, each on its own and against the others."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tariffs.engine.errors import LawError, ScenarioError
from tariffs.engine.scenario.diff import same_state
from tests.unit.laws import changed, make_law, measure, rates

DUTY = measure("duty", [{"rate": "20%", "heading": "9903.00.01"}])
DAY = "2025-06-15"
AFTER = "2025-09-15"


def act(op: str, **keys: Any) -> dict[str, Any]:
    return {"op": op, "measures": {"id": "duty"}, **{key.rstrip("_"): value for key, value in keys.items()}}


def suspension(**keys: Any) -> dict[str, Any]:
    return act("suspend", **{"from_": "2025-06-01", "until": "2025-08-01", "on_end": "snap_back", **keys})


def test_a_measure_charges_from_its_start() -> None:
    law = make_law([DUTY])
    assert rates(law, "2025-02-01T00:00-05:00") == {}
    assert rates(law, "2025-02-01T00:01-05:00") == {"duty": ["0.2"]}


@pytest.mark.parametrize(("kept", "during"), [("0%", "-"), ("5%", "0.05")])
def test_a_suspension_keeps_what_it_says_and_ends_by_itself(kept: str, during: str) -> None:
    law = changed(make_law([DUTY]), suspension(kept=kept))
    assert rates(law, "2025-05-31") == {"duty": ["0.2"]}
    assert rates(law, DAY) == {"duty": [during]}
    assert rates(law, "2025-08-01") == {"duty": ["0.2"]}


def test_extend_moves_the_end_of_the_last_suspension_alone() -> None:
    first = suspension(from_="2025-03-01", until="2025-04-01")
    law = changed(make_law([DUTY]), first, suspension(), act("extend", until="2025-12-01"))
    assert rates(law, "2025-05-01") == {"duty": ["0.2"]}
    assert rates(law, AFTER) == {"duty": ["-"]}
    assert rates(law, "2025-12-01") == {"duty": ["0.2"]}


def test_extend_without_a_suspension_is_refused() -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(make_law([DUTY]), act("extend", until="2025-12-01"))
    assert caught.value.reason == "SUSPENSION_NOT_FOUND"
    assert caught.value.path == "changes[0]"


def test_snap_back_for_part_of_the_scope_leaves_the_rest_suspended() -> None:
    partly = {"op": "snap_back", "measures": {"id": "duty", "origins": ["AA"]}, "at": "2025-06-10"}
    law = changed(make_law([DUTY]), suspension(), partly)
    assert rates(law, DAY) == {"duty": ["0.2", "-"]}


def test_touching_suspensions_are_one() -> None:
    second = suspension(from_="2025-08-01", until="2025-10-01")
    law = changed(make_law([DUTY]), suspension(on_end="terminate"), second)
    assert rates(law, AFTER) == {"duty": ["-"]}
    assert rates(law, "2025-11-01") == {"duty": ["0.2"]}


@pytest.mark.parametrize(
    ("change", "rate"), [({"rate": "35%"}, "0.35"), ({"by": "+10pp"}, "0.30"), ({"by": "x0.5"}, "0.10")]
)
def test_set_rate(change: dict[str, str], rate: str) -> None:
    law = changed(make_law([DUTY]), act("set_rate", from_="2025-05-01", **change))
    assert rates(law, "2025-04-30") == {"duty": ["0.2"]}
    assert [float(r) for r in rates(law, DAY)["duty"]] == [float(rate)]


def test_set_rate_narrowed_to_an_origin_goes_before_the_general_row() -> None:
    narrowed = {
        "op": "set_rate",
        "measures": {"id": "duty", "origins": ["AA"]},
        "from": "2025-05-01",
        "rate": "0%",
    }
    assert rates(changed(make_law([DUTY]), narrowed), DAY) == {"duty": ["0", "0.2"]}


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
        make_law([measure("duty", wide)]),
        {
            "op": "set_rate",
            "measures": {"id": "duty", "origins": [origin]},
            "from": "2025-05-01",
            "rate": "40%",
        },
    )
    assert rates(law, DAY) == {"duty": [*first, "0.3", "0.25", "0.15", "0.1"]}


def test_a_later_period_is_an_act_that_ends_an_earlier_change_of_rate() -> None:
    later = {"id": "duty_later", "from": "2025-07-01", "rows": [{"rate": "30%"}]}
    law = make_law([{**DUTY, "periods": [*DUTY["periods"], later]}])
    law = changed(law, act("set_rate", from_="2025-05-01", rate="25%"))
    assert rates(law, DAY) == {"duty": ["0.25"]}
    assert rates(law, AFTER) == {"duty": ["0.3"]}


def test_at_one_instant_a_scenario_wins_over_a_period() -> None:
    law = changed(make_law([DUTY]), act("set_rate", from_="2025-02-01T00:01-05:00", rate="25%"))
    assert rates(law, DAY) == {"duty": ["0.25"]}


@pytest.mark.parametrize("op", ["terminate", "expire"])
def test_an_ended_measure_stays_ended_whatever_comes(op: str) -> None:
    law = changed(make_law([DUTY]), act(op, at="2025-05-01"), suspension(), act("snap_back", at="2025-06-10"))
    assert rates(law, "2025-04-30") == {"duty": ["0.2"]}
    assert rates(law, DAY) == {}


INVALIDATE = {
    "op": "invalidate",
    "measures": {"authority": "top"},
    "at": "2025-06-01",
    "collection_stop": "2025-07-01",
}


def test_invalidation_voids_what_is_collected_until_the_stop() -> None:
    law = changed(make_law([DUTY]), INVALIDATE)
    voids = {
        day: [r.void for a in law.in_force(_at(day)).actives for r in a.rows]
        for day in ("2025-05-15", DAY, AFTER)
    }
    assert voids == {"2025-05-15": [False], DAY: [True], AFTER: []}


def test_invalidation_from_the_beginning_voids_all() -> None:
    law = changed(make_law([DUTY]), {**INVALIDATE, "from_beginning": "yes"})
    assert [r.void for a in law.in_force(_at("2025-05-15")).actives for r in a.rows] == [True]


def test_revalidation_undoes_it() -> None:
    law = changed(
        make_law([DUTY], events=[INVALIDATE]), {"op": "revalidate", "measures": {"authority": "top.sub"}}
    )
    assert rates(law, AFTER) == {"duty": ["0.2"]}
    assert not any(r.void for a in law.in_force(_at(DAY)).actives for r in a.rows)


def test_a_suspension_that_ends_over_a_void_measure_brings_nothing_back() -> None:
    law = changed(make_law([DUTY], events=[INVALIDATE]), suspension())
    assert rates(law, AFTER) == {}


def test_exempt_puts_relief_before_the_rows_and_lapses() -> None:
    relief = {
        "op": "exempt",
        "measures": {"id": "duty", "products": ["8471"]},
        "from": "2025-05-01",
        "heading": "9903.00.09",
    }
    law = changed(make_law([DUTY]), relief, act("lapse_exemption", at="2025-08-01", heading="9903.00.09"))
    assert rates(law, DAY)["duty"][:2] == ["0", "0.2"]
    assert set(rates(law, AFTER)["duty"]) == {"0.2"}


def test_delay_moves_the_start() -> None:
    law = changed(make_law([DUTY]), act("delay", to="2025-07-01"))
    assert rates(law, DAY) == {}
    assert rates(law, AFTER) == {"duty": ["0.2"]}


def test_an_act_is_unknown_before_its_publication() -> None:
    law = make_law(
        [
            {
                **DUTY,
                "events": [
                    {"op": "set_rate", "from": "2025-05-01", "rate": "5%", "known_from": "2025-07-01"}
                ],
            }
        ]
    )
    assert rates(law, DAY) == {"duty": ["0.05"]}
    assert rates(law, DAY, date(2025, 6, 15)) == {"duty": ["0.2"]}


def test_a_written_end_holds_and_can_be_extended() -> None:
    timed = {**DUTY, "periods": [{**DUTY["periods"][0], "to": "2025-08-01"}]}
    assert rates(make_law([timed]), AFTER) == {}
    assert rates(changed(make_law([timed]), act("extend", until="2025-12-01")), AFTER) == {"duty": ["0.2"]}
    assert rates(changed(make_law([timed]), act("snap_back", at="2025-06-01")), DAY) == {}


def test_switches_choose_between_readings() -> None:
    switches = {"reading": {"default": "wide", "values": ["wide", "narrow"]}}
    law = make_law([{**DUTY, "switch": {"reading": "wide"}}], switches=switches)
    assert rates(law, DAY) == {"duty": ["0.2"]}
    assert law.with_switches({}) is law
    assert rates(law.with_switches({"reading": "narrow"}), DAY) == {}
    with pytest.raises(ScenarioError) as caught:
        law.with_switches({"reading": "wrong"})
    assert caught.value.reason == "SWITCH_UNKNOWN"


def test_a_confidence_limit_leaves_out_what_is_less_sure() -> None:
    assert rates(make_law([DUTY]).with_min_conf("B"), DAY) == {}


def test_a_selector_that_matches_nothing_names_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(make_law([DUTY]), {**act("terminate", at="2025-05-01"), "measures": {"id": "dutty"}})
    assert caught.value.reason == "NOTHING_MATCHED"
    assert "duty" in caught.value.metadata["nearest"]


def test_same_standing_sees_through_acts_that_change_nothing() -> None:
    law = make_law([DUTY])
    assert same_state(law, changed(law, suspension(), act("snap_back", at="2025-06-01")), law.measures)
    assert not same_state(law, changed(law, suspension()), law.measures)


def test_added_measures_charge_and_bad_ones_point_at_themselves() -> None:
    new = {"op": "add", "measure": measure("extra", [{"rate": "7.5%"}])}
    assert rates(changed(make_law([DUTY]), new), DAY) == {"duty": ["0.2"], "extra": ["0.075"]}
    with pytest.raises(ScenarioError) as caught:
        changed(make_law([DUTY]), {"op": "add", "measure": measure("extra", [{"rate": "7.5"}])})
    assert caught.value.path == "changes[0].measure.periods[0].rows[0].rate"


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        ({**DUTY, "authorty": "x"}, "authorty"),
        ({**DUTY, "periods": [{**DUTY["periods"][0], "rows": [{"rate": "12.5"}]}]}, "rate"),
        (
            {**DUTY, "periods": [{**DUTY["periods"][0], "rows": [{"rate": "5%", "if": ["no_such_claim"]}]}]},
            "no_such_claim",
        ),
        (
            {**DUTY, "periods": [{**DUTY["periods"][0], "rows": [{"rate": "5%", "products": ["NO_LIST"]}]}]},
            "NO_LIST",
        ),
        (measure("floor", [{"kind": "topup_to", "rate": "15%"}]), "displaces_at_zero"),
        ({**DUTY, "periods": [{**DUTY["periods"][0], "conf": "A"}]}, "citation"),
    ],
)
def test_law_data_that_breaks_its_form_is_refused_with_its_place(broken: dict[str, Any], names: str) -> None:
    with pytest.raises(LawError) as caught:
        make_law([broken])
    assert names in str(caught.value)


def _at(day: str) -> Any:
    from tests.unit.laws import at

    return at(day)
