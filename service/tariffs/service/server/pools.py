"""Worker pools of a server: processes for runs over tables, and one process for short tasks."""

from __future__ import annotations

import os

from tariffs.service.server.warmup import QUOTES, RUNS
from tariffs.service.settings.settings import Settings
from tariffs.service.storage.law_store import STORE_VARIABLE
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.service.workers.task_queue import Compute, Lane, TaskQueue
from tariffs.service.workers.worker_pool import Observer, WorkerPool

SHORT_TASKS, SHORT_TASKS_EACH = 8, 3
"""Short tasks admitted, in all and of one caller. Requirement: a short waiting time, as each waiting task delays the
last one by its own time; the error says when to retry."""
SHORT_NICENESS = 5
LAW_TASKS = ("law_runs", "law_quotes")
"""Tasks that load a law in the workers of runs and in those of short tasks."""


class Pools:
    """The task queue of a server with the worker pools behind it.

    Args:
        compute: computes tasks in place of workers.
    """

    def __init__(
        self, settings: Settings, compute: Compute | None = None, observe: Observer = lambda task, time: None
    ) -> None:
        self.workers: tuple[WorkerPool, ...] = ()
        sweeps = shorts = compute
        if sweeps is None or shorts is None:
            # Threads of all workers together match the cores: more would only compete.
            threads = max(1, (os.cpu_count() or 1) // settings.workers)
            laws = {STORE_VARIABLE: str(settings.laws_directory)}
            self.workers = (
                WorkerPool(settings.workers, warm_up=RUNS, threads=threads, observe=observe, variables=laws),
                WorkerPool(1, warm_up=QUOTES, niceness=SHORT_NICENESS, observe=observe, variables=laws),
            )
            sweeps, shorts = (pool.compute for pool in self.workers)
        admitted = settings.admitted_runs
        self.task_queue = TaskQueue(
            Lane(
                "sweeps",
                sweeps,
                settings.workers,
                FairLimit("runs", admitted, settings.share_of(admitted), "runs"),
            ),
            Lane("shorts", shorts, 1, FairLimit("short tasks", SHORT_TASKS, SHORT_TASKS_EACH)),
        )

    def start(self) -> None:
        """Start the workers and wait until they are warm; raises the error of a warm-up."""
        for pool in self.workers:
            pool.spawn()
        for pool in self.workers:
            pool.wait_ready()

    def warm(self, law_version: str) -> None:
        """Load a law, given by its exact name, in the workers that are idle; the others load it when they need it.

        Raises:
            TariffsError: as the law's own checks, or SHUTTING_DOWN.
        """
        for pool, task in zip(self.workers, LAW_TASKS, strict=False):
            pool.compute_in_idle(task, law_version.encode(), _Nowhere())

    def close(self) -> None:
        """End all tasks, then the workers."""
        self.task_queue.cancel_all()
        for pool in self.workers:
            pool.close()
        self.task_queue.close()


class _Nowhere:
    """Result sink of tasks without results."""

    def result(self, data: bytes) -> None:
        """Drop a message."""

    progress = result

    def cancelled(self) -> bool:
        """Return False: such a task runs to its end."""
        return False
