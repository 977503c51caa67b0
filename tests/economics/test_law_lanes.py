"""One law for many elasticities: the lanes of an adjustment path beside a slow version and calls of the models."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import armington, passthrough, sigma_at
from tariffs.engine.response.elasticities.adjustment_profile import (
    PathParameters,
    adjustment_profile,
    path_parameters_for,
)
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.response.kernels import lane_stages, lane_sums, lane_terms, lanes, law_lanes
from tariffs.engine.response.lanes import adjustment
from tariffs.engine.response.lanes.adjustment import DutyPath, DutyStep, PathTrade, RateMoves
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.law_lanes import LawLanes
from tariffs.engine.response.lanes.mean_ages import MeanAges
from tests.economics import lane_trade
from tests.economics.independent import adjustment as slow
from tests.economics.lane_trade import as_plain_python, assert_sums, at_one_horizon, lane_volumes

AGES = (0.0, 0.3, 1.0, 1.7, 4.0, 7.5, 10.0, 12.0)
FIELDS = ("value", "quantity_hat", "creation", "diversion", "buyer_surplus", "welfare")


@dataclass(frozen=True)
class Case:
    """Trade of six products, the rates after each step, and elasticities by age."""

    trade: PathTrade
    rates: list[Any]
    ages: list[float]
    parameters: PathParameters

    def steps(self) -> list[DutyStep]:
        pairs = zip([self.trade.t0, *self.rates], self.rates, strict=False)
        moves = [RateMoves.between(before, after) for before, after in pairs]
        return [DutyStep(age, each) for age, each in zip(self.ages, moves, strict=True)]

    def volumes(self, lanes: list[Any], threads: int = 2) -> list[dict[str, Any]]:
        p, trade = self.parameters, self.trade
        domestic = p.domestic_ratio * np.bincount(trade.product, trade.v0 * (1.0 + trade.t0))
        path = DutyPath.aged(self.steps(), p.profile)
        home = {"kappa": p.kappa, "domestic": domestic}
        return lane_volumes(trade, path, self.rates[-1], lanes, **home, threads=threads)

    def volume(self, threads: int = 2) -> dict[str, Any]:
        (found,) = self.volumes([self.parameters], threads)
        return found


def case(seed: int, *, steps: int = 5, domestic: bool = False) -> Case:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, 6)
    product, size = np.repeat(np.arange(6), counts), int(counts.sum())
    v0 = np.where(rng.uniform(size=size) < 0.1, 0.0, rng.uniform(1.0, 1e6, size))
    v0[np.cumsum(counts) - 1] = 100.0
    rates = [rng.choice([0.0, 0.05], size)]
    for _ in range(steps):
        moves = rng.uniform(size=size) < 0.5
        rates.append(np.where(moves, rng.choice([0.0, 0.1, 0.25, 1.45, 30.0], size), rates[-1]))
    ages = sorted(rng.choice(AGES, steps), reverse=True)
    kappas, ratios = ([1.2, 3.0, 1.0, np.nan], [0.0, 4.0]) if domestic else ([np.nan], [0.0])
    home: Any = {"kappa": rng.choice(kappas, 6), "domestic_ratio": rng.choice(ratios, 6)}
    base = parameters_for(["9503000073"])
    impact, short, long = (
        replace(
            base, source=np.zeros(6, dtype=np.int64), spread=np.zeros(6), sigma=rng.choice(sigmas, 6),
            eta=rng.choice(etas, 6), supply=np.full(6, supply), **home,
        )
        for sigmas, etas, supply in (
            ((0.5, 1.0, 1.3), (0.8, 1.0), math.inf),
            ((1.0, 2.5), (1.5, 1.0), math.inf),
            ((4.0, 6.0), (2.0, 0.0), 10.0),
        )
    )  # fmt: skip
    trade = PathTrade(np.concatenate([[0], np.cumsum(counts)]), product, v0, rates[0])
    return Case(trade, rates[1:], ages, PathParameters.of((impact, short, long), adjustment_profile()))


def slow_volume(one: Case) -> dict[str, Any]:
    found: dict[str, list[float]] = {name: [] for name in FIELDS}
    names = ("sigma", "eta", "supply", "kappa", "domestic_ratio")
    for k, first, last in zip(range(6), one.trade.offsets, one.trade.offsets[1:], strict=False):
        stages = [slow.Elasticities(*(float(getattr(p, n)[k]) for n in names)) for p in one.parameters.stages]
        ages = [slow.elasticities_at(age, *stages) for age in one.ages]
        steps = list(zip(ages, (rates[first:last] for rates in one.rates), strict=True))
        v0, t0 = one.trade.v0[first:last], one.trade.t0[first:last]
        market = slow.composed(v0, t0, steps, stages[1].domestic_ratio)
        created = slow.creation(market, v0)
        diverted = v0 * (market.quantity - 1) - created
        gained = market.surplus + market.value @ market.rate - v0 @ t0
        columns = (market.value, market.quantity, created, diverted, [market.surplus], [gained])
        for name, values in zip(FIELDS, columns, strict=True):
            found[name] += list(values)
    return {name: np.array(values) for name, values in found.items()}


def assert_same(one: dict[str, Any], other: Any, rtol: float, scale: float) -> None:
    for name in FIELDS:
        theirs = other[name] if isinstance(other, dict) else getattr(other, name)
        atol = 1e-300 if name == "quantity_hat" else rtol * scale
        np.testing.assert_allclose(one[name], theirs, rtol=rtol, atol=atol, err_msg=name)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_path_equals_its_slow_version(seed: int, domestic: bool) -> None:
    one = case(seed, domestic=domestic)
    assert_same(one.volume(), slow_volume(one), 1e-9, one.trade.v0.sum())


@given(st.integers(0, 2**32 - 1), st.sampled_from([(0.0, 0), (1.0, 1), (10.0, 2), (30.0, 2)]))
def test_at_the_ages_of_the_horizons_the_path_is_their_response(seed: int, at: tuple[float, int]) -> None:
    one = replace(case(seed), ages=[at[0]] * 5)
    p, trade, last = one.parameters.stages[at[1]], one.trade, one.rates[-1]
    supply = p.supply[trade.product]
    whole = armington(trade.product, trade.v0, trade.t0, last, p.sigma, p.eta, supply=supply)
    assert_same(one.volume(), whole, 1e-11, trade.v0.sum())
    alone = passthrough(trade.v0, trade.t0, last, p.eta[trade.product], supply=supply)
    value, hat, surplus, welfare = adjustment.passthrough_steps(trade, one.steps(), one.parameters)
    np.testing.assert_allclose(value, alone.value, rtol=1e-11)
    np.testing.assert_allclose(hat, alone.quantity_hat, rtol=1e-11)
    for found, expected in ((surplus, alone.buyer_surplus), (welfare, alone.welfare)):
        sums = np.bincount(trade.product, expected)
        np.testing.assert_allclose(found, sums, rtol=1e-9, atol=1e-9 * trade.v0.sum())


def test_a_draw_beside_domestic_goods_does_not_depend_on_those_beside_it() -> None:
    one = case(21, domestic=True)
    draws = [one.parameters.scaled({"sigma": f, "eta": f}) for f in np.linspace(0.5, 2.0, 19)]
    for draw, together in zip(draws, one.volumes(draws), strict=True):
        (alone,) = one.volumes([draw])
        assert all(np.array_equal(together[name], alone[name]) for name in FIELDS)


@pytest.mark.parametrize("steps", [1, 3])
def test_kernels_are_the_same_compiled_and_plain(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = case(11, steps=steps, domestic=True)
    expected = one.volume()
    as_plain_python(monkeypatch, lane_stages, lane_sums, lane_terms, lanes, law_lanes)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        found = one.volume(threads=1)
    assert_same(found, expected, 1e-12, one.trade.v0.sum())


def test_mean_weights_are_those_of_the_common_age() -> None:
    one = case(3)
    profile, product, v0 = one.parameters.profile, one.trade.product, one.trade.v0
    moved = np.bincount(product, sum(v0 * (rates != one.trade.t0) for rates in one.rates)) > 0
    for age in AGES:
        found = adjustment.mean_weights(one.trade, replace(one, ages=[age] * 5).steps(), profile, product, 6)
        expected = np.where(moved, profile.at(age)[:, :, None], profile.at(0.0)[:, :, None])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        adjustment.mean_weights(one.trade, one.steps(), profile, product, 6).sum(axis=1), 1.0
    )


YEARS = [4.5, 1.2, 0.4, 0.0]


@pytest.mark.parametrize("moved", [[], [3], [2, 5, 7, 8]])
@pytest.mark.parametrize("seed", range(3))
def test_mean_ages_of_scenarios_are_those_of_their_steps(seed: int, moved: list[int]) -> None:
    rng, lines = np.random.default_rng(seed), np.arange(30)
    rates = rng.choice([0.0, 0.1, 0.1 + 1e-15, 0.25, 1e6], 10)
    form = rng.integers(0, 10, (30, 1 + len(YEARS)))
    form[:, 0] = 0
    value, marks = np.exp(rng.normal(8.0, 2.0, 30)), np.isin(np.arange(10), moved)
    profile = adjustment_profile()
    stages = adjustment.StageElasticities(np.ones((3, 3, 1)), profile)
    ages = MeanAges(RatePaths(YEARS, form, np.where(marks, 9.9, rates), marks), value, stages)
    given = rng.choice([0.0, 0.1, 0.3, 1.45], (len(moved), 7))
    found = ages(given)
    for scenario in range(7):
        every = rates.copy()
        every[moved] = given[:, scenario]
        of_day = every[form].T
        steps = [
            DutyStep(years, RateMoves.between(before, after))
            for years, before, after in zip(YEARS, of_day, of_day[1:], strict=False)
        ]
        trade = PathTrade(np.arange(31), lines, value, of_day[0])
        expected = adjustment.mean_weights(trade, steps, profile, 0 * lines, 1)[:, :, 0]
        np.testing.assert_allclose(found[:, :, scenario], expected, rtol=1e-12, atol=1e-15)
        assert np.array_equal(ages(given[:, scenario : scenario + 1])[:, :, 0], found[:, :, scenario])
    still = MeanAges(RatePaths(YEARS, 0 * form, rates, np.zeros(10, dtype=bool)), value, stages)
    assert np.array_equal(still(np.zeros((0, 1)))[:, :, 0], profile.at(0.0))


def test_elasticities_are_those_of_the_horizons_at_their_ages() -> None:
    codes = ["9503000073", "0901110000", "8703230000"]
    path = path_parameters_for(codes)
    for years, name in ((0.0, "impact"), (1.0, "short"), (10.0, "long"), (25.0, "long")):
        named, found = parameters_for(codes, horizon=name), path.at(years)
        for field in ("sigma", "eta", "supply"):
            np.testing.assert_array_equal(getattr(found, field), getattr(named, field))
    assert path_parameters_for(codes[:1], set="low").at(4.0).sigma[0] == pytest.approx(2.0)


def test_elasticities_move_one_way_without_a_jump_at_the_published_pace() -> None:
    profile = adjustment_profile()
    weights = np.array([profile.at(age) for age in np.linspace(0.0, 12.0, 4_381)])
    np.testing.assert_allclose(weights.sum(axis=2), 1.0, rtol=1e-12)
    assert weights.min() >= 0.0
    steps = np.diff(weights @ np.array([0.0, 1.0, 2.0]), axis=0)
    assert (steps >= 0.0).all()
    assert np.abs(steps).max() < 0.004
    assert sigma_at(2.5, 5.5, 1.0) == 2.5
    assert sigma_at(2.5, 5.5, 5.0) == pytest.approx(2.5 + 3.0 * 0.353)
    assert sigma_at(2.5, 5.5, 100.0) == 5.5
    for asked in (lambda: sigma_at(2.5, 5.5, 0.5), lambda: profile.at(-0.1)):
        with pytest.raises(InputError, match="years"):
            asked()


SIGMAS = (0.3, 1.0, 1.0 + 1e-13, 1.0 - 1e-9, 1.001, 1.5, 3.0, 8.0, 20.0)
ETAS = (0.0, 0.061, 0.5, 1.0, 1.0 + 1e-9, 1.5, 3.7)
SUPPLIES = (0.0, 0.0, 1.0 / 36.0, 0.05, 0.1, 1.0)
PRODUCTS = 60


@dataclass(frozen=True)
class Edge:
    """Trade with shares of 1e-14, rates after each step, and elasticities of lanes at two horizons."""

    trade: lane_trade.SweepTrade
    rates: list[Any]
    columns: list[Any]
    weights: Any

    def sums(self, columns: list[Any], threads: int = 1) -> lane_trade.Sums:
        """Sums of lanes by the steps of the law."""
        pairs, last = zip(self.rates, self.rates[1:], strict=False), self.rates[-1]
        steps = [DutyStep(0.0, RateMoves.between(before, after)) for before, after in pairs]
        one = self.trade.swept()
        duty = adjustment.LawDuty(
            DutyPath(steps, self.weights), last, last, one.kept, values=self.trade.value_group
        )
        return lane_trade.named(LawLanes(one.table, duty, threads=threads)(columns), self.trade)

    def composed(self, lane: int) -> lane_trade.Sums:
        """Sums of the reference solver, called once a step on the trade after the older ones."""
        trade = self.trade
        value, hat, surplus = trade.v0, np.ones(trade.v0.size), np.zeros(trade.kind.size)
        for weights, before, after in zip(self.weights, self.rates, self.rates[1:], strict=False):
            sigma, eta, w = np.einsum("ph,hpk->pk", weights, self.columns[lane].columns)
            with np.errstate(divide="ignore"):
                supply = (1.0 / w)[trade.place]
            found = armington(trade.product, value, before, after, sigma, eta, supply=supply)
            value, hat, surplus = found.value, hat * found.quantity_hat, surplus + found.buyer_surplus
        return trade.sums_after(self.rates[-1], value, hat, surplus)


def edge(seed: int, steps: int, ends: list[float], lanes: int = 7) -> Edge:
    rng = np.random.default_rng(seed)
    trade = lane_trade.drawn_trade(rng, 6 * PRODUCTS, PRODUCTS, 1, 1)
    size, products = trade.v0.size, trade.kind.size
    rates = [rng.choice([0.0, 0.025, 0.1, 0.25], size)]
    for _ in range(steps):
        rates.append(np.where(rng.random(size) < 0.4, rng.choice(ends, size), rates[-1]))
    columns = [
        SimpleNamespace(
            columns=np.stack(
                [[rng.choice(each, products) for each in (SIGMAS, ETAS, SUPPLIES)] for _ in range(2)]
            )
        )
        for _ in range(lanes)
    ]
    mix = rng.random(steps) if steps > 1 else np.ones(1)
    weights = np.repeat(np.stack([mix, 1.0 - mix], axis=1)[:, None], 3, axis=1)
    kept, vat = rng.choice([1.0, 0.0], size, p=[0.9, 0.1]), rng.choice([0.0, 0.2], size)
    v0 = np.exp(rng.normal(10.0, 3.0, size)) * rng.choice([1.0, 1e-14], size, p=[0.95, 0.05])
    # One product has charges and no trade, one less than a dollar of trade.
    v0[trade.place == 1] = 0.0
    v0[trade.place == 2] *= 1e-9
    charges = rng.random(size) * np.maximum(v0, 1e3)
    trade = replace(trade, v0=v0, t0=rates[0], charges=charges, kept=kept, vat=vat)
    return Edge(trade, rates, columns, weights)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("ends", [[0.0, 0.1, 0.5, 1.45], [0.0, 0.25, 999.0]])
def test_lanes_are_the_reference_step_by_step(steps: int, ends: list[float], seed: int) -> None:
    one = edge(seed, steps, ends)
    found = one.sums(one.columns)
    for lane in range(len(one.columns)):
        assert_sums(one.trade, found, lane, one.composed(lane), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_lane_has_the_same_bits_in_any_block_and_on_any_threads(steps: int) -> None:
    one = edge(5, steps, [0.0, 0.25, 999.0], lanes=40)
    whole = one.sums(one.columns)
    for size, threads in ((7, 1), (5, 2), (1, 2)):
        for first in (0, 3, 33):
            some = one.sums(one.columns[first : first + size], threads)
            for name, theirs in whole.items():
                assert np.array_equal(some[name], theirs[..., first : first + size]), (name, size)


def test_a_lane_without_finite_answer_is_refused_with_its_line() -> None:
    trade = PathTrade(np.array([0, 1, 3]), np.array([0, 1, 1]), np.full(3, 5.0), np.full(3, 9.0))
    rate = np.array([9.0, 9.0, -0.99])
    lanes = [at_one_horizon(2.0, eta, np.inf, 2) for eta in (1.5, np.full(2, 300.0))]
    with pytest.raises(InputError, match=r"line 1: .* not finite") as caught:
        lane_volumes(trade, DutyPath.at_once(trade.t0, rate), rate, lanes)
    assert caught.value.reason == "PARAMETER_INVALID"


def test_exponents_beyond_the_range_of_numbers_are_those_of_the_reference() -> None:
    v0, product = np.array([5.0, 2.0, 3.0, 1.0]), np.array([0, 0, 1, 1])
    trade, rate = (
        PathTrade(np.array([0, 2, 4]), product, v0, np.zeros(4)),
        np.array([999.0, 999.0, 0.1, 0.25]),
    )
    sigmas = (np.array([150.0, 3.0]), np.full(2, 4.0))
    lanes = [at_one_horizon(each, 1.5, np.inf, 2) for each in sigmas]
    volumes = lane_volumes(trade, DutyPath.at_once(trade.t0, rate), rate, lanes)
    for lane, found in zip(sigmas, volumes, strict=True):
        assert_same(found, armington(product, v0, trade.t0, rate, lane, 1.5), 1e-12, 1.0)
