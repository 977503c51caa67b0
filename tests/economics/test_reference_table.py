"""The models on all lines of the reference table, with duties that differ by product and origin."""

from __future__ import annotations

import numpy as np
import pytest

from tariffs.engine.response import STATUS, armington, parameters_for, smart
from tariffs.engine.schedule.reference_data import reference_table
from tests.economics.markets import Market
from tests.economics.reference import price_indices


@pytest.fixture(scope="module")
def market() -> Market:
    table = reference_table()
    ids = table["hts"].to_numpy()
    codes, product = np.unique(ids, return_inverse=True)
    origins = np.unique(table["origin"].to_numpy(), return_inverse=True)[1]
    parameters = parameters_for(codes.tolist(), horizon="long")
    rates = np.random.default_rng(1)
    t0 = rates.choice([0.0, 0.025, 0.065], codes.size)[product]
    t1 = t0 + rates.choice([0.0, 0.1, 0.2, 0.5], origins.max() + 1)[origins]
    v0 = table["customs_value"].to_numpy()
    return Market(
        product.astype(np.int64),
        v0,
        t0,
        t1,
        parameters.sigma,
        parameters.eta,
        parameters.supply[product],
        np.zeros(v0.size),
    )


def test_identities_hold_in_total_and_by_product(market: Market) -> None:
    after = market.solve()
    trade = market.sums(market.v0)
    assert {STATUS[each] for each in np.unique(after.status)} <= {"direct", "no trade"}
    assert (np.abs(market.sums(after.diversion)) <= 1e-12 * np.maximum(trade, 1.0)).all()
    np.testing.assert_allclose(after.landed, after.value + after.revenue, rtol=1e-12)
    parts = after.creation + after.diversion + after.price_effect
    np.testing.assert_allclose(market.sums(market.v0 + parts), market.sums(after.value), rtol=1e-9)
    revenue = market.sums(after.revenue) - market.sums(after.revenue_base)
    np.testing.assert_allclose(
        after.welfare, after.buyer_surplus + revenue, rtol=1e-9, atol=1e-9 * trade.max()
    )
    largest = int(np.argmax(trade))
    lines = market.product == largest
    index = price_indices(after.landed_base[lines], after.landed[lines], after.price_hat[lines])
    assert index.sato_vartia == pytest.approx(after.import_price_hat[largest], rel=1e-11)


def test_threads_and_order_change_no_bit(market: Market) -> None:
    order = np.random.default_rng(2).permutation(market.v0.size)
    arguments = (market.product, market.v0, market.t0, market.t1)
    one = armington(*arguments, market.sigma, market.eta, supply=market.supply, threads=1)
    two = armington(
        market.product[order],
        market.v0[order],
        market.t0[order],
        market.t1[order],
        market.sigma,
        market.eta,
        supply=market.supply[order],
        threads=2,
    )
    assert np.array_equal(one.quantity_hat[order], two.quantity_hat)
    assert np.array_equal(one.import_price_hat, two.import_price_hat)


def test_small_duties_agree_with_smart(market: Market) -> None:
    tiny = 1e-6 * (market.t1 - market.t0)
    arguments = (market.product, market.v0, np.zeros_like(tiny), tiny)
    nested = armington(*arguments, market.sigma, market.eta, supply=10.0)
    linear = smart(*arguments, -market.eta, market.sigma, supply=10.0)
    change = market.sums(nested.creation + nested.diversion)
    np.testing.assert_allclose(
        market.sums(linear.creation), change, rtol=1e-3, atol=1e-12 * market.sums(market.v0).max()
    )
