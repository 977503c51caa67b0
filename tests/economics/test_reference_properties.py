"""The numerical tests on every line of the reference table, from the law of 2025-01-01 to that of 2025-05-20.

The same properties hold on random markets: 1 to 9 in test_identities, 10 to 18 and 26 in test_theory, 19 and 20 in
test_welfare, 21 to 23 in test_direct, 24 and 25 in test_extremes, 27 and 28 in test_reproducible. GSIM (23) needs
world trade, which the table is not.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import (
    STATUS,
    armington,
    gsim,
    parameters_for,
    passthrough,
    smart,
)
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library
from tests.economics.markets import Market

TIGHT = 1e-12
DAY = "2025-05-20"


@dataclasses.dataclass(frozen=True)
class Reference:
    """The varieties of the table as a market, with the place of each one's product and origin."""

    market: Market
    codes: tuple[str, ...]
    place: Ints
    largest: np.ndarray

    def sums(self, values: Floats) -> Floats:
        """Sums of a column by product."""
        sums: Floats = np.zeros(len(self.codes))
        sums += np.bincount(self.place, weights=values, minlength=len(self.codes))
        return sums


@pytest.fixture(scope="module")
def reference() -> Reference:
    valuer = TableRun(None, load_law(), Options(horizon="long"), RunContext(None, None))
    duties = valuer.outcomes(library()["base"], DAY)[0].duties
    assert valuer.response is not None
    v, p = valuer.response.varieties, valuer.response.parameters
    rates = valuer.response.base_rate, valuer.response.rates_under(duties).rate
    market = Market(v.product, v.value, *rates, p.sigma, p.eta, p.supply[v.product], np.zeros_like(v.value))
    order = np.lexsort((v.value, v.product))
    largest = np.zeros(len(order), dtype=bool)
    largest[order[np.append(np.diff(v.product[order]) > 0, True)]] = True
    return Reference(market, tuple(valuer.prepared.products), v.product, largest)


@pytest.fixture(scope="module")
def after(reference: Reference) -> Any:
    return reference.market.solve()


def test_1_2_revenue_and_landed_cost_add_up(reference: Reference) -> None:
    market = reference.market.with_(freight=0.06, supply=np.inf)
    after = market.solve()
    revenue = market.t1 * market.v0 * after.exporter_price_hat * after.quantity_hat
    np.testing.assert_allclose(after.revenue, revenue, rtol=TIGHT)
    for group in (reference.place, reference.place * 0):
        np.testing.assert_allclose(
            np.bincount(group, after.revenue), np.bincount(group, market.t1 * after.value), rtol=TIGHT
        )
    freight = market.freight * market.v0 * after.quantity_hat
    np.testing.assert_allclose(after.landed, after.value + after.revenue + freight, rtol=TIGHT)


def test_3_without_a_shock_nothing_moves(reference: Reference) -> None:
    market = reference.market.with_(t1=reference.market.t0)
    after = market.solve()
    for hat in (after.price_hat, after.exporter_price_hat, after.quantity_hat, after.import_price_hat):
        np.testing.assert_allclose(hat, 1.0, rtol=TIGHT)
    for amount in (after.buyer_surplus, after.welfare, after.deadweight_loss):
        assert (np.abs(amount) <= TIGHT * reference.sums(after.landed_base)).all()


def test_4_a_uniform_duty_passes_through_and_diverts_nothing(reference: Reference) -> None:
    market = reference.market.with_(supply=np.inf, t1=(1.0 + reference.market.t0) * 1.25 - 1.0)
    after = market.solve()
    traded = reference.sums(market.v0) > 0.0
    np.testing.assert_allclose(after.import_price_hat[traded], 1.25, rtol=TIGHT)
    assert (np.abs(after.diversion) <= TIGHT * reference.sums(market.v0)[reference.place]).all()
    lines = market.v0 > 0.0
    before, now = (
        column[lines] / reference.sums(column)[reference.place[lines]]
        for column in (after.landed_base, after.landed)
    )
    np.testing.assert_allclose(now, before, rtol=TIGHT)


def test_5_amounts_scale_with_trade(reference: Reference, after: Any) -> None:
    many = reference.market.with_(v0=reference.market.v0 * 3.7).solve()
    np.testing.assert_allclose(many.quantity_hat, after.quantity_hat, rtol=TIGHT)
    for name in ("value", "revenue", "landed"):
        np.testing.assert_allclose(getattr(many, name), 3.7 * getattr(after, name), rtol=TIGHT)
    np.testing.assert_allclose(many.welfare.sum(), 3.7 * after.welfare.sum(), rtol=TIGHT)


def test_6_splitting_every_origin_changes_nothing(reference: Reference, after: Any) -> None:
    m = reference.market

    def twice(values: Any) -> Any:
        return np.concatenate([values, values])

    halves = np.concatenate([0.3 * m.v0, 0.7 * m.v0])
    split = armington(
        twice(m.product), halves, twice(m.t0), twice(m.t1), m.sigma, m.eta, supply=twice(m.supply)
    )
    np.testing.assert_allclose(split.quantity_hat, twice(after.quantity_hat), rtol=TIGHT)
    np.testing.assert_allclose(split.value.reshape(2, -1).sum(axis=0), after.value, rtol=TIGHT)


def test_7_28_order_and_threads_change_no_bit(reference: Reference, after: Any) -> None:
    m, random = reference.market, np.random.default_rng(5)
    order, names = random.permutation(m.v0.size), random.permutation(len(reference.codes))
    elasticities = [np.empty_like(m.sigma), np.empty_like(m.eta)]
    for found, values in zip(elasticities, (m.sigma, m.eta), strict=True):
        found[names] = values
    columns = (m.v0[order], m.t0[order], m.t1[order])
    other = armington(names[m.product][order], *columns, *elasticities, supply=m.supply[order], threads=3)
    for name in ("price_hat", "quantity_hat", "value", "creation", "diversion", "supplier_surplus"):
        assert np.array_equal(getattr(after, name)[order], getattr(other, name)), name
    assert np.array_equal(after.welfare, other.welfare[names])
    assert after.value.sum() == pytest.approx(other.value.sum(), rel=TIGHT)


def test_8_without_a_demand_response_the_aggregate_stays(reference: Reference) -> None:
    after = reference.market.with_(eta=0.0).solve()
    np.testing.assert_allclose(after.import_quantity_hat, 1.0, rtol=TIGHT)
    lines = reference.market.v0 > 0.0
    place = reference.place[lines]
    before, now = (
        column[lines] / reference.sums(column)[place] for column in (after.landed_base, after.landed)
    )
    ratio = np.log(now / before)
    mean = np.divide(np.expm1(ratio), ratio, out=np.ones_like(ratio), where=ratio != 0.0) * before
    logs = np.log(after.quantity_hat[lines])
    weighted, weights = np.bincount(place, mean * logs), np.bincount(place, mean)
    assert (np.abs(weighted) <= TIGHT * weights * (1.0 + np.abs(logs).max())).all()


def test_9_creation_and_diversion_add_up(reference: Reference, after: Any) -> None:
    trade = reference.sums(reference.market.v0 * np.maximum(after.quantity_hat, 1.0))
    assert (np.abs(reference.sums(after.diversion)) <= TIGHT * trade).all()
    change = reference.market.v0 * (after.quantity_hat - 1.0)
    assert (np.abs(after.creation + after.diversion - change) <= TIGHT * trade[reference.place]).all()


def test_10_equal_elasticities_make_every_line_stand_alone(reference: Reference) -> None:
    m = reference.market.with_(sigma=2.7, eta=2.7)
    nested, alone = m.solve(), passthrough(m.v0, m.t0, m.t1, 2.7, supply=m.supply)
    traded = reference.sums(m.v0)[reference.place] > 0.0
    for name in ("price_hat", "exporter_price_hat", "quantity_hat", "value"):
        np.testing.assert_allclose(
            getattr(nested, name)[traded], getattr(alone, name)[traded], rtol=1e-11, atol=1e-11
        )


def test_11_kappa_equal_to_eta_is_the_two_tier_model(reference: Reference, after: Any) -> None:
    domestic = 2.0 * reference.sums(reference.market.v0)
    three = reference.market.solve(kappa=reference.market.eta, domestic=domestic, supply_domestic=3.0)
    for name in ("price_hat", "quantity_hat", "import_price_hat", "import_quantity_hat"):
        np.testing.assert_allclose(getattr(three, name), getattr(after, name), rtol=1e-11)


def test_12_supply_limits(reference: Reference) -> None:
    market = reference.market
    flat, nearly = market.with_(supply=np.inf).solve(), market.with_(supply=1e9).solve()
    logs = np.log(flat.quantity_hat)
    assert (np.abs(np.log(nearly.quantity_hat) - logs) <= 1e-7 * (1.0 + np.abs(logs))).all()
    fixed = market.with_(supply=1e-9, t1=(1.0 + market.t0) * 1.25 - 1.0).solve()
    traded = reference.sums(market.v0)[reference.place] > 0.0
    np.testing.assert_allclose(fixed.quantity_hat[traded], 1.0, rtol=1e-7)
    np.testing.assert_allclose(fixed.exporter_price_hat[traded], 0.8, rtol=1e-7)


def test_13_cobb_douglas_keeps_shares_and_spending(reference: Reference) -> None:
    one = reference.market.with_(sigma=1.0).solve()
    lines = reference.market.v0 > 0.0
    before, now = (
        (column / np.maximum(reference.sums(column), 1e-300)[reference.place])[lines]
        for column in (one.landed_base, one.landed)
    )
    np.testing.assert_allclose(now, before, rtol=1e-11)
    spending = reference.market.with_(eta=1.0).solve()
    np.testing.assert_allclose(
        reference.sums(spending.landed), reference.sums(spending.landed_base), rtol=1e-11
    )


@pytest.mark.parametrize("name", ["sigma", "eta", "kappa"])
def test_14_elasticities_near_one_are_continuous(reference: Reference, name: str) -> None:
    market, tier = reference.market.with_(supply=np.inf), {"kappa": 1.0, "domestic": 1e6}
    at = market.solve(**tier) if name == "kappa" else market.with_(**{name: 1.0}).solve()
    for near in (1.0 - 1e-7, 1.0 + 1e-7):
        beside = (
            market.solve(**{**tier, "kappa": near})
            if name == "kappa"
            else market.with_(**{name: near}).solve()
        )
        np.testing.assert_allclose(beside.quantity_hat, at.quantity_hat, rtol=1e-6)


def test_15_closed_form_equals_newton(reference: Reference, after: Any) -> None:
    general = reference.market.with_(freight=1e-300).solve()
    assert {STATUS[each] for each in np.unique(general.status)} <= {"newton", "no trade"}
    for name in ("price_hat", "exporter_price_hat", "quantity_hat", "import_price_hat"):
        np.testing.assert_allclose(getattr(general, name), getattr(after, name), rtol=1e-11)


def test_16_answers_lie_on_supply_and_index(reference: Reference) -> None:
    supply = np.random.default_rng(6).choice([0.5, 3.0, 10.0, np.inf], reference.place.size)
    after = reference.market.with_(supply=supply).solve()
    sloped = np.isfinite(supply)
    np.testing.assert_allclose(
        np.log(after.quantity_hat[sloped]), supply[sloped] * np.log(after.exporter_price_hat[sloped]),
        rtol=1e-11, atol=1e-11,
    )  # fmt: skip
    base = reference.sums(after.landed_base)
    power = 1.0 - reference.market.sigma
    index = reference.sums(after.landed_base * after.price_hat ** power[reference.place])
    traded = base > 0.0
    expected = (index[traded] / base[traded]) ** (1.0 / power[traded])
    np.testing.assert_allclose(after.import_price_hat[traded], expected, rtol=1e-11)


def test_17_a_duty_moves_trade_the_way_theory_says(reference: Reference) -> None:
    market = reference.market.with_(supply=np.inf)
    one, own = market.solve(), reference.largest & (market.v0 > 0.0)
    more = market.with_(t1=market.t1 + 0.05 * own).solve()
    assert (more.quantity_hat[own] < one.quantity_hat[own]).all()
    assert (more.import_price_hat > one.import_price_hat)[reference.place[own]].all()
    rises = (market.sigma > market.eta)[reference.place]
    others = ~own & (reference.sums(market.v0) > 0.0)[reference.place]
    change = more.quantity_hat - one.quantity_hat
    assert (change[others & rises] > 0.0).all()
    assert (change[others & ~rises] < 0.0).all()
    assert others.sum() > 300_000


def test_18_indices_are_ordered(reference: Reference, after: Any) -> None:
    base, now = reference.sums(after.landed_base), reference.sums(after.landed)
    traded = (base > 0.0) & (now > 0.0)
    laspeyres = reference.sums(after.landed_base * after.price_hat)[traded] / base[traded]
    paasche = now[traded] / reference.sums(after.landed / after.price_hat)[traded]
    exact = after.import_price_hat[traded]
    assert (paasche <= exact * (1.0 + 1e-13)).all()
    assert (exact <= laspeyres * (1.0 + 1e-13)).all()


@pytest.mark.slow
def test_19_world_welfare_is_the_integral_of_the_wedge(reference: Reference, after: Any) -> None:
    market = reference.market

    steps, points = 16, list[tuple[Floats, Floats]]()
    for step in range(steps + 1):
        rates = market.t0 + step / steps * (market.t1 - market.t0)
        there = market.with_(t1=rates).solve()
        points.append((rates * there.exporter_price_hat, market.v0 * there.quantity_hat))

    def integral(stride: int) -> float:
        """By trapezoids along the straight path of the rates."""
        return sum(
            float(np.sum(0.5 * (point[0] + last[0]) * (point[1] - last[1])))
            for last, point in pairwise(points[::stride])
        )

    # Three halvings of the step, with the errors of second and fourth order taken out.
    rough, fine, finest = integral(4), integral(2), integral(1)
    first, second = (4.0 * fine - rough) / 3.0, (4.0 * finest - fine) / 3.0
    expected = (16.0 * second - first) / 15.0
    assert after.welfare.sum() + after.supplier_surplus.sum() == pytest.approx(expected, rel=1e-6)


def test_19_26_two_steps_make_one_and_a_duty_taken_back_restores_trade(
    reference: Reference, after: Any
) -> None:
    market = reference.market
    halfway = 0.5 * (market.t0 + market.t1)
    first = market.with_(t1=halfway).solve()
    second = market.with_(t1=halfway).rebased(first, market.t1).solve()
    np.testing.assert_allclose(second.value, after.value, rtol=1e-10)
    np.testing.assert_allclose(first.price_hat * second.price_hat, after.price_hat, rtol=1e-10)
    back = market.rebased(after, market.t0).solve()
    np.testing.assert_allclose(back.value, market.v0, rtol=1e-10)


def test_20_a_first_duty_loses_and_small_losses_are_triangles(reference: Reference) -> None:
    market = reference.market.with_(t0=0.0)
    after = market.solve()
    assert (after.deadweight_loss >= -TIGHT * reference.sums(after.landed_base)).all()
    small = market.with_(t1=1e-3, supply=np.inf).solve()
    triangle = 0.5 * market.eta * 1e-6 * reference.sums(market.v0)
    np.testing.assert_allclose(small.deadweight_loss, triangle, rtol=5e-3, atol=1e-9)


@pytest.mark.parametrize("size", [1e-6, 1e-5])
def test_21_small_shocks_agree_between_models(reference: Reference, size: float, scale: int) -> None:
    m = reference.market
    tiny = size * (1.0 + (m.t1 > m.t0) + reference.place % 3)
    arguments = (m.product, m.v0, np.zeros_like(tiny), tiny)
    nested = armington(*arguments, m.sigma, m.eta, supply=10.0)
    linear = smart(*arguments, -m.eta, m.sigma, supply=10.0)
    change = reference.sums(nested.creation + nested.diversion)
    np.testing.assert_allclose(reference.sums(linear.creation), change, rtol=1e-3, atol=1e-12 * m.v0.max())
    counts = np.bincount(reference.place)
    products = np.flatnonzero((counts > 2) & (counts < 35))[:: 400 // scale]
    assert products.size > 20
    for k in products:
        lines = np.flatnonzero((reference.place == k) & (m.v0 > 0.0))
        # One importer, to which everyone sells all: regions are its origins and itself, which exports nothing.
        flows, power = np.zeros((lines.size + 1,) * 2), np.ones((lines.size + 1,) * 2)
        flows[:-1, -1] = m.v0[lines]
        taxed = power.copy()
        taxed[:-1, -1] += tiny[lines]
        world = gsim(flows, power, taxed, -m.eta[k], 10.0, m.sigma[k])
        np.testing.assert_allclose(
            world.quantity_hat[:-1, -1] - 1.0, nested.quantity_hat[lines] - 1.0, rtol=1e-3, atol=2e-3 * size
        )


def test_22_smart_diverts_nothing_on_balance_and_doubles(reference: Reference) -> None:
    m = reference.market
    one = smart(m.product, m.v0, m.t0, m.t1, -m.eta, m.sigma, supply=m.supply)
    scale = reference.sums(np.abs(one.diversion) + m.v0)
    assert (np.abs(reference.sums(one.diversion)) <= TIGHT * scale).all()
    assert (one.value >= 0.0).all()
    weak = -m.eta / 40.0
    less = smart(m.product, m.v0, m.t0, m.t1, weak, m.sigma)
    twice = smart(m.product, m.v0, m.t0, m.t1, 2.0 * weak, m.sigma)
    np.testing.assert_allclose(twice.creation, 2.0 * less.creation, rtol=TIGHT)


@pytest.mark.parametrize("supply", [np.inf, 10.0])
def test_24_extremes_stay_finite(reference: Reference, supply: float) -> None:
    random = np.random.default_rng(9)
    size, products = reference.place.size, len(reference.codes)
    market = reference.market.with_(
        t1=random.choice([0.0, 1e-9, 1e4, 1e9], size),
        v0=reference.market.v0 * random.choice([0.0, 1.0], size, p=[0.1, 0.9]),
        sigma=random.choice([0.0, 1.0, 1.0 + 1e-9, 30.0], products),
        supply=supply,
    )
    m, after = market, market.solve()
    alone = passthrough(m.v0, m.t0, m.t1, m.eta[reference.place], supply=supply)
    linear = smart(m.product, m.v0, m.t0, m.t1, -m.eta, m.sigma, supply=supply)
    found: Any
    for found in (after, alone, linear):
        for field in dataclasses.fields(found):
            column = getattr(found, field.name)
            if isinstance(column, np.ndarray):
                assert np.isfinite(column).all(), field.name
        assert (found.quantity_hat >= 0.0).all()


@pytest.mark.parametrize(
    ("name", "bad"), [("t1", -1.0), ("t0", np.nan), ("v0", -1.0), ("v0", np.nan), ("t1", np.inf)]
)
def test_25_one_bad_line_of_all_is_refused_by_its_number(reference: Reference, name: str, bad: float) -> None:
    spoilt = getattr(reference.market, name).copy()
    spoilt[123_456] = bad
    with pytest.raises(InputError) as caught:
        reference.market.with_(**{name: spoilt}).solve()
    assert (caught.value.field, caught.value.metadata["line"]) == (name, "123456")


def test_27_static_rates_know_no_elasticity(reference: Reference, after: Any) -> None:
    m = reference.market
    revenue_after = (m.t1 * after.value).sum()
    for name in ("low", "high"):
        p = parameters_for(reference.codes, horizon="long", set=name)
        other = armington(
            m.product, m.v0, m.t0, m.t1, p.sigma, p.eta, supply=p.supply[reference.place], threads=2
        )
        assert np.array_equal(other.revenue_base, after.revenue_base)
        assert (m.t1 * other.value).sum() / other.value.sum() != revenue_after / after.value.sum()
