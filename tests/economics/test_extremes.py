"""Extreme and bad inputs (numerical tests 24 and 25)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response import STATUS, armington, armington_hats, passthrough, smart

RATES = (0.0, 1e-9, 0.25, 1e4, 1e9)
VALUES = (0.0, 1.0, 1e12)
SIGMAS = (0.0, 1.0, 30.0)
TIERS: tuple[dict[str, Any], ...] = ({}, {"kappa": 1.5, "domestic": 1e6, "supply_domestic": 0.5})


@pytest.mark.parametrize("origins", [1, 2, 3, 17, 250])
@pytest.mark.parametrize("supply", [np.inf, 10.0, 1e-9, "mixed"])
@pytest.mark.parametrize("freight", [0.0, 0.2])
def test_armington_stays_finite(origins: int, supply: Any, freight: float) -> None:
    rng = np.random.default_rng(origins)
    sigma, eta = (grid.ravel() for grid in np.meshgrid(SIGMAS, (0.0, 1.0, 4.0), indexing="ij"))
    product = np.repeat(np.arange(9), origins)
    size = product.size
    eps = rng.choice([1e-9, 1.0, 1e9, np.inf], size) if supply == "mixed" else supply
    for _ in range(8):
        v0, t0, t1 = rng.choice(VALUES, size), rng.choice(RATES, size), rng.choice(RATES, size)
        for tier in TIERS:
            after = armington(product, v0, t0, t1, sigma, eta, supply=eps, freight=freight, **tier)
            for name in after.__dataclass_fields__:
                assert np.isfinite(getattr(after, name)).all(), name
            assert (after.quantity_hat >= 0.0).all()
            assert (after.value >= 0.0).all()
            # Supply all but fixed leaves prices to the last digits: only there Newton gives way.
            assert supply in (1e-9, "mixed") or not (after.status == STATUS.index("bisected")).any()


def test_passthrough_and_smart_stay_finite() -> None:
    v0, t0, t1, sigma = (grid.ravel() for grid in np.meshgrid(VALUES, RATES, RATES, SIGMAS))
    found: list[Any] = [passthrough(v0, t0, t1, sigma)]
    rising = t1 >= t0
    found += [
        passthrough(v0[rising], t0[rising], t1[rising], sigma[rising], form=form, supply=2.0)
        for form in ("linear", "logpoint", "midpoint")
    ]
    found += [smart(np.arange(v0.size) // 5, v0, t0, t1, -2.0, 1.5, supply=np.where(v0 > 1.0, 3.0, np.inf))]
    for after in found:
        for name in after.__dataclass_fields__:
            column = getattr(after, name)
            if isinstance(column, np.ndarray):
                assert np.isfinite(column).all(), name
        assert (after.quantity_hat >= 0.0).all()


def test_a_prohibitive_duty_ends_trade() -> None:
    after = armington([1, 1], [100.0, 50.0], 0.0, [1e9, 0.0], 5.0, 1.5)
    assert after.value[0] < 1e-30
    assert after.value[1] > 50.0
    assert after.import_price_hat[0] == pytest.approx((1 / 3) ** (1 / -4.0))


def test_one_product_may_have_every_line() -> None:
    size = 100_000
    one = armington(np.zeros(size, dtype=int), np.ones(size), 0.0, 0.25, 5.0, 1.5)
    np.testing.assert_allclose(one.quantity_hat, 1.25**-1.5, rtol=1e-12)


def test_an_empty_table_has_an_empty_answer() -> None:
    after = armington(np.zeros(0, dtype=int), [], 0.0, 0.1, 3.0, 1.5)
    assert after.value.size == after.welfare.size == 0


GOOD: dict[str, Any] = {
    "product": [4, 4, 9],
    "v0": [1.0, 2.0, 3.0],
    "t0": [0.0, 0.0, 0.0],
    "t1": [0.1, 0.1, 0.1],
    "sigma": [3.0, 3.0],
    "eta": [1.5, 1.5],
}


def with_(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


@pytest.mark.parametrize("model", [armington, armington_hats])
@pytest.mark.parametrize(
    ("arguments", "field", "line"),
    [
        (with_(t1=[0.1, -1.0, 0.1]), "t1", "1"),
        (with_(t0=[0.1, 0.1, -1.5]), "t0", "2"),
        (with_(t1=[np.nan, 0.1, 0.1]), "t1", "0"),
        (with_(t1=[0.1, np.inf, 0.1]), "t1", "1"),
        (with_(v0=[1.0, -2.0, 3.0]), "v0", "1"),
        (with_(v0=[1.0, np.nan, 3.0]), "v0", "1"),
        (with_(sigma=[3.0, -0.1]), "sigma", "2"),
        (with_(sigma=[3.0, np.nan]), "sigma", "2"),
        (with_(eta=[-1.0, 1.0]), "eta", "0"),
        (with_(eta=[np.nan, 1.0]), "eta", "0"),
        (with_(supply=[1.0, 0.0, 1.0]), "supply", "1"),
        (with_(freight=[0.0, 0.0, -0.1]), "freight", "2"),
    ],
)
def test_bad_values_are_refused_with_their_line(
    model: Callable[..., object], arguments: dict[str, Any], field: str, line: str
) -> None:
    with pytest.raises(InputError) as caught:
        model(**arguments)
    assert caught.value.reason == "PARAMETER_INVALID"
    assert caught.value.field == field
    assert caught.value.metadata["line"] == line


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (with_(sigma=[1.0, 2.0, 3.0, 4.0]), "sigma"),
        (with_(t1=[0.1]), "t1"),
        (with_(v0=["a", "b", "c"]), "v0"),
        (with_(product=[1.5, 2.0, 3.0]), "product"),
        (with_(domestic=5.0), "kappa"),
    ],
)
def test_bad_shapes_are_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        armington(**arguments)
    assert caught.value.field == field


def test_the_other_models_refuse_alike() -> None:
    with pytest.raises(InputError) as caught:
        passthrough([1.0, 1.0], 0.0, 0.1, 1.0, theta=[0.5, 1.5])
    assert (caught.value.field, caught.value.metadata["line"]) == ("theta", "1")
    with pytest.raises(InputError) as caught:
        smart([1, 1], [1.0, 1.0], 0.0, 0.1, 1.2, 1.5)
    assert caught.value.field == "import_elasticity"
    with pytest.raises(InputError, match="form"):
        passthrough([1.0], 0.0, 0.1, 1.0, form="cubic")  # type: ignore[arg-type]
