"""Find where a function of whole steps is zero: sign changes on a grid, refined within their brackets.

The method is ITP (Oliveira and Takahashi 2020): as fast as the secant on smooth functions, at most a step or two more
than bisection on any other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tariffs.engine.base.minimum import least_between

Function = Callable[[Sequence[int]], Mapping[int, float]]
_PROBES = 8
_TRUNCATION = 0.2


class Crossing(NamedTuple):
    """Two neighbouring steps with values of opposite signs."""

    low: int
    high: int


class Plateau(NamedTuple):
    """Steps from the first to the last, one or more, at which the function is zero."""

    first: int
    last: int


def least(function: Function, grid: Sequence[int], width: int) -> None:
    """Evaluate a function over whole steps at a grid, and around its least value there.

    Args:
        function: values at steps, NaN where there is none; it keeps them.
        grid: rising steps of the first evaluation.
        width: range around the least value at which the search ends.
    """
    values = function(grid)
    known = [step for step in grid if not math.isnan(values[step])]
    if known:
        place = grid.index(min(known, key=values.__getitem__))
        ends = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]

        def value(step: float) -> float:
            return function([round(step)])[round(step)]

        least_between(value, *ends, width)


class Search:
    """Zeros of a function over whole steps, with all evaluations.

    Args:
        function: values at steps, NaN where there is none; called with a grid at first, then with single steps.
        grid: rising steps of the first evaluation.
        tolerance: largest value, in size, that counts as zero; from the values of the grid.
    """

    def __init__(
        self, function: Function, grid: Sequence[int], tolerance: Callable[[Sequence[float]], float]
    ) -> None:
        self._function = function
        self.values: dict[int, float] = dict(function(grid))
        self.tolerance = tolerance(list(self.values.values()))

    def run(self) -> tuple[list[Plateau], list[Crossing]]:
        """Find the zeros, and the crossings of neighbouring steps neither of which is zero; both in rising order."""
        self._probe()
        for low, high in list(itertools.pairwise(sorted(self.values))):
            if self._is_zero(low) != self._is_zero(high) and self._touches_plateau(low, high):
                self._find_edge(low, high)
            elif self._opposite(low, high):
                self._refine(low, high)
        steps = sorted(self.values)
        groups = itertools.groupby(steps, self._is_zero)
        runs = [list(group) for is_zero, group in groups if is_zero]
        crossings = [Crossing(*pair) for pair in itertools.pairwise(steps) if self._opposite(*pair)]
        return [Plateau(group[0], group[-1]) for group in runs], crossings

    def _at(self, step: int) -> float:
        if step not in self.values:
            self.values[step] = self._function([step])[step]
        return self.values[step]

    def _is_zero(self, step: int) -> bool:
        return abs(self.values[step]) <= self.tolerance

    def _opposite(self, low: int, high: int) -> bool:
        zero = self._is_zero(low) or self._is_zero(high)
        return not zero and self.values[low] * self.values[high] < 0.0

    def _touches_plateau(self, low: int, high: int) -> bool:
        """True if the zero of two neighbours continues on its other side."""
        steps = sorted(self.values)
        zero = low if self._is_zero(low) else high
        beyond = steps.index(zero) + (1 if zero == high else -1)
        return 0 <= beyond < len(steps) and self._is_zero(steps[beyond])

    def _find_edge(self, low: int, high: int) -> None:
        """Narrow the edge of a plateau to two neighbouring steps, by bisection."""
        low_is_zero = self._is_zero(low)
        while high - low > 1:
            middle = (low + high) // 2
            self._at(middle)
            low, high = (middle, high) if self._is_zero(middle) == low_is_zero else (low, middle)

    def _refine(self, low: int, high: int) -> None:
        """Narrow a bracket until a step is zero or its ends are neighbours."""
        width = high - low
        # The first step is the secant itself, which is exact where the function is linear.
        step, left = _secant(low, high, self.values[low], self.values[high]), math.ceil(math.log2(width))
        while high - low > 1:
            value = self._at(step)
            if self._is_zero(step) or math.isnan(value):
                return
            low, high = (step, high) if value * self.values[low] > 0.0 else (low, step)
            step = _itp(low, high, self.values[low], self.values[high], width, left)
            left -= 1

    def _probe(self) -> None:
        """Evaluate turning points that come near zero between steps of the grid, where two zeros may hide."""
        steps = sorted(self.values)
        for triple in zip(steps, steps[1:], steps[2:], strict=False):
            for _ in range(_PROBES):
                vertex = self._vertex(*triple)
                if vertex is None:
                    break
                self._at(vertex)
                triple = self._around(vertex, triple)

    def _vertex(self, left: int, middle: int, right: int) -> int | None:
        """Turning point of the parabola through three steps, if the function turns towards zero there."""
        a, b, c = (self.values[step] for step in (left, middle, right))
        turns = a * b > 0.0 < b * c and abs(b) <= min(abs(a), abs(c))
        # Within a cell the function is taken to change by no more than twice what it changes around it.
        reaches = abs(b) <= 2.0 * max(abs(a - b), abs(c - b))
        if not turns or not reaches or abs(b) <= self.tolerance:
            return None
        before, after = (b - a) / (middle - left), (c - b) / (right - middle)
        curve = (after - before) / (right - left)
        slope = (before * (right - middle) + after * (middle - left)) / (right - left)
        vertex = middle - round(slope / (2.0 * curve)) if curve else middle
        return vertex if left < vertex < right and vertex not in self.values else None

    def _around(self, vertex: int, triple: tuple[int, int, int]) -> tuple[int, int, int]:
        """Neighbours of the step nearest to zero among a triple and the vertex."""
        steps = sorted({*triple, vertex})
        best = min(steps[1:-1], key=lambda step: abs(self.values[step]))
        place = steps.index(best)
        return steps[place - 1], best, steps[place + 1]


def _itp(low: int, high: int, at_low: float, at_high: float, width: int, left: int) -> int:
    """Choose the next step within a bracket: interpolate, truncate towards the middle, project.

    Args:
        at_high: value there, of the opposite sign.
        width: width of the first bracket.
        left: evaluations left until the bracket must be of width 1.
    """
    middle = (low + high) / 2.0
    secant = low + (high - low) * (at_low / (at_low - at_high))
    towards = math.copysign(1.0, middle - secant)
    truncation = _TRUNCATION / width * (high - low) ** 2
    shifted = secant + towards * truncation if truncation <= abs(middle - secant) else middle
    radius = max(0.0, 2.0 ** max(left - 1, 0) - (high - low) / 2.0)
    step = shifted if abs(shifted - middle) <= radius else middle - towards * radius
    return _inside(low, high, step)


def _secant(low: int, high: int, at_low: float, at_high: float) -> int:
    """Choose the step at which the line through the ends of a bracket is zero."""
    return _inside(low, high, low + (high - low) * (at_low / (at_low - at_high)))


def _inside(low: int, high: int, step: float) -> int:
    return min(max(round(step), low + 1), high - 1)
