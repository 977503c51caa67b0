"""What 1,024 draws on US imports of 2024 cost beside one run: `pytest -m bench -s tests/bench`."""

from __future__ import annotations

import resource
import time

import pytest

from tariffs.engine.impact import Options, Point, impact
from tariffs.engine.law import load_law
from tariffs.engine.scenario import library

DRAWS = 1024
DAY = "2025-05-20"
GROWTH_LIMIT = 200e6
"""Bytes: the sums of all draws (17 MB), blocks and results of two threads, and room for the allocator."""


def _seconds(draws: int) -> float:
    start = time.perf_counter()
    impact(None, [Point(library()["base"], DAY)], law=load_law(), options=Options(draws=draws, seed=7))
    return time.perf_counter() - start


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


@pytest.mark.bench
def test_draws_cost_far_less_than_as_many_runs_and_the_memory_of_one() -> None:
    _seconds(16)
    plain = min(_seconds(0) for _ in range(3))
    before = _peak()
    drawn = _seconds(DRAWS)
    grown = _peak() - before
    print(
        f"\none run {plain:.2f} s; {DRAWS} draws {drawn:.1f} s, ratio {drawn / plain:.0f}; memory +{grown / 1e6:.0f} MB"
    )
    assert drawn < 0.1 * DRAWS * plain
    assert grown < GROWTH_LIMIT
