"""Draws of the elasticities side by side: the bits of `armington`, whatever stands beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.base.workspace import Workspace
from tariffs.engine.errors import InputError
from tariffs.engine.response import armington
from tariffs.engine.response.armington_draws import ArmingtonDraws, DrawElasticities, DrawnVolume
from tariffs.engine.response.inputs import Floats
from tariffs.engine.response.kernels import armington as respond
from tariffs.engine.response.kernels import armington_draws
from tests.economics.markets import Market, markets, random_market

DRAWS = 5


def prepared(market: Market, **options: Any) -> ArmingtonDraws:
    return ArmingtonDraws.of(market.product, market.v0, market.t0, market.t1, **options)


def drawn(market: Market, seed: int, count: int = DRAWS) -> list[DrawElasticities]:
    """Elasticities around the market's, with a supply per product that is flat now and then."""
    rng = np.random.default_rng(seed)
    size = market.sigma.size
    return [
        (
            market.sigma * np.exp(rng.normal(0.0, 0.5, size)),
            market.eta * np.exp(rng.normal(0.0, 0.3)),
            np.where(rng.random(size) < 0.3, np.inf, rng.uniform(0.5, 30.0, size)),
        )
        for _ in range(count)
    ]


def laid_out(run: ArmingtonDraws, found: DrawnVolume, market: Market, draw: int) -> dict[str, Floats]:
    """One draw in the columns of `armington`."""
    order, sizes = run.groups.order, np.diff(run.groups.offsets)
    quantity, price, growth = np.empty(order.size), np.empty(order.size), np.empty(order.size)
    quantity[order], price[order] = found.hats[run.cell_of, :, draw].T
    growth[order] = np.repeat(found.growths[:, draw], sizes)
    return {
        "quantity_hat": quantity,
        "exporter_price_hat": price,
        "value": market.v0 * quantity * price,
        "creation": market.v0 * (growth - 1.0),
        "diversion": market.v0 * quantity - market.v0 * growth,
        "buyer_surplus": found.owned[0, :, draw],
        "welfare": found.owned[1, :, draw],
    }


@given(markets(supplies=("flat",), freight=False), st.integers(0, 2**32 - 1), st.booleans())
def test_every_draw_has_the_bits_of_the_model_alone(market: Market, seed: int, equal: bool) -> None:
    if equal:
        # One duty for all origins, so that varieties share cells and some have no trade.
        market = market.with_(t0=0.0, t1=0.25)
    draws = drawn(market, seed)
    run = prepared(market)
    found = run(draws)
    place = np.searchsorted(np.unique(market.product), market.product)
    for draw, (sigma, eta, supply) in enumerate(draws):
        alone = armington(
            market.product, market.v0, market.t0, market.t1, sigma, eta, supply=np.asarray(supply)[place]
        )
        for name, column in laid_out(run, found, market, draw).items():
            assert np.array_equal(column, getattr(alone, name)), name


@given(markets(supplies=("flat",), freight=False), st.integers(0, 2**32 - 1))
def test_a_draw_does_not_depend_on_what_stands_beside_it(market: Market, seed: int) -> None:
    draws = drawn(market, seed)
    run = prepared(market)
    together = run(draws)
    for draw, one in enumerate(draws):
        alone = run([one])
        assert np.array_equal(alone.hats[:, :, 0], together.hats[:, :, draw])
        assert np.array_equal(alone.owned[:, :, 0], together.owned[:, :, draw])


def test_a_kappa_of_its_own_has_the_bits_of_the_model_too() -> None:
    market = random_market(8)
    kappa = np.where(np.arange(market.sigma.size) % 2, 1.3, np.nan)
    ((sigma, eta, _),) = drawn(market, 3, 1)
    found = prepared(market, kappa=kappa)([(sigma, eta, np.inf)])
    whole = np.where(np.isnan(kappa), eta, kappa)
    alone = armington(market.product, market.v0, market.t0, market.t1, sigma, eta, kappa=whole)
    assert np.array_equal(found.owned[1, :, 0], alone.welfare)


@pytest.mark.parametrize("wide", [False, True])
def test_kernels_agree_with_their_plain_python(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_market(23)
    if wide:
        market = market.with_(t1=np.where(market.t1 > market.t0, 1e6, market.t0), sigma=12.0)
    draws = drawn(market, 1)
    compiled = prepared(market)(draws)
    for module in (respond, armington_draws):
        for name, kernel in vars(module).copy().items():
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)
    plain = prepared(market)(draws)
    for name in ("hats", "growths", "owned"):
        column = getattr(compiled, name)
        scale = np.abs(column).max()
        np.testing.assert_allclose(column, getattr(plain, name), rtol=1e-11, atol=1e-13 * scale)


@pytest.mark.parametrize(
    ("place", "bad", "field"),
    [(0, -0.1, "sigma"), (1, np.nan, "eta"), (2, 0.0, "supply"), (0, np.inf, "sigma")],
)
def test_bad_elasticities_of_a_draw_are_refused_with_their_line(place: int, bad: float, field: str) -> None:
    market = random_market(4)
    draws = drawn(market, 2)
    spoilt = [np.array(values) for values in draws[-1]]
    spoilt[place] = np.broadcast_to(spoilt[place], market.sigma.shape).copy()
    spoilt[place][2] = bad
    with pytest.raises(InputError) as caught:
        prepared(market)([*draws[:-1], (spoilt[0], spoilt[1], spoilt[2])])
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", field)
    product = np.unique(market.product)[2]
    assert caught.value.metadata["line"] == str(np.flatnonzero(market.product == product)[0])


def test_a_draw_without_finite_answer_is_refused_like_the_model() -> None:
    market = random_market(4, products=1, most=3).with_(v0=5.0, t0=9.0, t1=-0.99)
    for solve in (lambda: market.with_(eta=300.0).solve(), lambda: prepared(market)([(2.0, 300.0, np.inf)])):
        with pytest.raises(InputError, match="not finite") as caught:
            solve()
        assert caught.value.reason == "PARAMETER_INVALID"


def test_a_workspace_changes_no_bit() -> None:
    market, room = random_market(8, products=40, most=12), Workspace()
    run, other = prepared(market), prepared(market.with_(t1=0.3))
    for solve, seed in ((run, 1), (other, 2), (run, 3)):
        draws = drawn(market, seed)
        found, expected = solve(draws, room), solve(draws)
        for name in ("hats", "growths", "owned"):
            assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def test_an_empty_table_has_an_empty_answer() -> None:
    found = ArmingtonDraws.of(np.zeros(0, dtype=int), [], 0.0, 0.1)([(3.0, 1.5, np.inf)] * 2)
    assert (found.hats.shape, found.growths.shape, found.owned.shape) == ((0, 2, 2), (0, 2), (2, 0, 2))
