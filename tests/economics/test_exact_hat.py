"""Exact hat algebra: identities, a slow version from the demand system, and Armington with one nest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tariffs.engine.errors import InputError
from tariffs.engine.response import armington, exact_hat
from tests.economics.independent.exact_hat import Good, slow_sector

THETA, DOMESTIC = np.array([0.4, 4.49, 12.9, 64.85]), np.array([0.0, 300.0, 2_000.0, 50.0])
SECTORS, ORIGINS, LINES = 4, 6, 90


def lines_of(seed: int) -> dict[str, Any]:
    """Draw lines of four sectors, some without value, some prohibited."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.0, 0.2, LINES)
    return {
        "sector": rng.integers(0, SECTORS, LINES),
        "origin": rng.integers(0, ORIGINS, LINES),
        "v0": np.where(rng.random(LINES) < 0.1, 0.0, rng.uniform(1.0, 100.0, LINES)),
        "t0": base,
        "t1": base + rng.uniform(-0.15, 0.8, LINES),
        "theta": THETA,
        "domestic": DOMESTIC,
        "prohibited": rng.random(LINES) < 0.1,
    }


def by_sector(lines: dict[str, Any], amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.bincount(lines["sector"], amounts, SECTORS).astype(np.float64)
    return sums


@pytest.mark.parametrize("seed", range(5))
def test_values_surplus_and_price_are_those_of_the_slow_version(seed: int) -> None:
    lines = lines_of(seed)
    found = exact_hat(**lines)
    for sector in range(SECTORS):
        mine = np.flatnonzero(lines["sector"] == sector)
        columns = ("origin", "v0", "t0", "t1", "prohibited")
        goods = [
            Good(str(k), str(origin), value, before, None if out else after)
            for k, (origin, value, before, after, out) in zip(
                mine, zip(*(lines[name][mine] for name in columns), strict=True), strict=True
            )
        ]
        slow = slow_sector(goods, THETA[sector], DOMESTIC[sector])
        np.testing.assert_allclose(found.value[mine], slow.values, rtol=1e-9)
        np.testing.assert_allclose(found.buyer_surplus[mine], slow.surplus, rtol=1e-9, atol=1e-9)
        assert found.price_hat[sector] == pytest.approx(slow.price, rel=1e-12)
        if DOMESTIC[sector]:
            assert found.domestic_hat[sector] == pytest.approx(slow.domestic, rel=1e-9)
        paid = sum(v * (g.after or 0.0) - g.value * g.before for v, g in zip(slow.values, goods, strict=True))
        assert found.welfare[sector] == pytest.approx(sum(slow.surplus) + paid, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_shares_sum_to_1_and_the_domestic_share_alone_gives_price_and_surplus(seed: int) -> None:
    """Arkolakis, Costinot and Rodriguez-Clare: with the price of domestic goods as the unit."""
    lines = lines_of(seed)
    found = exact_hat(**lines)
    home = found.domestic_share
    np.testing.assert_allclose(by_sector(lines, found.share_base) + home, 1.0, rtol=1e-13)
    np.testing.assert_allclose(by_sector(lines, found.share) + home * found.domestic_hat, 1.0, rtol=1e-12)
    surplus = by_sector(lines, found.buyer_surplus)
    np.testing.assert_allclose(surplus, -found.spending * np.log(found.price_hat), rtol=1e-12)
    inside = DOMESTIC > 0.0
    price = (found.domestic_hat ** (1.0 / THETA))[inside]
    np.testing.assert_allclose(price, found.price_hat[inside], rtol=1e-12)


def test_no_change_of_duty_changes_no_bit() -> None:
    lines = {**lines_of(1), "prohibited": False}
    found = exact_hat(**{**lines, "t1": lines["t0"]})
    for hats in (found.quantity_hat, found.price_hat, found.domestic_hat):
        assert (hats == 1.0).all()
    assert (found.value == lines["v0"]).all()
    assert (found.buyer_surplus == 0.0).all()
    assert (found.welfare == 0.0).all()


def test_one_origin_without_domestic_goods_has_the_price_of_its_duty_and_no_other_spending() -> None:
    found = exact_hat([3, 3], [5, 5], [60.0, 40.0], [0.0, 0.1], [0.3, 0.4], 4.49)
    power = (60.0 * 1.3 + 40.0 * 1.4) / (60.0 + 44.0)
    assert found.price_hat[0] == pytest.approx(power, rel=1e-14)
    np.testing.assert_allclose(found.quantity_hat, 1.0 / power, rtol=1e-14)
    assert found.share.sum() == pytest.approx(1.0, rel=1e-14)


def test_as_theta_goes_to_0_shares_stay() -> None:
    lines = {**lines_of(2), "theta": 1e-9, "prohibited": False}
    found, cell = exact_hat(**lines), lines["sector"] * ORIGINS + lines["origin"]
    before, after = (np.bincount(cell, share) for share in (found.share_base, found.share))
    np.testing.assert_allclose(after, before, rtol=1e-8)
    landed, now = (np.bincount(cell, lines["v0"] * (1.0 + lines[rate])) for rate in ("t0", "t1"))
    power = np.divide(now, landed, out=np.ones_like(now), where=landed > 0.0)
    mean = (before * np.log(power)).reshape(SECTORS, -1).sum(axis=1)
    np.testing.assert_allclose(np.log(found.price_hat), mean, rtol=1e-7)


def test_as_theta_grows_only_the_cheapest_origin_is_left() -> None:
    found = exact_hat([0] * 3, [0, 1, 2], [1.0, 50.0, 900.0], 0.0, [0.01, 0.02, 0.5], 1e5)
    np.testing.assert_allclose(found.share, [1.0, 0.0, 0.0], atol=1e-12)
    assert found.price_hat[0] == pytest.approx(1.01, rel=1e-3)
    at_home = exact_hat([0], [0], [900.0], 0.0, 0.1, 1e6, domestic=1.0)
    assert (at_home.value[0], at_home.domestic_hat[0]) == (0.0, pytest.approx(901.0))


def test_armington_with_one_nest_of_origins_and_domestic_goods_is_the_same() -> None:
    """One good of each origin, domestic goods as an origin without duty, sigma 1 + theta and constant spending."""
    value = np.array([100.0, 250.0, 40.0, 700.0])
    before, after = np.array([0.0, 0.03, 0.1, 0.0]), np.array([0.25, 0.03, 0.0, 0.0])
    theta = 4.49
    nest = armington([0] * 4, value, before, after, 1.0 + theta, 1.0)
    found = exact_hat([0] * 3, range(3), value[:3], before[:3], after[:3], theta, domestic=value[3])
    np.testing.assert_allclose(found.quantity_hat, nest.quantity_hat[:3], rtol=1e-12)
    assert found.domestic_hat[0] == pytest.approx(nest.quantity_hat[3], rel=1e-12)
    assert found.buyer_surplus.sum() == pytest.approx(nest.buyer_surplus[0], rel=1e-12)


def test_prohibited_goods_are_as_goods_at_a_rate_that_nobody_pays() -> None:
    lines = {**lines_of(3), "prohibited": False}
    shut, steep = lines["origin"] == 2, THETA >= 4.0
    prohibited = exact_hat(**{**lines, "prohibited": shut})
    priced = exact_hat(**{**lines, "t1": np.where(shut, 1e300, lines["t1"])})
    assert (prohibited.value[shut] == 0.0).all()
    np.testing.assert_allclose(prohibited.price_hat[steep], priced.price_hat[steep], rtol=1e-12)
    assert np.isfinite(prohibited.buyer_surplus).all()
    # A sector of which nothing is left has no finite loss.
    out = exact_hat([0, 1], [0, 0], [5.0, 5.0], 0.0, 0.1, 4.0, prohibited=[True, False])
    assert out.price_hat.tolist() == [np.inf, pytest.approx(1.1)]
    assert np.isnan([out.welfare[0], out.buyer_surplus[0]]).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lines_changes_no_bit_and_a_split_no_answer(seed: int) -> None:
    lines = lines_of(seed)
    order = np.random.default_rng(seed).permutation(LINES)
    names = ("sector", "origin", "v0", "t0", "t1", "prohibited")
    moved = exact_hat(**{**lines, **{name: lines[name][order] for name in names}})
    found = exact_hat(**lines)
    assert np.array_equal(moved.value, found.value[order])
    assert np.array_equal(moved.price_hat, found.price_hat)
    halves = {name: np.repeat(lines[name], 2) for name in names}
    split = exact_hat(**{**lines, **halves, "v0": halves["v0"] / 2})
    np.testing.assert_allclose(split.value[::2] * 2, found.value, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("theta", 0.0, "theta is 0"),
        ("theta", np.nan, "theta is nan"),
        ("v0", [-1.0, 2.0], "line 0: v0"),
        ("t1", [0.0, -1.0], "line 1: t1"),
        ("domestic", -5.0, "domestic is -5"),
        ("origin", [0, -1], "origin"),
        ("origin", [0.5, 1.0], "origin"),
    ],
)
def test_bad_values_are_refused(name: str, value: object, words: str) -> None:
    good: dict[str, Any] = {
        "sector": [0, 0], "origin": [0, 1], "v0": [1.0, 2.0], "t0": 0.0, "t1": 0.1, "theta": 4.0,
    }  # fmt: skip
    with pytest.raises(InputError, match=words):
        exact_hat(**{**good, name: value})
