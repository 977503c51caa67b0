"""What computes for a server: worker processes for runs over tables, and one for short tasks."""

from __future__ import annotations

import os

from tariffs.service.server.warmup import QUOTES, RUNS
from tariffs.service.settings.settings import Settings
from tariffs.service.workers.task_queue import Compute, Lane, TaskQueue
from tariffs.service.workers.worker_pool import Observer, WorkerPool

SHORT_TASKS, SHORT_TASKS_EACH = 8, 3
"""Short tasks let in, and of one caller: each that waits adds its time to the slowest, and who is refused hears at once
when to come again."""
SHORT_NICENESS = 5


class Pools:
    """The lanes of a server with the workers behind them.

    Args:
        settings: how many there are.
        compute: computes tasks in place of workers.
        observe: told what each task took.
    """

    def __init__(
        self, settings: Settings, compute: Compute | None = None, observe: Observer = lambda task, spent: None
    ) -> None:
        self.workers: tuple[WorkerPool, ...] = ()
        sweeps = shorts = compute
        if sweeps is None or shorts is None:
            # Threads of all workers together are the cores: more would only wait for each other.
            threads = max(1, (os.cpu_count() or 1) // settings.workers)
            self.workers = (
                WorkerPool(settings.workers, warm_up=RUNS, threads=threads, observe=observe),
                WorkerPool(1, warm_up=QUOTES, niceness=SHORT_NICENESS, observe=observe),
            )
            sweeps, shorts = (pool.compute for pool in self.workers)
        self.runs = TaskQueue(
            Lane("sweeps", sweeps, settings.workers, settings.admitted_runs, settings.runs_per_caller),
            Lane("shorts", shorts, 1, SHORT_TASKS, SHORT_TASKS_EACH),
        )

    def start(self) -> None:
        """Start the workers and wait until they are warm; raises what a warm-up raised."""
        for pool in self.workers:
            pool.spawn()
        for pool in self.workers:
            pool.wait_ready()

    def close(self) -> None:
        """End all tasks, then the workers."""
        self.runs.end()
        for pool in self.workers:
            pool.close()
        self.runs.close()
