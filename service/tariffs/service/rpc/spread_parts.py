"""Compute the parts of a run over one table by tasks: points, scenarios, or blocks of a sweep.

`head`, `part` and `end` are tasks. A process prepares a run once and computes any of its parts.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator, Sequence

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.tables.partitions import PartitionedTable
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_steps import Facts, Messages, StepParts, plan_of
from tariffs.service.rpc.spread_job import Job
from tariffs.service.workers.spread_tasks import Cancelled, Tasks, in_order

_RUNS_KEPT = 2
_PLACE = "rpc.spread_parts"


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
        return self._one("head", b"")

    def parts(self, indices: Sequence[int]) -> Iterator[tuple[Messages, Facts]]:
        """Compute parts, in order."""
        arguments = [str(index).encode() for index in indices]
        for data in in_order(self._tasks, f"{_PLACE}:part", self._job, arguments, self._cancelled):
            yield pickle.loads(data)

    def end(self, facts: Sequence[Facts]) -> Messages:
        """Compute the last messages from the facts of all parts."""
        return self._one("end", pickle.dumps(list(facts)))

    def _one(self, function: str, argument: bytes) -> Messages:
        handle = self._tasks.submit(f"{_PLACE}:{function}", self._job, argument)
        messages: Messages = pickle.loads(self._tasks.result(handle, self._cancelled))
        return messages


class _PreparedRun:
    """Run of a job in this process, computed by one task at a time."""

    def __init__(self, job: Job) -> None:
        if isinstance(job.table, PartitionedTable):
            raise TypeError("a partitioned table is computed by buckets")
        self.lock = threading.Lock()
        self.cancelled: Cancelled = lambda: False
        with plan_of(job.kind, job.message, LocalInputs()) as plan:
            steps = plan.steps(job.table, lambda stage, fraction: None, lambda: self.cancelled())
        self.run = StepParts(steps)


_RUNS: BoundedCache[str, _PreparedRun] = BoundedCache(_RUNS_KEPT)


def head(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the messages of the rows that cannot be used."""
    return pickle.dumps(_prepared(shared).run.head())


def part(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute a part, whose index is the argument: its messages, and its facts for the end."""
    prepared = _prepared(shared)
    with prepared.lock:
        prepared.cancelled = cancelled
        return pickle.dumps(next(prepared.run.parts([int(argument)])))


def end(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the last messages from the facts of all parts."""
    prepared = _prepared(shared)
    with prepared.lock:
        return pickle.dumps(prepared.run.end(pickle.loads(argument)))


def _prepared(shared: bytes) -> _PreparedRun:
    key = hashlib.sha256(shared).hexdigest()
    return _RUNS.get(key, lambda: _PreparedRun(Job.read(shared)))
