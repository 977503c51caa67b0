"""Passthrough, SMART and GSIM, and their agreement with Armington (numerical tests 21 to 23)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import FORMS, armington, gsim, passthrough, smart
from tests.economics.markets import Market, markets

FLOWS = np.array([[0, 50, 200, 300], [500, 0, 150, 200], [300, 100, 200, 200], [50, 100, 110, 20]])
POWER = np.array(
    [[1, 1.21, 1.41, 1.22], [1.37, 1, 1.31, 1.23], [1.32, 1.36, 1, 1.18], [1.57, 1.41, 1.25, 1.15]]
)


def free_trade_between_first_and_third() -> np.ndarray:
    after = POWER.copy()
    after[0, 2] = after[2, 0] = 1.0
    return after


@pytest.mark.parametrize(
    ("form", "expected"), [("ces", 0.5724), ("midpoint", 0.5652), ("logpoint", 0.4421), ("linear", 0.375)]
)
def test_forms_of_demand_differ_as_published(form: str, expected: float) -> None:
    after = passthrough([100.0], 0.0, 0.25, 2.5, form=form)  # type: ignore[arg-type]
    assert after.quantity_hat[0] == pytest.approx(expected, abs=5e-5)
    assert after.form == form
    assert (after.welfare is not None) == (form == "ces")


def test_log_pass_through_gives_the_dollar_one() -> None:
    after = passthrough([100.0], 0.0, 0.25, 2.5, theta=0.94)
    borne = (after.price_hat[0] - 1.0) / 0.25
    assert borne == pytest.approx(0.9335, abs=5e-5)


@given(st.integers(0, 2**32 - 1), st.sampled_from(FORMS))
def test_passthrough_equals_its_formulas(seed: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    size = 40
    v0, t0 = rng.uniform(0.0, 1e6, size), rng.choice([0.0, 0.1], size)
    t1, e = t0 + rng.choice([0.0, 0.1, 2.0], size), rng.uniform(0.0, 6.0, size)
    phi, theta = rng.choice([0.0, 0.2], size), rng.uniform(0.5, 1.0, size)
    after = passthrough(v0, t0, t1, e, form=form, theta=theta, freight=phi)  # type: ignore[arg-type]
    exporter = ((1 + t1) / (1 + t0)) ** (theta - 1)
    price = (exporter * (1 + t1) + phi) / (1 + t0 + phi)
    arc = e * (price - 1) / (price + 1)
    quantity = {
        "ces": price**-e,
        "linear": np.maximum(0.0, 1 - e * (price - 1)),
        "logpoint": np.maximum(0.0, 1 - e * np.log(price)),
        "midpoint": np.maximum(0.0, (1 - arc) / (1 + arc)),
    }[form]
    np.testing.assert_allclose(after.exporter_price_hat, exporter, rtol=1e-12)
    np.testing.assert_allclose(after.price_hat, price, rtol=1e-12)
    np.testing.assert_allclose(after.quantity_hat, quantity, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(after.value, v0 * exporter * quantity, rtol=1e-11, atol=1e-7)
    np.testing.assert_allclose(after.landed, after.value + after.revenue + phi * v0 * after.quantity_hat)
    assert not after.diversion.any()


def test_a_demand_without_finite_answer_is_refused() -> None:
    with pytest.raises(InputError, match="line 1") as caught:
        passthrough([1.0, 1.0], 9.0, [9.0, 0.0], 5.0, form="midpoint")
    assert caught.value.reason == "PARAMETER_INVALID"


@given(markets(supplies=("flat", "common"), freight=False), st.sampled_from([1e-6, 1e-5]))
def test_small_shocks_agree_between_armington_and_smart(market: Market, size: float) -> None:
    small = market.with_(t0=0.0, t1=size * (1.0 + (market.t1 > market.t0)))
    nested = small.solve()
    linear = smart(small.product, small.v0, small.t0, small.t1, -small.eta, small.sigma, supply=small.supply)
    np.testing.assert_allclose(
        market.sums(linear.creation), market.sums(nested.creation + nested.diversion), rtol=1e-3, atol=1e-9
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1e-5]))
def test_small_shocks_agree_line_by_line_between_armington_and_gsim(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    origins = 5
    v0 = rng.uniform(1.0, 100.0, origins)
    t0, t1 = rng.choice([0.0, 0.1], origins), np.zeros(origins)
    t1 = t0 + size * rng.uniform(0.5, 1.5, origins) * (1.0 + t0)
    sigma, eta, eps = 4.0, 1.5, rng.uniform(0.5, 8.0, origins)
    nested = armington([0] * origins, v0, t0, t1, sigma, eta, supply=eps)
    # One importer, to which everyone sells all: regions are its origins and itself, which exports nothing.
    regions = origins + 1
    flows, before, after = (
        np.zeros((regions, regions)),
        np.ones((regions, regions)),
        np.ones((regions, regions)),
    )
    flows[:origins, -1], before[:origins, -1], after[:origins, -1] = v0, 1 + t0, 1 + t1
    world = gsim(flows, before, after, -eta, [*eps, 1.0], sigma)
    np.testing.assert_allclose(
        world.price_hat[:origins] - 1.0, nested.exporter_price_hat - 1.0, rtol=1e-3, atol=1e-3 * size
    )
    np.testing.assert_allclose(
        world.quantity_hat[:origins, -1] - 1.0, nested.quantity_hat - 1.0, rtol=1e-3, atol=1e-3 * size
    )


@given(markets(freight=False))
def test_smart_diverts_nothing_on_balance_and_never_below_zero(market: Market) -> None:
    after = smart(
        market.product, market.v0, market.t0, market.t1, -market.eta, market.sigma, supply=market.supply
    )
    trade = market.sums(market.v0)
    total = market.spread(market.sums(np.abs(after.diversion)) + trade)
    assert (
        np.abs(market.sums(after.diversion)) <= 1e-12 * market.sums(np.abs(after.diversion) + market.v0)
    ).all()
    assert (market.v0 + after.creation + after.diversion >= -1e-12 * total).all()
    assert (after.value >= 0.0).all()
    np.testing.assert_allclose(after.revenue, market.t1 * after.value, rtol=1e-12)


@given(markets(supplies=("flat",), freight=False))
def test_smart_creation_doubles_with_its_elasticity(market: Market) -> None:
    # A demand this weak never meets the bound of trade there is to lose.
    demand = -market.eta / 20.0
    one = smart(market.product, market.v0, market.t0, market.t1, demand, 1.5)
    two = smart(market.product, market.v0, market.t0, market.t1, 2.0 * demand, 1.5)
    np.testing.assert_allclose(two.creation, 2.0 * one.creation, rtol=1e-12)
    relative = (market.t1 - market.t0) / (1.0 + market.t0)
    expected = market.v0 * market.spread(demand) * relative
    np.testing.assert_allclose(one.creation, expected, rtol=1e-12, atol=1e-12)
    assert not one.price_effect.any()
    triangle = market.sums(0.5 * (market.t0 + market.t1) * one.creation)
    np.testing.assert_allclose(one.welfare, triangle, rtol=1e-12, atol=1e-12)


def test_smart_equals_the_ratio_form_of_two_groups() -> None:
    a, b, sigma, t1 = 100.0, 60.0, 1.5, 0.02
    after = smart([1, 1], [a, b], 0.0, [t1, 0.0], 0.0, sigma)
    x = -sigma * t1
    assert after.diversion[0] == pytest.approx(a * b * x / (a + b + a * x), rel=2e-2)
    assert after.diversion[1] == -after.diversion[0]


def test_smart_caps_diversion_at_the_trade_there_is() -> None:
    after = smart([1, 1, 1], [10.0, 60.0, 30.0], 0.0, [4.0, 0.0, 0.0], 0.0, 2.0)
    np.testing.assert_allclose(after.diversion, [-10.0, 20.0 / 3.0, 10.0 / 3.0], rtol=1e-12)
    prohibited = smart([1, 1], [10.0, 60.0], 0.0, [4.0, 4.0], -2.0, 2.0)
    np.testing.assert_allclose(prohibited.value, 0.0, atol=1e-12)


def test_gsim_reproduces_the_published_world_prices() -> None:
    after = gsim(FLOWS, POWER, free_trade_between_first_and_third(), -1.25, 1.5, 5.0)
    published = [0.0792, -0.0316, 0.0480, -0.0184]
    np.testing.assert_allclose(after.price_hat - 1.0, published, atol=5e-5)
    np.testing.assert_allclose(after.price_hat - 1.0, [0.07918, -0.03162, 0.04805, -0.01837], atol=5e-6)


def test_gsim_clears_markets_and_values_surplus() -> None:
    after = gsim(FLOWS, POWER, free_trade_between_first_and_third(), -1.25, 1.5, 5.0)
    sold = (FLOWS * after.quantity_hat).sum(axis=1) / FLOWS.sum(axis=1) - 1.0
    np.testing.assert_allclose(sold, 1.5 * (after.price_hat - 1.0), rtol=1e-12)
    change = after.import_price_hat - 1.0
    spending = (FLOWS * POWER).sum(axis=0)
    np.testing.assert_allclose(after.buyer_surplus, -spending * (change - 0.625 * change**2), rtol=1e-12)
    published = spending * (-0.625 * change**2 * np.sign(change) - change)
    np.testing.assert_allclose(after.buyer_surplus_published, published, rtol=1e-12)
    dearer = change > 0.0
    assert (after.buyer_surplus_published[dearer] < after.buyer_surplus[dearer]).all()
    np.testing.assert_allclose(
        after.welfare, after.supplier_surplus + after.buyer_surplus + after.revenue - after.revenue_base
    )


def test_gsim_without_a_shock_moves_nothing() -> None:
    after = gsim(FLOWS, POWER, POWER, -1.25, 1.5, 5.0)
    np.testing.assert_allclose(after.price_hat, 1.0, rtol=1e-14)
    np.testing.assert_allclose(after.welfare, 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"flows": -FLOWS}, "flows"), ({"power1": POWER * 0.0}, "power1"), ({"supply": np.inf}, "supply")],
)
def test_gsim_refuses_what_it_cannot_use(change: dict[str, np.ndarray], fault: str) -> None:
    good = {"flows": FLOWS, "power0": POWER, "power1": POWER, "import_elasticity": -1.0, "supply": 1.5}
    with pytest.raises(InputError) as caught:
        gsim(**{**good, "substitution": 5.0, **change})  # type: ignore[arg-type]
    assert caught.value.field == fault
