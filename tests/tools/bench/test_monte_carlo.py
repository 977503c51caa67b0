"""What 1,024 draws on US imports of 2024 cost beside one run: `pytest -m bench -s tests/tools/bench`."""

from __future__ import annotations

import resource
import statistics
import time

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

DRAWS = 1024
DAY = "2025-05-20"
GROWTH_LIMIT = 350e6
"""Bytes: the sums of all draws (17 MB), blocks and results of two threads, the next convention of claims, which is
prepared meanwhile, and room for the allocator; 240 to 290 MB were measured."""


MOST_RUNS, MOST_SECONDS = 10.0, 5.0
"""Draws may take the larger of so many runs and so many seconds."""
SLACK = 2.0
"""For a machine with other work."""


def _seconds(draws: int, *by: str, horizon: str = "short", market: str = "product") -> float:
    start = time.perf_counter()
    options = Options(draws=draws, seed=7, by=by or ("origin",), horizon=horizon, market=market)
    impact(None, [Point(library()["base"], DAY)], law=load_law(), options=options)
    return time.perf_counter() - start


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


@pytest.mark.bench
@pytest.mark.parametrize("market", ["product", "sector"])
@pytest.mark.parametrize("horizon", ["short", "path"])
def test_draws_cost_far_less_than_as_many_runs_and_the_memory_of_one(horizon: str, market: str) -> None:
    _seconds(16, horizon=horizon, market=market)
    plain, drawn = [_seconds(0, horizon=horizon, market=market)], []
    before = _peak()
    for _ in range(3):
        drawn.append(_seconds(DRAWS, horizon=horizon, market=market))
        plain.append(_seconds(0, horizon=horizon, market=market))
    grown = _peak() - before
    ratio = statistics.median(drawn) / statistics.median(plain)
    print(
        f"\n{horizon}, {market}: one run {statistics.median(plain):.2f} s; "
        f"{DRAWS} draws {statistics.median(drawn):.1f} s, ratio {ratio:.1f}; "
        f"memory +{grown / 1e6:.0f} MB on {before / 1e6:.0f} MB"
    )
    assert statistics.median(drawn) < SLACK * max(MOST_RUNS * statistics.median(plain), MOST_SECONDS)
    assert grown < GROWTH_LIMIT


@pytest.mark.bench
def test_ranges_by_authority_cost_little_more() -> None:
    _seconds(16, "authority", "origin")
    plain = [_seconds(256) for _ in range(3)]
    split = [_seconds(256, "authority", "origin") for _ in range(3)]
    ratio = statistics.median(split) / statistics.median(plain)
    print(f"\n256 draws {statistics.median(plain):.2f} s, by authority and origin {ratio:.2f} times that")
    assert ratio < 3.0
