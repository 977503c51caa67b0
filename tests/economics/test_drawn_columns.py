"""Ranges over draws of domestic goods, constraints, incidence and rents: those of runs with the drawn elasticities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import Spreads
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS, DOMESTIC_SUMS
from tariffs.engine.runs.draws.ranges import FURTHER_COLUMNS
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library, parse_scenario
from tests.economics.drawn_runs import DAY, LEVELS, QUIET, goods_of, ranges_of, run_of


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return goods_of("36", "43", "67")


def test_domestic_shipments_of_ones_own_hold_imports_and_their_draws_down(
    table: pl.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,spread,kappa,domestic_ratio\n36,5,1,0,4,9\n43,5,1,0,,\n")
    found = run_of(table, parameter_set=str(path), by=("hts2",), spreads=QUIET)
    groups = found.scenarios[0].groups.sort("hts2")
    drawn = ranges_of(found).groups.filter(column="quantity_hat").sort("hts2")
    assert drawn["p50"].equals(groups["quantity_hat"].alias("p50"))
    # With home goods at hand demand for imports is nearer to kappa than to eta.
    plain = tmp_path / "plain.csv"
    plain.write_text("hts,sigma,eta\n36,5,1\n43,5,1\n")
    two_tier = run_of(table, parameter_set=str(plain), by=("hts2",), draws=0).scenarios[0].groups.sort("hts2")
    assert groups["quantity_hat"][0] < two_tier["quantity_hat"][0]
    assert groups["quantity_hat"][1] == two_tier["quantity_hat"][1]


def test_domestic_shipments_need_kappa(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,domestic_ratio\n36,9\n")
    with pytest.raises(InputError, match="kappa"):
        run_of(table, parameter_set=str(path), draws=0)


@pytest.mark.parametrize(
    "changes",
    [
        "changes:\n  - {op: shock_quantity, products: ['36'], origins: [CN], share: '0.5', from: 2025-01-02}\n",
        "mixture:\n  - {scenario: base, weight: '0.25'}\n  - {scenario: no-kuala-lumpur-deal, weight: '0.75'}\n",
    ],
)
def test_constraints_and_mixtures_bind_every_draw(table: pl.DataFrame, changes: str) -> None:
    text = f"schema: tariffs.scenario/v1\nid: special\ntitle: t\nbasis: hypothesis\n{changes}"
    scenario = parse_scenario(text)
    options = Options(baseline="2025-01-01", horizon="long", draws=16, by=("origin",), spreads=QUIET)
    found = impact(table, [Point(scenario, "2025-12-01")], law=load_law(), options=options)
    for row in ranges_of(found).total.to_dicts():
        central = found.scenarios[0].total[row["column"]]
        scale = max(abs(found.scenarios[0].total["value_after"] or 0.0), 1.0)
        assert row["p5"] == pytest.approx(central, rel=1e-12, abs=1e-12 * scale), row["column"]
    plain = run_of(table, day="2025-12-01", draws=0).scenarios[0].total["value_after"]
    assert found.scenarios[0].total["value_after"] != plain
    split = impact(
        table, [Point(scenario, "2025-12-01")], law=load_law(), options=replace(options, by=("authority",))
    )
    groups = ranges_of(split).groups
    np.testing.assert_allclose(groups["p50"], split.scenarios[0].groups["duty_after"], rtol=1e-12)


def test_diversion_over_whole_products_is_zero_and_not_its_rounding(table: pl.DataFrame) -> None:
    found = run_of(table, draws=0, by=("hts4",)).scenarios[0]
    assert found.total["diversion"] == 0.0
    assert (found.groups["diversion"] == 0.0).all()
    by_origin = run_of(table, draws=0).scenarios[0].groups["diversion"].to_numpy()
    assert np.abs(by_origin).max() > 1e3


CUT_TOYS = """
schema: tariffs.scenario/v1
id: cut-toys
title: Toys of China are cut by half
basis: hypothesis
changes:
  - {op: shock_quantity, products: ["9503"], origins: [CN], share: 50%, rents: importer, from: 2025-06-01}
"""


def column_of(ranges: pl.DataFrame, name: str) -> dict[str, Any]:
    (row,) = ranges.filter(column=name).to_dicts()
    return row


@pytest.mark.parametrize("options", [{}, {"horizon": "path"}, {"market": "sector", "horizon": "path"}])
def test_who_bears_a_duty_has_ranges_that_follow_from_those_of_trade(
    table: pl.DataFrame, options: dict[str, Any]
) -> None:
    found = run_of(table, spreads=Spreads(claims=0.0), **options)
    total, ranges = found.scenarios[0].total, ranges_of(found).total
    quiet = ranges_of(run_of(table, spreads=QUIET, **options)).total
    duty, revenue = column_of(ranges, "duty_after"), column_of(ranges, "revenue_change")
    base = (total["duty_after"] or 0.0) - (total["revenue_change"] or 0.0)
    for level in ("central", *LEVELS[1:]):
        assert revenue[level] == pytest.approx(duty[level] - base, rel=1e-12)
    names = {*FURTHER_COLUMNS} & {*total}
    assert names >= {"borne_abroad", "importer_share", "exporter_price_hat"}
    assert (options.get("market") == "sector") == (names >= {*DOMESTIC_COLUMNS[1:]})
    for name in names:
        row, still = column_of(ranges, name), column_of(quiet, name)
        assert row["central"] == total[name]
        assert row["p5"] <= row["p50"] <= row["p95"]
        assert still["p5"] == still["p95"] == pytest.approx(total[name], rel=1e-12), name


@pytest.mark.parametrize("horizon", ["short", "path"])
def test_domestic_goods_of_a_draw_are_those_of_a_run_with_its_elasticities(
    table: pl.DataFrame, horizon: str
) -> None:
    given = Options(
        baseline="2025-01-01", horizon=horizon, market="sector", draws=16, by=("hts2",),
        spreads=Spreads(eta=0.0, claims=0.0),
    )  # fmt: skip
    run = TableRun(table, load_law(), given, RunContext(None, None))
    drawing = UncertaintyRun(run)
    assert run.response is not None
    outcomes = run.outcomes(library()["base"], DAY)
    keep = run.kept(outcomes)
    sums = drawing.point(outcomes, keep, lambda share: None).sums
    for draw in (0, 7, 15):
        response = replace(run.response, parameters=drawing.parameters.draw(draw))
        alone = ResponseSums(run.prepared, run.grouping, response, outcomes[0], keep, ())
        expected = alone([drawing.parameters.draw(draw)]).groups
        for name in DOMESTIC_SUMS:
            np.testing.assert_allclose(sums.groups[name][draw], expected[name][0], rtol=1e-12)


def test_what_a_limit_does_not_reach_does_not_differ_in_any_draw(table: pl.DataFrame) -> None:
    points = [Point(one, "2025-07-01") for one in (library()["base"], parse_scenario(CUT_TOYS, "test"))]
    options = Options(baseline="2025-01-01", horizon="short", draws=16, by=("hts4",))
    goods = pl.concat([table, goods_of("95")])
    ranges = ranges_of(impact(goods, points, law=load_law(), options=options), 1).groups
    others = ranges.filter(pl.col("hts4") != "9503")
    for name in ("vs_p5", "vs_p50", "vs_p95", "vs_positive"):
        assert (others[name] == 0.0).all()
    assert (ranges.filter(hts4="9503", column="value_after")["vs_p95"] < 0.0).all()


def test_rents_of_a_limit_have_ranges(table: pl.DataFrame) -> None:
    toys = pl.DataFrame({"hts": ["9503000073"] * 2, "origin": ["CN", "VN"], "customs_value": [4e9, 1e9]})
    point = Point(parse_scenario(CUT_TOYS, "test"), "2025-07-01")
    options = Options(baseline="2025-01-01", horizon="short", draws=16)
    (block,) = impact(toys, [point], law=load_law(), options=options).scenarios
    assert block.ranges is not None
    for name in ("quota_premium", "rent_importer"):
        row = column_of(block.ranges.total, name)
        assert 0.0 < row["p5"] < row["p95"]
        assert row["p5"] <= row["central"] == block.total[name] <= row["p95"]
    of_china = block.ranges.groups.filter(origin="CN", column="rent_importer")
    assert of_china["p50"].item() == pytest.approx(
        column_of(block.ranges.total, "rent_importer")["p50"], rel=1e-12
    )
