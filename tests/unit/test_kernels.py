"""Kernels, compiled and as plain Python, against plain sums."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.rating.kernel import number_cells, number_rows
from tariffs.engine.table_duty.kernel import (
    AD_VALOREM,
    MINIMUM_PRICE,
    NO_RATE,
    ORDINARY,
    SPECIFIC,
    TOP_UP,
    assess_lines,
    exact_dollars,
    price_bases,
    price_points,
    sum_bases,
    sum_cells,
    sum_running,
    whole_line,
)

Kernel = Callable[..., Any]
KERNELS = [
    assess_lines, number_cells, number_rows, price_bases, price_points, sum_cells, sum_bases, sum_by_group,
    sum_running, whole_line,
]  # fmt: skip


def both(kernel: Any) -> list[Any]:
    return [pytest.param(kernel, id="compiled"), pytest.param(kernel.py_func, id="python")]


@pytest.mark.parametrize("kernel", both(whole_line))
def test_a_line_bears_its_tiers_or_the_shortfall_to_a_price_and_nothing_without_a_quantity(
    kernel: Kernel,
) -> None:
    tiers = np.array([0, 2], dtype=np.int32), np.array([10.0, np.inf]), np.array([1.0, 0.3])
    for kind, quantity, amount in (
        (SPECIFIC, 4.0, 4.0),
        (SPECIFIC, 15.0, 10.0 + 1.5),
        (SPECIFIC, np.nan, 0.0),
        (MINIMUM_PRICE, 50.0, 50.0 - 40.0),
        (MINIMUM_PRICE, 30.0, 0.0),
        (MINIMUM_PRICE, np.nan, 0.0),
    ):
        assert kernel(kind, 0, quantity, 40.0, *tiers) == pytest.approx(amount)


@pytest.mark.parametrize("kernel", both(assess_lines))
def test_duty_is_the_sum_over_atoms_and_layers_and_barred_goods_bear_none(kernel: Kernel) -> None:
    """Draw 200 lines of two atoms, and 20 combinations of five layers; the goods of the last one are barred."""
    rng = np.random.default_rng(7)

    def draw(end: int, *shape: int) -> Any:
        return rng.integers(0, end, shape).astype(np.int32)

    combination, of_rates, weight, goods = draw(20, 400), draw(3, 400), rng.random(400), draw(200, 200)
    column, slot, of_base = draw(4, 20), draw(10, 20, 5), draw(4, 20, 5)
    assessed, owed = draw(2, 2, 20, 5) == 1
    kind, rate = np.arange(10, dtype=np.int8) % 5, rng.random(10) * 0.2
    unit, place = draw(2, 10), draw(4, 10) - 1
    rates, usd, bases = rng.random((3, 4)) * 0.2, rng.random((10, 2)) * 30, draw(2, 4, 7).astype(float)
    value, parts, quantity = rng.random(200) * 1e3, rng.random((200, 7)) * 100, rng.random((2, 200)) * 30
    quantity[:, ::5] = np.nan
    found, wanted = ([np.zeros((200, 3)), np.zeros((200, 3)), np.zeros(200)] for _ in range(2))
    for lo, hi in ((0, 77), (77, 200)):
        kernel(
            lo, hi, np.arange(200, dtype=np.int32), np.arange(0, 401, 2), combination, weight, of_rates, rates,
            column.astype(np.int8), np.array([-1] * 19 + [3], dtype=np.int32), np.arange(0, 101, 5), slot.ravel(),
            of_base.ravel(), assessed.ravel(), owed.ravel(), kind, rate, unit, place,
            np.arange(0, 21, 2, dtype=np.int32), np.tile([10.0, np.inf], 10), usd.ravel(), bases, goods, value, parts,
            quantity, *found,
        )  # fmt: skip
    for atom, of in enumerate(combination):
        line, one = atom // 2, goods[atom // 2]
        if of == 19:
            wanted[2][line] += weight[atom] * value[one]
            continue
        ordinary = rates[of_rates[atom], column[of]]
        for layer, row in enumerate(slot[of]):
            (low, high), units = usd[row], quantity[unit[row], one]
            share = {
                ORDINARY: ordinary,
                AD_VALOREM: rate[row],
                TOP_UP: max(0.0, rate[row] - ordinary),
                SPECIFIC: (low * np.minimum(units, 10) + high * np.maximum(units - 10, 0)) / value[one],
                MINIMUM_PRICE: np.maximum(low * units - value[one], 0) / value[one],
            }[kind[row]]
            amount = weight[atom] * bases[of_base[of, layer]] @ parts[one] * np.nan_to_num(share)
            for out, borne in ((wanted[0], assessed), (wanted[1], owed)):
                if place[row] >= 0 and borne[of, layer]:
                    out[line, place[row]] += amount
    for ours, plain in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-12)


@pytest.mark.parametrize("kernel", both(sum_cells))
def test_exact_sums_have_the_same_bits_in_any_order_of_the_terms(kernel: Kernel) -> None:
    rng = np.random.default_rng(8)
    amounts = np.array([np.concatenate([rng.random(200) * 1e9, rng.random(200) * 1e-3]), rng.random(400)])
    weights, rates = rng.random(400), np.array([[0.5, 0.25], [0.0, 0.125]])
    lines, of_rates = np.arange(400, dtype=np.int32), (np.arange(400) // 2 % 2).astype(np.int32)
    column = np.array([NO_RATE, 1], dtype=np.int32)
    sums = []
    for order in (np.arange(400), rng.permutation(400)):
        high, low = np.zeros((2, 2, 2), dtype=np.int64)
        kernel(
            (order % 2).astype(np.int32), lines[order], lines[order], weights, of_rates, rates, amounts, column,
            np.array([1, 0], dtype=np.int32), np.array([[True, True], [True, False]]), np.arange(2, dtype=np.int32),
            high, low,
        )  # fmt: skip
        sums.append(
            [exact_dollars(*words) for words in zip(high.ravel().tolist(), low.ravel().tolist(), strict=True)]
        )
    assert sums[0] == sums[1]
    terms = [weights * amounts[0], weights * rates[of_rates, 1] * amounts[1]]
    exact = [float(sum(map(Fraction, of_base[place::2]))) for of_base in terms for place in range(2)]
    exact[2] = 0.0  # the combination of the first cell does not use the second base
    np.testing.assert_allclose(sums[0], exact, rtol=1e-14)


@pytest.mark.parametrize("kernel", both(number_cells))
def test_cells_are_numbered_as_they_come_however_many(kernel: Kernel) -> None:
    rng = np.random.default_rng(9)
    line, chosen = (rng.integers(0, 900, 3_000).astype(np.int32) for _ in range(2))
    group, rates, combination = rng.integers(0, 50, 900), *rng.integers(0, 7, (2, 900)).astype(np.int32)
    cell = np.empty(len(line), dtype=np.int32)
    with np.errstate(over="ignore"):
        keys = kernel(group, line, chosen, rates, combination, 7, 11, cell)
    expected = ((group[line] * 7 + rates[chosen]) * 11 + combination[chosen]).tolist()
    assert keys.tolist() == list(dict.fromkeys(expected))
    assert len(keys) > 2 * 512  # the table has grown
    assert keys[cell].tolist() == expected


@pytest.mark.parametrize("kernel", both(sum_bases))
def test_bases_are_summed_by_entry_and_by_run_or_group(kernel: Kernel) -> None:
    """Sum three runs of two cells, the first two of one group; entry 1 is summed by run, 0 and 2 by group.

    A combination has the layers 2, 1, 0 or, the second, 1 and 2.
    """
    unit = 256
    high = np.array([[1, 2, 4, 8, 16, 32], [10, 20, 40, 80, 160, 320]], dtype=np.int64) * unit
    entry, run, base = np.full(13, -1, dtype=np.int32), np.zeros(13, dtype=np.int64), np.zeros(13)
    count = kernel(
        np.array([0, 2, 4, 6]), np.array([5, 5, 7]), np.array([0, 1, 1, 1, 1, 0], dtype=np.int32), high,
        np.zeros_like(high), np.array([0, 3, 5]), np.array([2, 1, 0, 1, 2], dtype=np.int32),
        np.array([1, 0, 0], dtype=np.int32), np.array([False, True, False]), entry, run, base,
    )  # fmt: skip
    assert list(zip(run[:count].tolist(), entry[:count].tolist(), base[:count].tolist(), strict=True)) == [
        (0, 1, 1 + 2), (1, 0, 10), (1, 2, 1 + 2 + 4 + 8), (1, 1, 4 + 8), (2, 0, 320), (2, 2, 16 + 32), (2, 1, 16 + 32),
    ]  # fmt: skip


@pytest.mark.parametrize("kernel", both(price_bases))
def test_a_base_bears_its_rate_the_ordinary_one_the_excess_over_it_or_its_amount(kernel: Kernel) -> None:
    assessed, owed = np.zeros((2, 2)), np.zeros((2, 2))
    kernel(
        np.array([0, 1, 2, 3], dtype=np.int32), np.array([0, 0, 1, 1]), np.full(4, 100.0), np.full(4, 0.03),
        np.array([np.nan, np.nan, np.nan, 7.0]), np.array([ORDINARY, AD_VALOREM, TOP_UP, SPECIFIC], dtype=np.int8),
        np.array([0.0, 0.25, 0.15, 0.0]), np.array([0, 1, 1, 1], dtype=np.int32), np.array([True, True, True, True]),
        np.array([True, False, True, False]), assessed, owed,
    )  # fmt: skip
    np.testing.assert_allclose(assessed, [[3.0, 25.0], [0.0, 12.0 + 7.0]])
    np.testing.assert_allclose(owed, [[3.0, 0.0], [0.0, 12.0]])


@pytest.mark.parametrize("kernel", both(price_points))
def test_points_bear_a_rate_on_a_base_and_its_excess_over_each_ordinary_rate(kernel: Kernel) -> None:
    """Charge a plain rate and a top-up over ordinary rates of 2 and 10 percent on 100 and 50 dollars."""
    rates = np.array([[0.05, 0.15], [0.0, 0.06], [-0.01, 0.01]])
    out = np.zeros((2, 3))
    for first, last in ((0, 1), (1, 3)):
        kernel(
            first, last, rates.T.copy(), np.array([0, 1], dtype=np.int32), np.array([0, 1]), np.array([0, 1, 3]),
            np.array([-np.inf, 0.02, 0.10]), np.array([200.0, 100.0, 150.0]), np.array([0.0, 2.0, 7.0]), out,
        )  # fmt: skip
    expected = [[10.0, 13.0 + 2.5], [0.0, 4.0], [-2.0, 0.0]]
    np.testing.assert_allclose(out.T, expected, atol=1e-12)


@pytest.mark.parametrize("kernel", both(sum_by_group))
def test_sums_keep_what_plain_addition_loses(kernel: Kernel) -> None:
    columns = np.array([[1e16, 1.0], [1.0, 2.0], [-1e16, 3.0], [5.0, 4.0]])
    out = np.zeros((2, 2))
    kernel(np.array([0, 0, 0, 1]), columns, out)
    assert out.tolist() == [[1.0, 6.0], [5.0, 4.0]]


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_lets_go_of_the_interpreter_lock(kernel: Any) -> None:
    assert kernel.compiled.targetoptions["nogil"] is True
