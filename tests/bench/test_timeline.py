"""What a daily timeline costs beside runs of single days: `pytest -m bench -s tests/bench`."""

from __future__ import annotations

import itertools
import statistics
import time
from datetime import date, timedelta

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import Timeline, timeline
from tariffs.engine.scenario import library

SCENARIOS = ("base", "no-kuala-lumpur-deal", "fentanyl-zero")
OPTIONS = Options(by=("authority", "origin"))
LIMIT = 1.1
"""Seconds of the timeline over its segments times the seconds of one day."""


def _single(day: str) -> float:
    start = time.perf_counter()
    impact(None, [Point(library()["base"], day)], law=load_law(), options=OPTIONS)
    return time.perf_counter() - start


def _quarter(first: date) -> tuple[float, Timeline]:
    last = (first + timedelta(93)).replace(day=1) - timedelta(1)
    start = time.perf_counter()
    found = timeline(
        None, [library()[name] for name in SCENARIOS], first.isoformat(), last.isoformat(), law=load_law(),
        options=OPTIONS,
    )  # fmt: skip
    return time.perf_counter() - start, found


@pytest.mark.bench
def test_two_years_cost_no_more_than_their_segments() -> None:
    """A quarter at a time, with a single day before and after each, so that both meet the same machine."""
    _single("2025-01-15")
    segments = valued = 0
    seconds = allowed = per_day = 0.0
    for year, month in itertools.product((2025, 2026), (1, 4, 7, 10)):
        first = date(year, month, 1)
        before = _single((first + timedelta(20)).isoformat())
        taken, found = _quarter(first)
        one = statistics.mean((before, _single((first + timedelta(70)).isoformat())))
        count = sum(block.totals.height for block in found.scenarios)
        segments, valued, seconds = segments + count, valued + found.valued, seconds + taken
        allowed, per_day = allowed + count * one, per_day + found.valued * one
    print(
        f"\n{segments} segments, {valued} valuations, {seconds:.1f} s; one day {allowed / segments:.2f} s; "
        f"ratio {seconds / allowed:.2f} per segment, {seconds / per_day:.2f} per valuation"
    )
    assert seconds <= LIMIT * allowed
