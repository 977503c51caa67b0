"""Suspensions narrowed to some goods: what is done to one of them leaves the others, in law, notices and notes."""

from __future__ import annotations

import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.law.notes import void_suspensions
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.law_history.law_changes import changes, read_window
from tariffs.engine.scenario import apply_scenario, check_scenario, parse_scenario
from tests.unit.laws import at, changed, make_law, measure, rates

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges:\n"
SUSPEND = "op: suspend, from: 2026-12-01, on_end: snap_back"
AUSTRALIA = f"{{{SUSPEND}, measures: {{id: fl301, origins: [AU]}}, until: 2027-11-10}}"
ARGENTINA = f"{{{SUSPEND}, measures: {{id: fl301, origins: [AR]}}, until: 2027-03-01}}"


def text_of(*changes: str) -> str:
    return HEAD + "".join(f"  - {change}\n" for change in changes)


def law_of(*changes: str) -> Law:
    return apply_scenario(load_law(), parse_scenario(text_of(*changes)))


def charged(law: Law, origin: str, day: str) -> bool:
    """Whether the forced-labor duty is charged on goods of an origin that no list frees."""
    quote = quote_line(law, EntryLine("9503000073", origin, "10000", day))
    return any(layer.measure == "fl301" and layer.amount > 0 for layer in quote.layers)


def test_the_suspension_of_one_country_is_extended_though_another_ends_later() -> None:
    extend = "{op: extend, measures: {id: fl301, origins: [AR]}, until: 2027-06-01}"
    for order in ((AUSTRALIA, ARGENTINA), (ARGENTINA, AUSTRALIA)):
        assert [p for p in check_scenario(text_of(*order, extend), load_law()) if p.severity == "error"] == []
        law = law_of(*order, extend)
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
        law_of(AUSTRALIA, ARGENTINA, extend)
    assert caught.value.reason == "CHANGE_DATES_REVERSED"


def test_a_country_without_a_suspension_has_none_to_extend() -> None:
    with pytest.raises(ScenarioError) as caught:
        law_of(AUSTRALIA, "{op: extend, measures: {id: fl301, origins: [BR]}, until: 2028-06-01}")
    assert caught.value.reason == "SUSPENSION_NOT_FOUND"


def test_the_end_of_a_suspension_is_announced_to_the_goods_it_reaches() -> None:
    law = law_of(AUSTRALIA, ARGENTINA)

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
