"""Many scenarios side by side: the sums of `armington`, with the same bits in any block and on any threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.base.array_utils import sums_of
from tariffs.engine.errors import InputError
from tariffs.engine.response import armington
from tariffs.engine.response.inputs import Floats, Ints
from tariffs.engine.response.kernels import armington as single
from tariffs.engine.response.kernels import exp_log, lane_stages, lane_sums, lane_terms
from tariffs.engine.response.kernels import lanes as kernels
from tariffs.engine.response.lanes import lane_pack, lane_sections, lane_table
from tariffs.engine.response.lanes.lane_sections import SIDE_BY_SIDE
from tests.economics.plain_kernels import as_plain_python
from tests.economics.sweeps_at_once import (
    SweepElasticities,
    SweepReference,
    SweepSums,
    SweepTrade,
    sweep_at_once,
)

CLASSES, GROUPS, OWNERS, VALUE_GROUPS = 12, 5, 3, 9
SIGMAS = np.array([0.4, 1.0, 1.0 + 1e-9, 3.0, 7.0, 14.0])
ETAS = np.array([0.0, 1.0, 1.5, 0.5, 2.0, 1.0 - 1e-9])
SUPPLIES: dict[str, Any] = {
    "flat": np.inf,
    "rising": 3.0,
    "some": np.array([np.inf, 0.5, 30.0, np.inf, 2.0, 1e-9]),
}


@dataclass(frozen=True)
class World:
    """Trade of a sweep with rates per class and scenario, and its kinds' elasticities."""

    trade: SweepTrade
    rates: Floats
    elasticities: SweepElasticities

    @property
    def place(self) -> Ints:
        return np.unique(np.asarray(self.trade.product), return_inverse=True)[1].astype(np.int64)

    def single(self, scenario: int) -> SweepSums:
        """Sums of one scenario by the model alone."""
        t, e, place = self.trade, self.elasticities, self.place
        kind = np.asarray(t.kind, dtype=np.int64)

        def of_kind(values: Any) -> Floats:
            array = np.broadcast_to(np.asarray(values, dtype=float), 6)
            return array[kind]

        after = armington(
            t.product, t.v0, t.t0, self.rates[np.asarray(t.rate_class, dtype=np.int64), scenario],
            of_kind(e.sigma), of_kind(e.eta), supply=of_kind(e.supply)[place],
            kappa=np.where(np.isnan(of_kind(e.kappa)), of_kind(e.eta), of_kind(e.kappa)), domestic=t.domestic,
        )  # fmt: skip
        v0 = np.asarray(t.v0, dtype=float)

        def by_group(values: Floats) -> Floats:
            return sums_of(np.asarray(t.group, dtype=np.int64), values, GROUPS)

        def by_owner(values: Floats) -> Floats:
            return sums_of(np.asarray(t.product_group, dtype=np.int64), values, OWNERS)

        kept, charges = np.asarray(t.kept, dtype=float), np.asarray(t.charges, dtype=float)
        lost = v0 * after.quantity_hat * (kept - 1.0)
        vat = np.asarray(0.0 if t.vat is None else t.vat, dtype=float)
        return SweepSums(
            by_group(after.value * kept),
            by_group(after.revenue * kept),
            by_group(charges * after.quantity_hat * kept),
            by_group(v0 * after.quantity_hat * kept),
            by_group(v0 * after.quantity_hat * kept * np.asarray(t.t0, dtype=float)),
            by_group(after.creation),
            by_group(after.diversion + lost),
            by_group(vat * kept * (after.value + after.revenue)),
            by_owner(after.buyer_surplus),
            # Nobody pays duty on what is not kept.
            by_owner(after.welfare - sums_of(place, after.revenue * (1.0 - kept), len(after.welfare))),
            sums_of(np.asarray(t.value_group, dtype=np.int64), after.value * kept, VALUE_GROUPS),
            np.empty((0, 5)),
        )


def world(seed: int, *, supply: str = "flat", scenarios: int = 3, **changes: Any) -> World:
    """A world from a seed: zero values, a product without trade, prohibitive rates, sigma and eta at and near 1."""
    rng = np.random.default_rng(seed)
    product = np.sort(rng.integers(0, 30, rng.integers(1, 150)) * 7)
    place = np.unique(product, return_inverse=True)[1]
    size, products = product.size, place.max() + 1
    v0 = np.exp(rng.normal(8.0, 2.5, size)) * (rng.random(size) > 0.1) * (place != 1)
    trade = SweepTrade(
        product,
        v0,
        rng.choice([0.0, 0.025, 0.16, 2.0], size),
        np.r_[CLASSES - 1, rng.integers(0, CLASSES, size - 1)],
        np.r_[GROUPS - 1, rng.integers(0, GROUPS, size - 1)],
        np.r_[5, rng.integers(0, 6, products - 1)],
        np.r_[OWNERS - 1, rng.integers(0, OWNERS, products - 1)],
        charges=v0 * 0.05 + rng.random(size),
        value_group=np.r_[VALUE_GROUPS - 1, rng.integers(0, VALUE_GROUPS, size - 1)],
    )
    rates = rng.choice([0.0, 1e-9, 0.1, 0.25, 1.45, -0.5, 1e6], (CLASSES, scenarios))
    return World(
        replace(trade, **changes),
        rates,
        SweepElasticities(SIGMAS, ETAS, SUPPLIES[supply]),
    )


def solved(given: World, reference: SweepReference | None = None, **options: Any) -> SweepSums:
    sweep = sweep_at_once(given.trade, reference)
    return sweep(given.rates[sweep.forms], None if reference else given.elasticities, **options)


def assert_agrees(case: World, found: SweepSums, scenario: int, expected: SweepSums) -> None:
    """Compare to 1e-12: what is a sum of positive terms by itself, the differences by what they are differences of."""
    # Creation is of all trade, diversion of what is kept besides.
    trade = np.asarray(case.trade.v0).sum()
    for name in ("value", "quantity", "charges", "tax", "values"):
        np.testing.assert_allclose(getattr(found, name)[:, scenario], getattr(expected, name), rtol=1e-12)
    scale = {
        "duty": expected.value.max() + np.abs(expected.duty).max(),
        "creation": trade + np.abs(expected.creation).max(),
        "diversion": trade + np.abs(expected.creation).max(),
        "buyer_surplus": np.abs(expected.buyer_surplus).max() + 1.0,
        "welfare": np.abs(expected.buyer_surplus).max() + 1.0,
    }
    for name, largest in scale.items():
        ours, theirs = getattr(found, name)[:, scenario], getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 * largest, err_msg=name)


def same_bits(one: SweepSums, first: int, other: SweepSums, second: int) -> bool:
    return all(
        np.array_equal(getattr(one, name)[..., first], getattr(other, name)[..., second])
        for name in SweepSums.__dataclass_fields__
    )


def changed(seed: int, tier: str, size: int, products: int) -> dict[str, Any]:
    """Fields of the trade that take products out of the plain closed form."""
    rng = np.random.default_rng(seed)
    fields: dict[str, dict[str, Any]] = {
        "plain": {},
        "domestic": {"domestic": rng.choice([0.0, 1e4], products)},
        "kept": {"kept": rng.choice([0.0, 0.4, 1.0], size), "vat": rng.choice([0.0, 0.2], size)},
    }
    return fields[tier]


@pytest.mark.parametrize("tier", ["plain", "domestic", "kept"])
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(list(SUPPLIES)), st.booleans(),
    st.one_of(st.none(), st.integers(0, CLASSES)),
)  # fmt: skip
def test_sums_are_those_of_the_model_whatever_rates_are_held(
    tier: str, seed: int, supply: str, nested: bool, count: int | None
) -> None:
    """Rates of some classes move, or all of them with elasticities of each scenario."""
    case = world(seed, supply=supply)
    fields = changed(seed, tier, np.size(case.trade.v0), np.size(case.trade.kind))
    elasticities = replace(case.elasticities, kappa=1.3 if nested else np.nan)
    moved = np.arange(CLASSES) < (CLASSES if count is None else count)
    rates = np.where(moved[:, None], case.rates, case.rates[:, :1])
    case = World(replace(case.trade, **fields), rates, elasticities)
    # Elasticities beside domestic goods are those of all scenarios.
    free = count is None and tier != "domestic"
    found = solved(case, None if free else SweepReference(rates[:, 0], moved, elasticities))
    for scenario in range(rates.shape[1]):
        assert_agrees(case, found, scenario, case.single(scenario))


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 4.0, 60.0]))
def test_elasticities_may_differ_by_scenario(seed: int, factor: float) -> None:
    case = world(seed, supply="some", scenarios=2)
    sigma = np.stack([SIGMAS, SIGMAS * factor], axis=1)
    supply = np.stack([np.full(6, np.inf), SUPPLIES["some"]], axis=1)
    found = sweep_at_once(case.trade)(case.rates, SweepElasticities(sigma, ETAS, supply))
    assert_agrees(case, found, 0, replace(case, elasticities=SweepElasticities(SIGMAS, ETAS)).single(0))
    other = SweepElasticities(SIGMAS * factor, ETAS, SUPPLIES["some"])
    assert_agrees(case, found, 1, replace(case, elasticities=other).single(1))


@given(st.integers(0, 2**32 - 1), st.integers(1, SIDE_BY_SIDE), st.booleans())
def test_blocks_and_threads_change_no_bit(seed: int, cut: int, held: bool) -> None:
    case = world(seed, scenarios=SIDE_BY_SIDE, domestic=0.0)
    sigma = np.repeat(SIGMAS[:, None], SIDE_BY_SIDE, axis=1)
    supply = np.full((6, SIDE_BY_SIDE), np.inf)
    moved = np.arange(CLASSES) < 6
    reference = SweepReference(case.rates[:, 0], moved, case.elasticities) if held else None
    if not held:
        # Lanes that need the other solution, or rising supply, must leave the rest as they are.
        sigma[:, 1::5] *= 40.0
        supply[:, ::3] = 2.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_pack, "CHUNK_VARIETIES", 8)
        patch.setattr(lane_table, "CHUNK_VARIETIES", 8)
        patch.setattr(lane_pack, "BUNDLE_CHUNKS", 2)
        patch.setattr(lane_sections, "BUNDLE_CHUNKS", 2)
        patch.setattr(lane_sections, "_SECTION_BUNDLES", 2)
        sweep = sweep_at_once(case.trade, reference)
    rates = case.rates[sweep.forms]

    def of(first: int, last: int) -> SweepElasticities | None:
        own = SweepElasticities(sigma[:, first:last], ETAS, supply[:, first:last])
        return None if held else own

    whole = sweep(rates, of(0, SIDE_BY_SIDE), threads=1)
    for threads in (2, 4):
        again = sweep(rates, of(0, SIDE_BY_SIDE), threads=threads)
        assert all(same_bits(whole, b, again, b) for b in range(SIDE_BY_SIDE))
    for first, last in ((0, cut), (cut, SIDE_BY_SIDE), (0, 1), (1, 2), (2, 3)):
        if first < last:
            part = sweep(rates[:, first:last], of(first, last))
            assert all(same_bits(whole, b, part, b - first) for b in range(first, last))


@pytest.mark.parametrize("supply", SUPPLIES)
def test_kernels_agree_with_their_plain_python(supply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world(11, supply=supply, scenarios=4, domestic=1e3)
    steep = replace(case.elasticities, sigma=np.where(SIGMAS == 7.0, 60.0, SIGMAS))
    case = replace(case, elasticities=steep)
    held = SweepReference(case.rates[:, 0], np.arange(CLASSES) < 9, steep)
    compiled = solved(case, held)
    as_plain_python(monkeypatch, single, lane_terms, lane_stages, lane_sums, kernels, exp_log)
    plain = solved(case, held)
    for name in SweepSums.__dataclass_fields__:
        column = getattr(compiled, name)
        scale = np.abs(column).max(initial=0.0)
        np.testing.assert_allclose(getattr(plain, name), column, rtol=1e-11, atol=1e-13 * scale)


GOOD = SweepTrade([1, 1, 4], [5.0, 3.0, 2.0], 0.0, [0, 1, 1], [0, 1, 0], [0, 1], [0, 0])


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_the_smallest_change_of_duty_keeps_its_digits(sigma: float) -> None:
    t1 = 0.16 * (1.0 + 1e-13)
    sweep = sweep_at_once(replace(GOOD, t0=0.16, rate_class=[0, 0, 0]))
    loss = -1.16 * 10.0 * np.log1p((t1 - 0.16) / 1.16)
    found = sweep([[t1]], SweepElasticities(sigma, 1.5)).buyer_surplus[0, 0]
    assert found == pytest.approx(loss, rel=1e-11, abs=0.0)


def test_trade_without_value_or_lines_and_a_lane_without_finite_answer() -> None:
    trade = SweepTrade([3, 3], [0.0, 0.0], 0.1, [0, 1], [0, 0], [0], [0], charges=[2.0, 5.0])
    found = sweep_at_once(trade)([[0.2], [0.9]], SweepElasticities(3.0, 1.5))
    assert (found.value[0, 0], found.charges[0, 0], found.welfare[0, 0]) == (0.0, 7.0, 0.0)
    none = np.zeros(0, dtype=int)
    empty = sweep_at_once(SweepTrade(none, [], 0.0, none, none, none, none))
    sums = empty(np.zeros((0, 2)), SweepElasticities(3.0, 1.5))
    assert sums.value.shape == sums.welfare.shape == (0, 2)
    with pytest.raises(InputError) as caught:
        sweep_at_once(GOOD)([[-0.999], [-0.999]], SweepElasticities(3.0, 900.0))
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "rates")


WAYS: list[Any] = [
    (exp_log.exp_array, exp_log.log_array),
    tuple(getattr(kernel, "py_func", kernel) for kernel in (exp_log.exp_array, exp_log.log_array)),
]


@pytest.mark.parametrize("width", [600.0, 1.0, 1e-3, 1e-12])
@pytest.mark.parametrize(("exp_array", "log_array"), WAYS)
def test_exponentials_and_logs_keep_their_digits(width: float, exp_array: Any, log_array: Any) -> None:
    rng = np.random.default_rng(3)
    with localcontext(prec=60):
        for _ in range(20):
            x = rng.uniform(-width, width, exp_log.LANES)
            found, less = x.copy(), np.empty(x.size)
            exp_array(found, less, found.view(np.int64), x.size)
            change = np.expm1(np.maximum(x, -30.0))
            whole = 1.0 + change
            logs = np.append(whole, np.empty(x.size))
            log_array(logs, (change - (whole - 1.0)) / whole, logs.view(np.int64), x.size)
            exact = [Decimal(float(one)).exp() for one in x]
            for found_one, less_one, want in zip(found, less, exact, strict=True):
                assert abs(Decimal(float(found_one)) / want - 1) < Decimal("4e-16")
                assert abs(Decimal(float(less_one)) / (want - 1) - 1) < Decimal("5e-16")
            for log, one in zip(logs[: x.size], change, strict=True):
                assert abs(Decimal(float(log)) / (1 + Decimal(float(one))).ln() - 1) < Decimal("4e-16")


@pytest.mark.parametrize(("exp_array", "log_array"), WAYS)
def test_exponentials_and_logs_of_arrays_are_those_of_numbers_and_of_numpy(
    exp_array: Any, log_array: Any
) -> None:
    assert SIDE_BY_SIDE == exp_log.LANES
    numbers = np.concatenate([np.linspace(-699.0, 699.0, 57), [0.0, 1e-18, 701.0, -750.0, -np.inf]])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        work, less_one = numbers.copy(), np.empty(numbers.size)
        exp_array(work, less_one, work.view(np.int64), numbers.size)
        np.testing.assert_allclose(work, np.exp(numbers), rtol=4e-16)
        np.testing.assert_allclose(less_one, np.expm1(numbers), rtol=4e-16)
        for place in range(numbers.size):
            alone, apart = numbers[place : place + 1].copy(), np.empty(1)
            exp_array(alone, apart, alone.view(np.int64), 1)
            assert (alone[0], apart[0]) == (work[place], less_one[place])
        numbers = np.concatenate([np.geomspace(1e-300, 1e300, 43), [1.0, 5e-324, 0.0, np.inf]])
        work = np.concatenate([numbers, np.empty(numbers.size)])
        log_array(work, np.zeros(numbers.size), work.view(np.int64), numbers.size)
        np.testing.assert_allclose(work[: numbers.size], np.log(numbers), rtol=4e-16)
