"""Compute a run by tasks: the parts of a run over one table, or the buckets of a partitioned one.

`step`, `split` and `bucket` are tasks. A process prepares a run over one table once and computes any of its parts.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.runs.joined_parts import PLACE, BucketResults, goods_keys, joined_blocks, joined_end
from tariffs.engine.runs.outcomes.table_run import Progress
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.engine.tables.columns import PLAIN
from tariffs.engine.tables.partition_files import write_part, write_provenance
from tariffs.engine.tables.partitions import (
    Bucket,
    PartitionedTable,
    bucket_of_pieces,
    is_partitioned,
    split_slice,
)
from tariffs.engine.tables.sources import read_source
from tariffs.engine.tables.trade_table import TablePart
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.run_plan import Facts, Messages, PartsHere, RunPlan, plan_of, table_of
from tariffs.service.rpc.verbs import VERBS, Verb
from tariffs.service.wire.status import Cancelled, request_invalid
from tariffs.service.workers.dask_tasks import DaskTasks
from tariffs.service.workers.spread_tasks import Handle, OneProcess

Tasks = DaskTasks | OneProcess
"""Place where tasks are computed, by the same interface: on a cluster, or in this process."""
_RUNS_KEPT = 2
_PLACE = "rpc.spread_runs"
_STEP = f"{_PLACE}:step"
_SPLIT_SHARE = 0.2
"""Share of the work that splitting the files is, for progress."""


@dataclass(frozen=True)
class Job:
    """Run of a request over a table: the embedded one (None), a whole one, or the files of a partitioned one.

    `lines_to` is the directory or URL in which the lines of a partitioned table are written; empty for none. `law` is
    the pack of the law that the request names; empty for the one built in, which every worker has.
    """

    kind: str
    request: bytes
    table: pl.DataFrame | PartitionedTable | None
    lines_to: str
    law: bytes = b""

    @classmethod
    def of(cls, kind: str, request: Any, local: LocalInputs) -> Job:
        """Read the inputs that a caller gives by reference into the job.

        Raises:
            InputError: the table cannot be read.
        """
        own = type(request)()
        own.CopyFrom(request)
        if local.parameters:
            own.parameter_csv = Path(local.parameters).read_bytes()
        own.ClearField("arrow")
        table = _table(request, local)
        if local.lines_to and not isinstance(table, PartitionedTable):
            raise request_invalid(
                "Lines are written to a directory for a partitioned table alone.",
                "lines_to",
                "Ask for them with include_lines.",
            )
        return cls(kind, own.SerializeToString(), table, local.lines_to, LAWS.pack_of(own.law_version))

    @classmethod
    def read(cls, data: bytes) -> Job:
        """Read a job; the law that came with it is loaded."""
        job: Job = pickle.loads(data)
        if job.law:
            LAWS.take(job.message.law_version, job.law)
        return job

    def written(self) -> bytes:
        """Write the job."""
        return pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)

    @property
    def message(self) -> Any:
        """The request."""
        return self.verb.request.FromString(self.request)

    @property
    def verb(self) -> Verb:
        """The verb of the request."""
        return VERBS[self.kind]


def _table(request: Any, local: LocalInputs) -> pl.DataFrame | PartitionedTable | None:
    if is_partitioned(local.table):
        return PartitionedTable.of(str(local.table))
    table = table_of(request, local)
    return None if table is None else read_source(table, PLAIN)


class SpreadRun:
    """Run whose parts are tasks."""

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
        """Compute steps as tasks, and yield their results in order; a bounded number is ahead of the reader."""
        tasks, ahead = self._tasks, list[Handle]()
        arguments = map(pickle.dumps, calls)
        for _ in calls:
            for argument in islice(arguments, max(0, 2 * tasks.at_once - len(ahead))):
                ahead.append(tasks.submit(_STEP, self._job, argument))
            handle = ahead.pop(0)
            yield pickle.loads(tasks.result(handle, self._cancelled))
            tasks.forget([handle])


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


def joined_result(job: Job, tasks: Tasks, report: Progress, cancelled: Cancelled) -> tuple[list[Any], RunEnd]:
    """Compute a run over a partitioned table: the blocks of its result, and its end.

    Raises:
        InputError: PARAMETER_INVALID for options whose results are no sums over buckets, PARTITION_UNREADABLE,
            TABLE_EMPTY, or as the verb.
    """
    table = _partitioned(job)
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        options, scenarios = plan.options, plan.asked.scenarios
        options.refuse(
            verb=job.verb.name,
            files=True,
            dates="entry_date" in dict(table.columns),
            mixture=any(scenario.mixture for scenario in scenarios),
        )
    shared = tasks.share(job.written())
    buckets, dates = _split(table, tasks, shared, report)
    found, handles = list[BucketResults](), list[Handle]()
    for number, pieces in enumerate(buckets):
        handles.append(tasks.submit(f"{_PLACE}:bucket", shared, str(number).encode(), [*pieces, *dates]))
        if tasks.at_once == 1:
            report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    for number, (handle, pieces) in enumerate(zip(handles, buckets, strict=True)):
        found += pickle.loads(tasks.result(handle, cancelled))
        tasks.forget([handle, *pieces])
        report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    tasks.forget(dates)
    end = joined_end(found)
    if job.lines_to:
        write_provenance(job.lines_to, end.provenance)
    return joined_blocks(found, options), end


def _split(
    table: PartitionedTable, tasks: Tasks, shared: Handle, report: Progress
) -> tuple[list[list[Handle]], list[Handle]]:
    """Split all slices: the pieces of each bucket and the entry dates, in the order of the slices."""
    dates = list[Handle]()
    pieces: list[list[Handle]] = [[] for _ in range(table.buckets)]
    for number in range(len(table.slices)):
        report("reading the table", _SPLIT_SHARE * number / len(table.slices))
        parts = tasks.submit(f"{_PLACE}:split", shared, str(number).encode())
        for bucket, own in enumerate(pieces):
            own.append(tasks.item(parts, bucket))
        dates.append(tasks.item(parts, table.buckets))
    return pieces, dates


def split(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> list[bytes]:
    """Divide the rows of a slice, whose place is the argument, by bucket; the last result is its entry dates."""
    job = Job.read(shared)
    table = _partitioned(job)
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        key = goods_keys(plan.law, plan.asked.scenarios, plan.options)
        pieces = split_slice(table.slices[int(argument)], table.buckets, key)
    dates = pl.concat(piece.select(pl.col("^entry_date$")) for piece in pieces).unique(maintain_order=True)
    return [_encoded(frame) for frame in (*pieces, dates)]


def bucket(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the run over the rows of a bucket, whose number is the argument.

    Its inputs are its pieces of all slices, then the entry dates of all slices. The result is a list, which is empty
    for a bucket without rows. Lines are written to where the job says.
    """
    job = Job.read(shared)
    table, frames = _partitioned(job), [pl.read_ipc(io.BytesIO(data)) for data in inputs]
    rows = bucket_of_pieces(table, frames[: len(table.slices)])
    if not rows.frame.height:
        return pickle.dumps([])
    dates = pl.concat(frames[len(table.slices) :])
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        found = _computed(plan, rows, dates, job, int(argument), cancelled)
        return pickle.dumps([found], protocol=pickle.HIGHEST_PROTOCOL)


def _computed(
    plan: RunPlan, rows: Bucket, dates: pl.DataFrame, job: Job, number: int, cancelled: Cancelled
) -> BucketResults:
    options = replace(plan.options, include_lines=bool(job.lines_to))
    table = TablePart(rows.frame, dates.to_series()) if dates.width else rows.frame
    run = plan.run(table, lambda stage, fraction: None, cancelled, options)
    parts = [run.part(index) for index in range(run.parts)]
    end = run.end(note for part in parts for note in part.notes)
    if job.lines_to:
        parts = [_without_lines(part, job.lines_to, number) for part in parts]
    places = end.refused["row"].to_numpy()
    refused = end.refused.with_columns(rows.rows.gather(places).alias("row")).insert_column(
        0, rows.files.gather(places).alias(PLACE)
    )
    return BucketResults(parts, replace(end, refused=refused))


def _without_lines(block: Any, folder: str, number: int) -> Any:
    write_part(folder, f"{block.id}-{block.on}", number, block.lines)
    return replace(block, lines=None)


def _partitioned(job: Job) -> PartitionedTable:
    if not isinstance(job.table, PartitionedTable):
        raise TypeError("the table of this job is no partitioned one")
    return job.table


def _encoded(frame: pl.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.write_ipc(data, compression="lz4")
    return data.getvalue()
