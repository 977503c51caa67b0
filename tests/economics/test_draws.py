"""The numbers behind the draws, and ranges of columns beside runs with the drawn elasticities."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import Draws, Spreads, drawn_parameters, parameters_for
from tariffs.engine.response.constants import constant
from tariffs.engine.response.elasticities import parameters
from tariffs.engine.response.elasticities.draws import DrawnDeviations
from tariffs.engine.response.elasticities.parameters import GREATEST_SIGMA, LEAST_SIGMA
from tariffs.engine.response.elasticities.sobol import DIMENSIONS, sobol_bits, sobol_points
from tariffs.engine.response.kernels import draws as kernels
from tariffs.engine.response.kernels.draws import mixed, normals, product_normals, uniform_of
from tariffs.engine.runs.column_names import DOMESTIC_COLUMNS, DOMESTIC_SUMS
from tariffs.engine.runs.draws.ranges import FURTHER_COLUMNS
from tariffs.engine.runs.draws.uncertainty import UncertaintyRun
from tariffs.engine.runs.impact import Options
from tariffs.engine.runs.outcomes.response_sums import ResponseSums
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library
from tests.economics.drawn_runs import DAY, LEVELS, QUIET, goods_of, ranges_of, row_of, run_of
from tests.economics.runs import BASELINE, TOYS, scenario_of, table_of, total_of

SECTIONS = Path(parameters.__file__).parents[1] / "data" / "hs_sections.csv"
CODES = ["8471300100", "0101210010", "7208100000", "0901110015", "9503000073"]


def _plain(name: str) -> Callable[..., Any]:
    """A kernel as plain Python."""
    kernel = getattr(kernels, name)
    found: Callable[..., Any] = getattr(kernel, "py_func", kernel)
    return found


def test_normals_are_those_of_the_standard_library() -> None:
    p = np.concatenate([[1e-300, 1e-16, 1.0 - 1e-16], np.linspace(0.0005, 0.9995, 997)])
    compiled = np.empty_like(p)
    normals(p, compiled)
    expected = [NormalDist().inv_cdf(each) for each in p]
    np.testing.assert_allclose(compiled, expected, rtol=1e-14)
    plain = [_plain("normal_of")(each) for each in p.tolist()]
    np.testing.assert_allclose(plain, expected, rtol=1e-14)


def test_the_generator_is_splitmix64() -> None:
    # The first output of splitmix64 from seed 0, as published with the algorithm.
    assert int(mixed(np.uint64(0), np.uint64(0))) == 0xE220A8397B1DCDAF
    with np.errstate(over="ignore"):
        assert int(_plain("mixed")(np.uint64(0), np.uint64(0))) == 0xE220A8397B1DCDAF
    assert 0.0 < uniform_of(np.uint64(0)) < 1e-15
    assert 1.0 - 1e-15 < uniform_of(np.uint64(2**64 - 1)) < 1.0


def test_product_normals_are_normal_and_depend_on_the_key_alone() -> None:
    products = np.arange(10**9, 10**9 + 20_000, dtype=np.uint64)
    found, again = np.empty(products.size), np.empty(products.size)
    product_normals(np.uint64(5), products, found)
    product_normals(np.uint64(5), products[::-1].copy(), again)
    assert np.array_equal(found, again[::-1])
    assert abs(found.mean()) < 4 / math.sqrt(products.size)
    assert found.std() == pytest.approx(1.0, abs=0.02)
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 4 / math.sqrt(products.size)


@pytest.mark.parametrize("dimension", range(DIMENSIONS))
def test_sobol_points_stand_one_to_an_interval(dimension: int) -> None:
    count = 256
    plain = sobol_bits(count, dimension).astype(np.float64) / 2.0**32
    scrambled = sobol_points(count, list(range(77, 77 + dimension + 1)))[:, dimension]
    for points in (plain, scrambled):
        assert np.array_equal(np.sort((points * count).astype(int)), np.arange(count))
    assert (scrambled != plain).any()


def test_sobol_points_fill_pairs_of_dimensions() -> None:
    # The first two dimensions are a (0, m, 2)-net: one of 64 points in each of the 8 x 8 boxes.
    for points in (np.column_stack([sobol_bits(64, d) / 2.0**32 for d in (0, 1)]), sobol_points(64, [1, 2])):
        boxes = (points * 8).astype(int)
        assert len({tuple(box) for box in boxes.tolist()}) == 64


def test_the_parts_of_sigma_have_the_spread_of_the_product() -> None:
    central = parameters_for(CODES, horizon="short")
    drawn = drawn_parameters(central, CODES, Draws(4096, 3))
    sigma = np.array([drawn.draw(index).sigma for index in range(4096)])
    logs = np.log(sigma - 1.0) - np.log(central.sigma - 1.0)
    inside = central.spread < 0.5  # wider ones are cut off
    np.testing.assert_allclose(logs.std(axis=0)[inside], 1.28 * central.spread[inside], rtol=0.05)
    assert (sigma >= LEAST_SIGMA * (1 - 1e-12)).all()
    assert (sigma <= GREATEST_SIGMA * (1 + 1e-12)).all()
    ranks = np.asarray(np.corrcoef(logs.T / central.spread[:, None]))
    # Two products of one section share 0.72 of the variance, of two sections 0.36.
    assert ranks[0, 1] == pytest.approx(0.36, abs=0.06)


ETA = {"impact": 0.8, "short": 1.5, "long": 2.0}
GRID = np.linspace(-9.0, 9.0, 3001)
WEIGHTS = np.exp(-(GRID**2) / 2) / np.exp(-(GRID**2) / 2).sum()


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("horizon", ETA)
def test_trade_and_pass_through_have_their_central_value_as_mean_over_products_and_sections(
    horizon: str, spread: float
) -> None:
    """Given the common part at its middle, by a plain sum over a fine grid, with the bounds of draws out of reach."""
    central, eta = parameters_for(CODES, horizon=horizon), ETA[horizon]
    central = replace(central, spread=np.minimum(central.spread, 0.125))
    drawn = drawn_parameters(central, CODES, Draws(16, 9, Spreads(sigma=spread, supply=spread)))
    trade, theta, sections = [], [], len(drawn.names) - 3
    for point in 0.8 * GRID:
        own = DrawnDeviations(np.full(len(CODES), point), 0.0, np.full(sections, point), 0.8)
        found = drawn.at(own)
        trade.append(1.25 ** (1.0 - found.sigma))
        theta.append(found.supply / (found.supply + eta))
    np.testing.assert_allclose(WEIGHTS @ np.array(trade), 1.25 ** (1.0 - central.sigma), rtol=1e-6)
    np.testing.assert_allclose(WEIGHTS @ np.array(theta), central.supply / (central.supply + eta), rtol=1e-9)


def test_the_spread_of_the_excess_over_one_is_that_of_the_published_estimates() -> None:
    """Over that of ln sigma, of the three estimates that each section's source names, capped at 12 as their mean is."""
    ratios = []
    for row in csv.DictReader(SECTIONS.read_text(encoding="utf-8").splitlines()):
        estimates = re.findall(r"(?:ESUBM|ProTEE|Weinstein) ([0-9.]+)", row["source"])
        if row["set"] != "long" or len(estimates) < 3:
            continue
        sigma = np.minimum(np.array(estimates, dtype=float), 12.0)
        ratios.append(np.log(sigma - 1.0).std(ddof=1) / np.log(sigma).std(ddof=1))
    assert len(ratios) == 20
    assert np.mean(ratios) == pytest.approx(constant("draw_excess"), abs=0.005)


@pytest.mark.parametrize("horizon", ["impact", "short", "long"])
def test_a_spread_of_zero_draws_nothing(horizon: str) -> None:
    central = parameters_for(CODES, horizon=horizon)
    drawn = drawn_parameters(central, CODES, Draws(16, 1, Spreads(0.0, 0.0, 0.0, 0.0)))
    for index in range(16):
        found = drawn.draw(index)
        for name in ("sigma", "eta", "supply"):
            assert np.array_equal(getattr(found, name), getattr(central, name))


@pytest.mark.parametrize("horizon", ETA)
def test_supply_is_drawn_as_pass_through_between_its_bounds_for_each_section(horizon: str) -> None:
    codes = ["8471300100", "8501100000", "0901110015"]
    drawn = drawn_parameters(parameters_for(codes, horizon=horizon), codes, Draws(4096, 9))
    supply = np.array([drawn.draw(index).supply for index in range(4096)])[:, :2]
    theta = supply / (supply + ETA[horizon])
    assert theta.min() >= 0.8
    assert theta.max() <= 1.0
    # The log odds between the bounds are normal.
    odds = np.log((theta - 0.8) / (1.0 - theta))
    np.testing.assert_allclose(odds.std(axis=0), 1.2, rtol=0.03)
    # Sections share 0.6^2 of the variance of the log odds.
    supply = np.log([drawn.draw(index).supply for index in range(4096)])
    assert np.array_equal(supply[:, 0], supply[:, 1])
    assert np.corrcoef(supply[:, 0], supply[:, 2])[0, 1] == pytest.approx(0.36, abs=0.06)


def test_a_supply_of_ones_own_is_not_drawn_and_a_sigma_outside_the_interval_stays(tmp_path: Path) -> None:
    # The interval cuts what is drawn, never the reader's own central value.
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta,supply\n8471,1.01,,2.5\n9503,30,,\n")
    central = parameters_for(CODES, horizon="long", set=path)
    assert (central.sigma[0], central.sigma[4]) == (1.01, 30.0)
    still = drawn_parameters(central, CODES, Draws(16, 9, Spreads(0.0, 0.0, 0.0, 0.0)))
    assert all(np.array_equal(still.draw(index).sigma, central.sigma) for index in range(16))
    drawn = drawn_parameters(central, CODES, Draws(256, 9))
    draws = [drawn.draw(index) for index in range(256)]
    sigma, supply = (np.array([getattr(one, name) for one in draws]) for name in ("sigma", "supply"))
    # Half of the draws would pass the central value, and stop there.
    assert (sigma[:, 0].min(), sigma[:, 4].max()) == (central.sigma[0], central.sigma[4])
    assert central.sigma[0] < LEAST_SIGMA
    assert central.sigma[4] > GREATEST_SIGMA
    assert (supply[:, 0] == 2.5).all()
    assert len({10.0, *supply[:, 1]}) == 257


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (8, 0), (100, 0), (32_768, 0), (64, -1), (64, 2**63)])
def test_counts_and_seeds_out_of_range_are_refused(count: int, seed: int) -> None:
    with pytest.raises(InputError, match=r"draws is|seed is"):
        Draws(count, seed)


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
