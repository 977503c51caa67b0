"""Passthrough, SMART and GSIM: their formulas, published figures, and values that every model refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.client import Client
from tariffs.engine.errors import InputError
from tariffs.engine.response import FORMS, armington, gsim, gsim_imports, passthrough, smart

FLOWS = np.array([[0, 50, 200, 300], [500, 0, 150, 200], [300, 100, 200, 200], [50, 100, 110, 20]])
POWER = np.array(
    [[1, 1.21, 1.41, 1.22], [1.37, 1, 1.31, 1.23], [1.32, 1.36, 1, 1.18], [1.57, 1.41, 1.25, 1.15]]
)
FREE = POWER.copy()
FREE[0, 2] = FREE[2, 0] = 1.0


@pytest.mark.parametrize(
    ("form", "expected"), [("ces", 0.5724), ("midpoint", 0.5652), ("logpoint", 0.4421), ("linear", 0.375)]
)
def test_forms_of_demand_differ_as_published(form: str, expected: float) -> None:
    after = passthrough([100.0], 0.0, 0.25, 2.5, form=form)  # type: ignore[arg-type]
    assert after.quantity_hat[0] == pytest.approx(expected, abs=5e-5)
    assert after.form == form
    assert (after.welfare is not None) == (form == "ces")


def test_log_pass_through_gives_the_dollar_one_and_a_small_loss_is_a_triangle() -> None:
    after = passthrough([100.0], 0.0, 0.25, 2.5, theta=0.94)
    assert (after.price_hat[0] - 1.0) / 0.25 == pytest.approx(0.9335, abs=5e-5)
    lone = passthrough([5e4], 0.0, 1e-3, 2.5)
    assert lone.deadweight_loss is not None
    assert lone.deadweight_loss[0] == pytest.approx(0.5 * 2.5 * 1e-6 * 5e4, rel=5e-3)


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


def test_smart_equals_the_ratio_form_of_two_groups() -> None:
    a, b, sigma, t1 = 100.0, 60.0, 1.5, 0.02
    after = smart([1, 1], [a, b], 0.0, [t1, 0.0], 0.0, sigma)
    x = -sigma * t1
    assert after.diversion[0] == pytest.approx(a * b * x / (a + b + a * x), rel=2e-2)
    assert after.diversion[1] == -after.diversion[0]
    held = smart([1, 1], [a, b], [0.5, 0.0], [0.8, 0.1], -1.0, sigma)
    assert held.import_price_hat[0] == pytest.approx((1.5 * a * 1.2 + b * 1.1) / (1.5 * a + b), rel=1e-12)


def test_smart_caps_diversion_at_the_trade_there_is() -> None:
    after = smart([1, 1, 1], [10.0, 60.0, 30.0], 0.0, [4.0, 0.0, 0.0], 0.0, 2.0)
    np.testing.assert_allclose(after.diversion, [-10.0, 20.0 / 3.0, 10.0 / 3.0], rtol=1e-12)
    prohibited = smart([1, 1], [10.0, 60.0], 0.0, [4.0, 4.0], -2.0, 2.0)
    np.testing.assert_allclose(prohibited.value, 0.0, atol=1e-12)


def test_23_gsim_reproduces_the_published_world_prices_and_clears_markets() -> None:
    after = gsim(FLOWS, POWER, FREE, -1.25, 1.5, 5.0)
    np.testing.assert_allclose(after.price_hat - 1.0, [0.07918, -0.03162, 0.04805, -0.01837], atol=5e-6)
    sold = (FLOWS * after.quantity_hat).sum(axis=1) / FLOWS.sum(axis=1) - 1.0
    np.testing.assert_allclose(sold, 1.5 * (after.price_hat - 1.0), rtol=1e-12)
    change = after.import_price_hat - 1.0
    spending = (FLOWS * POWER).sum(axis=0)
    np.testing.assert_allclose(after.buyer_surplus, -spending * (change - 0.625 * change**2), rtol=1e-12)
    published = spending * (-0.625 * change**2 * np.sign(change) - change)
    np.testing.assert_allclose(after.buyer_surplus_published, published, rtol=1e-12)
    dearer = change > 0.0
    assert (after.buyer_surplus_published[dearer] < after.buyer_surplus[dearer]).all()
    parts = after.supplier_surplus + after.buyer_surplus + after.revenue - after.revenue_base
    np.testing.assert_allclose(after.welfare, parts)
    still = gsim(FLOWS, POWER, POWER, -1.25, 1.5, 5.0)
    np.testing.assert_allclose(still.price_hat, 1.0, rtol=1e-14)
    np.testing.assert_allclose(still.welfare, 0.0, atol=1e-9)


PRODUCT, VALUE = np.array([7, 7, 7, 9, 9, 7]), np.array([100.0, 40.0, 0.0, 30.0, 70.0, 60.0])
BEFORE, AFTER = np.array([0.0, 0.05, 0.1, 0.02, 0.0, 0.0]), np.array([0.1, 0.05, 0.2, 0.12, 0.07, 0.03])
DEMAND, BETWEEN, RISING = np.array([-1.5, -0.8]), np.array([4.0, 2.5]), np.array([10.0, 3.0])


def one_importer(after: Any = AFTER, **supply: Any) -> Any:
    return gsim_imports(PRODUCT, VALUE, BEFORE, after, DEMAND, BETWEEN, **supply)


def test_every_product_is_the_gsim_of_one_importer() -> None:
    """The importer is region 0, each line of a product another region; nobody else buys."""
    found = one_importer(supply=RISING)
    for k, product in enumerate((7, 9)):
        lines = np.flatnonzero(product == PRODUCT)
        flows, (before, after) = np.zeros((lines.size + 1,) * 2), np.ones((2, *(lines.size + 1,) * 2))
        flows[1:, 0], before[1:, 0], after[1:, 0] = VALUE[lines], 1 + BEFORE[lines], 1 + AFTER[lines]
        whole = gsim(flows, before, after, DEMAND[k], RISING[k], BETWEEN[k])
        traded = VALUE[lines] > 0.0
        for ours, theirs in (
            (found.exporter_price_hat, whole.price_hat),
            (found.quantity_hat, whole.quantity_hat[:, 0]),
            (found.value, whole.value[:, 0]),
        ):
            np.testing.assert_allclose(ours[lines][traded], theirs[1:][traded], rtol=1e-12)
        sums = found.buyer_surplus[k], found.import_price_hat[k], found.supplier_surplus[k], found.welfare[k]
        expected = whole.buyer_surplus[0], whole.import_price_hat[0], whole.supplier_surplus[1:].sum()
        welfare = whole.buyer_surplus[0] + whole.revenue[0] - whole.revenue_base[0]
        assert sums == pytest.approx((*expected, welfare), rel=1e-12)
        assert abs(found.diversion[product == PRODUCT].sum()) < 1e-12 * VALUE.sum()
    change = VALUE * (found.quantity_hat - 1.0)
    np.testing.assert_allclose(found.creation + found.diversion, change, atol=1e-12)


def test_gsim_of_one_importer_at_its_limits() -> None:
    flat, steep = one_importer(), one_importer(supply=1e12)
    assert (flat.exporter_price_hat == 1.0).all()
    np.testing.assert_allclose(flat.quantity_hat, steep.quantity_hat, rtol=1e-9)
    np.testing.assert_allclose(flat.welfare, steep.welfare, rtol=1e-8)
    same = one_importer(BEFORE, supply=RISING)
    assert (same.quantity_hat == 1.0).all()
    assert (same.welfare == 0.0).all()
    prohibitive = one_importer(np.array([1e4, 0, 0, 1e9, 0, 0]), supply=RISING)
    assert (prohibitive.quantity_hat >= 0.0).all()
    assert (prohibitive.value >= 0.0).all()
    assert np.isfinite(prohibitive.welfare).all()


def test_an_impact_takes_gsim_by_name() -> None:
    toys = pl.DataFrame({"hts": ["9503000073"] * 2, "origin": ["DE", "CN"], "customs_value": [40.0, 60.0]})
    asked: Any = {"on": "2025-12-01", "baseline": "2025-01-01", "horizon": "short", "include_lines": True}
    with Client.local() as client:
        found = client.impact(toys, response="gsim", **asked)
    assert found.lines is not None
    rates = (found.lines["duty"] / found.lines["customs_value"]).to_numpy()
    # Section XX at `short`: sigma 2.31, eta 1.5, supply 36.
    expected = gsim_imports([0, 0], [40.0, 60.0], 0.0, rates, -1.5, 2.31, supply=36.0)
    np.testing.assert_allclose(found.lines["quantity_hat"].to_numpy(), expected.quantity_hat, rtol=1e-12)
    assert found.total["welfare"].item() == pytest.approx(expected.welfare[0], rel=1e-12)
    assert found.provenance["details"]["response"] == "gsim"  # type: ignore[index]


@pytest.mark.parametrize("sigma", [1.0, 1.0 - 1e-12, 1.0 + 1e-9, 1.0 + 1e-6])
@pytest.mark.parametrize("v0", [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [5.0, 2.0, 7.0]])
@pytest.mark.parametrize("t1", [0.0, 0.25, 1e9])
def test_24_every_model_is_finite_at_the_edges(sigma: float, v0: list[float], t1: float) -> None:
    """Prohibitive duties, no trade, a single origin, sigma near 1."""
    duty, flows, power = [t1, 0.0, t1], np.zeros((3, 3)), np.ones((3, 3))
    flows[0], power[0] = v0, [1.0, 1.0 + t1, 1.0 + t1]
    answers: list[Any] = [
        armington([1, 1, 2], v0, 0.0, duty, sigma, sigma, supply=10.0),
        armington([1, 1, 2], v0, 0.0, duty, sigma, 1.5, kappa=sigma, domestic=3.0),
        *(passthrough(v0, 0.0, duty, sigma, supply=10.0, form=form) for form in FORMS),
        smart([1, 1, 2], v0, 0.0, duty, -sigma, sigma, supply=10.0),
        gsim(flows, np.ones((3, 3)), power, -1.25, 1.5, sigma),
    ]
    for found in answers:
        columns = {name: getattr(found, name) for name in found.__dataclass_fields__}
        numbers = {name: one for name, one in columns.items() if isinstance(one, np.ndarray)}
        assert all(np.isfinite(one).all() for one in numbers.values()), type(found).__name__


LINES: dict[str, Any] = {"product": [4, 4, 9], "v0": [1.0, 2.0, 3.0], "t0": [0.0] * 3, "t1": [0.1] * 3}
GOOD = {**LINES, "sigma": [3.0, 3.0], "eta": [1.5, 1.5]}
TIERED = {**GOOD, "kappa": [1.2, 1.2], "domestic": [5.0, 5.0], "supply_domestic": [2.0, 2.0]}
ALONE: dict[str, Any] = {"v0": [1.0, 2.0], "t0": [0.0, 0.0], "t1": [0.1, 0.1], "elasticity": [1.0, 2.0]}
DIRECT = {**LINES, "sigma": [3.0, 3.0], "import_elasticity": [-1.0, -1.0]}
TWO = np.array([[0.0, 50.0], [30.0, 0.0]])
WORLD: dict[str, Any] = {
    "flows": TWO, "power0": np.full((2, 2), 1.1), "power1": np.full((2, 2), 1.2), "import_elasticity": -1.0,
    "supply": 1.5, "substitution": 5.0,
}  # fmt: skip
MATRICES: dict[str, Any] = {
    "product": PRODUCT, "v0": VALUE, "t0": BEFORE, "t1": AFTER, "import_elasticity": DEMAND,
    "substitution": BETWEEN,
}  # fmt: skip
NINE, FOUR = {"product": "9", "line": "2"}, {"product": "4", "line": "0"}
FIRST, SECOND = {"line": "0"}, {"line": "1"}


def spoilt(values: Any, *place: int, value: float) -> Any:
    """A copy with one bad value."""
    found = np.array(values, dtype=float)
    found[place] = value
    return found


@pytest.mark.parametrize(
    ("model", "good", "field", "bad", "where"),
    [
        *(
            (model, good, field, spoilt(good[field], line, value=bad), {"line": str(line)})
            for model, good in ((armington, GOOD), (passthrough, ALONE), (smart, DIRECT))
            for field, line, bad in (
                ("t1", 1, -1.0), ("t1", 0, np.nan), ("t1", 1, np.inf), ("t0", 0, -1.5), ("v0", 1, -2.0),
                ("v0", 0, np.nan),
            )
        ),
        *((armington, GOOD, "sigma", [3.0, bad], NINE) for bad in (-0.1, np.nan)),
        *((armington, GOOD, field, None, FOUR) for field in ("sigma", "eta")),
        (armington, GOOD, "eta", [1.0, np.nan], NINE),
        *((armington, TIERED, "kappa", [1.2, bad], NINE) for bad in (-0.1, np.nan)),
        (smart, DIRECT, "sigma", [3.0, -0.1], NINE),
        (smart, DIRECT, "sigma", None, FOUR),
        (armington, GOOD, "eta", [-1.0, 1.0], FOUR),
        (armington, GOOD, "supply", [1.0, 0.0, 1.0], SECOND),
        (armington, GOOD, "freight", [0.0, 0.0, -0.1], {"line": "2"}),
        (armington, TIERED, "domestic", [5.0, -1.0], NINE),
        (armington, TIERED, "supply_domestic", [0.0, 2.0], FOUR),
        *((passthrough, ALONE, "elasticity", [1.0, bad], SECOND) for bad in (-2.0, np.nan)),
        (passthrough, ALONE, "elasticity", None, FIRST),
        (passthrough, ALONE, "theta", [0.5, 1.5], SECOND),
        (passthrough, ALONE, "supply", [1.0, 0.0], SECOND),
        (passthrough, ALONE, "freight", [0.0, -0.1], SECOND),
        (smart, DIRECT, "sigma", [np.nan, 3.0], FOUR),
        (smart, DIRECT, "import_elasticity", [-1.0, 1.2], NINE),
        (smart, DIRECT, "import_elasticity", None, FOUR),
        (smart, DIRECT, "supply", [1.0, 0.0, 1.0], SECOND),
        (gsim, WORLD, "flows", spoilt(TWO, 0, 1, value=-50.0), {"exporter": "0", "importer": "1"}),
        (gsim, WORLD, "flows", spoilt(TWO, 1, 0, value=np.nan), {"exporter": "1", "importer": "0"}),
        (gsim, WORLD, "power0", spoilt(TWO + 1.0, 1, 1, value=np.nan), {"exporter": "1", "importer": "1"}),
        (gsim, WORLD, "power1", spoilt(TWO + 1.0, 1, 0, value=0.0), {"exporter": "1", "importer": "0"}),
        *(
            (gsim, WORLD, field, [good, bad], {"region": "1"})
            for field, good, bad in (
                ("import_elasticity", -1.0, 0.5), ("supply", 1.5, 0.0), ("substitution", 5.0, -5.0),
            )
        ),
        (gsim, WORLD, "import_elasticity", None, {"region": "0"}),
        (gsim, WORLD, "supply", np.inf, {"region": "0"}),
        (gsim, WORLD, "substitution", None, {"region": "0"}),
        (gsim_imports, MATRICES, "v0", -VALUE, FIRST),
        (armington, GOOD, "sigma", [1.0, 2.0, 3.0, 4.0], {}),
        (armington, GOOD, "t1", [0.1], {}),
        (armington, GOOD, "v0", ["a", "b", "c"], {}),
        (armington, GOOD, "product", [1.5, 2.0, 3.0], {}),
        (armington, TIERED, "kappa", None, {}),
    ],
)  # fmt: skip
def test_25_every_model_refuses_what_it_cannot_use_and_says_where(
    model: Callable[..., object], good: dict[str, Any], field: str, bad: Any, where: dict[str, str]
) -> None:
    model(**good)
    with pytest.raises(InputError) as caught:
        model(**{**good, field: bad})
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", field)
    assert where.items() <= caught.value.metadata.items()


def test_a_demand_without_finite_answer_or_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match="line 1") as caught:
        passthrough([1.0, 1.0], 9.0, [9.0, 0.0], 5.0, form="midpoint")
    assert caught.value.reason == "PARAMETER_INVALID"
    with pytest.raises(InputError, match="form"):
        passthrough([1.0], 0.0, 0.1, 1.0, form="cubic")  # type: ignore[arg-type]
