"""The adjustment path: its limits, and its agreement with a slow version and with calls of the models."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import armington, passthrough, sigma_at
from tariffs.engine.response.elasticities.adjustment_profile import (
    BLENDED,
    PathParameters,
    adjustment_profile,
    path_parameters_for,
)
from tariffs.engine.response.elasticities.parameters import STAGES, ProductParameters, parameters_for
from tariffs.engine.response.lanes.adjustment import (
    DutyPath,
    DutyStep,
    PathTrade,
    RateMoves,
    mean_weights,
    passthrough_steps,
)
from tests.economics.independent import adjustment as slow
from tests.economics.lane_volumes import lane_volumes

AGES = (0.0, 0.3, 1.0, 1.7, 4.0, 7.5, 10.0, 12.0)
FIELDS = ("value", "quantity_hat", "creation", "diversion", "buyer_surplus", "welfare")


@dataclass(frozen=True)
class Case:
    """Trade of several products, the rates after each step, and elasticities by age."""

    trade: PathTrade
    rates: list[Any]
    ages: list[float]
    parameters: PathParameters

    @property
    def last(self) -> Any:
        return self.rates[-1] if self.rates else self.trade.t0

    def steps(self) -> list[DutyStep]:
        before, steps = self.trade.t0, []
        for age, after in zip(self.ages, self.rates, strict=True):
            moved = np.flatnonzero(after != before)
            steps.append(DutyStep(age, RateMoves.of(moved, before[moved], after[moved])))
            before = after
        return steps

    def volumes(self, lanes: list[Any], threads: int = 2) -> list[dict[str, Any]]:
        p, trade = self.parameters, self.trade
        landed = np.bincount(trade.product, trade.v0 * (1.0 + trade.t0))
        path = DutyPath.aged(self.steps(), p.profile)
        return lane_volumes(
            trade, path, self.last, lanes, kappa=p.kappa, domestic=p.domestic_ratio * landed, threads=threads
        )

    def volume(self, threads: int = 2) -> dict[str, Any]:
        (found,) = self.volumes([self.parameters], threads)
        return found

    def passthrough(self) -> tuple[Any, ...]:
        return passthrough_steps(self.trade, self.steps(), self.parameters)


def stage(base: ProductParameters, products: int, **values: Any) -> ProductParameters:
    nothing = np.zeros(products)
    columns = {"spread": nothing, "kappa": nothing * np.nan, "domestic_ratio": nothing} | values
    return replace(base, source=np.zeros(products, dtype=np.int64), **columns)


def case(seed: int, *, steps: int = 5, domestic: bool = False) -> Case:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, 6)
    product = np.repeat(np.arange(6), counts)
    size = len(product)
    v0 = np.where(rng.uniform(size=size) < 0.1, 0.0, rng.uniform(1.0, 1e6, size))
    v0[np.cumsum(counts) - 1] = 100.0
    t0, rates = rng.choice([0.0, 0.05], size), []
    rate = t0
    for _ in range(steps):
        moves = rng.uniform(size=size) < 0.5
        rate = np.where(moves, rng.choice([0.0, 0.1, 0.25, 1.45, 30.0], size), rate)
        rates.append(rate)
    ages = sorted(rng.choice(AGES, steps), reverse=True)
    kappa = rng.choice([1.2, 3.0, 1.0, np.nan], 6) if domestic else np.full(6, np.nan)
    ratio = rng.choice([0.0, 4.0], 6) if domestic else np.zeros(6)
    base = parameters_for(["9503000073"])
    stages = [
        stage(base, 6, sigma=rng.choice(sigmas, 6), eta=rng.choice(etas, 6), supply=np.full(6, supply), kappa=kappa,
              domestic_ratio=ratio)
        for sigmas, etas, supply in (
            ((0.5, 1.0, 1.3), (0.8, 1.0), math.inf), ((1.0, 2.5), (1.5, 1.0), math.inf), ((4.0, 6.0), (2.0, 0.0), 10.0),
        )
    ]  # fmt: skip
    offsets = np.concatenate([[0], np.cumsum(counts)])
    impact, short, long = stages
    parameters = PathParameters.of((impact, short, long), adjustment_profile())
    return Case(PathTrade(offsets, product, v0, t0), rates, ages, parameters)


def slow_volume(one: Case) -> dict[str, Any]:
    found: dict[str, list[float]] = {name: [] for name in FIELDS}
    for k, first, last in zip(range(6), one.trade.offsets, one.trade.offsets[1:], strict=False):
        of_stage = [
            slow.Elasticities(
                *(float(getattr(p, n)[k]) for n in ("sigma", "eta", "supply", "kappa", "domestic_ratio"))
            )
            for p in one.parameters.stages
        ]
        steps = [
            (slow.elasticities_at(age, *of_stage), rates[first:last].tolist())
            for age, rates in zip(one.ages, one.rates, strict=True)
        ]
        v0, t0 = one.trade.v0[first:last].tolist(), one.trade.t0[first:last].tolist()
        market = slow.composed(v0, t0, steps, of_stage[1].domestic_ratio)
        created = slow.creation(market, v0)
        diverted = [v * (q - 1) - c for v, q, c in zip(v0, market.quantity, created, strict=True)]
        revenue = sum(v * t for v, t in zip(market.value, market.rate, strict=True))
        before = sum(v * t for v, t in zip(v0, t0, strict=True))
        for name, values in zip(
            FIELDS,
            (market.value, market.quantity, created, diverted, [market.surplus],
             [market.surplus + revenue - before]),
            strict=True,
        ):  # fmt: skip
            found[name] += values
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


@pytest.mark.parametrize(("age", "place"), [(0.0, 0), (1.0, 1), (10.0, 2), (30.0, 2)])
@given(st.integers(0, 2**32 - 1))
def test_at_the_ages_of_the_horizons_the_path_is_their_response(age: float, place: int, seed: int) -> None:
    one = replace(case(seed), ages=[age] * 5)
    p, trade = one.parameters.stages[place], one.trade
    whole = armington(
        trade.product, trade.v0, trade.t0, one.last, p.sigma, p.eta, supply=p.supply[trade.product]
    )
    assert_same(one.volume(), whole, 1e-11, trade.v0.sum())


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 12.0))
def test_steps_of_one_age_are_one_call(seed: int, age: float) -> None:
    many = replace(case(seed), ages=[age] * 5)
    one = replace(many, rates=[many.last], ages=[age])
    assert_same(many.volume(), one.volume(), 1e-11, many.trade.v0.sum())


@given(st.integers(0, 2**32 - 1))
def test_creation_and_diversion_add_up_and_diversion_cancels(seed: int) -> None:
    one = case(seed)
    found, scale = one.volume(), one.trade.v0.sum()
    change = one.trade.v0 * (found["quantity_hat"] - 1.0)
    np.testing.assert_allclose(found["creation"] + found["diversion"], change, atol=1e-11 * scale)
    np.testing.assert_allclose(np.bincount(one.trade.product, found["diversion"]), 0.0, atol=1e-11 * scale)


@given(st.integers(0, 2**32 - 1))
def test_a_tiny_step_has_a_tiny_effect(seed: int) -> None:
    one = case(seed)
    more = replace(one, rates=[*one.rates, one.last + 1e-7], ages=[*one.ages, 0.0])
    np.testing.assert_allclose(more.volume()["quantity_hat"], one.volume()["quantity_hat"], rtol=1e-6)


@pytest.mark.parametrize("age", AGES)
def test_the_path_has_no_jump_in_age(age: float) -> None:
    one = case(7)
    near = replace(one, ages=[each + age for each in (4.0, 3.0, 2.0, 1.0, 0.0)])
    a_day_on = replace(near, ages=[each + 1 / 365 for each in near.ages])
    for first, second in ((near.volume()["value"], a_day_on.volume()["value"]),
                          (near.passthrough()[0], a_day_on.passthrough()[0])):  # fmt: skip
        assert np.abs(first - second).max() < 0.01 * one.trade.v0.max()


@given(st.integers(0, 2**32 - 1))
def test_passthrough_at_one_age_is_one_call(seed: int) -> None:
    one = replace(case(seed), ages=[10.0] * 5)
    p, trade = one.parameters.stages[2], one.trade
    whole = passthrough(trade.v0, trade.t0, one.last, p.eta[trade.product], supply=p.supply[trade.product])
    value, hat, surplus, welfare = one.passthrough()
    np.testing.assert_allclose(value, whole.value, rtol=1e-11)
    np.testing.assert_allclose(hat, whole.quantity_hat, rtol=1e-11)
    for found, expected in ((surplus, whole.buyer_surplus), (welfare, whole.welfare)):
        sums = np.bincount(trade.product, expected)
        np.testing.assert_allclose(found, sums, rtol=1e-9, atol=1e-9 * trade.v0.sum())


def test_mean_weights_are_those_of_the_common_age() -> None:
    one = case(3)
    for age in AGES:
        steps = replace(one, ages=[age] * 5).steps()
        profile, product = one.parameters.profile, one.trade.product
        found = mean_weights(one.trade, steps, profile, product, 6)
        moved = (
            np.bincount(product, np.sum([one.trade.v0 * (r != one.trade.t0) for r in one.rates], axis=0)) > 0
        )
        expected = np.where(moved, profile.at(age)[:, :, None], profile.at(0.0)[:, :, None])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(mean_weights(one.trade, one.steps(), profile, product, 6).sum(axis=1), 1.0)


@pytest.mark.parametrize("domestic", [False, True])
def test_a_draw_does_not_depend_on_those_beside_it(domestic: bool) -> None:
    one = case(21, domestic=domestic)
    draws = [one.parameters.scaled({"sigma": f, "eta": f}) for f in np.linspace(0.5, 2.0, 19)]
    together = one.volumes(draws)
    for place, draw in enumerate(draws):
        (alone,) = one.volumes([draw])
        for name in FIELDS:
            assert np.array_equal(together[place][name], alone[name]), name


def test_varieties_with_the_same_steps_share_a_part() -> None:
    one = case(5)
    rates = [one.trade.t0, *one.rates]
    paths = [(k, *(rate[i] for rate in rates)) for i, k in enumerate(one.trade.product)]
    places = {path: place for place, path in enumerate(dict.fromkeys(paths))}
    assert one.volume()["part"].tolist() == [places[path] for path in paths]


def test_elasticities_are_those_of_the_horizons_at_their_ages() -> None:
    codes = ["9503000073", "0901110000", "8703230000"]
    path = path_parameters_for(codes)
    for years, name in ((0.0, "impact"), (1.0, "short"), (10.0, "long"), (25.0, "long")):
        named, found = parameters_for(codes, horizon=name), path.at(years)
        for field in ("sigma", "eta", "supply"):
            np.testing.assert_array_equal(getattr(found, field), getattr(named, field))


def test_elasticities_move_one_way_and_without_a_jump() -> None:
    profile = adjustment_profile()
    ages = np.linspace(0.0, 12.0, 4_381)
    weights = np.array([profile.at(age) for age in ages])
    np.testing.assert_allclose(weights.sum(axis=2), 1.0, rtol=1e-12)
    assert weights.min() >= 0.0
    stages = np.array([0.0, 1.0, 2.0])
    places = weights @ stages
    assert (np.diff(places, axis=0) >= 0.0).all()
    assert np.abs(np.diff(places, axis=0)).max() < 0.004
    assert list(BLENDED) == ["sigma", "eta", "inverse_supply"]
    assert path_parameters_for(["9503000073"], set="low").at(4.0).sigma[0] == pytest.approx(2.0)
    assert STAGES == ("impact", "short", "long")


def test_sigma_at_follows_the_published_pace() -> None:
    assert sigma_at(2.5, 5.5, 1.0) == 2.5
    assert sigma_at(2.5, 5.5, 5.0) == pytest.approx(2.5 + 3.0 * 0.353)
    assert sigma_at(2.5, 5.5, 100.0) == 5.5
    with pytest.raises(InputError, match="years"):
        sigma_at(2.5, 5.5, 0.5)
    with pytest.raises(InputError, match="years"):
        adjustment_profile().at(-0.1)
