"""Sweeps under a market of sectors: nests and sums of lanes are those of the models alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffs.engine.response import armington
from tariffs.engine.response.kernels import lanes
from tariffs.engine.response.kernels import nests as kernels
from tariffs.engine.response.kernels.exp_log import LANES
from tariffs.engine.response.sectors.lane_market import Nests
from tariffs.engine.response.sectors.market import market
from tests.economics.sweeps_at_once import (
    SweepElasticities,
    SweepReference,
    SweepSums,
    SweepTrade,
    sweep_at_once,
)

CLASSES, SCENARIOS_GIVEN = 6, 3
NESTED = np.array([0, 0, 1, 1, -1])
"""Nest of the products of each kind."""


def random_trade(seed: int) -> SweepTrade:
    """Trade of products in two nests and in none, some of which have no trade."""
    rng = np.random.default_rng(seed)
    product = np.sort(rng.integers(0, 20, 80))
    place = np.unique(product, return_inverse=True)[1]
    products = int(place.max()) + 1
    kind = np.r_[4, rng.integers(0, 5, products - 1)]
    v0 = np.exp(rng.normal(8.0, 2.0, 80)) * (place != 3) * (rng.random(80) > 0.1)
    goods = rng.uniform(0.0, 2.0, products) * np.bincount(place, v0)
    return SweepTrade(
        product, v0, rng.choice([0.0, 0.025, 0.2], 80), rng.integers(0, CLASSES, 80), rng.integers(0, 4, 80), kind,
        rng.integers(0, 3, products), charges=0.05 * v0, kept=rng.choice([1.0, 0.0], 80, p=[0.9, 0.1]),
        value_group=rng.integers(0, 5, 80),
        market=Nests(NESTED[kind], goods, np.array([1.0, 0.8]), np.array([1.3, np.inf])),
    )  # fmt: skip


def elasticities_at(age: Any) -> SweepElasticities:
    """Elasticities of each kind at an age; those of a nest have all but sigma in common."""
    sigma, eta, supply = (
        np.add.outer([2.5, 4.0, 0.6, 3.0, 5.0], age),
        np.add.outer([1.5, 1.5, 1.0, 1.0, 2.0], np.multiply(0.5, age)),
        np.subtract.outer([30.0, 30.0, 9.0, 9.0, 2.0], age),
    )
    return SweepElasticities(sigma, eta, supply, np.minimum(1.19, eta))


def expected_sums(trade: SweepTrade, rates: Any, given: SweepElasticities) -> dict[str, Any]:
    """Sums of one scenario by the models themselves: Armington, and the market above it."""
    t, above = trade, trade.market
    assert above is not None
    place, kind = np.unique(t.product, return_inverse=True)[1], np.asarray(t.kind)
    sigma, eta, supply, kappa = (
        np.asarray(each)[kind] for each in (given.sigma, given.eta, given.supply, given.kappa)
    )
    v0, rate = np.asarray(t.v0), rates[np.asarray(t.rate_class)]
    alone = armington(t.product, v0, t.t0, rate, sigma, eta, supply=supply[place])
    inside, products = above.nest >= 0, kind.size
    landed = np.bincount(place, v0 * (1.0 + np.asarray(t.t0)))
    first = [np.flatnonzero(above.nest == nest)[0] for nest in (0, 1)]
    found = market(
        above.nest[inside], landed[inside], alone.import_price_hat[inside], eta[inside], domestic=above.goods[inside],
        kappa=kappa[first], top=above.top, supply=supply[inside], supply_domestic=above.supply_domestic,
    )  # fmt: skip
    quantity, price, surplus, gain = (
        np.ones(products),
        np.ones(products),
        alone.buyer_surplus.copy(),
        np.zeros(products),
    )
    quantity[inside], price[inside] = found.quantity_hat, found.exporter_price_hat
    surplus[inside], gain[inside] = found.buyer_surplus, found.domestic_supplier_surplus
    value = alone.value * (quantity * price)[place]
    hat, kept = alone.quantity_hat * quantity[place], np.asarray(t.kept)
    growth = np.divide(
        np.bincount(place, v0 * hat), np.bincount(place, v0), out=np.ones(products), where=landed > 0
    )
    revenue = np.bincount(place, value * rate * kept - v0 * np.asarray(t.t0))

    def of(index: Any, values: Any) -> Any:
        return np.bincount(index, values)

    return {
        "value": of(t.group, value * kept),
        "duty": of(t.group, value * rate * kept),
        "charges": of(t.group, np.asarray(t.charges) * hat * kept),
        "quantity": of(t.group, v0 * hat * kept),
        "base_duty": of(t.group, v0 * hat * kept * np.asarray(t.t0)),
        "creation": of(t.group, v0 * (growth[place] - 1.0)),
        "buyer_surplus": of(t.product_group, surplus),
        "welfare": of(t.product_group, surplus + gain + revenue),
        "values": of(t.value_group, value * kept),
        "home": np.stack([found.domestic_price_hat, found.domestic_quantity_hat], axis=1)[
            [np.flatnonzero(above.nest[inside] == nest)[0] for nest in (0, 1)]
        ],
    }


def assert_sums(found: SweepSums, scenario: int, expected: dict[str, Any]) -> None:
    scale = np.abs(expected["quantity"]).max()
    np.testing.assert_allclose(found.domestic[:, :2, scenario], expected.pop("home"), rtol=1e-12)
    for name, values in expected.items():
        ours = getattr(found, name)[:, scenario]
        np.testing.assert_allclose(ours, values, rtol=1e-9, atol=1e-9 * scale, err_msg=name)


@pytest.mark.parametrize("moved", [[0], [1, 4], list(range(CLASSES)), []])
@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_the_models_alone(seed: int, moved: list[int]) -> None:
    trade, rng = random_trade(seed), np.random.default_rng(seed)
    rates = np.repeat(rng.choice([0.0, 0.1, 0.25, 1.45], (CLASSES, 1)), SCENARIOS_GIVEN, axis=1)
    rates[moved] = rng.choice([0.0, 0.3, 0.7, 2.0], (len(moved), SCENARIOS_GIVEN))
    given = elasticities_at(0.0)
    marks = np.isin(np.arange(CLASSES), moved)
    sweep = sweep_at_once(trade, SweepReference(rates[:, 0], marks, given))
    found = sweep(rates[sweep.forms])
    for scenario in range(SCENARIOS_GIVEN):
        assert_sums(found, scenario, expected_sums(trade, rates[:, scenario], given))


@pytest.mark.parametrize("seed", range(4))
def test_scenarios_may_have_elasticities_of_their_own(seed: int) -> None:
    trade, rng = random_trade(seed), np.random.default_rng(seed)
    rates, ages = rng.choice([0.0, 0.1, 0.25, 1.45], (CLASSES, LANES)), np.linspace(0.0, 1.0, LANES)
    sweep, given = sweep_at_once(trade), elasticities_at(ages)
    found = sweep(rates, given)
    for scenario in (0, 7, LANES - 1):
        assert_sums(
            found, scenario, expected_sums(trade, rates[:, scenario], elasticities_at(ages[scenario]))
        )
    lone = sweep(rates[:, 7:8], elasticities_at(ages[7:8]))
    for name in SweepSums.__dataclass_fields__:
        assert np.array_equal(getattr(lone, name)[..., 0], getattr(found, name)[..., 7]), name


def test_kernels_are_those_that_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    trade, rng = random_trade(1), np.random.default_rng(1)
    rates, given = rng.choice([0.0, 0.25, 1.45], (CLASSES, 2)), elasticities_at(0.5)
    reference = SweepReference(rates[:, 0], np.arange(CLASSES) < 2, given)
    compiled = sweep_at_once(trade, reference)(rates[:2])
    for module, name in ((kernels, "nest_rows"), (lanes, "solve")):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    found = sweep_at_once(trade, reference)(rates[:2])
    for name in SweepSums.__dataclass_fields__:
        ours, theirs = getattr(found, name), getattr(compiled, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-9, err_msg=name)
