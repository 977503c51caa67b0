"""Numerical properties of the models (tests 1 to 22 and 26 to 28), on random markets and on the reference table.

On the table duties move from those of the law of 2025-01-01 to those of 2025-05-20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tariffs.engine.law import load_law
from tariffs.engine.response import STATUS, armington, gsim_imports, passthrough, smart
from tariffs.engine.response.inputs import Floats
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.outcomes.table_run import RunContext, TableRun
from tariffs.engine.scenario import library
from tests.economics.markets import Market, markets

TIGHT = 1e-12
Check = Callable[[Market], None]
PROPERTIES: list[Check] = []
close = np.testing.assert_allclose


def holds(check: Check) -> Check:
    """Enter a property in the list of those that are tested."""
    PROPERTIES.append(check)
    return check


@pytest.fixture(scope="module")
def reference(scale: int) -> Market:
    """Varieties of the reference table at the set `long`; those of every fourth product in `make test`."""
    run = TableRun(None, load_law(), Options(horizon="long"), RunContext(None, None))
    duties = run.outcomes(library()["base"], "2025-05-20")[0].duties
    assert run.response is not None
    v, p = run.response.varieties, run.response.parameters
    rates = run.response.base_rate, run.response.rates_under(duties).rate
    supply, freight = p.supply[v.product], np.zeros_like(v.value)
    whole = Market(v.product, v.value, *rates, p.sigma, p.eta, supply, freight)
    every = 4 if scale == 1 else 1
    return whole.taken(whole.place % every == 0, slice(None, None, every))


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda check: check.__name__)
def test_the_reference_table_has_the_property(reference: Market, check: Check) -> None:
    check(reference)


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda check: check.__name__)
@given(market=markets())
def test_random_markets_have_the_property(check: Check, market: Market) -> None:
    check(market)


def traded(market: Market) -> Any:
    """Marks of lines whose product has trade."""
    return market.spread(market.sums(market.v0)) > 0.0


def mean_weights(market: Market, after: Any) -> Floats:
    """Logarithmic means of the shares of lines before and after in landed cost (Sato and Vartia)."""
    before, now = market.shares(after.landed_base), market.shares(after.landed)
    both = (before > 0.0) & (now > 0.0)
    log = np.log(np.divide(now, before, out=np.ones_like(now), where=both))
    mean = np.divide(np.expm1(log), log, out=np.ones_like(log), where=log != 0.0)
    weights: Floats = np.where(both, before * mean, 0.0)
    return weights


@holds
def p1_2_revenue_and_landed_cost_add_up(market: Market) -> None:
    after = market.solve()
    close(after.revenue, market.t1 * market.v0 * after.exporter_price_hat * after.quantity_hat, rtol=TIGHT)
    close(market.sums(after.revenue), market.sums(market.t1 * after.value), rtol=TIGHT)
    freight = market.freight * market.v0
    close(after.landed, after.value + after.revenue + freight * after.quantity_hat, rtol=TIGHT)
    close(after.landed_base, market.v0 + after.revenue_base + freight, rtol=TIGHT)
    close(after.landed, after.landed_base * after.price_hat * after.quantity_hat, rtol=TIGHT)
    parts = np.sum((market.t1 - market.t0) * market.v0) + np.sum(market.t1 * (after.value - market.v0))
    change = np.sum(after.revenue) - np.sum(after.revenue_base)
    assert abs(parts - change) <= TIGHT * np.sum(after.revenue + after.revenue_base)
    gain = market.sums(after.revenue) - market.sums(after.revenue_base)
    close(after.welfare, after.buyer_surplus + gain, rtol=1e-9, atol=1e-9 * market.sums(market.v0).max())


@holds
def p3_without_a_shock_nothing_moves(market: Market) -> None:
    after = market.with_(t1=market.t0).solve()
    for hat in (after.price_hat, after.exporter_price_hat, after.quantity_hat, after.import_price_hat):
        close(hat, 1.0, rtol=TIGHT)
    bound = TIGHT * market.sums(after.landed_base)
    for amount in (after.buyer_surplus, after.welfare, after.terms_of_trade, after.deadweight_loss):
        assert (np.abs(amount) <= bound).all()
    assert (np.abs(market.sums(after.supplier_surplus)) <= bound).all()


@holds
def p4_a_uniform_duty_passes_through_and_diverts_nothing(market: Market) -> None:
    for power in (0.3, 1.25, 4.0):
        after = market.with_(supply=np.inf, freight=0.0, t1=(1.0 + market.t0) * power - 1.0).solve()
        close(after.import_price_hat[market.sums(market.v0) > 0.0], power, rtol=TIGHT)
        trade = market.sums(market.v0 * np.maximum(after.quantity_hat, 1.0))
        assert (np.abs(after.diversion) <= TIGHT * market.spread(trade)).all()
        close(market.shares(after.landed), market.shares(after.landed_base), rtol=TIGHT)


@holds
def p5_amounts_scale_with_trade(market: Market) -> None:
    one = market.solve()
    for scale in (1e-3, 3.7):
        many = market.with_(v0=market.v0 * scale).solve()
        for name in ("quantity_hat", "price_hat"):
            close(getattr(many, name), getattr(one, name), rtol=TIGHT)
        for name in ("value", "revenue", "landed"):
            close(getattr(many, name), scale * getattr(one, name), rtol=TIGHT)
        bound = TIGHT * scale * market.sums(one.landed_base + one.landed)
        for name in ("buyer_surplus", "welfare", "deadweight_loss", "terms_of_trade"):
            assert (np.abs(getattr(many, name) - scale * getattr(one, name)) <= bound).all()


@holds
def p6_splitting_every_origin_changes_nothing(market: Market) -> None:
    lines, products = np.tile(np.arange(market.v0.size), 2), np.arange(market.sigma.size)
    whole, halves = market.solve(), market.taken(lines, products)
    split = halves.with_(v0=np.concatenate([0.3 * market.v0, 0.7 * market.v0])).solve()
    close(split.quantity_hat, whole.quantity_hat[lines], rtol=TIGHT)
    close(split.value.reshape(2, -1).sum(axis=0), whole.value, rtol=TIGHT)
    close(split.import_price_hat, whole.import_price_hat, rtol=TIGHT)


@holds
def p7_28_order_names_threads_and_other_products_change_no_bit(market: Market) -> None:
    random, one = np.random.default_rng(5), market.solve(threads=1)
    lines = random.permutation(market.v0.size)
    renamed = random.permutation(market.sigma.size)
    moved = market.taken(lines, np.argsort(renamed))
    other = moved.with_(product=renamed[market.place][lines]).solve(threads=3)
    for name in ("price_hat", "exporter_price_hat", "quantity_hat", "value", "creation", "supplier_surplus"):
        assert np.array_equal(getattr(one, name)[lines], getattr(other, name)), name
    for name in ("buyer_surplus", "welfare", "import_price_hat", "deadweight_loss"):
        assert np.array_equal(getattr(one, name), getattr(other, name)[renamed]), name
    many = market.solve(threads=64)
    assert all(np.array_equal(getattr(one, name), getattr(many, name)) for name in one.__dataclass_fields__)
    last = market.place == market.sigma.size - 1
    alone = market.taken(last, slice(-1, None)).solve()
    assert np.array_equal(alone.quantity_hat, one.quantity_hat[last])
    assert alone.welfare[0] == one.welfare[-1]


@holds
def p8_without_a_demand_response_the_aggregate_stays(market: Market) -> None:
    after = market.with_(eta=0.0).solve()
    close(after.import_quantity_hat, 1.0, rtol=TIGHT)
    weights, logs = mean_weights(market, after), np.log(np.maximum(after.quantity_hat, 1e-300))
    bound = TIGHT * market.sums(weights) * (1.0 + np.abs(logs).max())
    assert (np.abs(market.sums(weights * logs)) <= bound).all()


@holds
def p9_creation_and_diversion_add_up(market: Market) -> None:
    after = market.solve()
    trade = market.sums(market.v0 * np.maximum(after.quantity_hat, 1.0))
    assert (np.abs(market.sums(after.diversion)) <= TIGHT * trade).all()
    change, parts = market.v0 * (after.quantity_hat - 1.0), after.creation + after.diversion
    assert (np.abs(parts - change) <= TIGHT * market.spread(trade)).all()
    close(market.v0 + parts + after.price_effect, after.value, atol=1e-6 + 1e-16 * trade.max(), rtol=1e-9)


@holds
def p10_equal_elasticities_make_every_line_stand_alone(market: Market) -> None:
    lines = traded(market)
    for e in (0.0, 0.6, 2.7):
        after = market.with_(sigma=e, eta=e, freight=0.0).solve()
        alone = passthrough(market.v0, market.t0, market.t1, e, supply=market.supply)
        for name in ("price_hat", "exporter_price_hat", "quantity_hat"):
            close(getattr(after, name)[lines], getattr(alone, name)[lines], rtol=1e-11, atol=1e-11)
        for name in ("value", "supplier_surplus"):
            # Dollars: a surplus near 0 is a difference of amounts of the size of the value.
            gap = np.abs(getattr(after, name) - getattr(alone, name))[lines]
            assert (gap <= 1e-11 * (np.abs(getattr(alone, name)) + market.v0 + 1.0)[lines]).all(), name
        assert alone.buyer_surplus is not None
        expected = market.sums(alone.buyer_surplus)
        close(after.buyer_surplus, expected, rtol=1e-11, atol=1e-11 * market.v0.sum())


@holds
def p11_kappa_equal_to_eta_is_the_two_tier_model(market: Market) -> None:
    two = market.solve()
    three = market.solve(kappa=market.eta, domestic=2.0 * market.sums(market.v0), supply_domestic=3.0)
    for name in ("price_hat", "quantity_hat", "import_price_hat", "import_quantity_hat"):
        close(getattr(three, name), getattr(two, name), rtol=1e-11)


@holds
def p12_supply_limits(market: Market) -> None:
    plain, power = market.with_(freight=0.0), 1.25
    flat, nearly = plain.with_(supply=np.inf).solve(), plain.with_(supply=1e9).solve()
    logs = np.log(flat.quantity_hat)
    assert (np.abs(np.log(nearly.quantity_hat) - logs) <= 1e-7 * (1.0 + np.abs(logs))).all()
    fixed = plain.with_(supply=1e-9, t1=(1.0 + market.t0) * power - 1.0).solve()
    close(fixed.quantity_hat[traded(market)], 1.0, rtol=1e-7)
    elastic = traded(market) & (market.spread(market.eta) > 0.05)
    close(fixed.exporter_price_hat[elastic], 1.0 / power, rtol=1e-7)


@holds
def p13_cobb_douglas_keeps_shares_and_spending(market: Market) -> None:
    after = market.with_(sigma=1.0).solve()
    close(market.shares(after.landed), market.shares(after.landed_base), rtol=1e-11)
    spending = market.with_(eta=1.0).solve()
    close(market.sums(spending.landed), market.sums(spending.landed_base), rtol=1e-11)


@holds
def p14_elasticities_near_one_are_continuous(market: Market) -> None:
    tier = {"domestic": 1e4, "supply_domestic": 2.0}
    solve: dict[str, Callable[[float], Any]] = {
        "sigma": lambda value: market.with_(sigma=value).solve(),
        "eta": lambda value: market.with_(eta=value).solve(),
        "kappa": lambda value: market.solve(kappa=value, **tier),
    }
    for name, at in solve.items():
        one = at(1.0)
        for near in (1.0 - 1e-7, 1.0 + 1e-7, 1.0 - 1e-9, 1.0 + 1e-12):
            beside = at(near)
            close(beside.quantity_hat, one.quantity_hat, rtol=1e-6, err_msg=name)
            bound = 1e-6 * (market.sums(one.landed_base) + 1e4)
            assert (np.abs(beside.welfare - one.welfare) <= bound).all(), name


@holds
def p15_closed_form_equals_newton(market: Market) -> None:
    for supply in (0.5, 10.0):
        closed = market.with_(supply=supply, freight=0.0).solve()
        # A freight too small to matter sends every product down the general road.
        general = market.with_(supply=supply, freight=1e-300).solve()
        for found, way in ((closed, "direct"), (general, "newton")):
            assert {STATUS[status] for status in np.unique(found.status)} <= {way, "no trade"}
        for name in ("price_hat", "exporter_price_hat", "quantity_hat", "import_price_hat"):
            close(getattr(general, name), getattr(closed, name), rtol=1e-11)


@holds
def p16_18_answers_lie_on_supply_and_between_indices(market: Market) -> None:
    supply = np.random.default_rng(6).choice([0.5, 3.0, 10.0, np.inf], market.v0.size)
    after = market.with_(supply=supply).solve()
    sloped = np.isfinite(supply)
    hats = np.log(after.quantity_hat[sloped]), np.log(after.exporter_price_hat[sloped])
    close(hats[0], supply[sloped] * hats[1], rtol=1e-11, atol=1e-11)
    base, now = market.sums(after.landed_base), market.sums(after.landed)
    power, bought = 1.0 - market.sigma, base > 0.0
    index = market.sums(after.landed_base * after.price_hat ** market.spread(power))
    exact = after.import_price_hat[bought]
    close(exact, (index[bought] / base[bought]) ** (1.0 / power[bought]), rtol=1e-11)
    laspeyres = market.sums(after.landed_base * after.price_hat)[bought] / base[bought]
    paasche = now[bought] / market.sums(after.landed / after.price_hat)[bought]
    assert (paasche <= exact * (1.0 + 1e-13)).all()
    assert (exact <= laspeyres * (1.0 + 1e-13)).all()
    # The index of Sato and Vartia is exact inside one nest.
    weights = mean_weights(market, after)
    means = market.sums(weights * np.log(after.price_hat))[bought] / market.sums(weights)[bought]
    close(np.exp(means), exact, rtol=1e-11)


@holds
def p17_a_duty_on_the_largest_origin_moves_trade_the_way_theory_says(market: Market) -> None:
    flat = market.with_(supply=np.inf, freight=0.0)
    sizes = np.lexsort((market.v0, market.product))
    own = np.zeros(market.v0.size, dtype=bool)
    own[sizes[np.append(np.diff(market.product[sizes]) > 0, True)]] = True
    own &= market.v0 > 0.0
    one = flat.solve()
    for rise in (0.05, 1.3):
        more = flat.with_(t1=market.t1 + rise * own).solve()
        elastic = own & (market.spread(np.maximum(market.sigma, market.eta)) > 0.1)
        assert (more.quantity_hat[elastic] < one.quantity_hat[elastic]).all()
        assert (more.import_price_hat > one.import_price_hat)[market.sums(market.v0) > 0.0].all()
        gap, change = market.spread(market.sigma - market.eta), more.quantity_hat - one.quantity_hat
        # At an elasticity far beyond the other a hat may be 0 to the last digit; what moves moves the right way.
        assert (change[~own & traded(market) & (gap > 1e-3)] >= 0.0).all()
        assert (change[~own & traded(market) & (gap < -1e-3)] <= 0.0).all()


@holds
def p19_26_two_steps_make_one_and_a_duty_taken_back_restores_trade(market: Market) -> None:
    halfway, one = 0.5 * (market.t0 + market.t1), market.solve()
    first = market.with_(t1=halfway).solve()
    second = market.with_(t1=halfway).rebased(first, market.t1).solve()
    close(second.value, one.value, rtol=1e-10)
    close(first.price_hat * second.price_hat, one.price_hat, rtol=1e-10)
    bound = 1e-10 * market.sums(one.landed_base)
    for name in ("buyer_surplus", "welfare"):
        both = getattr(first, name) + getattr(second, name)
        assert (np.abs(both - getattr(one, name)) <= bound + 1e-10 * np.abs(both)).all()
    suppliers = first.supplier_surplus + second.supplier_surplus
    close(suppliers, one.supplier_surplus, rtol=1e-9, atol=1e-9 * market.v0.sum())
    close(market.rebased(one, market.t0).solve().value, market.v0, rtol=1e-10)


@holds
def p20_a_first_duty_loses_and_small_losses_are_triangles(market: Market) -> None:
    after = market.with_(t0=0.0).solve()
    assert (after.deadweight_loss >= -TIGHT * market.sums(after.landed_base)).all()
    gain = after.terms_of_trade - after.welfare
    close(after.deadweight_loss, gain, rtol=TIGHT, atol=1e-9 + 1e-15 * market.v0.sum())
    eta, rate = np.maximum(market.eta, 0.1), 1e-3
    small = market.with_(t0=0.0, t1=rate, eta=eta, supply=np.inf, freight=0.0).solve()
    triangle = 0.5 * eta * rate**2 * market.sums(market.v0)
    close(small.deadweight_loss, triangle, rtol=5e-3, atol=1e-12 * market.v0.max())


@holds
def p21_small_shocks_agree_between_models(market: Market) -> None:
    for size in (1e-6, 1e-5):
        rates = np.zeros_like(market.t0), size * (1.0 + (market.t1 > market.t0) + market.place % 3)
        lines = (market.product, market.v0, *rates)
        nested = armington(*lines, market.sigma, market.eta, supply=10.0)
        linear = smart(*lines, -market.eta, market.sigma, supply=10.0)
        change = market.sums(nested.creation + nested.diversion)
        close(market.sums(linear.creation), change, rtol=1e-3, atol=1e-9 + 1e-12 * market.v0.max())
        world = gsim_imports(*lines, -market.eta, market.sigma, supply=10.0)
        moved = traded(market) & (market.v0 > 0.0)
        for name in ("quantity_hat", "exporter_price_hat"):
            ours, theirs = (getattr(found, name)[moved] - 1.0 for found in (world, nested))
            close(ours, theirs, rtol=1e-3, atol=2e-3 * size, err_msg=name)


@holds
def p22_smart_diverts_nothing_on_balance_and_doubles(market: Market) -> None:
    lines = (market.product, market.v0, market.t0, market.t1)
    one = smart(*lines, -market.eta, market.sigma, supply=market.supply)
    bound = TIGHT * market.sums(np.abs(one.diversion) + market.v0)
    assert (np.abs(market.sums(one.diversion)) <= bound).all()
    assert (market.v0 + one.creation + one.diversion >= -market.spread(bound)).all()
    assert (one.value >= 0.0).all()
    close(one.revenue, market.t1 * one.value, rtol=TIGHT)
    # A demand this weak never meets the bound of trade there is to lose.
    weak = -market.eta / 40.0
    less, twice = (smart(*lines, times * weak, market.sigma) for times in (1.0, 2.0))
    close(twice.creation, 2.0 * less.creation, rtol=TIGHT)
    relative = (market.t1 - market.t0) / (1.0 + market.t0)
    close(less.creation, market.v0 * market.spread(weak) * relative, rtol=TIGHT, atol=TIGHT)
    assert not less.price_effect.any()
    triangle = market.sums(0.5 * (market.t0 + market.t1) * less.creation)
    close(less.welfare, triangle, rtol=TIGHT, atol=TIGHT)


@holds
def p27_static_rates_know_no_elasticity(market: Market) -> None:
    one, other = market.solve(), market.with_(sigma=9.0, eta=0.3).solve()
    assert np.array_equal(one.revenue_base, other.revenue_base)
    assert np.array_equal(one.landed_base, other.landed_base)
