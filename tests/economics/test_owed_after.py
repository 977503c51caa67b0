"""Duty owed after the response: that of the layers owed on the trade after, however it is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import Scenario, library
from tests.economics.runs import BASELINE, STEEL, TOYS, lines_of, run_of, scenario_of, table_of, total_of

DAY = "2025-11-15"
OWED, ASSESSED = "duty_owed_after", "duty_after"
TABLE = table_of(
    {
        TOYS: {"CN": 4e9, "VN": 2e9, "MX": 1e9},
        STEEL: {"CN": 2e9, "JP": 1e9, "VN": 3e9},
        "8517130000": {"CN": 1e9, "VN": 1e9},
        "6109100012": {"CN": 2e9, "BR": 1e9},
    }
)
ONE_VOID = """changes:
  - op: add
    measure:
      id: kept_one
      title: Kept
      authority: s301
      periods: [{id: kept_p, from: 2025-06-01T00:01-04:00, rows: [{origins: [VN], rate: "20%"}]}]
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
BASE = library()["base"]


def slow_owed(scenario: Scenario, **options: Any) -> dict[str, float]:
    """Price the trade after of each line at the mean rate owed of its atoms, line by line."""
    given = Options(**{"baseline": BASELINE, "by": ("origin",), **options})
    run = TableRun(TABLE, load_law(), given, RunContext(None, None))
    outcome = run.outcomes(scenario, DAY)[0]
    assert run.response is not None
    assert outcome.volume is not None
    v, rates = run.response.varieties, outcome.variety_rates
    found = dict.fromkeys(TABLE["origin"], 0.0)
    # The rates owed of the atoms of a line average to that of the kernel over lines.
    atoms = [0.0] * TABLE.height
    for place in range(v.count):
        line, rate = int(v.line[place]), float(rates.owed_rate[place])
        atoms[line] += float(v.value[place]) * rate
        found[TABLE["origin"][line]] += float(outcome.volume.value_of_varieties[place]) * rate
    np.testing.assert_allclose(atoms, outcome.duties.owed, rtol=1e-9)
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"horizon": "short"},
        {"horizon": "path"},
        {"horizon": "path", "market": "sector"},
        {"horizon": "short", "market": "sector"},
        {"horizon": "long", "response": "smart"},
        {"horizon": "path", "switches": {"revive_displaced": "on"}},
    ],
)
@pytest.mark.parametrize("scenario", [BASE, scenario_of(ONE_VOID)], ids=["base", "one-void"])
def test_duty_owed_after_is_that_of_the_layers_owed(scenario: Scenario, options: dict[str, Any]) -> None:
    found = run_of(TABLE, scenario, on=DAY, by=("origin",), include_lines=True, **options)
    expected, total = slow_owed(scenario, **options), total_of(found)
    rows = {row["origin"]: row for row in found.scenarios[0].groups.to_dicts()}
    for origin, owed in expected.items():
        assert rows[origin][OWED] == pytest.approx(owed, rel=1e-9, abs=1e-3)
    assert total[OWED] == pytest.approx(sum(expected.values()), rel=1e-9)
    assert total[OWED] == pytest.approx(lines_of(found)[OWED].sum(), rel=1e-9)
    assert total[OWED] < total[ASSESSED]


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_all_is_owed_where_no_void_act_is_known(horizon: str) -> None:
    found = run_of(TABLE, on=DAY, by=("origin",), horizon=horizon, known_on=DAY)
    groups = found.scenarios[0].groups
    assert groups[OWED].to_list() == groups[ASSESSED].to_list()
    assert total_of(found)[OWED] == total_of(found)[ASSESSED]


def test_void_duty_by_authority_is_what_is_not_owed() -> None:
    found = run_of(TABLE, on=DAY, by=("authority",))
    void, total = found.scenarios[0].groups.filter(pl.col("duty_owed") == 0.0), total_of(found)
    assert void.height
    assert total[ASSESSED] - total[OWED] == pytest.approx(void[ASSESSED].sum(), rel=1e-9)
