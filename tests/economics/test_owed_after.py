"""Duty owed after the response: that of the layers owed on the trade after, however it is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario

DAY = "2025-11-15"
OWED, ASSESSED = "duty_owed_after", "duty_after"
TABLE = pl.DataFrame(
    {
        "hts": ["9503000073"] * 3 + ["7208390030"] * 3 + ["8517130000"] * 2 + ["6109100012"] * 2,
        "origin": ["CN", "VN", "MX", "CN", "JP", "VN", "CN", "VN", "CN", "BR"],
        "customs_value": [4e9, 2e9, 1e9, 2e9, 1e9, 3e9, 1e9, 1e9, 2e9, 1e9],
    }
)
ONE_VOID = """
schema: tariffs.scenario/v1
id: one-void
title: One of two duties of an authority is void, and another is asked for
basis: hypothesis
parameters:
  vn: {default: "20%", title: Viet Nam}
changes:
  - op: add
    measure:
      id: kept_one
      title: Kept
      authority: s301
      periods: [{id: kept_p, from: 2025-06-01T00:01-04:00, rows: [{origins: [VN], rate: $vn}]}]
  - op: add
    measure:
      id: void_one
      title: Void
      authority: s301
      periods: [{id: void_p, from: 2025-06-01T00:01-04:00, rows: [{origins: [CN, JP], rate: "10%"}]}]
  - op: invalidate
    measures: {id: void_one}
    at: 2026-02-20
    from_beginning: true
    collection_stop: 2026-02-24T00:00-05:00
"""
OPTIONS: list[dict[str, Any]] = [
    {"horizon": "short"},
    {"horizon": "path"},
    {"horizon": "path", "market": "sector"},
    {"horizon": "short", "market": "sector"},
    {"horizon": "long", "response": "smart"},
    {"horizon": "path", "switches": {"revive_displaced": "on"}},
]


def options_of(**given: Any) -> Options:
    return Options(**{"baseline": "2025-01-01", "by": ("origin",), **given})


def run_of(scenario: Scenario, **given: Any) -> Impact:
    return impact(TABLE, [Point(scenario, DAY)], law=load_law(), options=options_of(**given))


def slow_owed(scenario: Scenario, **given: Any) -> dict[str, float]:
    """Price the trade after of each line at the mean rate owed of its atoms, line by line."""
    run = TableRun(TABLE, load_law(), options_of(**given), RunContext(None, None))
    outcome = run.outcomes(scenario, DAY)[0]
    assert run.response is not None
    assert outcome.volume is not None
    v, rates = run.response.varieties, outcome.variety_rates
    found = dict.fromkeys(TABLE["origin"], 0.0)
    line_rate = outcome.duties.owed / TABLE["customs_value"].to_numpy()
    # The rates owed of the atoms of a line average to that of the kernel over lines.
    atoms = [0.0] * TABLE.height
    for place in range(v.count):
        line, rate = int(v.line[place]), float(rates.owed_rate[place])
        atoms[line] += float(v.value[place]) * rate
        found[TABLE["origin"][line]] += float(outcome.volume.value_of_varieties[place]) * rate
    np.testing.assert_allclose(np.array(atoms) / TABLE["customs_value"].to_numpy(), line_rate, rtol=1e-9)
    return found


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["base", "one-void"])
def test_duty_owed_after_is_that_of_the_layers_owed(name: str, options: dict[str, Any]) -> None:
    scenario = library()["base"] if name == "base" else parse_scenario(ONE_VOID)
    block = run_of(scenario, **options).scenarios[0]
    expected = slow_owed(scenario, **options)
    rows = {row["origin"]: row for row in block.groups.to_dicts()}
    for origin, owed in expected.items():
        assert rows[origin][OWED] == pytest.approx(owed, rel=1e-9, abs=1e-3)
    total: dict[str, Any] = dict(block.total)
    assert total[OWED] == pytest.approx(sum(expected.values()), rel=1e-9)
    assert total[OWED] < total[ASSESSED]


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_all_is_owed_where_no_void_act_is_known(horizon: str) -> None:
    block = run_of(library()["base"], horizon=horizon, known_on=DAY).scenarios[0]
    assert block.groups[OWED].to_list() == block.groups[ASSESSED].to_list()
    assert block.total[OWED] == block.total[ASSESSED]


def test_void_duty_by_authority_is_what_is_not_owed() -> None:
    found = run_of(library()["base"], by=("authority",)).scenarios[0]
    void = found.groups.filter(pl.col("duty_owed") == 0.0)
    assert void.height
    total: dict[str, Any] = dict(found.total)
    assert total[ASSESSED] - total[OWED] == pytest.approx(void[ASSESSED].sum(), rel=1e-9)


@pytest.mark.parametrize("options", OPTIONS[:4])
def test_points_of_a_sweep_and_days_of_a_timeline_owe_the_same(options: dict[str, Any]) -> None:
    scenario, given, law = parse_scenario(ONE_VOID), options_of(**options), load_law()
    points = [{"vn": rate} for rate in ("10%", "20%", "30%")]
    swept = sweep(TABLE, scenario, points, on=DAY, law=law, options=given)
    alone = run_of(scenario, **options).scenarios[0]
    ours = swept.groups.filter(vn=0.2).sort("origin")[OWED].to_numpy()
    np.testing.assert_allclose(ours, alone.groups.sort("origin")[OWED].to_numpy(), rtol=1e-11)
    days = timeline(TABLE, [scenario], "2025-09-01", DAY, law=law, options=given).scenarios[0]
    last = days.segments.filter(pl.col("end") == DAY)
    if options["horizon"] == "short":
        np.testing.assert_allclose(
            last.sort("origin")[OWED].to_numpy(), alone.groups.sort("origin")[OWED].to_numpy(), rtol=1e-11
        )
    assert (days.totals[OWED] < days.totals[ASSESSED]).all()


def test_lines_and_parts_of_a_table_add_up_to_the_total(tmp_path: Path) -> None:
    block = run_of(library()["base"], include_lines=True).scenarios[0]
    assert block.lines is not None
    assert block.lines[OWED].sum() == pytest.approx(block.total[OWED], rel=1e-9)
