"""Compute the parts of a run over one table by tasks: points, scenarios, or blocks of a sweep.

`step` is a task. A process prepares a run once and computes any of its parts.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.tables.partitions import PartitionedTable
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_plan import Facts, Messages, PartsHere, plan_of
from tariffs.service.rpc.spread_job import Job
from tariffs.service.workers.spread_tasks import Cancelled, Tasks, in_order

_RUNS_KEPT = 2
_STEP = "rpc.spread_parts:step"


class SpreadRun:
    """Run whose parts are tasks.

    Args:
        tasks: where they are computed.
        job: the run.
        cancelled: called while results are awaited.
    """

    def __init__(self, tasks: Tasks, job: Job, cancelled: Cancelled) -> None:
        self._tasks = tasks
        self._job = tasks.share(job.written())
        self._cancelled = cancelled

    def head(self) -> Messages:
        """Compute the messages of the rows that cannot be used."""
        return next(self._steps([("head", ())]))

    def parts(self, indices: Sequence[int]) -> Iterator[tuple[Messages, Facts]]:
        """Compute parts, in order."""
        return self._steps([("part", (index,)) for index in indices])

    def end(self, facts: Sequence[Facts]) -> Messages:
        """Compute the last messages from the facts of all parts."""
        return next(self._steps([("end", (list(facts),))]))

    def _steps(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> Iterator[Any]:
        arguments = [pickle.dumps(call) for call in calls]
        for data in in_order(self._tasks, _STEP, self._job, arguments, self._cancelled):
            yield pickle.loads(data)


class _PreparedRun:
    """Run of a job in this process, computed by one task at a time."""

    def __init__(self, job: Job) -> None:
        if isinstance(job.table, PartitionedTable):
            raise TypeError("a partitioned table is computed by buckets")
        self._lock = threading.Lock()
        self._cancelled: Cancelled = lambda: False
        with plan_of(job.verb, job.message, LocalInputs()) as plan:
            self._run = PartsHere(plan, job.table, lambda stage, fraction: None, lambda: self._cancelled())

    def call(self, cancelled: Cancelled, method: str, arguments: tuple[Any, ...]) -> Any:
        """Call a method of the run."""
        with self._lock:
            self._cancelled = cancelled
            return getattr(self._run, method)(*arguments)


_RUNS: BoundedCache[str, _PreparedRun] = BoundedCache(_RUNS_KEPT)


def step(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the head, a part or the end of a run; the argument is a method of `PartsHere` with its arguments."""
    run = _RUNS.get(hashlib.sha256(shared).hexdigest(), lambda: _PreparedRun(Job.read(shared)))
    return pickle.dumps(run.call(cancelled, *pickle.loads(argument)))
