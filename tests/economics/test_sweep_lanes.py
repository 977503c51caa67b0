"""Many scenarios side by side, at once, on the path and under sectors: the sums of the models, with the same bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response.elasticities.adjustment_profile import adjustment_profile
from tariffs.engine.response.kernels import armington as single
from tariffs.engine.response.kernels import exp_log, lane_stages, lane_sums, lane_terms, nests
from tariffs.engine.response.kernels import lanes as kernels
from tariffs.engine.response.lanes import lane_pack, lane_sections, lane_table
from tariffs.engine.response.lanes.adjustment import StageElasticities
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tariffs.engine.response.sectors.lane_market import Nests
from tests.economics import lane_trade
from tests.economics.independent import adjustment as slow
from tests.economics.lane_trade import Sums, SweepElasticities, SweepTrade, assert_sums, sweep_at_once

CLASSES = 12
SIGMAS = np.array([0.4, 1.0, 1.0 + 1e-9, 3.0, 7.0, 14.0])
ETAS = np.array([0.0, 1.0, 1.5, 0.5, 2.0, 1.0 - 1e-9])
SUPPLIES: dict[str, Any] = {
    "flat": np.inf,
    "rising": 3.0,
    "some": np.array([np.inf, 0.5, 30.0, np.inf, 2.0, 1e-9]),
}


@dataclass(frozen=True)
class World:
    """Trade of a sweep with rates per class and scenario, and its kinds' elasticities."""

    trade: SweepTrade
    rates: Any
    elasticities: SweepElasticities

    def solved(self, held: lane_trade.Held | None = None) -> Sums:
        sweep = sweep_at_once(self.trade, held)
        return sweep(self.rates[sweep.forms], None if held else self.elasticities)

    def alone(self, scenario: int) -> Sums:
        return self.trade.sums_alone(self.rates[:, scenario], self.elasticities)


def world(seed: int, *, supply: str = "flat", scenarios: int = 3) -> World:
    """Draw a world with prohibitive rates, and sigma and eta at and near 1."""
    rng = np.random.default_rng(seed)
    trade = lane_trade.drawn_trade(rng, int(rng.integers(1, 150)), 30, CLASSES, 6)
    rates = rng.choice([0.0, 1e-9, 0.1, 0.25, 1.45, -0.5, 1e6], (CLASSES, scenarios))
    return World(trade, rates, SweepElasticities(SIGMAS, ETAS, SUPPLIES[supply]))


NESTED = np.array([0, 0, 1, 1, -1])
"""Nest of the products of each kind."""


def sectors(seed: int, scenarios: int = 3) -> World:
    """Draw a world of products in two nests and in none."""
    rng = np.random.default_rng(seed)
    trade = lane_trade.drawn_trade(rng, 80, 20, CLASSES, 5)
    goods = rng.uniform(0.0, 2.0, trade.kind.size) * np.bincount(trade.place, trade.v0)
    market = Nests(NESTED[trade.kind], goods, np.array([1.0, 0.8]), np.array([1.3, np.inf]))
    rates = rng.choice([0.0, 0.1, 0.25, 0.7, 1.45, 2.0], (CLASSES, scenarios))
    kept = rng.choice([1.0, 0.0], 80, p=[0.9, 0.1])
    return World(replace(trade, market=market, kept=kept), rates, elasticities_at(0.0))


def elasticities_at(age: Any) -> SweepElasticities:
    """Elasticities of each kind at an age; those of a nest have all but sigma in common."""
    sigma, supply = (
        np.add.outer([2.5, 4.0, 0.6, 3.0, 5.0], age),
        np.subtract.outer([30.0, 30.0, 9.0, 9.0, 2.0], age),
    )
    eta = np.add.outer([1.5, 1.5, 1.0, 1.0, 2.0], np.multiply(0.5, age))
    return SweepElasticities(sigma, eta, supply, np.minimum(1.19, eta))


def same_bits(one: Sums, first: int, other: Sums, second: int) -> bool:
    return all(np.array_equal(one[name][..., first], other[name][..., second]) for name in one)


def changed(seed: int, tier: str, trade: SweepTrade) -> SweepTrade:
    """Take products out of the plain closed form."""
    rng, size = np.random.default_rng(seed), trade.v0.size
    if tier == "domestic":
        return replace(trade, domestic=rng.choice([0.0, 1e4], trade.kind.size))
    kept, vat = rng.choice([0.0, 0.4, 1.0], size), rng.choice([0.0, 0.2], size)
    return replace(trade, kept=kept, vat=vat) if tier == "kept" else trade


@pytest.mark.parametrize("tier", ["plain", "domestic", "kept"])
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(list(SUPPLIES)), st.booleans(),
    st.one_of(st.none(), st.integers(0, CLASSES)),
)  # fmt: skip
def test_sums_are_those_of_the_model_whatever_rates_are_held(
    tier: str, seed: int, supply: str, nested: bool, count: int | None
) -> None:
    """Rates of some classes move, or all of them with elasticities of each scenario."""
    case = world(seed, supply=supply)
    elasticities = replace(case.elasticities, kappa=1.3 if nested else np.nan)
    moved = np.arange(CLASSES) < (CLASSES if count is None else count)
    rates = np.where(moved[:, None], case.rates, case.rates[:, :1])
    case = World(changed(seed, tier, case.trade), rates, elasticities)
    # Elasticities beside domestic goods are those of all scenarios.
    free = count is None and tier != "domestic"
    found = case.solved(None if free else (rates[:, 0], moved, elasticities))
    for scenario in range(rates.shape[1]):
        assert_sums(case.trade, found, scenario, case.alone(scenario))


@pytest.mark.parametrize("moved", [[0], [1, 4], list(range(CLASSES)), []])
@pytest.mark.parametrize("seed", range(4))
def test_sums_of_sectors_are_those_of_their_market(
    seed: int, moved: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_pack, "CHUNK_VARIETIES", 8)
    case, marks = sectors(seed), np.isin(np.arange(CLASSES), moved)
    case = replace(case, rates=np.where(marks[:, None], case.rates, case.rates[:, :1]))
    found = case.solved((case.rates[:, 0], marks, case.elasticities))
    for scenario in range(3):
        assert_sums(case.trade, found, scenario, case.alone(scenario), rtol=1e-9, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 4.0, 60.0]))
def test_elasticities_may_differ_by_scenario(seed: int, factor: float) -> None:
    case = world(seed, supply="some", scenarios=2)
    sigma = np.stack([SIGMAS, SIGMAS * factor], axis=1)
    supply = np.stack([np.full(6, np.inf), SUPPLIES["some"]], axis=1)
    found = replace(case, elasticities=SweepElasticities(sigma, ETAS, supply)).solved()
    for scenario in (0, 1):
        own = SweepElasticities(sigma[:, scenario], ETAS, supply[:, scenario])
        assert_sums(case.trade, found, scenario, replace(case, elasticities=own).alone(scenario))


@pytest.mark.parametrize("seed", range(4))
def test_elasticities_of_sectors_may_differ_by_scenario(seed: int) -> None:
    ages, case = np.linspace(0.0, 1.0, SIDE_BY_SIDE), sectors(seed, SIDE_BY_SIDE)
    sweep = sweep_at_once(case.trade)
    found = sweep(case.rates, elasticities_at(ages))
    for scenario in (0, 7, SIDE_BY_SIDE - 1):
        expected = replace(case, elasticities=elasticities_at(ages[scenario])).alone(scenario)
        assert_sums(case.trade, found, scenario, expected, rtol=1e-9, atol=1e-9)
    assert same_bits(sweep(case.rates[:, 7:8], elasticities_at(ages[7:8])), 0, found, 7)


YEARS = [6.0, 1.8, 1.0, 0.4, 0.0]
STAGES = [
    [slow.Elasticities(*each) for each in zip(sigmas, etas, (20.0, 36.0, 10.0), strict=True)]
    for sigmas, etas in (([1.3, 2.5, 5.5], [0.8, 1.5, 2.0]), ([1.3, 3.1, 8.0], [0.6, 1.0, 2.2]))
]
"""Elasticities of each kind, on impact, in the short and in the long run."""


def sums_on_path(trade: SweepTrade, rates: Any) -> Sums:
    """Sums of the slow version at rates of the varieties on each day (varieties x 1 + days)."""
    value, hat, surplus = np.zeros(trade.v0.size), np.ones(trade.v0.size), np.zeros(trade.kind.size)
    for place, kind in enumerate(trade.kind):
        lines = trade.place == place
        if not trade.v0[lines].any():
            continue
        ages = [slow.elasticities_at(age, *STAGES[kind]) for age in YEARS]
        market = slow.composed(
            trade.v0[lines], trade.t0[lines], list(zip(ages, rates[lines, 1:].T, strict=True))
        )
        value[lines], hat[lines], surplus[place] = market.value, market.quantity, market.surplus
    return trade.sums_after(rates[:, -1], value, hat, surplus)


@pytest.mark.parametrize("top", [0.6, 30.0])
@pytest.mark.parametrize("first", [0, 2, 4])
@pytest.mark.parametrize("seed", range(2))
def test_sums_on_the_path_are_those_of_the_slow_version(seed: int, first: int, top: float) -> None:
    """Rates move from day `first` on, or none in the last sweep.

    A difference of sums of weights would lose the digits of what a variety at a prohibitive rate leaves.
    """
    rng, days = np.random.default_rng(seed), len(YEARS)
    rates = np.concatenate([[0.0, 0.03, 0.25], rng.uniform(0.0, top, 17)])
    moved = np.isin(np.arange(20), range(10, 14))
    form = rng.integers(0, 10, (CLASSES, days + 1))
    for day in range(1, days + 1):
        stays = rng.random(CLASSES) < 0.5
        form[stays, day] = form[stays, day - 1]
    form[:5, first + 1 :] = rng.integers(9, 15, (5, days - first))
    if top > 1.0:
        rates[np.setdiff1d(np.arange(10), form[:, 0])[:1]] = 1e6
    trade = lane_trade.drawn_trade(rng, 40, 7, CLASSES, 2)
    trade = replace(trade, t0=rates[form[trade.rate_class, 0]], kept=(rng.random(40) < 0.9).astype(float))
    columns = np.array([[(e.sigma, e.eta, 1.0 / e.supply) for e in kind] for kind in STAGES])
    elasticities = StageElasticities(columns.transpose(1, 2, 0).copy(), adjustment_profile())
    for marks in (moved, moved & False):
        given, paths = rng.uniform(0.0, top, (marks.sum(), 3)), RatePaths(YEARS, form, rates, marks)
        found = lane_trade.NamedSweep(trade, trade.swept(), paths, elasticities.at(YEARS))(given)
        for scenario in range(3):
            of_scenario = rates.copy()
            of_scenario[marks] = given[:, scenario]
            expected = sums_on_path(trade, of_scenario[form[trade.rate_class]])
            assert_sums(trade, found, scenario, expected, rtol=1e-9, atol=1e-13)


@given(st.integers(0, 2**32 - 1), st.integers(1, SIDE_BY_SIDE), st.booleans())
def test_blocks_and_threads_change_no_bit(seed: int, cut: int, held: bool) -> None:
    case = world(seed, scenarios=SIDE_BY_SIDE)
    sigma = np.repeat(SIGMAS[:, None], SIDE_BY_SIDE, axis=1)
    supply = np.full((6, SIDE_BY_SIDE), np.inf)
    moved = np.arange(CLASSES) < 6
    reference = (case.rates[:, 0], moved, case.elasticities) if held else None
    if not held:
        # Lanes that need the other solution, or rising supply, must leave the rest as they are.
        sigma[:, 1::5] *= 40.0
        supply[:, ::3] = 2.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_pack, "CHUNK_VARIETIES", 8)
        patch.setattr(lane_table, "CHUNK_VARIETIES", 8)
        patch.setattr(lane_pack, "BUNDLE_CHUNKS", 2)
        patch.setattr(lane_sections, "BUNDLE_CHUNKS", 2)
        patch.setattr(lane_sections, "_SECTION_BUNDLES", 2)
        sweep = sweep_at_once(case.trade, reference)

    def part(first: int, last: int, threads: int = 1) -> Sums:
        own = SweepElasticities(sigma[:, first:last], ETAS, supply[:, first:last])
        return sweep(case.rates[sweep.forms, first:last], None if held else own, threads=threads)

    whole = part(0, SIDE_BY_SIDE)
    for threads in (2, 4):
        again = part(0, SIDE_BY_SIDE, threads)
        assert all(same_bits(whole, b, again, b) for b in range(SIDE_BY_SIDE))
    for first, last in ((0, cut), (cut, SIDE_BY_SIDE), (0, 1), (1, 2), (2, 3)):
        if first < last:
            some = part(first, last)
            assert all(same_bits(whole, b, some, b - first) for b in range(first, last))


@pytest.mark.parametrize("supply", [*SUPPLIES, "sectors"])
def test_kernels_agree_with_their_plain_python(supply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if supply == "sectors":
        case = sectors(1)
    else:
        case = world(11, supply=supply, scenarios=4)
        steep = replace(case.elasticities, sigma=np.where(SIGMAS == 7.0, 60.0, SIGMAS))
        case = World(replace(case.trade, domestic=1e3), case.rates, steep)
    held = (case.rates[:, 0], np.arange(CLASSES) < 9, case.elasticities)
    compiled = case.solved(held)
    lane_trade.as_plain_python(
        monkeypatch, single, lane_terms, lane_stages, lane_sums, kernels, exp_log, nests
    )
    plain = case.solved(held)
    for name, column in compiled.items():
        scale = np.abs(column).max(initial=0.0)
        np.testing.assert_allclose(plain[name], column, rtol=1e-11, atol=1e-13 * scale, err_msg=name)


GOOD = SweepTrade([1, 1, 4], [5.0, 3.0, 2.0], 0.0, [0, 1, 1], [0, 1, 0], [0, 1], [0, 0])


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_the_smallest_change_of_duty_keeps_its_digits(sigma: float) -> None:
    t1 = 0.16 * (1.0 + 1e-13)
    sweep = sweep_at_once(replace(GOOD, t0=0.16, rate_class=[0, 0, 0]))
    loss = -1.16 * 10.0 * np.log1p((t1 - 0.16) / 1.16)
    found = sweep([[t1]], SweepElasticities(sigma, 1.5))["buyer_surplus"][0, 0]
    assert found == pytest.approx(loss, rel=1e-11, abs=0.0)


def test_trade_without_value_or_lines_and_a_lane_without_finite_answer() -> None:
    trade = SweepTrade([3, 3], [0.0, 0.0], 0.1, [0, 1], [0, 0], [0], [0], charges=[2.0, 5.0])
    found = sweep_at_once(trade)([[0.2], [0.9]], SweepElasticities(3.0, 1.5))
    assert [found[name][0, 0] for name in ("value", "charges", "welfare")] == [0.0, 7.0, 0.0]
    none = np.zeros(0, dtype=int)
    empty = sweep_at_once(SweepTrade(none, [], 0.0, none, none, none, none))
    sums = empty(np.zeros((0, 2)), SweepElasticities(3.0, 1.5))
    assert sums["value"].shape == sums["welfare"].shape == (0, 2)
    with pytest.raises(InputError) as caught:
        sweep_at_once(GOOD)([[-0.999], [-0.999]], SweepElasticities(3.0, 900.0))
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "rates")


WAYS: list[Any] = [
    (exp_log.exp_array, exp_log.log_array),
    tuple(getattr(kernel, "py_func", kernel) for kernel in (exp_log.exp_array, exp_log.log_array)),
]


@pytest.mark.parametrize("width", [600.0, 1.0, 1e-3, 1e-12])
@pytest.mark.parametrize(("exp_array", "log_array"), WAYS)
def test_exponentials_and_logs_keep_their_digits(width: float, exp_array: Any, log_array: Any) -> None:
    rng = np.random.default_rng(3)
    with localcontext(prec=60):
        for _ in range(20):
            x = rng.uniform(-width, width, exp_log.LANES)
            found, less = x.copy(), np.empty(x.size)
            exp_array(found, less, found.view(np.int64), x.size)
            change = np.expm1(np.maximum(x, -30.0))
            whole = 1.0 + change
            logs = np.append(whole, np.empty(x.size))
            log_array(logs, (change - (whole - 1.0)) / whole, logs.view(np.int64), x.size)
            exact = [Decimal(float(one)).exp() for one in x]
            for found_one, less_one, want in zip(found, less, exact, strict=True):
                assert abs(Decimal(float(found_one)) / want - 1) < Decimal("4e-16")
                assert abs(Decimal(float(less_one)) / (want - 1) - 1) < Decimal("5e-16")
            for log, one in zip(logs[: x.size], change, strict=True):
                assert abs(Decimal(float(log)) / (1 + Decimal(float(one))).ln() - 1) < Decimal("4e-16")


@pytest.mark.parametrize(("exp_array", "log_array"), WAYS)
def test_exponentials_and_logs_of_arrays_are_those_of_numbers_and_of_numpy(
    exp_array: Any, log_array: Any
) -> None:
    assert SIDE_BY_SIDE == exp_log.LANES
    numbers = np.concatenate([np.linspace(-699.0, 699.0, 57), [0.0, 1e-18, 701.0, -750.0, -np.inf]])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        work, less_one = numbers.copy(), np.empty(numbers.size)
        exp_array(work, less_one, work.view(np.int64), numbers.size)
        np.testing.assert_allclose(work, np.exp(numbers), rtol=4e-16)
        np.testing.assert_allclose(less_one, np.expm1(numbers), rtol=4e-16)
        for place in range(numbers.size):
            alone, apart = numbers[place : place + 1].copy(), np.empty(1)
            exp_array(alone, apart, alone.view(np.int64), 1)
            assert (alone[0], apart[0]) == (work[place], less_one[place])
        numbers = np.concatenate([np.geomspace(1e-300, 1e300, 43), [1.0, 5e-324, 0.0, np.inf]])
        work = np.concatenate([numbers, np.empty(numbers.size)])
        log_array(work, np.zeros(numbers.size), work.view(np.int64), numbers.size)
        np.testing.assert_allclose(work[: numbers.size], np.log(numbers), rtol=4e-16)
