"""The model of large clusters follows from its costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.bench.scale_model import Costs, simulate

QUIET = Costs(start=0.0, schedule=0.0, join=0.0, result_bytes=0.0, piece_bytes=0.0)


def test_one_worker_does_all_tasks_one_after_the_other() -> None:
    assert simulate(1e7, 1, QUIET).seconds == pytest.approx(10 * (QUIET.split + QUIET.bucket))


def test_two_workers_halve_the_time() -> None:
    assert simulate(1e8, 2, QUIET).seconds == pytest.approx(simulate(1e8, 1, QUIET).seconds / 2)


def test_more_workers_than_buckets_change_nothing() -> None:
    assert simulate(1e7, 10, QUIET) == simulate(1e7, 1_000, QUIET)


def test_the_scheduler_bounds_many_small_tasks() -> None:
    slow = replace(QUIET, schedule=0.01)
    found = simulate(1e8, 1_000, slow)
    assert found.tasks == 50 * 101 + 100
    assert found.seconds >= found.tasks * slow.schedule
