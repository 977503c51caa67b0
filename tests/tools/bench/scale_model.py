"""Simulate a run over files on a cluster of many nodes, from costs that were measured on one machine.

`python -m tests.tools.bench.scale_model` prints the table of docs/scale.md. Tasks go to the first worker that is
free; a scheduler sends so many tasks a second; a bucket begins when all slices are split, and fetches its pieces.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace

ROWS_PER_BUCKET = 1_000_000
ROWS_PER_SLICE = 2_000_000


@dataclass(frozen=True)
class Costs:
    """Costs that a run consists of; seconds are of one thread.

    Attributes:
        split: seconds to read and divide a million rows.
        bucket: seconds to compute a bucket of a million rows.
        piece_bytes: bytes of the pieces of a million rows, compressed.
        result_bytes: bytes of the results of a bucket.
        join: seconds to join the results of a bucket.
        start: seconds until the first task of a worker has loaded law and kernels.
        schedule: seconds of the scheduler for a task.
        network: bytes a second that a node receives.
        driver_network: bytes a second that the caller receives.
    """

    split: float = 0.28
    bucket: float = 6.4
    piece_bytes: float = 23.9e6
    result_bytes: float = 0.65e6
    join: float = 0.02
    start: float = 4.0
    schedule: float = 1 / 4_000
    network: float = 1.25e9
    driver_network: float = 1.25e9


@dataclass(frozen=True)
class Outcome:
    """Seconds of a run, and the part of them in which the scheduler was busy."""

    seconds: float
    scheduler_share: float
    tasks: int


def simulate(rows: float, workers: int, costs: Costs) -> Outcome:
    """Simulate a run over so many rows."""
    slices, buckets = math.ceil(rows / ROWS_PER_SLICE), math.ceil(rows / ROWS_PER_BUCKET)
    free = [costs.start] * workers
    sent = 0.0
    split_end = 0.0
    for _ in range(slices):
        # A slice is sent with the tasks that pick its pieces.
        sent += costs.schedule * (1 + buckets)
        split_end = max(split_end, _run(free, sent, costs.split * ROWS_PER_SLICE / 1e6))
    sent = max(sent, split_end)
    ready = []
    for _ in range(buckets):
        sent += costs.schedule
        fetched = costs.piece_bytes * ROWS_PER_BUCKET / 1e6 / costs.network
        ready.append(_run(free, sent, fetched + costs.bucket * ROWS_PER_BUCKET / 1e6))
    end = 0.0
    for time in sorted(ready):
        end = max(end, time) + costs.result_bytes / costs.driver_network + costs.join
    tasks = slices * (1 + buckets) + buckets
    return Outcome(end, tasks * costs.schedule / end, tasks)


def _run(free: list[float], sent: float, seconds: float) -> float:
    """Give a task to the first worker that is free; the time at which it ends."""
    end = max(heapq.heappop(free), sent) + seconds
    heapq.heappush(free, end)
    return end


def table(rows: float, costs: Costs) -> list[str]:
    """Rows of the table for one size of run."""
    one = simulate(rows, 1, costs).seconds
    lines = []
    for workers in (2, 10, 100, 1_000):
        found = simulate(rows, workers, costs)
        lines.append(
            f"| {rows / 1e6:,.0f} million | {workers:,} | {found.seconds:,.0f} | {one / found.seconds:,.0f} "
            f"| {found.tasks:,} | {found.scheduler_share:.0%} |"
        )
    return lines


def main() -> None:
    """Print the tables: 16 static points, then the same with a response."""
    for title, costs in (("static", Costs()), ("with Armington", replace(Costs(), bucket=22.0))):
        print(f"| rows, 16 points {title} | workers | seconds | speed-up | tasks | scheduler busy |")
        print("|---|---|---|---|---|---|")
        for rows in (1e8, 1e9):
            print("\n".join(table(rows, costs)))
        print()


if __name__ == "__main__":
    main()
