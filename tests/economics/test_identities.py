"""What holds exactly in every answer of the Armington model (numerical tests 1 to 9)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response import armington
from tests.economics.markets import Market, markets

TIGHT = 1e-12


@given(markets())
def test_revenue_is_rate_times_value_at_every_level(market: Market) -> None:
    after = market.solve()
    expected = market.t1 * market.v0 * after.exporter_price_hat * after.quantity_hat
    np.testing.assert_allclose(after.revenue, expected, rtol=TIGHT)
    np.testing.assert_allclose(market.sums(after.revenue), market.sums(market.t1 * after.value), rtol=TIGHT)
    mechanical = np.sum((market.t1 - market.t0) * market.v0)
    behavioural = np.sum(market.t1 * (after.value - market.v0))
    change = np.sum(after.revenue) - np.sum(after.revenue_base)
    scale = np.sum(after.revenue) + np.sum(after.revenue_base)
    assert abs(mechanical + behavioural - change) <= TIGHT * scale


@given(markets())
def test_landed_cost_is_value_duty_and_freight(market: Market) -> None:
    after = market.solve()
    freight = market.freight * market.v0 * after.quantity_hat
    np.testing.assert_allclose(after.landed, after.value + after.revenue + freight, rtol=TIGHT)
    base = market.v0 + after.revenue_base + market.freight * market.v0
    np.testing.assert_allclose(after.landed_base, base, rtol=TIGHT)
    np.testing.assert_allclose(
        after.landed, after.landed_base * after.price_hat * after.quantity_hat, rtol=TIGHT
    )


@given(markets())
def test_without_a_shock_nothing_moves(market: Market) -> None:
    after = market.with_(t1=market.t0).solve()
    for hat in (after.price_hat, after.exporter_price_hat, after.quantity_hat, after.import_price_hat):
        np.testing.assert_allclose(hat, 1.0, rtol=TIGHT)
    scale = TIGHT * market.sums(after.landed_base)
    for amount in (after.buyer_surplus, after.welfare, after.terms_of_trade, after.deadweight_loss):
        assert (np.abs(amount) <= scale).all()
    assert (np.abs(market.sums(after.supplier_surplus)) <= scale).all()


@given(markets(supplies=("flat",), freight=False), st.floats(0.01, 5.0))
def test_a_uniform_duty_passes_through_and_diverts_nothing(market: Market, power: float) -> None:
    after = market.with_(t1=(1.0 + market.t0) * power - 1.0).solve()
    traded = market.sums(market.v0) > 0.0
    np.testing.assert_allclose(after.import_price_hat[traded], power, rtol=TIGHT)
    scale = market.sums(market.v0 * np.maximum(after.quantity_hat, 1.0))
    assert (np.abs(after.diversion) <= TIGHT * market.spread(scale)).all()
    shares = after.landed / np.maximum(market.spread(market.sums(after.landed)), 1e-300)
    base = after.landed_base / np.maximum(market.spread(market.sums(after.landed_base)), 1e-300)
    np.testing.assert_allclose(shares, base, rtol=TIGHT)


@given(markets(), st.floats(1e-3, 1e6))
def test_amounts_scale_with_trade(market: Market, scale: float) -> None:
    one, many = market.solve(), market.with_(v0=market.v0 * scale).solve()
    np.testing.assert_allclose(many.quantity_hat, one.quantity_hat, rtol=TIGHT)
    np.testing.assert_allclose(many.price_hat, one.price_hat, rtol=TIGHT)
    for name in ("value", "revenue", "landed"):
        np.testing.assert_allclose(getattr(many, name), scale * getattr(one, name), rtol=TIGHT)
    bound = TIGHT * scale * market.sums(one.landed_base + one.landed)
    for name in ("buyer_surplus", "welfare", "deadweight_loss", "terms_of_trade"):
        assert (np.abs(getattr(many, name) - scale * getattr(one, name)) <= bound).all()


@given(markets(), st.floats(0.05, 0.95))
def test_splitting_an_origin_changes_nothing(market: Market, share: float) -> None:
    def twice(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, values])

    whole = market.solve()
    split = armington(
        twice(market.product),
        np.concatenate([market.v0 * share, market.v0 * (1.0 - share)]),
        twice(market.t0),
        twice(market.t1),
        market.sigma,
        market.eta,
        supply=twice(market.supply),
        freight=twice(market.freight),
    )
    np.testing.assert_allclose(split.quantity_hat, twice(whole.quantity_hat), rtol=TIGHT)
    halves = split.value.reshape(2, -1).sum(axis=0)
    np.testing.assert_allclose(halves, whole.value, rtol=TIGHT)
    np.testing.assert_allclose(split.import_price_hat, whole.import_price_hat, rtol=TIGHT)


@given(markets(), st.integers(0, 2**32 - 1))
def test_the_order_of_lines_changes_no_bit(market: Market, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(market.v0.size)
    shuffled = Market(
        market.product[order],
        market.v0[order],
        market.t0[order],
        market.t1[order],
        market.sigma,
        market.eta,
        market.supply[order],
        market.freight[order],
    )
    one, other = market.solve(), shuffled.solve()
    for name in ("price_hat", "exporter_price_hat", "quantity_hat", "value", "creation", "diversion"):
        assert np.array_equal(getattr(one, name)[order], getattr(other, name))
    for name in ("welfare", "import_price_hat", "deadweight_loss"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


@given(markets(), st.integers(0, 2**32 - 1))
def test_the_order_of_products_changes_no_bit(market: Market, seed: int) -> None:
    ids = np.unique(market.product)
    order = np.random.default_rng(seed).permutation(ids.size)
    renamed = market.with_(sigma=market.sigma[order], eta=market.eta[order])
    place = np.empty(ids.size, dtype=np.int64)
    place[order] = np.arange(ids.size)
    renamed = Market(
        place[np.searchsorted(ids, market.product)],
        renamed.v0,
        renamed.t0,
        renamed.t1,
        renamed.sigma,
        renamed.eta,
        renamed.supply,
        renamed.freight,
    )
    assert np.array_equal(market.solve().quantity_hat, renamed.solve().quantity_hat)


@given(markets())
def test_without_a_demand_response_the_aggregate_stays(market: Market) -> None:
    after = market.with_(eta=0.0).solve()
    np.testing.assert_allclose(after.import_quantity_hat, 1.0, rtol=TIGHT)
    for product in np.unique(market.product[market.v0 > 0.0]):
        lines = (market.product == product) & (market.v0 > 0.0)
        before = after.landed_base[lines] / after.landed_base[lines].sum()
        now = after.landed[lines] / after.landed[lines].sum()
        ratio = np.log(now / before)
        weights = before * np.divide(np.expm1(ratio), ratio, out=np.ones_like(ratio), where=ratio != 0.0)
        logs = np.log(after.quantity_hat[lines])
        mean = np.sum(weights * logs) / weights.sum()
        assert abs(mean) <= TIGHT * (1.0 + np.abs(logs).max())


@given(markets())
def test_creation_and_diversion_add_up(market: Market) -> None:
    after = market.solve()
    scale = market.sums(market.v0 * np.maximum(after.quantity_hat, 1.0))
    assert (np.abs(market.sums(after.diversion)) <= TIGHT * scale).all()
    change = market.v0 * (after.quantity_hat - 1.0)
    assert (np.abs(after.creation + after.diversion - change) <= TIGHT * market.spread(scale)).all()
    np.testing.assert_allclose(
        market.v0 + after.creation + after.diversion + after.price_effect, after.value, atol=1e-6, rtol=1e-9
    )
