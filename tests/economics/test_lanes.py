"""The lane kernel: the reference solver step by step, slow versions, and the same bits in any block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.errors import InputError
from tariffs.engine.response import armington
from tariffs.engine.response.lanes.adjustment import DutyPath, DutyStep, LawDuty, PathTrade, RateMoves
from tariffs.engine.response.lanes.lane_sections import LaneSums
from tariffs.engine.response.lanes.lane_table import LaneGroups, LaneTable
from tariffs.engine.response.lanes.law_lanes import LawLanes
from tests.economics.lane_volumes import Columns, at_one_horizon, lane_volumes
from tests.economics.test_adjustment import assert_same, case

SIGMAS = (0.3, 1.0, 1.0 + 1e-13, 1.0 - 1e-9, 1.001, 1.5, 3.0, 8.0, 20.0)
ETAS = (0.0, 0.061, 0.5, 1.0, 1.0 + 1e-9, 1.5, 3.7)
SUPPLIES = (0.0, 0.0, 1.0 / 36.0, 0.05, 0.1, 1.0)
PRODUCTS, GROUPS = 60, 5


@dataclass(frozen=True)
class Edge:
    """Trade with shares of 1e-14, rates after each step, and elasticities of lanes at two horizons."""

    trade: PathTrade
    rates: list[Any]
    columns: list[Any]
    weights: Any
    group: Any
    charges: Any
    vat: Any
    kept: Any

    @property
    def duty(self) -> LawDuty:
        pairs = zip(self.rates, self.rates[1:], strict=False)
        steps = [DutyStep(0.0, RateMoves.between(before, after)) for before, after in pairs]
        values = self.group * 3 + np.arange(self.group.size) % 3
        return LawDuty(
            DutyPath(steps, self.weights), self.rates[-1], self.rates[-1], self.kept, values=values
        )

    def solver(self, threads: int = 1) -> LawLanes:
        nothing = np.zeros(PRODUCTS)
        groups = LaneGroups(self.group, np.arange(PRODUCTS) % 4, GROUPS, 4)
        table = LaneTable(self.trade, groups, self.charges, self.vat, nothing, nothing * np.nan)
        return LawLanes(table, self.duty, threads=threads)

    def at(self, step: int, lane: int) -> Any:
        return np.einsum("ph,hpk->pk", self.weights[step], self.columns[lane].columns)


def edge(seed: int, steps: int, ends: list[float], lanes: int = 7) -> Edge:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 12, PRODUCTS)
    product = np.repeat(np.arange(PRODUCTS), counts)
    size = product.size
    v0 = np.exp(rng.normal(10.0, 3.0, size)) * np.where(rng.random(size) < 0.05, 1e-14, 1.0)
    rates = [rng.choice([0.0, 0.025, 0.1, 0.25], size)]
    for _ in range(steps):
        rates.append(np.where(rng.random(size) < 0.4, rng.choice(ends, size), rates[-1]))
    columns = [
        Columns(
            np.stack([[rng.choice(each, PRODUCTS) for each in (SIGMAS, ETAS, SUPPLIES)] for _ in range(2)])
        )
        for _ in range(lanes)
    ]
    mix = rng.random(steps) if steps > 1 else np.ones(1)
    weights = np.repeat(np.stack([mix, 1.0 - mix], axis=1)[:, None], 3, axis=1)
    kept = (rng.random(size) < 0.9).astype(float)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Edge(
        PathTrade(offsets, product, v0, rates[0]), rates, columns, weights, rng.integers(0, GROUPS, size),
        rng.random(size) * v0, rng.choice([0.0, 0.2], size), kept,
    )  # fmt: skip


def composed(one: Edge, lane: int) -> LaneSums:
    """Sums of the reference solver, called once a step on the trade after the older ones."""
    trade, v0, kept = one.trade, one.trade.v0, one.kept
    value, hat, surplus = v0.copy(), np.ones(v0.size), np.zeros(PRODUCTS)
    for step, (before, after) in enumerate(zip(one.rates, one.rates[1:], strict=False)):
        sigma, eta, w = one.at(step, lane)
        with np.errstate(divide="ignore"):
            found = armington(
                trade.product, value, before, after, sigma, eta, supply=(1.0 / w)[trade.product]
            )
        value, hat, surplus = found.value, hat * found.quantity_hat, surplus + found.buyer_surplus
    duty = value * one.rates[-1] * kept
    growth = np.bincount(trade.product, v0 * hat) / np.bincount(trade.product, v0)
    columns = (
        value * kept, duty, one.charges * hat * kept, v0 * (growth - 1.0)[trade.product], v0 * hat * kept,
        v0 * hat * one.trade.t0 * kept, one.vat * (value * kept + duty),
    )  # fmt: skip
    welfare = surplus + np.bincount(trade.product, duty - v0 * trade.t0)
    owner, values = np.arange(PRODUCTS) % 4, one.duty.values
    assert values is not None
    return LaneSums(
        np.stack([sums_of(one.group, each, GROUPS) for each in columns], axis=1),
        np.stack([sums_of(owner, each, 4) for each in (surplus, welfare)], axis=1),
        sums_of(values, value * kept, 3 * GROUPS),
    )


def assert_near(found: LaneSums, lane: int, expected: LaneSums, rtol: float) -> None:
    for name in ("lines", "owned", "values"):
        mine, theirs = getattr(found, name)[..., lane], getattr(expected, name)
        scale = np.abs(theirs).max(axis=0) + 1e-300
        assert (np.abs(mine[: len(theirs)] - theirs) / scale).max() <= rtol, name


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(
    ("steps", "ends"),
    [(1, [0.0, 0.1, 0.5, 1.45]), (1, [0.0, 0.25, 999.0]), (4, [0.0, 0.1, 1.45]), (4, [0.0, 0.25, 999.0])],
)
def test_lanes_are_the_reference_step_by_step(steps: int, ends: list[float], seed: int) -> None:
    one = edge(seed, steps, ends)
    found = one.solver()(one.columns)
    for lane in range(len(one.columns)):
        assert_near(found, lane, composed(one, lane), 1e-11)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_lane_has_the_same_bits_in_any_block_and_on_any_threads(steps: int) -> None:
    one = edge(5, steps, [0.0, 0.25, 999.0], lanes=40)
    whole = one.solver()(one.columns)
    for size, threads in ((7, 1), (5, 2), (1, 2)):
        for first in (0, 3, 33):
            some = one.solver(threads)(one.columns[first : first + size])
            for name in ("lines", "owned", "values"):
                mine, theirs = getattr(some, name), getattr(whole, name)[..., first : first + size]
                assert np.array_equal(mine, theirs), (name, size)


@pytest.mark.parametrize("steps", [1, 3])
def test_kernels_are_the_same_compiled_and_plain(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from tariffs.engine.response.kernels import lane_stages, lane_sums, lane_terms, lanes, law_lanes

    one = case(11, steps=steps, domestic=True)
    expected = one.volume()
    for module in (lane_stages, lane_sums, lane_terms, lanes, law_lanes):
        for name, kernel in vars(module).copy().items():
            if hasattr(kernel, "py_func"):
                monkeypatch.setattr(module, name, kernel.py_func)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        found = one.volume(threads=1)
    assert_same(found, expected, 1e-12, one.trade.v0.sum())


def test_a_lane_without_finite_answer_is_refused_with_its_line() -> None:
    trade = PathTrade(np.array([0, 1, 3]), np.array([0, 1, 1]), np.full(3, 5.0), np.full(3, 9.0))
    rate = np.array([9.0, 9.0, -0.99])
    path, eta = DutyPath.at_once(trade.t0, rate), np.array([300.0, 300.0])
    with pytest.raises(InputError, match=r"line 1: .* not finite") as caught:
        lane_volumes(
            trade, path, rate, [at_one_horizon(2.0, 1.5, np.inf, 2), at_one_horizon(2.0, eta, np.inf, 2)]
        )
    assert caught.value.reason == "PARAMETER_INVALID"


def test_exponents_beyond_the_range_of_numbers_are_those_of_the_reference() -> None:
    trade = PathTrade(
        np.array([0, 2, 4]), np.array([0, 0, 1, 1]), np.array([5.0, 2.0, 3.0, 1.0]), np.zeros(4)
    )
    rate = np.array([999.0, 999.0, 0.1, 0.25])
    sigmas = (np.array([150.0, 3.0]), np.full(2, 4.0))
    lanes = [at_one_horizon(each, 1.5, np.inf, 2) for each in sigmas]
    volumes = lane_volumes(trade, DutyPath.at_once(trade.t0, rate), rate, lanes)
    for lane, found in zip(sigmas, volumes, strict=True):
        whole = armington(trade.product, trade.v0, trade.t0, rate, lane, 1.5)
        for name in ("value", "quantity_hat", "creation", "buyer_surplus", "welfare"):
            theirs = getattr(whole, name)
            np.testing.assert_allclose(found[name], theirs, rtol=1e-12, atol=1e-12, err_msg=name)
