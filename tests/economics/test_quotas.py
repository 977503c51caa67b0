"""Limits on quantities: premiums against a slow solver, and limits of the model as identities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tariffs.engine.response import armington
from tariffs.engine.response.kernels.quota_premiums import hold_to_limits
from tariffs.engine.response.limits.quotas import solve_quotas
from tests.economics.independent.quotas import Limit, equilibrium
from tests.economics.quota_problems import Trade, random_trade, solve


@pytest.mark.parametrize("seed", range(8))
def test_premiums_and_quantities_of_one_product_are_those_of_the_slow_solver(seed: int) -> None:
    trade = random_trade(seed)
    caps = np.array([0.4, np.inf, 0.7, np.inf])
    solved = solve(trade, caps, [])
    slow = equilibrium(
        trade.goods([(0,), (), (1,), ()]),
        trade.demands,
        [Limit(0.4 * trade.value[0]), Limit(0.7 * trade.value[2])],
    )
    np.testing.assert_allclose(solved.quantities, slow.quantities, rtol=1e-9)
    np.testing.assert_allclose(np.expm1(solved.found.premium[[0, 2]]), slow.premiums, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_joint_limits_and_floors_over_products_are_those_of_the_slow_solver(seed: int) -> None:
    trade = random_trade(seed, products=2, origins=3)
    free = armington(
        trade.product, trade.value, trade.before, trade.after, trade.sigma, trade.eta,
        supply=trade.supply[trade.product],
    ).quantity_hat * trade.value  # fmt: skip
    wanted = [([0, 3], 0.6, False), ([1, 4], 1.3, True), ([0, 2], 0.8, False)]
    joint = [(own, Limit(float(part * free[own].sum()), floor)) for own, part, floor in wanted]
    solved = solve(trade, np.full(6, np.inf), joint)
    slow = equilibrium(
        trade.goods([(0, 2), (1,), (2,), (0,), (1,), ()]), trade.demands, [limit for _, limit in joint]
    )
    np.testing.assert_allclose(solved.quantities, slow.quantities, rtol=1e-9)
    np.testing.assert_allclose(np.expm1(solved.found.joint), slow.premiums, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_limit_is_a_duty_at_its_premium(seed: int) -> None:
    trade = random_trade(seed, products=3, origins=5)
    caps = np.where(np.arange(15) % 3 == 0, 0.3, np.inf)
    solved = solve(trade, caps, [])
    after = (1.0 + trade.after) * np.exp(solved.found.premium) - 1.0
    duty = armington(
        trade.product, trade.value, trade.before, after, trade.sigma, trade.eta, supply=trade.supply[trade.product]
    )  # fmt: skip
    np.testing.assert_allclose(solved.quantities, duty.quantity_hat, rtol=1e-11)
    assert (solved.quantities <= caps * (1.0 + 1e-12)).all()
    assert (solved.found.premium >= 0.0).all()
    assert ((solved.found.premium > 0.0) <= np.isclose(solved.quantities, caps, rtol=1e-12)).all()


def test_a_slack_limit_is_no_limit() -> None:
    trade = random_trade(3)
    free = solve(trade, np.full(4, np.inf), [])
    slack = solve(trade, np.full(4, 9.0), [([0, 1], Limit(1e9)), ([2], Limit(1.0, floor=True))])
    assert (slack.quantities == free.quantities).all()
    assert not slack.found.premium.any()
    assert not slack.found.joint.any()


def toys() -> Trade:
    """Three origins of one good at the set `long`: two at 12.5 percent, one at 8.4387."""
    one = np.ones(1)
    return Trade(
        np.zeros(3, dtype=np.int64), np.array([4e6, 2e6, 1e6]), np.zeros(3), np.array([0.125, 0.125, 0.084387]),
        4.58 * one, 2.0 * one, 10.0 * one,
    )  # fmt: skip


def test_halving_toys_of_the_largest_origin_and_a_tighter_limit() -> None:
    free = solve(toys(), np.full(3, np.inf), [])
    np.testing.assert_allclose(free.quantities, [0.815, 0.815, 0.915], atol=5e-4)
    half = solve(toys(), np.array([0.5, np.inf, np.inf]), [])
    assert np.expm1(half.found.premium[0]) == pytest.approx(0.226, abs=5e-4)
    np.testing.assert_allclose(half.quantities, [0.5, 0.948, 1.064], atol=5e-4)
    caps = np.linspace(0.05, 0.8, 40)
    premiums = [solve(toys(), np.array([cap, np.inf, np.inf]), []).found.premium[0] for cap in caps]
    assert (np.diff(premiums) < 0.0).all()


def test_limits_at_the_ends_of_the_elasticities() -> None:
    """No substitution, perfect substitutes, and inelastic and elastic demand, where no duty changes."""
    still, half = replace(toys(), after=np.zeros(3)), np.array([0.5, np.inf, np.inf])
    flat = replace(still, supply=np.array([np.inf]))
    together = solve(replace(still, sigma=np.zeros(1)), half, [])
    np.testing.assert_allclose(together.quantities, 0.5, rtol=1e-6)
    replaced = solve(replace(flat, sigma=np.array([1e7])), half, [])
    assert replaced.found.premium[0] == pytest.approx(0.0, abs=1e-6)
    assert (replaced.quantities * flat.value).sum() == pytest.approx(flat.value.sum(), rel=1e-6)
    fixed = solve(replace(still, eta=np.zeros(1)), half, [])
    shares, power = still.value / still.value.sum(), 1.0 - 1.0 / 4.58
    assert (shares * fixed.quantities**power).sum() == pytest.approx(1.0, rel=1e-12)
    elastic = solve(replace(flat, eta=np.array([1e8])), half, [])
    assert elastic.found.index[0] == pytest.approx(0.0, abs=1e-7)


def test_a_limit_that_no_price_keeps_is_unknown() -> None:
    alone = Trade(
        np.zeros(1, dtype=np.int64), np.array([1e6]), np.zeros(1), np.zeros(1), np.array([3.0]), np.zeros(1),
        np.array([np.inf]),
    )  # fmt: skip
    found = solve(alone, np.array([0.5]), [])
    assert np.isnan(found.found.index[0])
    assert np.isnan(solve(alone, np.array([np.inf]), [([0], Limit(5e5))]).found.joint[0])


def test_the_kernel_has_the_same_bits_as_plain_python() -> None:
    problem = solve(random_trade(5), np.array([0.4, np.inf, 0.7, 0.2]), []).problem
    shares = problem.landed / problem.landed.sum()
    parameters = np.column_stack([problem.sigma, problem.eta, 1.0 / problem.supply])
    compiled, plain = ([np.empty(4), np.empty(4), np.empty(1)] for _ in range(2))
    arguments = (0, 1, problem.offsets, shares, problem.wedges, problem.caps, parameters)
    hold_to_limits(*arguments, *compiled)
    hold_to_limits.py_func(*arguments, *plain)  # type: ignore[attr-defined]
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_products_have_the_same_bits_whatever_is_solved_with_them() -> None:
    trade = random_trade(7, products=3, origins=4)
    caps = np.where(np.arange(12) % 2 == 0, 0.5, np.inf)
    whole = solve(trade, caps, [])
    first = Trade(
        trade.product[:4], trade.value[:4], trade.before[:4], trade.after[:4], trade.sigma[:1], trade.eta[:1],
        trade.supply[:1],
    )  # fmt: skip
    assert (solve_quotas(solve(first, caps[:4], []).problem).premium == whole.found.premium[:4]).all()
