"""Limits, nesting and solution of the Armington model (numerical tests 10 to 18 and 26)."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response import STATUS, armington, passthrough
from tariffs.engine.response.kernels.armington import two_good_ces
from tests.economics.markets import Market, markets, random_market
from tests.economics.reference import Demand, Line, ces, price_indices, solve


@given(markets(freight=False), st.floats(0.0, 10.0))
def test_equal_elasticities_make_every_line_stand_alone(market: Market, elasticity: float) -> None:
    after = market.with_(sigma=elasticity, eta=elasticity).solve()
    alone = passthrough(market.v0, market.t0, market.t1, elasticity, supply=market.supply)
    traded = market.spread(market.sums(market.v0)) > 0.0
    for name in ("price_hat", "exporter_price_hat", "quantity_hat"):
        np.testing.assert_allclose(
            getattr(after, name)[traded], getattr(alone, name)[traded], rtol=1e-11, atol=1e-11
        )
    for name in ("value", "supplier_surplus"):
        # Dollars: a surplus near 0 is a difference of amounts of the size of the value.
        gap = np.abs(getattr(after, name) - getattr(alone, name))[traded]
        assert (gap <= 1e-11 * (np.abs(getattr(alone, name)) + market.v0 + 1.0)[traded]).all(), name
    assert alone.buyer_surplus is not None
    np.testing.assert_allclose(
        after.buyer_surplus, market.sums(alone.buyer_surplus), rtol=1e-11, atol=1e-11 * market.v0.sum()
    )


@given(markets(), st.floats(0.0, 1e9))
def test_kappa_equal_to_eta_is_the_two_tier_model(market: Market, domestic: float) -> None:
    two = market.solve()
    three = market.solve(kappa=market.eta, domestic=domestic, supply_domestic=3.0)
    for name in ("price_hat", "quantity_hat", "import_price_hat", "import_quantity_hat"):
        np.testing.assert_allclose(getattr(three, name), getattr(two, name), rtol=1e-11)


@given(markets(supplies=("common",), freight=False))
def test_supply_limits(market: Market) -> None:
    flat = market.with_(supply=np.inf).solve()
    nearly = market.with_(supply=1e9).solve()
    logs = np.log(flat.quantity_hat)
    assert (np.abs(np.log(nearly.quantity_hat) - logs) <= 1e-7 * (1.0 + np.abs(logs))).all()
    power = 1.25
    fixed = market.with_(supply=1e-9, t1=(1.0 + market.t0) * power - 1.0).solve()
    traded = market.spread(market.sums(market.v0)) > 0.0
    np.testing.assert_allclose(fixed.quantity_hat[traded], 1.0, rtol=1e-7)
    elastic = traded & (market.spread(market.eta) > 1e-2)
    np.testing.assert_allclose(fixed.exporter_price_hat[elastic], 1.0 / power, rtol=1e-6)


@given(markets())
def test_cobb_douglas_keeps_shares_and_spending(market: Market) -> None:
    after = market.with_(sigma=1.0).solve()
    now = after.landed / np.maximum(market.spread(market.sums(after.landed)), 1e-300)
    before = after.landed_base / np.maximum(market.spread(market.sums(after.landed_base)), 1e-300)
    np.testing.assert_allclose(now, before, rtol=1e-11)
    spending = market.with_(eta=1.0).solve()
    np.testing.assert_allclose(market.sums(spending.landed), market.sums(spending.landed_base), rtol=1e-11)


@pytest.mark.parametrize("near", [1.0 - 1e-7, 1.0 + 1e-7, 1.0 - 1e-9, 1.0 + 1e-12])
@given(markets())
def test_elasticities_near_one_are_continuous(near: float, market: Market) -> None:
    tier = {"kappa": 1.0, "domestic": 1e4, "supply_domestic": 2.0}
    for name in ("sigma", "eta", "kappa"):
        if name == "kappa":
            one, beside = market.solve(**tier), market.solve(**{**tier, "kappa": near})
        else:
            one = market.with_(**{name: 1.0}).solve()
            beside = market.with_(**{name: near}).solve()
        np.testing.assert_allclose(beside.quantity_hat, one.quantity_hat, rtol=1e-6)
        scale = 1e-6 * (market.sums(one.landed_base) + 1e4)
        assert (np.abs(beside.welfare - one.welfare) <= scale).all()


@given(markets(supplies=("common",), freight=False))
def test_closed_form_equals_newton(market: Market) -> None:
    closed = market.solve()
    assert {STATUS[s] for s in closed.status} <= {"direct", "no trade"}
    # A freight too small to matter sends every product down the general road.
    general = market.with_(freight=1e-300).solve()
    assert {STATUS[s] for s in general.status} <= {"newton", "no trade"}
    for name in ("price_hat", "exporter_price_hat", "quantity_hat", "import_price_hat"):
        np.testing.assert_allclose(getattr(general, name), getattr(closed, name), rtol=1e-11)


@given(markets(supplies=("common", "mixed")))
def test_answers_lie_on_supply_and_index(market: Market) -> None:
    after = market.solve()
    sloped = np.isfinite(market.supply)
    np.testing.assert_allclose(
        np.log(after.quantity_hat[sloped]),
        market.supply[sloped] * np.log(after.exporter_price_hat[sloped]),
        rtol=1e-11,
        atol=1e-11,
    )
    for k, product in enumerate(np.unique(market.product)):
        lines = market.product == product
        if market.v0[lines].any():
            spending = after.landed_base[lines]
            index = ces(spending / spending.sum(), after.price_hat[lines], market.sigma[k])
            np.testing.assert_allclose(index, after.import_price_hat[k], rtol=1e-11)


@given(markets(), st.booleans())
def test_answers_equal_the_plain_model(market: Market, three_tier: bool) -> None:
    kappa, domestic, eps = (1.19, 5e3, 4.0) if three_tier else (None, None, np.inf)
    after = market.solve(kappa=kappa, domestic=domestic, supply_domestic=eps)
    k = 0
    lines = np.flatnonzero(market.product == np.unique(market.product)[k])
    if not market.v0[lines].any():
        return
    demand = Demand(
        market.sigma[k], market.eta[k], market.eta[k] if kappa is None else kappa, domestic or 0.0, eps
    )
    columns = (market.v0, market.t0, market.t1, market.supply, market.freight)
    plain = solve([Line(*(float(column[i]) for column in columns)) for i in lines], demand)
    np.testing.assert_allclose(after.price_hat[lines], plain.prices, rtol=1e-8)
    np.testing.assert_allclose(after.exporter_price_hat[lines], plain.exporters, rtol=1e-8)
    np.testing.assert_allclose(after.quantity_hat[lines], plain.quantities, rtol=1e-8)
    np.testing.assert_allclose(after.import_price_hat[k], plain.imports, rtol=1e-8)


def test_a_duty_moves_trade_the_way_theory_says() -> None:
    rng = np.random.default_rng(3)
    products, origins = 20_000, 5
    product = np.repeat(np.arange(products), origins)
    size = product.size
    v0, t0 = rng.uniform(1.0, 1e5, size), rng.choice([0.0, 0.05], size)
    t1 = t0 + rng.choice([0.0, 0.1, 0.25], size)
    sigma, eta = rng.uniform(0.2, 12.0, products), rng.uniform(0.0, 4.0, products)
    own = np.arange(size) % origins == 2
    one = armington(product, v0, t0, t1, sigma, eta)
    more = armington(product, v0, t0, t1 + 0.05 * own, sigma, eta)
    assert (more.quantity_hat[own] < one.quantity_hat[own]).all()
    assert (more.import_price_hat > one.import_price_hat).all()
    rises = np.repeat(sigma > eta, origins)[~own]
    change = more.quantity_hat[~own] - one.quantity_hat[~own]
    assert (change[rises] > 0.0).all()
    assert (change[~rises] < 0.0).all()


@given(markets(supplies=("flat",), freight=False), st.floats(0.01, 2.0))
def test_the_largest_origin_loses_and_the_others_move_by_sigma_and_eta(market: Market, more: float) -> None:
    sizes = np.lexsort((market.v0, market.product))
    ends = np.append(np.diff(market.product[sizes]) > 0, True)
    own = np.zeros(market.v0.size, dtype=bool)
    own[sizes[ends]] = market.v0[sizes[ends]] > 0.0
    one, other = market.solve(), market.with_(t1=market.t1 + more * own).solve()
    elastic = market.spread(np.maximum(market.sigma, market.eta)) > 0.1
    assert (other.quantity_hat[own & elastic] < one.quantity_hat[own & elastic]).all()
    traded = market.sums(market.v0) > 0.0
    assert (other.import_price_hat[traded] > one.import_price_hat[traded]).all()
    others = ~own & (market.spread(market.sums(market.v0)) > 0.0)
    gap = market.spread(market.sigma - market.eta)
    change = other.quantity_hat - one.quantity_hat
    # At an elasticity far beyond the other a hat may be 0 to the last digit; what moves moves the right way.
    assert (change[others & (gap > 1e-3)] >= 0.0).all()
    assert (change[others & (gap < -1e-3)] <= 0.0).all()


@given(markets())
def test_indices_are_ordered(market: Market) -> None:
    after = market.solve()
    for k, product in enumerate(np.unique(market.product)):
        lines = market.product == product
        if not market.v0[lines].any():
            continue
        index = price_indices(after.landed_base[lines], after.landed[lines], after.price_hat[lines])
        exact = after.import_price_hat[k]
        slack = 1e-13 * exact
        assert index.paasche <= exact + slack
        assert exact <= index.laspeyres + slack
        assert index.paasche - slack <= index.fisher <= index.laspeyres + slack
        np.testing.assert_allclose(index.sato_vartia, exact, rtol=1e-11)


@given(markets())
def test_a_duty_taken_back_restores_trade(market: Market) -> None:
    there = market.solve()
    back = market.rebased(there, market.t0).solve()
    np.testing.assert_allclose(back.value, market.v0, rtol=1e-10)


def test_a_single_origin_has_the_elasticity_of_its_product() -> None:
    after = armington([7], [100.0], 0.0, 0.25, 5.0, 1.5)
    np.testing.assert_allclose(after.quantity_hat, 1.25**-1.5, rtol=1e-14)


def test_a_line_without_trade_keeps_its_price() -> None:
    market = random_market(5, supply="mixed")
    after = armington([1, 1, 2], [100.0, 0.0, 0.0], 0.0, [0.1, 0.3, 0.4], 4.0, 1.5)
    assert after.price_hat[1] == pytest.approx(1.3)
    assert after.value[1] == 0.0
    assert (after.price_hat[2], after.quantity_hat[2]) == (1.0, 1.0)
    assert STATUS[after.status[1]] == "no trade"
    assert market.solve().value[market.v0 == 0.0].sum() == 0.0


@pytest.mark.parametrize("kappa", [0.3, 1.7, 6.0, 120.0])
@pytest.mark.parametrize("power", [1.2, 3.0, 1e3, 1e6])
def test_prohibitive_duties_with_domestic_goods_equal_the_plain_model(power: float, kappa: float) -> None:
    """Exponents beyond those the kernel takes directly: (kappa - 1) log power up to some 1,600."""
    lines = [
        Line(100.0, 0.0, power - 1.0, math.inf, 0.0),
        Line(50.0, 0.02, 1.02 * power - 1.0, math.inf, 0.0),
    ]
    demand = Demand(sigma=4.0, eta=0.8, kappa=kappa, domestic=400.0, eps_domestic=2.0)
    expected = solve(lines, demand)
    after = armington(
        [0, 0], [100.0, 50.0], [0.0, 0.02], [each.t1 for each in lines], demand.sigma, demand.eta,
        kappa=kappa, domestic=400.0, supply_domestic=2.0,
    )  # fmt: skip
    np.testing.assert_allclose(after.import_price_hat, [expected.imports], rtol=1e-9)
    quantities = np.array(expected.quantities)
    np.testing.assert_allclose(after.quantity_hat, quantities, rtol=1e-7, atol=1e-280)


@pytest.mark.parametrize("kernel", [two_good_ces, getattr(two_good_ces, "py_func", two_good_ces)])
@pytest.mark.parametrize("a", [-3000.0, -119.0, -2.0, 0.7, 119.0, 3000.0])
@pytest.mark.parametrize("apart", [1e-6, 0.5, 13.8])
def test_the_mean_of_two_goods_is_exact_at_any_exponent(kernel: Any, a: float, apart: float) -> None:
    """Beside 60-digit decimals, which neither overflow nor cancel."""
    share, first, second = Decimal("0.25"), Decimal(apart), Decimal("-0.1")
    with localcontext() as context:
        context.prec = 60
        total = share * (first * Decimal(a)).exp() + (1 - share) * (second * Decimal(a)).exp()
        mean = total.ln() / Decimal(a)
        weight = share * (Decimal(a) * (first - mean)).exp()
    found, found_weight = kernel(0.25, apart, -0.1, a)
    assert found == pytest.approx(float(mean), rel=1e-12)
    assert found_weight == pytest.approx(float(weight), rel=1e-9, abs=1e-300)
