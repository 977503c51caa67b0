"""Every retroactive act on a table: what was deposited, what is assessed now, and what is owed."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.law.measure_state import known
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

# Act by act: goods, origin, an entry between its effect and its publication, and a claim it may need.
ACTS: dict[str, tuple[str, str, str, dict[str, float]]] = {
    "electronics, EO of 2025-04-11": ("8517.13.0000", "CN", "2025-04-06", {}),
    "Japan floor, 2025-09-04": ("6110.30.3059", "JP", "2025-09-01", {}),
    "EU exemptions, 2025-09-25": ("0810.50.0000", "DE", "2025-09-10", {}),
    "Korea floor, 2025-12-04": ("6110.30.3059", "KR", "2025-12-01", {}),
    "Korea wood, 2025-12-04": ("9401.61.4011", "KR", "2025-12-01", {}),
    "Korea cars, 2025-12-04": ("8703.23.0190", "KR", "2025-11-20", {}),
    "Switzerland floor, 2025-12-18": ("8479.50.0000", "CH", "2025-12-01", {}),
    "agriculture, 2025-11-14": ("0901.11.0025", "CO", "2025-11-13T12:00-05:00", {}),
    "Brazil agriculture, 2025-11-20": ("0901.11.0025", "BR", "2025-11-15", {}),
    "Taiwan parts, 2026-05-28": ("8708.29.5160", "TW", "2026-05-15", {}),
    "Taiwan aircraft, 2026-05-28": ("7318.15.2065", "TW", "2026-05-10", {"civil_aircraft_share": 1.0}),
}


def duty_of(
    hts: str, origin: str, entry: str, claims: dict[str, float], known_on: str
) -> tuple[float, float]:
    """Duty and duty owed of a table of one line without preferences."""
    facts = {"fta_share": 0.0, "civil_aircraft_share": 0.0, "vehicle_part_share": 1.0} | claims
    row = {"hts": hts, "origin": origin, "customs_value": 10000.0, "entry_date": entry} | facts
    options = Options(response="none", by=(), known_on=known_on)
    total = (
        impact(pl.DataFrame([row]), [Point(library()["base"], "")], law=load_law(), options=options)
        .scenarios[0]
        .total
    )
    duty, owed = total["duty"], total["duty_owed"]
    assert duty is not None
    assert owed is not None
    return duty, owed


@pytest.mark.parametrize("act", ACTS)
def test_table(act: str) -> None:
    hts, origin, entry, claims = ACTS[act]
    deposited, _ = duty_of(hts, origin, entry, claims, "entry")
    assessed, owed = duty_of(hts, origin, entry, claims, "")
    assert assessed < deposited
    assert owed <= assessed
    facts = {"fta_share": 0, "civil_aircraft_share": 0, "vehicle_part_share": 1} | claims
    line = EntryLine(hts, origin, 10000, entry, facts)
    then, now = quote_line(load_law(), line, known_on="entry"), quote_line(load_law(), line)
    assert deposited == pytest.approx(float(then.assessed))
    assert assessed == pytest.approx(float(now.assessed))
    assert owed == pytest.approx(float(now.owed))


def test_the_japan_floor_as_the_worked_case_has_it() -> None:
    line: tuple[str, str, str, dict[str, float]] = ("6110.30.3059", "JP", "2025-09-01", {})
    assert duty_of(*line, "")[0] == pytest.approx(3200.0)
    assert duty_of(*line, "2025-09-01")[0] == pytest.approx(4700.0)
    assert duty_of(*line, "entry")[0] == pytest.approx(4700.0)


def test_every_act_published_after_its_effect_is_among_those_tested() -> None:
    law = load_law()
    tested = {date.fromisoformat(name[-10:]) for name in ACTS}
    late = {
        act.known_from
        for measure in law.measures.values()
        if measure.direction == "import"
        for act in known(law.acts[measure.id], law.as_of)
        if act.start and act.known_from and act.start.date() + timedelta(days=1) <= act.known_from
    }
    assert late <= tested
