"""Ranges over draws of domestic goods, constraints, incidence and rents: those of runs with the drawn elasticities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS, DOMESTIC_SUMS
from tariffs.engine.runs.draws.ranges import FURTHER_COLUMNS
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library
from tests.economics.drawn_runs import DAY, LEVELS, QUIET, goods_of, ranges_of, row_of, run_of
from tests.economics.runs import BASELINE, TOYS, scenario_of, table_of, total_of

CUT = """changes:
  - {op: shock_quantity, products: ["9503"], origins: [CN], share: 50%, rents: importer, from: 2025-06-01}
"""
MIXED = "mixture: [{scenario: base, weight: '0.25'}, {scenario: no-kuala-lumpur-deal, weight: '0.75'}]\n"


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return goods_of("36", "43", "67")


@pytest.mark.parametrize("text", [CUT.replace("9503", "36").replace("2025-06-01", "2025-01-02"), MIXED])
def test_constraints_and_mixtures_bind_every_draw(table: pl.DataFrame, text: str) -> None:
    scenario, day = scenario_of(text), "2025-12-01"
    found, split = (
        run_of(table, scenario, on=day, by=by, spreads=QUIET) for by in (("origin",), ("authority",))
    )
    total = total_of(found)
    for row in ranges_of(found).total.to_dicts():
        expected = pytest.approx(total[row["column"]], rel=1e-12, abs=1e-12 * total["value_after"])
        assert row["p5"] == expected, row["column"]
    assert total["value_after"] != total_of(run_of(table, on=day, draws=0))["value_after"]
    np.testing.assert_allclose(
        ranges_of(split).groups["p50"], split.scenarios[0].groups["duty_after"], rtol=1e-12
    )


@pytest.mark.parametrize("options", [{}, {"horizon": "path"}, {"market": "sector", "horizon": "path"}])
def test_who_bears_a_duty_has_ranges_that_follow_from_those_of_trade(
    table: pl.DataFrame, options: dict[str, Any]
) -> None:
    found = run_of(table, spreads=Spreads(claims=0.0), **options)
    total, ranges = total_of(found), ranges_of(found).total
    quiet = ranges_of(run_of(table, spreads=QUIET, **options)).total
    duty, revenue = row_of(ranges, "duty_after"), row_of(ranges, "revenue_change")
    base = total["duty_after"] - total["revenue_change"]
    for level in ("central", *LEVELS[1:]):
        assert revenue[level] == pytest.approx(duty[level] - base, rel=1e-12)
    names = {*FURTHER_COLUMNS} & {*total}
    assert names >= {"borne_abroad", "importer_share", "exporter_price_hat"}
    assert (options.get("market") == "sector") == (names >= {*DOMESTIC_COLUMNS[1:]})
    for name in names:
        row, still = row_of(ranges, name), row_of(quiet, name)
        assert row["central"] == total[name]
        assert row["p5"] <= row["p50"] <= row["p95"]
        assert still["p5"] == still["p95"] == pytest.approx(total[name], rel=1e-12), name


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_domestic_goods_of_a_draw_are_those_of_a_run_with_its_elasticities(
    table: pl.DataFrame, horizon: str
) -> None:
    spreads = Spreads(eta=0.0, claims=0.0)
    chosen: dict[str, Any] = {"horizon": horizon, "market": "sector", "by": ("hts2",)}
    given = Options(baseline=BASELINE, draws=16, spreads=spreads, **chosen)
    run = TableRun(table, load_law(), given, RunContext(None, None))
    drawing, outcomes = UncertaintyRun(run), run.outcomes(library()["base"], DAY)
    assert run.response is not None
    keep = run.kept(outcomes)
    sums = drawing.point(outcomes, keep, lambda share: None).sums
    for draw in (0, 7, 15):
        own = drawing.parameters.draw(draw)
        response = replace(run.response, parameters=own)
        expected = ResponseSums(run.prepared, run.grouping, response, outcomes[0], keep, ())([own]).groups
        for name in DOMESTIC_SUMS:
            np.testing.assert_allclose(sums.groups[name][draw], expected[name][0], rtol=1e-12)


def test_what_a_limit_does_not_reach_does_not_differ_in_any_draw(table: pl.DataFrame) -> None:
    goods = pl.concat([table, goods_of("95")])
    found = run_of(goods, "base", scenario_of(CUT), on="2025-07-01", horizon="short", by=("hts4",))
    ranges = ranges_of(found, 1).groups
    others = ranges.filter(pl.col("hts4") != "9503")
    for name in ("vs_p5", "vs_p50", "vs_p95", "vs_positive"):
        assert (others[name] == 0.0).all()
    assert (ranges.filter(hts4="9503", column="value_after")["vs_p95"] < 0.0).all()


def test_rents_of_a_limit_have_ranges() -> None:
    toys = table_of({TOYS: {"CN": 4e9, "VN": 1e9}})
    found = run_of(toys, scenario_of(CUT), on="2025-07-01", horizon="short", seed=0)
    ranges = ranges_of(found)
    for name in ("quota_premium", "rent_importer"):
        row = row_of(ranges.total, name)
        assert 0.0 < row["p5"] < row["p95"]
        assert row["p5"] <= row["central"] == total_of(found)[name] <= row["p95"]
    of_china = row_of(ranges.groups.filter(origin="CN"), "rent_importer")
    assert of_china["p50"] == pytest.approx(row["p50"], rel=1e-12)
