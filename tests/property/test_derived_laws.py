"""Laws derived by scenarios: equal to laws with the same parts that share nothing, and collected when unused."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law, law_from_raw, load_law
from tariffs.engine.law.amendments import change_from_mapping
from tariffs.engine.law.law import IMPORT
from tariffs.engine.law.model import Measure
from tariffs.engine.rating.law_fingerprint import law_fingerprint
from tariffs.engine.scenario import apply_scenario, library
from tests.law.random_law import OPS, event, random_law
from tests.law.random_world import MOMENTS, NODES, Draw, Raw

SEEDS = st.integers(0, 10**6)
INSTANTS = [datetime.fromisoformat(text) for text in MOMENTS]
NAMES = ("m0", "m1", "m2", "m3_a", "m4", "added_0", "added_1")
RULE = {"on": ["m1"], "when": ["m2", "added_0"], "take": "all"}
Point = tuple[datetime, date]
LAW = load_law()


def random_change(draw: Draw, number: int) -> Raw:
    """A change of any kind: an act, a measure more, a switch, a stacking rule, a claim, a quantity."""
    start, end = draw.span()
    kind = draw.dice.random()
    if kind < 0.6:
        act = event(draw, draw.one(OPS), 0.2)
        act["measures"] |= {"id": draw.one(NAMES)} if draw.maybe(0.7) else {"authority": draw.one(NODES)}
        return act
    if kind < 0.7:
        name, (_, measure, *_) = f"added_{number}", random_law(draw.dice.randrange(10**6), 2)["measures"]
        periods = [{**part, "id": f"{name}_{place}"} for place, part in enumerate(measure["periods"])]
        added = {"measure": {**measure, "id": name, "periods": periods}}
        added["measure"].pop("events")
        if draw.maybe(0.5):
            return {"op": "add", **added}
        return {"op": "replace", "at": start, "measures": {"id": draw.one(NAMES)}, **added}
    if kind < 0.8:
        return {"op": "set_switch", "name": "truce", "value": draw.one(("on", "off"))}
    if kind < 0.9:
        return {"op": "set_stacking", "rule": f"new_{number}", "from": start, "as": RULE}
    if draw.maybe(0.5):
        return {"op": "set_claim", "claim": "fta_share", "share": "0.5", "from": start, "until": end}
    return {"op": "shock_quantity", "from": start, "share": "0.5", "origins": ["CN"]}


def applied(law: Law, raw: Sequence[Raw]) -> Law:
    """The law after those of the changes that it takes."""
    for number, item in enumerate(raw):
        try:
            law = law.with_changes([change_from_mapping(item, f"changes[{number}]", source="scenario")])
        except TariffsError:
            continue
    return law


def values_at(law: Law, point: Point, direction: str = IMPORT) -> list[Any]:
    """All that a law says of a point, by value."""
    instant, known_on = point
    found = law.in_force(instant, known_on, direction)
    states = [law.state_of(measure, instant, known_on) for measure in law.measures.values()]
    parts = [found.actives, found.rules, found.unmodelled, found.groups, found.lists, found.revive]
    return [*parts, states, law.moment(instant, known_on)]


def assert_as_afresh(law: Law, points: Sequence[Point]) -> None:
    """Compare with a law that has the same parts and shares nothing worked out; at each point one of its own."""
    afresh = replace(law)
    assert law.acts == afresh.acts
    assert law.names == afresh.names
    assert law.boundaries == afresh.boundaries
    assert law.publication_days == afresh.publication_days
    for point in points:
        for direction in ("import", "export"):
            assert values_at(law, point, direction) == values_at(replace(law), point, direction)


@given(SEEDS)
def test_a_derived_law_is_the_law_made_afresh(seed: int) -> None:
    draw = Draw(seed)
    law = law_from_raw(random_law(seed, 8, narrow=0.2))
    points = [(instant, draw.one(INSTANTS).date()) for instant in draw.some(INSTANTS, 8)]
    for point in points:
        values_at(law, point)
    for _ in range(3):
        derived = applied(law, [random_change(draw, number) for number in range(draw.dice.randint(1, 5))])
        assert_as_afresh(derived, points)
        assert_as_afresh(derived.with_min_conf("A"), points[:2])


@pytest.mark.parametrize("name", [name for name in library() if not library()[name].mixture])
def test_a_scenario_of_the_library_gives_the_law_made_afresh(name: str) -> None:
    draw, law = Draw(len(name)), apply_scenario(LAW, library()[name])
    inside = [at for at in law.boundaries if LAW.coverage[0] < at < LAW.coverage[1]]
    points = [(at + timedelta(hours=9), draw.one((LAW.as_of, at.date()))) for at in draw.some(inside, 4)]
    for point in points:
        values_at(LAW, point)
    assert_as_afresh(law, points)
    assert all(fingerprint(law, *point) == fingerprint(replace(law), *point) for point in points)


def fingerprint(law: Law, instant: datetime, known_on: date) -> object:
    return law_fingerprint(law, law.in_force(instant, known_on), instant, known_on)


def test_a_change_before_an_added_measure_reaches_it() -> None:
    law = law_from_raw(random_law(1, 4))
    measure: Measure = law.measures["m1"]
    rows = [{"kind": "add", "rate": "10%", "heading": "9903.01.01"}]
    periods = [{"id": "late_a", "from": MOMENTS[0], "rows": rows}]
    added = {"id": "late", "authority": measure.authority, "conf": "C", "periods": periods}
    ended = {"op": "terminate", "at": MOMENTS[5], "measures": {"authority": measure.authority}}
    derived = applied(law, [ended, {"op": "add", "measure": added}])
    assert [act.change.op for act in derived.acts["late"]] == ["terminate"]


def test_derived_laws_are_collected_and_leave_nothing_behind() -> None:
    instant = datetime.fromisoformat("2026-07-01T12:00-04:00")
    act = {"op": "set_rate", "from": "2026-06-01", "measures": {"id": "s122_surcharge"}}

    def derive(count: int) -> weakref.ref[Law]:
        for number in range(count):
            derived = applied(LAW, [{**act, "rate": f"{number / 100}%"}])
            derived.in_force(instant)
        return weakref.ref(derived)

    assert derive(100)() is None
    gc.collect()
    before = sys.getallocatedblocks()
    derive(1000)
    gc.collect()
    assert sys.getallocatedblocks() < before * 1.005


def test_laws_that_revive_displaced_duties_are_told_from_those_that_do_not() -> None:
    instant, day = datetime.fromisoformat("2025-09-15T12:00-04:00"), date(2026, 11, 24)
    laws = [LAW.with_switches({"revive_displaced": value}) for value in ("off", "on")]
    assert len({fingerprint(law, instant, day) for law in laws}) == 2
