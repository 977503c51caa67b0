"""Extreme and bad inputs (numerical tests 24 and 25)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.response import STATUS, armington, gsim, passthrough, smart

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
def test_bad_values_are_refused_with_their_line(arguments: dict[str, Any], field: str, line: str) -> None:
    with pytest.raises(InputError) as caught:
        armington(**arguments)
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


TIERED: dict[str, Any] = {**GOOD, "kappa": [1.2, 1.2], "domestic": [5.0, 5.0], "supply_domestic": [2.0, 2.0]}
ALONE: dict[str, Any] = {"v0": [1.0, 2.0], "t0": [0.0, 0.0], "t1": [0.1, 0.1], "elasticity": [1.0, 2.0]}
DIRECT: dict[str, Any] = {
    **{name: GOOD[name] for name in ("product", "v0", "t0", "t1", "sigma")},
    "import_elasticity": [-1.0, -1.0],
}
FLOWS = np.array([[0.0, 50.0], [30.0, 0.0]])
WORLD: dict[str, Any] = {
    "flows": FLOWS, "power0": np.full((2, 2), 1.1), "power1": np.full((2, 2), 1.2), "import_elasticity": -1.0,
    "supply": 1.5, "substitution": 5.0,
}  # fmt: skip


def spoilt(values: Any, *place: int, value: float) -> Any:
    """A copy with one bad value."""
    found = np.array(values, dtype=float)
    found[place] = value
    return found


@pytest.mark.parametrize("missing", ["sigma", "eta"])
def test_a_missing_elasticity_is_refused_with_its_line(missing: str) -> None:
    for bad in (None, np.nan, [3.0, np.nan]):
        with pytest.raises(InputError) as caught:
            armington(**with_(**{missing: bad}))
        assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", missing)
        assert caught.value.metadata["line"] == ("2" if isinstance(bad, list) else "0")


@pytest.mark.parametrize(
    ("model", "good", "field", "bad", "where"),
    [
        (armington, TIERED, "kappa", [1.2, -0.1], {"product": "9", "line": "2"}),
        (armington, TIERED, "kappa", [1.2, np.nan], {"product": "9", "line": "2"}),
        (armington, TIERED, "domestic", [5.0, -1.0], {"product": "9", "line": "2"}),
        (armington, TIERED, "supply_domestic", [0.0, 2.0], {"product": "4", "line": "0"}),
        (passthrough, ALONE, "t1", [0.1, -1.0], {"line": "1"}),
        (passthrough, ALONE, "t0", [-2.0, 0.0], {"line": "0"}),
        (passthrough, ALONE, "t1", [0.1, np.nan], {"line": "1"}),
        (passthrough, ALONE, "v0", [1.0, -2.0], {"line": "1"}),
        (passthrough, ALONE, "v0", [np.nan, 2.0], {"line": "0"}),
        (passthrough, ALONE, "elasticity", [1.0, -2.0], {"line": "1"}),
        (passthrough, ALONE, "elasticity", [1.0, np.nan], {"line": "1"}),
        (passthrough, ALONE, "elasticity", None, {"line": "0"}),
        (passthrough, ALONE, "theta", [0.5, 1.5], {"line": "1"}),
        (passthrough, ALONE, "supply", [1.0, 0.0], {"line": "1"}),
        (passthrough, ALONE, "freight", [0.0, -0.1], {"line": "1"}),
        (smart, DIRECT, "t1", [0.1, 0.1, -1.0], {"line": "2"}),
        (smart, DIRECT, "t0", [0.0, np.nan, 0.0], {"line": "1"}),
        (smart, DIRECT, "v0", [1.0, -2.0, 3.0], {"line": "1"}),
        (smart, DIRECT, "v0", [1.0, np.nan, 3.0], {"line": "1"}),
        (smart, DIRECT, "sigma", [3.0, -0.1], {"product": "9", "line": "2"}),
        (smart, DIRECT, "sigma", [np.nan, 3.0], {"product": "4", "line": "0"}),
        (smart, DIRECT, "sigma", None, {"product": "4", "line": "0"}),
        (smart, DIRECT, "import_elasticity", [-1.0, 1.2], {"product": "9", "line": "2"}),
        (smart, DIRECT, "import_elasticity", None, {"product": "4", "line": "0"}),
        (smart, DIRECT, "supply", [1.0, 0.0, 1.0], {"line": "1"}),
        (gsim, WORLD, "flows", spoilt(FLOWS, 0, 1, value=-50.0), {"exporter": "0", "importer": "1"}),
        (gsim, WORLD, "flows", spoilt(FLOWS, 1, 0, value=np.nan), {"exporter": "1", "importer": "0"}),
        (gsim, WORLD, "power0", spoilt(FLOWS + 1.0, 1, 1, value=np.nan), {"exporter": "1", "importer": "1"}),
        (gsim, WORLD, "power1", spoilt(FLOWS + 1.0, 1, 0, value=0.0), {"exporter": "1", "importer": "0"}),
        (gsim, WORLD, "power1", spoilt(FLOWS + 1.0, 0, 0, value=-0.5), {"exporter": "0", "importer": "0"}),
        (gsim, WORLD, "import_elasticity", [-1.0, 0.5], {"region": "1"}),
        (gsim, WORLD, "import_elasticity", None, {"region": "0"}),
        (gsim, WORLD, "supply", [1.5, -1.0], {"region": "1"}),
        (gsim, WORLD, "substitution", [5.0, -5.0], {"region": "1"}),
        (gsim, WORLD, "substitution", None, {"region": "0"}),
    ],
)
def test_every_model_refuses_what_it_cannot_use_and_says_where(
    model: Callable[..., object], good: dict[str, Any], field: str, bad: Any, where: dict[str, str]
) -> None:
    model(**good)
    with pytest.raises(InputError) as caught:
        model(**{**good, field: bad})
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", field)
    assert caught.value.metadata == where


def test_an_unknown_form_of_demand_is_refused() -> None:
    with pytest.raises(InputError, match="form"):
        passthrough([1.0], 0.0, 0.1, 1.0, form="cubic")  # type: ignore[arg-type]


@pytest.mark.parametrize("sigma", [1.0, 1.0 - 1e-12, 1.0 + 1e-9, 1.0 + 1e-6])
@pytest.mark.parametrize("v0", [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [5.0, 2.0, 7.0]])
@pytest.mark.parametrize("t1", [0.0, 0.25, 1e9])
def test_every_model_is_finite_at_the_edges(sigma: float, v0: list[float], t1: float) -> None:
    """Prohibitive duties, no trade, a single origin, sigma near 1."""
    duty, flows, power = [t1, 0.0, t1], np.zeros((3, 3)), np.ones((3, 3))
    flows[0], power[0] = v0, [1.0, 1.0 + t1, 1.0 + t1]
    for found in (
        armington([1, 1, 2], v0, 0.0, duty, sigma, sigma, supply=10.0),
        armington([1, 1, 2], v0, 0.0, duty, sigma, 1.5, kappa=sigma, domestic=3.0),
        passthrough(v0, 0.0, duty, sigma, supply=10.0),
        smart([1, 1, 2], v0, 0.0, duty, -sigma, sigma, supply=10.0),
        gsim(flows, np.ones((3, 3)), power, -1.25, 1.5, sigma),
    ):
        for name in found.__dataclass_fields__:
            column = getattr(found, name)
            if isinstance(column, np.ndarray):
                assert np.isfinite(column).all(), (type(found).__name__, name)


@given(
    st.lists(
        st.tuples(st.sampled_from(VALUES), st.sampled_from(RATES), st.sampled_from(RATES)),
        min_size=1,
        max_size=30,
    ),
    st.floats(0.0, 30.0),
    st.floats(0.0, 4.0),
    st.sampled_from([np.inf, 10.0, 1e-9]),
)
def test_random_extremes_stay_finite(
    lines: list[tuple[float, float, float]], sigma: float, eta: float, supply: float
) -> None:
    v0, t0, t1 = (np.array(column) for column in zip(*lines, strict=True))
    product = np.zeros(v0.size, dtype=int)
    for found in (
        armington(product, v0, t0, t1, sigma, eta, supply=supply),
        passthrough(v0, t0, t1, eta, supply=supply),
        smart(product, v0, t0, t1, -eta, sigma, supply=supply),
    ):
        for name in found.__dataclass_fields__:
            column = getattr(found, name)
            if isinstance(column, np.ndarray):
                assert np.isfinite(column).all(), (type(found).__name__, name)
        assert (found.quantity_hat >= 0.0).all()
