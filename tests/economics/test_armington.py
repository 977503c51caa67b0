"""The Armington model beside its plain version, at its limits and in extremes, and its kernels beside plain Python."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal, localcontext
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.response import STATUS, armington, passthrough, smart
from tariffs.engine.response.kernels import armington as kernels
from tariffs.engine.response.kernels import direct, lanes
from tests.economics.independent.armington import Demand, solve
from tests.economics.independent.plain import log_mean_price, root
from tests.economics.lane_trade import as_plain_python
from tests.economics.markets import SUPPLIES, Market, markets, random_market

RATES, VALUES, SIGMAS = (0.0, 1e-9, 0.25, 1e4, 1e9), (0.0, 1.0, 1e12), (0.0, 1.0, 30.0)
TIERS: list[dict[str, Any]] = [{}, {"kappa": 1.5, "domestic": 1e6, "supply_domestic": 0.5}]
DOMESTIC: dict[str, Any] = {"kappa": 1.4, "domestic": 3e4, "supply_domestic": 2.0}


def test_the_plain_root_and_price_index_are_those_of_closed_forms() -> None:
    found = root(lambda x: x**3 - np.array([8.0, 27.0]), np.zeros(2), np.full(2, 9.0))
    np.testing.assert_allclose(found, [2.0, 3.0], rtol=1e-12)
    for elasticity, price in ((0.0, 14 / 4), (1.0, (2 * 4**3) ** 0.25), (2.0, 4 / (1 / 2 + 3 / 4))):
        log = log_mean_price([1.0, 3.0, 0.0], np.log([2.0, 4.0, 100.0]), elasticity)
        assert math.exp(log) == pytest.approx(price, rel=1e-12)


@given(markets(), st.booleans())
def test_answers_equal_the_plain_model(market: Market, three_tier: bool) -> None:
    kappa, domestic, eps = (1.19, 5e3, 4.0) if three_tier else (None, None, np.inf)
    after = market.solve(kappa=kappa, domestic=domestic, supply_domestic=eps)
    lines = np.flatnonzero(market.place == 0)
    if not market.v0[lines].any():
        return
    eta = market.eta[0]
    demand = Demand(market.sigma[0], eta, eta if kappa is None else kappa, domestic or 0.0, eps)
    v0, t0, t1, supply, freight = (
        column[lines] for column in (market.v0, market.t0, market.t1, market.supply, market.freight)
    )
    plain = solve(v0, t0, t1, supply, freight, demand)
    np.testing.assert_allclose(after.price_hat[lines], plain.prices, rtol=1e-8)
    np.testing.assert_allclose(after.exporter_price_hat[lines], plain.exporters, rtol=1e-8)
    np.testing.assert_allclose(after.quantity_hat[lines], plain.quantities, rtol=1e-8)
    np.testing.assert_allclose(after.import_price_hat[0], plain.imports, rtol=1e-8)


@pytest.mark.parametrize("kappa", [0.3, 1.7, 6.0, 120.0])
@pytest.mark.parametrize("power", [1.2, 3.0, 1e3, 1e6])
def test_prohibitive_duties_with_domestic_goods_equal_the_plain_model(power: float, kappa: float) -> None:
    """Exponents beyond those the kernel takes directly: (kappa - 1) log power up to some 1,600."""
    rates = ([0.0, 0.02], [power - 1.0, 1.02 * power - 1.0])
    demand = Demand(sigma=4.0, eta=0.8, kappa=kappa, domestic=400.0, eps_domestic=2.0)
    expected = solve([100.0, 50.0], *rates, math.inf, 0.0, demand)
    after = armington(
        [0, 0], [100.0, 50.0], *rates, 4.0, 0.8, kappa=kappa, domestic=400.0, supply_domestic=2.0
    )
    np.testing.assert_allclose(after.import_price_hat, [expected.imports], rtol=1e-9)
    np.testing.assert_allclose(after.quantity_hat, expected.quantities, rtol=1e-7, atol=1e-280)


@pytest.mark.parametrize("kernel", [kernels.two_good_ces, getattr(kernels.two_good_ces, "py_func", None)])
@pytest.mark.parametrize("a", [-3000.0, -119.0, -2.0, 0.7, 119.0, 3000.0])
@pytest.mark.parametrize("apart", [1e-6, 0.5, 13.8])
def test_the_mean_of_two_goods_is_exact_at_any_exponent(kernel: Any, a: float, apart: float) -> None:
    """Beside 60-digit decimals, which neither overflow nor cancel."""
    share, first, second = Decimal("0.25"), Decimal(apart), Decimal("-0.1")
    with localcontext(prec=60):
        total = share * (first * Decimal(a)).exp() + (1 - share) * (second * Decimal(a)).exp()
        mean = total.ln() / Decimal(a)
        weight = share * (Decimal(a) * (first - mean)).exp()
    found, found_weight = kernel(0.25, apart, -0.1, a)
    assert found == pytest.approx(float(mean), rel=1e-12)
    assert found_weight == pytest.approx(float(weight), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("freight", [False, True])
@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("domestic", [{}, DOMESTIC])
def test_19_world_welfare_is_the_integral_of_the_wedge(
    supply: str, freight: bool, domestic: dict[str, Any]
) -> None:
    steps = 1_000
    market = random_market(11, products=1, most=8, supply=supply, freight=freight)
    market = market.with_(v0=np.maximum(market.v0, 100.0))
    lines, columns = market.v0.size, (market.v0, market.t0, market.supply, market.freight)
    rates = market.t0 + np.linspace(0.0, 1.0, steps + 1)[:, None] * (market.t1 + 0.1 - market.t0)
    v0, t0, eps, phi = (np.tile(column, steps + 1) for column in columns)
    product = np.repeat(np.arange(steps + 1), lines)
    along = armington(product, v0, t0, rates.ravel(), 3.5, 1.5, supply=eps, freight=phi, **domestic)
    wedge = (rates.ravel() * along.exporter_price_hat).reshape(steps + 1, lines)
    quantity = (v0 * along.quantity_hat).reshape(steps + 1, lines)
    integral = np.sum(0.5 * (wedge[1:] + wedge[:-1]) * np.diff(quantity, axis=0))
    suppliers = along.supplier_surplus.reshape(steps + 1, lines)[-1].sum()
    assert along.welfare[-1] + suppliers == pytest.approx(integral, rel=1e-6)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_line_without_trade_a_prohibitive_duty_and_equal_elasticities(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_plain_python(monkeypatch, *([] if compiled else [kernels]))
    # Where sigma is eta each origin answers its own duty.
    supply = np.array([2.0, 4.0])
    freed = armington([7, 7], [9.0, 9.0], 1.5, 0.25, 1.5, 1.5, supply=supply)
    np.testing.assert_allclose(freed.quantity_hat, 0.5 ** (-1.5 * supply / (1.5 + supply)), rtol=1e-12)
    # A duty at which the exporter's price falls to 0.8, and so what is supplied to 0.8 squared.
    duty = (2.0 * 0.64 ** (-1.0 / 1.5) - 0.5) / 0.8 - 1.0
    shipped = armington([7], [9.0], 0.5, duty, 1.5, 1.5, supply=2.0, freight=0.5)
    np.testing.assert_allclose(
        (shipped.exporter_price_hat, shipped.quantity_hat), [[0.8], [0.64]], rtol=1e-12
    )
    after = armington([1, 1, 2], [100.0, 0.0, 0.0], 0.0, [0.1, 0.3, 0.4], 4.0, 1.5)
    assert (after.price_hat[1], after.value[1]) == (pytest.approx(1.3), 0.0)
    assert (after.price_hat[2], after.quantity_hat[2], STATUS[after.status[1]]) == (1.0, 1.0, "no trade")
    out = armington([1, 1], [100.0, 50.0], 0.0, [1e9, 0.0], 120.0, 1.5)
    assert out.value[0] < 1e-30
    assert out.value[1] > 50.0
    assert out.import_price_hat[0] == pytest.approx((1 / 3) ** (1 / -119.0), rel=1e-12)


def test_an_empty_table_and_a_product_of_every_line() -> None:
    empty = armington(np.zeros(0, dtype=int), [], 0.0, 0.1, 3.0, 1.5)
    assert empty.value.size == empty.welfare.size == 0
    one = armington(np.zeros(100_000, dtype=int), np.ones(100_000), 0.0, 0.25, 5.0, 1.5)
    np.testing.assert_allclose(one.quantity_hat, 1.25**-1.5, rtol=1e-12)


@pytest.mark.parametrize("origins", [1, 2, 3, 17, 250])
@pytest.mark.parametrize("supply", [np.inf, 10.0, 1e-9, "mixed"])
@pytest.mark.parametrize("freight", [0.0, 0.2])
def test_24_armington_stays_finite(origins: int, supply: Any, freight: float) -> None:
    rng = np.random.default_rng(origins)
    sigma, eta = (grid.ravel() for grid in np.meshgrid(SIGMAS, (0.0, 1.0, 4.0), indexing="ij"))
    product = np.repeat(np.arange(9), origins)
    size = product.size
    eps = rng.choice([1e-9, 1.0, 1e9, np.inf], size) if supply == "mixed" else supply
    for _ in range(3):
        v0, t0, t1 = rng.choice(VALUES, size), rng.choice(RATES, size), rng.choice(RATES, size)
        for tier in TIERS:
            after = armington(product, v0, t0, t1, sigma, eta, supply=eps, freight=freight, **tier)
            for name in after.__dataclass_fields__:
                assert np.isfinite(getattr(after, name)).all(), name
            assert (after.quantity_hat >= 0.0).all()
            assert (after.value >= 0.0).all()
            # Supply all but fixed leaves prices to the last digits: only there Newton gives way.
            assert supply in (1e-9, "mixed") or not (after.status == STATUS.index("bisected")).any()


def answers(market: Market) -> list[Any]:
    rates = (market.v0, market.t0, market.t1)
    return [
        market.solve(),
        market.solve(kappa=1.3, domestic=1e4, supply_domestic=2.0),
        passthrough(*rates, 2.5, supply=market.supply, freight=market.freight),
        *[passthrough(*rates, 0.5, form=form) for form in ("linear", "logpoint", "midpoint")],
        smart(market.product, *rates, -market.eta, market.sigma, supply=market.supply),
    ]


@pytest.mark.parametrize("freight", [False, True])
@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("wide", [False, True])
def test_kernels_agree_with_their_plain_python(
    supply: str, freight: bool, wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = random_market(23, supply=supply, freight=freight)
    if wide:
        market = market.with_(t1=np.where(market.t1 > market.t0, 1e6, market.t0), sigma=12.0)
    found = answers(market)
    as_plain_python(monkeypatch, kernels, direct)
    with np.errstate(over="ignore", divide="ignore"):
        plain = answers(market)
    for one, other in zip(found, plain, strict=True):
        for name in one.__dataclass_fields__:
            column = getattr(one, name)
            if isinstance(column, np.ndarray):
                scale = np.abs(column).max(initial=1.0)
                np.testing.assert_allclose(column, getattr(other, name), rtol=1e-11, atol=1e-13 * scale)


@pytest.mark.parametrize("module", [kernels, direct, lanes])
def test_kernels_release_the_interpreter(module: ModuleType) -> None:
    found = [kernel for kernel in vars(module).values() if hasattr(kernel, "py_func")]
    assert found
    assert all(kernel.compiled.targetoptions["nogil"] for kernel in found)


def test_importing_the_models_loads_no_compiler() -> None:
    code = "import sys, tariffs.engine.response; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
