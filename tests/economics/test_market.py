"""The market above products: beside an independent solver, at its limits, and what its surplus adds up to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import MarketResponse, armington, market
from tests.economics.independent import market as slow
from tests.economics.markets import import_share

EXACT = 1e-12


@dataclass(frozen=True)
class Case:
    """One sector: varieties by product, and elasticities."""

    product: np.ndarray
    v0: np.ndarray
    t0: np.ndarray
    t1: np.ndarray
    sigma: np.ndarray
    supply: np.ndarray
    eta: float
    kappa: float
    top: float
    domestic: np.ndarray
    supply_domestic: float

    @property
    def landed(self) -> np.ndarray:
        """Landed imports of each product at the baseline."""
        return np.bincount(self.product, weights=self.v0 * (1.0 + self.t0))

    def solve(self) -> tuple[np.ndarray, np.ndarray, MarketResponse]:
        """Solve products and market: quantity and exporter's price hats of varieties, and the market."""
        own = armington(
            self.product, self.v0, self.t0, self.t1, self.sigma, self.eta, supply=self.supply[self.product]
        )
        above = market(
            np.zeros(self.sigma.size, dtype=int), self.landed, own.import_price_hat, self.eta,
            domestic=self.domestic, kappa=self.kappa, top=self.top, supply=self.supply,
            supply_domestic=self.supply_domestic,
        )  # fmt: skip
        quantity = own.quantity_hat * above.quantity_hat[self.product]
        return quantity, own.exporter_price_hat * above.exporter_price_hat[self.product], above

    def slowly(self) -> slow.Equilibrium:
        """Solve the same sector by the independent solver."""
        sector = slow.Sector(
            self.sigma.tolist(), self.eta, self.kappa, self.top, float(self.domestic.sum()),
            1.0 / self.supply_domestic,
        )  # fmt: skip
        rows: list[list[slow.Variety]] = [[] for _ in self.sigma]
        for h, v, before, after in zip(self.product, self.v0, self.t0, self.t1, strict=True):
            rows[h].append(slow.Variety(v, before, after, 1.0 / self.supply[h]))
        return slow.equilibrium(sector, rows)


elasticity = st.floats(0.3, 6.0)
supplies = st.one_of(st.just(np.inf), st.floats(0.5, 50.0))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a sector of one to three products with one to three origins each."""
    origins = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    product = np.repeat(np.arange(len(origins)), origins)
    size, count = product.size, len(origins)

    def many(values: st.SearchStrategy[float], length: int) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=length, max_size=length)))

    return Case(
        product,
        many(st.floats(1.0, 1e3), size),
        many(st.floats(0.0, 0.3), size),
        many(st.floats(0.0, 1.5), size),
        many(elasticity, count),
        many(supplies, count),
        draw(elasticity),
        draw(elasticity),
        draw(st.floats(0.3, 3.0)),
        many(st.floats(0.0, 5e3), count),
        draw(supplies),
    )


@given(cases())
def test_the_market_is_that_of_an_independent_solver(case: Case) -> None:
    quantity, exporter, above = case.solve()
    expected = case.slowly()
    np.testing.assert_allclose(quantity, np.concatenate(expected.quantities), rtol=1e-9)
    np.testing.assert_allclose(exporter, np.concatenate(expected.exporters), rtol=1e-9)
    np.testing.assert_allclose(above.domestic_price_hat, expected.domestic_price, rtol=1e-9)
    np.testing.assert_allclose(above.domestic_quantity_hat, expected.domestic_quantity, rtol=1e-9)
    np.testing.assert_allclose(above.price_hat, expected.price, rtol=1e-9)


@given(cases())
def test_at_equal_elasticities_and_without_domestic_goods_products_respond_alone(case: Case) -> None:
    _, _, above = replace(case, kappa=case.eta, top=case.eta).solve()
    assert (above.quantity_hat == 1.0).all()
    assert (above.exporter_price_hat == 1.0).all()
    np.testing.assert_allclose(above.domestic_quantity_hat, 1.0, rtol=EXACT)
    _, _, above = replace(case, domestic=np.zeros(case.sigma.size), top=case.eta).solve()
    np.testing.assert_allclose(above.quantity_hat, 1.0, rtol=1e-11)
    assert (above.domestic_supplier_surplus == 0.0).all()


@given(cases())
def test_a_sector_of_one_product_has_three_tiers(case: Case) -> None:
    first = case.product == 0
    one = replace(
        case,
        product=case.product[first], v0=case.v0[first], t0=case.t0[first], t1=case.t1[first],
        sigma=case.sigma[:1], supply=case.supply[:1], domestic=case.domestic[:1],
    )  # fmt: skip
    quantity, exporter, above = one.solve()
    tiers = armington(
        one.product, one.v0, one.t0, one.t1, one.sigma, one.top, supply=one.supply[one.product],
        kappa=one.kappa, domestic=one.domestic, supply_domestic=one.supply_domestic,
    )  # fmt: skip
    np.testing.assert_allclose(quantity, tiers.quantity_hat, rtol=1e-10)
    np.testing.assert_allclose(exporter, tiers.exporter_price_hat, rtol=1e-10)
    scale = one.landed.sum() + one.domestic.sum()
    np.testing.assert_allclose(above.buyer_surplus, tiers.buyer_surplus, rtol=1e-9, atol=1e-11 * scale)
    np.testing.assert_allclose(
        above.domestic_supplier_surplus, tiers.domestic_supplier_surplus, rtol=1e-9, atol=1e-11 * scale
    )


@given(cases())
def test_parts_of_products_add_up_to_the_loss_of_the_sector(case: Case) -> None:
    _, _, above = case.solve()
    spent = case.landed.sum() + case.domestic.sum()
    price = above.price_hat[0]
    loss = np.log(price) if case.top == 1.0 else (price ** (1.0 - case.top) - 1.0) / (1.0 - case.top)
    np.testing.assert_allclose(above.buyer_surplus.sum(), -spent * loss, rtol=1e-8, atol=1e-9 * spent)


@given(cases())
def test_small_changes_cost_buyers_their_spending_times_the_change_of_price(case: Case) -> None:
    small = replace(case, t1=case.t0 + 1e-6 * case.t1, supply=np.full(case.sigma.size, np.inf))
    own = armington(small.product, small.v0, small.t0, small.t1, small.sigma, small.eta)
    _, _, above = replace(small, supply_domestic=np.inf).solve()
    first_order = -small.landed * np.log(own.import_price_hat)
    np.testing.assert_allclose(above.buyer_surplus, first_order, rtol=1e-3, atol=1e-9 * small.landed.sum())


def test_a_duty_on_everything_meets_the_elasticity_of_the_sector() -> None:
    one = Case(
        np.array([0, 0, 1]), np.array([100.0, 50.0, 80.0]), np.zeros(3), np.full(3, 0.25),
        np.array([2.53, 2.53]), np.full(2, np.inf), 1.53, 1.19, 1.0, np.array([300.0, 90.0]), np.inf,
    )  # fmt: skip
    quantity, _, above = one.solve()
    share = 230.0 / 620.0
    expected = 1.25**-1.19 * (share * 1.25**-0.19 + 1.0 - share) ** ((1.19 - 1.0) / (1.0 - 1.19))
    np.testing.assert_allclose(quantity, expected, rtol=EXACT)
    assert (above.domestic_price_hat == 1.0).all()
    assert (above.domestic_quantity_hat > 1.0).all()


def test_the_order_of_products_changes_no_bit() -> None:
    rng = np.random.default_rng(7)
    size = 60
    nest, landed, price = rng.integers(0, 9, size), rng.uniform(1, 9, size), rng.uniform(0.9, 1.6, size)
    domestic = rng.uniform(0, 20, size)

    def solve(order: np.ndarray, threads: int) -> MarketResponse:
        return market(
            nest[order], landed[order], price[order], 1.53, domestic=domestic[order], kappa=1.19, top=1.0,
            supply=10.0, supply_domestic=1.3, threads=threads,
        )  # fmt: skip

    order = rng.permutation(size)
    first, second = solve(np.arange(size), 1), solve(order, 2)
    for name in ("quantity_hat", "exporter_price_hat", "buyer_surplus", "domestic_price_hat"):
        np.testing.assert_array_equal(getattr(first, name)[order], getattr(second, name))


def test_products_of_a_nest_share_their_eta_and_one_without_imports_does_not_move() -> None:
    for price, eta, field in ([1.1, 1.1], [1.5, 2.0], "eta"), ([1.1, 0.0], 1.5, "import_price_hat"):
        with pytest.raises(InputError) as raised:
            market([1, 1], [1.0, 1.0], price, eta, domestic=1.0, kappa=1.2, top=1.0)
        assert (raised.value.reason, raised.value.field) == ("PARAMETER_INVALID", field)
    above = market([3], [0.0], [1.2], 1.5, domestic=7.0, kappa=1.2, top=1.0)
    assert above.quantity_hat[0] == above.domestic_price_hat[0] == 1.0
    assert above.buyer_surplus[0] == 0.0


def steel(kappa: float) -> MarketResponse:
    """Respond to the rise of import prices that takes 24 % of the imports of steel, at the import share of 2017."""
    share = import_share("331110", 2017)

    def at(price: float) -> MarketResponse:
        return market(
            [0], [share], [price], 3.0, domestic=1.0 - share, kappa=kappa, top=1.0, supply_domestic=1.3
        )

    price = slow.root(lambda p: 0.76 - p**-3.0 * float(at(p).quantity_hat[0]), 1.0, 2.0)
    return at(price)


def test_steel_of_2018_rises_as_published_at_the_substitution_of_gtap() -> None:
    # USITC Publication 5405: imports -24 %, price +2.4 %, output +1.9 %. GTAP's substitution of iron and steel is 2.95.
    above = steel(2.95)
    assert above.domestic_price_hat[0] - 1.0 == pytest.approx(0.024, abs=0.003)
    assert above.domestic_quantity_hat[0] - 1.0 == pytest.approx(0.019, abs=0.011)
    assert steel(1.19).domestic_price_hat[0] - 1.0 == pytest.approx(0.005, abs=0.001)
