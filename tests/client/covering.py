"""Make few cases that cover every allowed pair of levels of many factors.

Libraries of pairs were tried with the factors and refusals of `run_cases`, which this covers by 120 cases in 4 seconds
of processor time: allpairspy 2.5.1, with the refusals as its filter, had not found 20 cases after 30 seconds, and
covertable 3.2.0, with each refusal as a constraint over its factors, had not answered after 80.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Case = dict[str, Any]
Pair = tuple[tuple[str, int], tuple[str, int]]
TRIES = 200


class Covering:
    """Greedy pairwise covering.

    Args:
        factors: levels of each factor, the default first.
        allowed: tells of a part of a case whether it may be completed.
        seed: cases differ by it.
    """

    def __init__(
        self, factors: Mapping[str, Sequence[Any]], allowed: Callable[[Case], bool], seed: int = 0
    ) -> None:
        self._factors, self._allowed, self._random = factors, allowed, random.Random(seed)

    def cases(self) -> list[Case]:
        """Cases that together have every pair that some allowed case has."""
        left = dict.fromkeys(pair for pair in self._pairs() if self._allowed(self._case(dict(pair))))
        found = []
        while left:
            pair = next(iter(left))
            chosen = self._completed(dict(pair), left)
            # Two levels may exclude each other by a third factor alone.
            for covered in [pair] if chosen is None else _pairs_of(chosen):
                left.pop(covered, None)
            if chosen is not None:
                found.append(self._case(chosen))
        return found

    def completed(self, given: Case) -> Case | None:
        """Complete a case, with levels as near to the defaults as is allowed; None if there is none."""
        fixed = {name: list(self._factors[name]).index(value) for name, value in given.items()}
        chosen = self._completed(fixed, {})
        return None if chosen is None else self._case(chosen)

    def _completed(self, fixed: dict[str, int], left: Mapping[Pair, None]) -> dict[str, int] | None:
        rest = [name for name in self._factors if name not in fixed]
        if not all(self._levels(fixed, name) for name in rest):
            return None
        for _ in range(TRIES):
            chosen = dict(fixed)
            self._random.shuffle(rest)
            for name in rest:
                if not (levels := self._levels(chosen, name)):
                    break
                chosen[name] = max(
                    levels, key=lambda level: (self._gain(chosen, (name, level), left), -level)
                )
            else:
                return {name: chosen[name] for name in self._factors}
        return None

    def _levels(self, chosen: Mapping[str, int], name: str) -> list[int]:
        levels = range(len(self._factors[name]))
        return [level for level in levels if self._allowed(self._case({**chosen, name: level}))]

    def _gain(self, chosen: Mapping[str, int], one: tuple[str, int], left: Mapping[Pair, None]) -> int:
        return sum(_pair(other, one) in left for other in chosen.items())

    def _pairs(self) -> Iterator[Pair]:
        levels = [[(name, level) for level in range(len(self._factors[name]))] for name in self._factors]
        for one, other in itertools.combinations(levels, 2):
            yield from itertools.starmap(_pair, itertools.product(one, other))

    def _case(self, chosen: Mapping[str, int]) -> Case:
        return {name: self._factors[name][level] for name, level in chosen.items()}


def _pair(one: tuple[str, int], other: tuple[str, int]) -> Pair:
    return (one, other) if one <= other else (other, one)


def _pairs_of(chosen: Mapping[str, int]) -> Iterator[Pair]:
    return itertools.starmap(_pair, itertools.combinations(chosen.items(), 2))
