"""Zeros of functions over whole steps: all of them, at few evaluations, apart from jumps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest

from tariffs.engine.runs.sweeps.bracketing import Search
from tariffs.engine.runs.sweeps.sweep_points import CELLS, FINEST

STEPS = CELLS * FINEST
GRID = [cell * FINEST for cell in range(CELLS + 1)]


def found(
    function: Callable[[float], float],
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], int]:
    """Zeros and crossings of a function over 0 to 1, and how often it was evaluated."""
    calls = 0

    def at(steps: Sequence[int]) -> dict[int, float]:
        nonlocal calls
        calls += len(steps)
        return {step: function(step / STEPS) for step in steps}

    def tolerance(values: Sequence[float]) -> float:
        known = [value for value in values if not math.isnan(value)]
        return 1e-9 * (max(known) - min(known))

    search = Search(at, GRID, tolerance)
    plateaus, crossings = search.run()
    assert calls == len(search.values)
    return (
        [(one.first / STEPS, one.last / STEPS) for one in plateaus],
        [(one.low / STEPS, one.high / STEPS) for one in crossings],
        calls,
    )


def test_the_zero_of_a_line_is_exact_after_one_step() -> None:
    zeros, crossings, calls = found(lambda x: 3.0 * x - 0.703125)
    assert (zeros, crossings, calls) == ([(0.234375, 0.234375)], [], CELLS + 2)


@pytest.mark.parametrize(
    ("function", "root"),
    [
        (lambda x: x**3 - 0.1, 0.1 ** (1 / 3)),
        (lambda x: math.exp(9 * x) - 40, math.log(40) / 9),
        (lambda x: math.tanh(80 * (x - 0.71)), 0.71),
        (lambda x: math.copysign(abs(x - 0.5013) ** 0.3, x - 0.5013), 0.5013),
        (lambda x: 0.55 - x**0.1, 0.55**10),
    ],
)
def test_a_curve_is_found_in_few_steps(function: Callable[[float], float], root: float) -> None:
    ((zero, _),), crossings, calls = found(function)
    assert zero == pytest.approx(root, abs=1e-8)
    assert crossings == []
    assert calls <= CELLS + 30


def test_all_zeros_of_a_wave_are_found() -> None:
    zeros, _, _ = found(lambda x: math.sin(60 * x) - 0.5)
    angles = [turn * 2 * math.pi + angle for turn in range(10) for angle in (math.pi / 6, 5 * math.pi / 6)]
    expected = [angle / 60 for angle in angles if angle <= 60]
    assert [zero for zero, _ in zeros] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("height", [0.0, 1e-9, 1e-8, 1e-7, 1e-6])
def test_two_zeros_within_one_cell_are_found(height: float) -> None:
    """A peak between two points of the grid, which shows no change of sign on it."""
    zeros, _, _ = found(lambda x: height - (x - 0.50211) ** 2)
    expected = [0.50211 - math.sqrt(height), 0.50211 + math.sqrt(height)] if height else [0.50211]
    near = [zero for zero, _ in zeros]
    assert near == pytest.approx(expected, abs=3e-5)


def test_a_jump_is_a_crossing_and_no_zero() -> None:
    zeros, crossings, calls = found(lambda x: -1.0 if x < 0.3337 else 1.0)
    assert zeros == []
    ((low, high),) = crossings
    assert low < 0.3337 <= high
    assert high - low == pytest.approx(1 / STEPS)
    assert calls <= CELLS + 40


def test_a_span_of_zeros_has_its_ends() -> None:
    zeros, _, _ = found(lambda x: max(0.0, x - 0.4567) + min(0.0, x - 0.2))
    ((first, last),) = zeros
    assert (first, last) == pytest.approx((0.2, 0.4567), abs=2e-9)


def test_no_zero_is_no_zero() -> None:
    assert found(lambda x: 1.0 + x)[:2] == ([], [])
    assert found(lambda x: 1.0)[2] == CELLS + 1


def test_undefined_values_are_no_zeros() -> None:
    zeros, crossings, _ = found(lambda x: math.nan if x < 0.5 else x - 0.75)
    assert (zeros, crossings) == ([(0.75, 0.75)], [])
    assert found(lambda x: -1.0 if x < 0.4 else math.nan if x < 0.6 else 1.0)[:2] == ([], [])


def test_random_cubics_have_all_their_zeros(scale: int) -> None:
    draw = random.Random(7)
    for _ in range(100 * scale):
        roots = sorted(draw.uniform(0.01, 0.99) for _ in range(3))
        if min(roots[1] - roots[0], roots[2] - roots[1]) < 1e-3:
            continue
        a, b, c = roots
        zeros, crossings, _ = found(lambda x, a=a, b=b, c=c: (x - a) * (x - b) * (x - c))  # type: ignore[misc]
        assert [zero for zero, _ in zeros] == pytest.approx(roots, abs=1e-5)
        assert crossings == []
