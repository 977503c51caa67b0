"""Memory of duties that ended: equal laws have equal surplus but for a line of its own, and trade returns steadily."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library, parse_scenario
from tariffs.engine.schedule.reference_data import reference_table

ON = "2026-03-15"
NEVER = """schema: tariffs.scenario/v1
id: never
title: Without the duties that ended
basis: hypothesis
changes:
  - {op: terminate, measures: {authority: ieepa}, at: 2025-01-02}
"""
ENDED = """schema: tariffs.scenario/v1
id: ended
title: A duty of half a year
basis: hypothesis
changes:
  - op: add
    measure:
      id: short_lived
      title: Duty of half a year
      authority: s301
      periods:
        - id: short_lived_p
          from: 2025-02-01T00:01-05:00
          known_from: 2025-01-02
          rows: [{origins: [CN], rate: 40%}]
  - {op: terminate, measures: {id: short_lived}, at: 2025-08-01, known_from: 2025-01-02}
"""


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return reference_table().gather_every(200)


def test_laws_that_are_equal_today_differ_by_the_line_alone(table: pl.DataFrame) -> None:
    points = [Point(library()["base"], ON), Point(parse_scenario(NEVER, "never"), ON)]
    options = Options(baseline="2025-01-01", memory=True, by=("hts10",))
    one, other = impact(table, points, law=load_law(), options=options).scenarios
    assert one.total["duty"] == pytest.approx(other.total["duty"], rel=1e-12)
    for name in ("unadjusted_surplus", "ended_surplus"):
        rests = [block.groups["buyer_surplus"] - block.groups[name] for block in (one, other)]
        assert rests[0].to_list() == pytest.approx(rests[1].to_list(), rel=1e-9, abs=1e-6)
        assert one.total[name] == pytest.approx(one.groups[name].sum(), rel=1e-9)
    surplus, ended = (one.total[name] for name in ("buyer_surplus", "ended_surplus"))
    assert surplus is not None
    assert ended is not None
    assert surplus < ended < 0.0
    difference = surplus - (other.total["buyer_surplus"] or 0.0)
    assert ended - (other.total["ended_surplus"] or 0.0) == pytest.approx(difference, rel=1e-9)


def test_trade_returns_steadily_after_a_duty_ends(table: pl.DataFrame) -> None:
    """While both steps are in their first year trade stands still, to 0.05 %; then it comes nearer on every day."""
    options = Options(baseline="2025-01-01", known_on="2025-01-02", by=("origin",))
    china = table.filter(pl.col("origin") == "CN")
    scenarios = [parse_scenario(ENDED, "ended"), library()["base"]]
    found = timeline(china, scenarios, "2025-08-01", "2028-12-31", law=load_law(), options=options).scenarios
    trade = [block.totals["value_after"].to_numpy() for block in found]
    share = trade[0] / trade[1]
    assert len(share) > 40
    steps = np.diff(share)
    young = np.array([start < "2026-02-01" for start in found[0].totals["start"]])[1:]
    assert (np.abs(steps[young]) < 5e-4).all()
    assert (steps[~young] > 0.0).all()
    assert share[0] < 0.95 < share[-1] < 1.0


def test_memory_needs_the_path(table: pl.DataFrame) -> None:
    plain = Options(baseline="2025-01-01", memory=True)
    for options in (replace(plain, horizon="short"), replace(plain, response="none")):
        with pytest.raises(InputError) as refused:
            impact(table, [Point(library()["base"], ON)], law=load_law(), options=options)
        assert refused.value.field == "memory"


def test_answers_and_reports_say_which_part_is_of_ended_duties(table: pl.DataFrame) -> None:
    with Client.local() as client:
        result = client.impact(table, on=ON, baseline="2025-01-01", memory=True)
        plain = client.impact(table, on=ON, baseline="2025-01-01")
    assert "of which duties that have ended" in str(result)
    assert "have ended" not in str(plain)
    assert "of which duties that have ended" in result.report()
    # It chooses what is returned, not what is computed.
    assert result.provenance["run_digest"] == plain.provenance["run_digest"]
    names = {"unadjusted_surplus", "ended_surplus"}
    assert result.groups.drop(names & set(result.groups.columns)).equals(plain.groups)
