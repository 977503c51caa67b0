"""The numbers behind the draws: generators, Sobol points, and the elasticities that they give products."""

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
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response import Draws, Spreads, drawn_parameters, parameters_for
from tariffs.engine.response.constants import DATA, constant
from tariffs.engine.response.elasticities.draws import REPLICATES, DrawnDeviations
from tariffs.engine.response.elasticities.parameters import GREATEST_SIGMA, LEAST_SIGMA
from tariffs.engine.response.elasticities.sobol import _directions, sobol_bits, sobol_points
from tariffs.engine.response.kernels import draws as kernels
from tariffs.engine.response.kernels.draws import mixed, normals, product_normals, uniform_of
from tariffs.engine.runs.draws.ranges import _errors
from tests.economics.runs import QUIET

CODES = ["8471300100", "0101210010", "7208100000", "0901110015", "9503000073"]


def _plain(name: str) -> Callable[..., Any]:
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


@pytest.mark.parametrize("dimension", range(32))
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
        assert len({tuple(box) for box in (points * 8).astype(int).tolist()}) == 64


def test_polynomials_of_sobol_points_are_primitive() -> None:
    polynomials = [(1 << degree) | (inner << 1) | 1 for degree, inner, _ in _directions()]
    assert len(set(polynomials)) == 31
    for polynomial in polynomials:
        whole, power, order = 1 << (polynomial.bit_length() - 1), 1, 0
        while order == 0 or power != 1:
            power, order = min(power << 1, (power << 1) ^ polynomial), order + 1  # x times it, reduced
        assert order == whole - 1


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
    for row in csv.DictReader((DATA / "hs_sections.csv").read_text(encoding="utf-8").splitlines()):
        estimates = re.findall(r"(?:ESUBM|ProTEE|Weinstein) ([0-9.]+)", row["source"])
        if row["set"] != "long" or len(estimates) < 3:
            continue
        sigma = np.minimum(np.array(estimates, dtype=float), 12.0)
        ratios.append(np.log(sigma - 1.0).std(ddof=1) / np.log(sigma).std(ddof=1))
    assert len(ratios) == 20
    assert np.mean(ratios) == pytest.approx(constant("draw_excess"), abs=0.005)


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
    still = drawn_parameters(central, CODES, Draws(16, 9, QUIET))
    assert all(np.array_equal(still.draw(index).sigma, central.sigma) for index in range(16))
    drawn = drawn_parameters(central, CODES, Draws(256, 9))
    draws = [drawn.draw(index) for index in range(256)]
    sigma, supply = (np.array([getattr(one, name) for one in draws]) for name in ("sigma", "supply"))
    # Half of the draws would pass the central value, and stop there.
    assert (sigma[:, 0].min(), sigma[:, 4].max()) == (central.sigma[0], central.sigma[4])
    assert central.sigma[0] < LEAST_SIGMA
    assert central.sigma[4] > GREATEST_SIGMA
    assert (supply[:, 0] == 2.5).all()
    assert len(set(supply[:, 1])) == 256
    assert 10.0 not in supply[:, 1]


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (8, 0), (100, 0), (32_768, 0), (64, -1), (64, 2**63)])
def test_counts_and_seeds_out_of_range_are_refused(count: int, seed: int) -> None:
    with pytest.raises(InputError, match=r"draws is|seed is"):
        Draws(count, seed)


def test_the_monte_carlo_error_of_a_quantile_is_that_of_repeated_independent_runs() -> None:
    # Eight replicates of constant draws 0 to 7: every quantile is the replicate's number. Their sample standard
    # deviation is the root of (sum of squares 140 - 8 x 3.5^2) / 7 = 6, and the error of their mean a root of 8 less.
    assert REPLICATES == 8
    for values in _errors(np.repeat(np.arange(8.0), 16)[:, None]).values():
        assert values[0] == pytest.approx(math.sqrt(6.0 / 8.0), rel=1e-12)
    # The median of n normal draws has a standard error of sqrt(pi / 2 / n); 200 columns give it to some 2 percent.
    found = _errors(np.random.default_rng(3).normal(size=(4096, 200)))
    assert set(found) == {"p5_error", "p50_error", "p95_error"}
    expected = math.sqrt(math.pi / 2.0 / 4096)
    assert math.sqrt(float(np.mean(found["p50_error"] ** 2))) == pytest.approx(expected, rel=0.08)
