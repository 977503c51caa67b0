"""A scenario that sets the switch of sourced shares gives the results of a run with that switch."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tests.unit.scenario_tables import DAY, TABLE, total, valuer, written

SET = "{op: set_switch, name: usmca_basis, value: '2024'}"
LATER = "{op: set_rate, measures: {id: fl301, origins: [MX, CA]}, from: 2027-01-01, rate: 20%}"


def duty(switches: dict[str, str], *changes: str, table: pl.DataFrame = TABLE) -> float:
    found = impact(
        table,
        [Point(written(*changes), DAY)],
        law=load_law(),
        options=Options(response="none", switches=switches),
    )
    known = found.scenarios[0].total["duty"]
    assert known is not None
    return known


def test_a_scenario_s_basis_is_that_of_a_run() -> None:
    assert duty({}, SET) == duty({"usmca_basis": "2024"})
    assert duty({}, SET) != duty({})
    assert duty({"usmca_basis": "2024"}, SET.replace("2024", "2025h2")) == duty({})


def test_what_lines_declare_stays() -> None:
    declared = TABLE.with_columns(usmca_share=pl.lit(0.5))
    assert duty({}, SET, table=declared) == duty({}, table=declared)


def test_a_result_tells_of_the_other_shares() -> None:
    points = [Point(library()["base"], DAY), Point(written(SET), DAY)]
    found = impact(TABLE, points, law=load_law(), options=Options(response="none")).scenarios
    told = [[note.message for note in one.notes if note.reason == "SHARES_REBASED"] for one in found]
    assert told[0] == []
    assert "usmca_basis=2024" in told[1][0]


def test_the_basis_is_a_change_like_others_in_an_attribution() -> None:
    scenario = written(SET, LATER)
    rows = attribute(valuer(), library()["base"], scenario, DAY).rows
    shares = dict(rows.group_by("unit").agg(pl.col("duty").sum()).iter_rows())
    base, whole, alone = (total(one)["duty"] for one in (written(), scenario, written(SET)))
    assert sum(shares.values()) == pytest.approx(whole - base)
    assert shares["changes[0]"] > 0
    assert alone > base


def test_a_basis_from_the_law_s_beginning_holds_on_every_day_of_a_timeline() -> None:
    scenarios = [library()["base"], written(SET)]
    found = timeline(
        TABLE, scenarios, "2027-01-09", "2027-01-12", law=load_law(), options=Options(response="none")
    )
    frames = [one.totals["duty"].to_list() for one in found.scenarios]
    assert frames[0] != frames[1]
