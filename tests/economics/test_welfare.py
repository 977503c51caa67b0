"""Surplus, revenue and deadweight loss (numerical tests 19 and 20)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tariffs.engine.response import armington, passthrough
from tests.economics.markets import SUPPLIES, Market, markets, random_market

STEPS = 1_000


@pytest.mark.parametrize("freight", [False, True])
@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("domestic", [{}, {"kappa": 1.4, "domestic": 3e4, "supply_domestic": 2.0}])
def test_world_welfare_is_the_integral_of_the_wedge(
    supply: str, freight: bool, domestic: dict[str, Any]
) -> None:
    market = random_market(11, products=1, most=8, supply=supply, freight=freight)
    market = market.with_(sigma=3.5, eta=1.5, v0=np.maximum(market.v0, 100.0))
    lines = market.v0.size
    path = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    rates = market.t0 + path * (market.t1 + 0.1 - market.t0)
    along = armington(
        np.repeat(np.arange(STEPS + 1), lines),
        np.tile(market.v0, STEPS + 1),
        np.tile(market.t0, STEPS + 1),
        rates.ravel(),
        3.5,
        1.5,
        supply=np.tile(market.supply, STEPS + 1),
        freight=np.tile(market.freight, STEPS + 1),
        **domestic,
    )
    wedge = (rates.ravel() * along.exporter_price_hat).reshape(STEPS + 1, lines)
    quantity = (np.tile(market.v0, STEPS + 1) * along.quantity_hat).reshape(STEPS + 1, lines)
    integral = np.sum(0.5 * (wedge[1:] + wedge[:-1]) * np.diff(quantity, axis=0))
    suppliers = along.supplier_surplus.reshape(STEPS + 1, lines)[-1].sum()
    assert along.welfare[-1] + suppliers == pytest.approx(integral, rel=1e-6)


@given(markets())
def test_two_steps_make_one(market: Market) -> None:
    halfway = 0.5 * (market.t0 + market.t1)
    first = market.with_(t1=halfway).solve()
    second = market.with_(t1=halfway).rebased(first, market.t1).solve()
    one = market.solve()
    np.testing.assert_allclose(second.value, one.value, rtol=1e-10)
    np.testing.assert_allclose(first.price_hat * second.price_hat, one.price_hat, rtol=1e-10)
    scale = 1e-10 * market.sums(one.landed_base)
    for name in ("buyer_surplus", "welfare"):
        both = getattr(first, name) + getattr(second, name)
        assert (np.abs(both - getattr(one, name)) <= scale + 1e-10 * np.abs(both)).all()
    both = first.supplier_surplus + second.supplier_surplus
    np.testing.assert_allclose(both, one.supplier_surplus, rtol=1e-9, atol=1e-9 * market.v0.sum())


@given(markets())
def test_a_first_duty_never_gains_from_its_wedge(market: Market) -> None:
    after = market.with_(t0=0.0).solve()
    assert (after.deadweight_loss >= -1e-12 * market.sums(after.landed_base)).all()
    free = after.terms_of_trade - after.welfare
    np.testing.assert_allclose(after.deadweight_loss, free, rtol=1e-12, atol=1e-9)


@given(markets(supplies=("flat",), freight=False))
def test_small_losses_are_triangles_in_any_market(market: Market) -> None:
    rate = 1e-3
    after = market.with_(t0=0.0, t1=rate, eta=np.maximum(market.eta, 0.1)).solve()
    triangle = 0.5 * np.maximum(market.eta, 0.1) * rate**2 * market.sums(market.v0)
    np.testing.assert_allclose(after.deadweight_loss, triangle, rtol=5e-3, atol=1e-12 * market.v0.sum())


def test_small_losses_are_harberger_triangles() -> None:
    rate, eta = 1e-3, 1.7
    after = armington([0] * 6, np.arange(1.0, 7.0) * 1e4, 0.0, rate, 4.0, eta)
    triangle = 0.5 * eta * rate**2 * 21e4
    assert after.deadweight_loss[0] == pytest.approx(triangle, rel=5e-3)
    lone = passthrough([5e4], 0.0, rate, 2.5)
    assert lone.deadweight_loss is not None
    assert lone.deadweight_loss[0] == pytest.approx(0.5 * 2.5 * rate**2 * 5e4, rel=5e-3)
