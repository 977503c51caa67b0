"""Each measure walked over every boundary of the law: it changes where its data says, and both readings agree there."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tests.law.interpreter import Reading
from tests.law.real_law import columns, raw_law, units
from tests.law.walk import (
    MINUTE,
    Line,
    Moment,
    own_instants,
    retroactive,
    same,
    touched,
    turning_points,
)

LAW = load_law()
NAMES = [m.id for m in LAW.measures.values() if not m.announced]
MODELLED = [m.id for m in LAW.measures.values() if m.modelled and not m.announced]
RETROACTIVE = [name for name in MODELLED if retroactive(name)]


def around(at: datetime) -> tuple[Moment, Moment]:
    return (at - MINUTE, LAW.as_of), (at, LAW.as_of)


@pytest.mark.parametrize("name", NAMES)
def test_a_measure_changes_exactly_where_its_data_says(name: str) -> None:
    inside = {at for at in LAW.boundaries if LAW.coverage[0] < at < LAW.coverage[1]}
    assert set(own_instants(name)) <= inside
    changes = {at for at in inside if not same(LAW, LAW.measures[name], *around(at))}
    assert changes == turning_points(name)


@pytest.mark.parametrize("name", MODELLED)
def test_both_readings_agree_a_minute_before_and_after(name: str, scale: int) -> None:
    for at in sorted(turning_points(name)):
        lines = touched(LAW, LAW.measures[name], *around(at), count=2 * scale)
        for line in (*lines, *(Line(line.hts, line.origin, {}) for line in lines)):
            for moment in (at - MINUTE, at, at + MINUTE):
                read_alike(line, moment)


@pytest.mark.parametrize("name", RETROACTIVE)
def test_an_act_that_reaches_back_changes_entries_from_the_day_it_is_known(name: str) -> None:
    for at, published in retroactive(name):
        then, now = (at, published - timedelta(days=1)), (at, published)
        assert not same(LAW, LAW.measures[name], then, now), (at, published)
        for line in touched(LAW, LAW.measures[name], then, now, count=2):
            read_alike(line, at, str(then[1]))
            read_alike(line, at, str(now[1]))


def test_the_walk_meets_the_minute_without_a_duty_and_the_acts_that_reach_back() -> None:
    hole = [datetime.fromisoformat(f"2026-02-24T00:0{minute}-05:00") for minute in (0, 1)]
    assert hole[0] in turning_points("recip_cn")
    assert hole[1] in turning_points("s122_surcharge")
    line = Line("9503000073", "CN", {})
    amounts = [read_alike(line, at).assessed for at in (hole[0] - MINUTE, *hole)]
    assert [str(amount) for amount in amounts] == ["2000.00", "0.00", "1000.00"]
    assert len(RETROACTIVE) >= 10


def read_alike(line: Line, at: datetime, known_on: str = "") -> Quote:
    """The engine's answer, after the interpreter gave the same."""
    found = columns(line.hts, at.isoformat())
    told: dict[str, Any] = {
        "hts": line.hts,
        "origin": line.origin,
        "entry": at.isoformat(),
        "claims": line.claims,
    }
    told |= {"value": "10000", "quantity": "2500", "unit": unit_of(line, at, known_on)}
    reading = Reading(raw_law(), told, {line.hts: found}, units(), known_on)
    answer = quote(line, at, known_on, told["unit"])
    assert (Fraction(answer.assessed), Fraction(answer.owed)) == (reading.assessed, reading.owed), (
        line,
        at,
        known_on,
    )
    return answer


def unit_of(line: Line, at: datetime, known_on: str) -> str:
    """The unit that the line's duty counts in."""
    try:
        quote(line, at, known_on, None)
    except InputError as error:
        return error.metadata["unit"]
    return "kg"


def quote(line: Line, at: datetime, known_on: str, unit: str | None) -> Quote:
    quantity = 2500 if unit else None
    entry = EntryLine(line.hts, line.origin, 10000, at, line.claims, quantity, unit or "")
    return quote_line(LAW, entry, known_on=known_on or None)
