"""Compute a run over a partitioned table by tasks: split its files, compute its buckets, and join their results.

`split` and `bucket` are tasks.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from tariffs.engine.runs.bucket_goods import goods_keys
from tariffs.engine.runs.impact import Impact, ImpactRun
from tariffs.engine.runs.joined_results import (
    PLACE,
    BucketResults,
    joined_impact,
    joined_sweep,
    joined_timeline,
    static_options,
)
from tariffs.engine.runs.limit_columns import has_limits
from tariffs.engine.runs.options import Options
from tariffs.engine.runs.ranges import DrawnPoint
from tariffs.engine.runs.table_run import Progress
from tariffs.engine.tables.partition_files import write_part, write_provenance
from tariffs.engine.tables.partitions import Bucket, PartitionedTable, bucket_of_pieces, split_slice
from tariffs.engine.tables.prepare import Table
from tariffs.run_spec import option
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_steps import SIMULATE, SWEEP, TIMELINE, Run, RunPlan, parts_of, plan_of
from tariffs.service.rpc.spread_job import Job
from tariffs.service.workers.spread_tasks import Cancelled, Handle, Tasks

_JOINS: Mapping[str, Callable[[Sequence[BucketResults], Options], Any]] = {
    SIMULATE: joined_impact,
    TIMELINE: joined_timeline,
    SWEEP: joined_sweep,
}
_VERBS = {SIMULATE: option.IMPACT, TIMELINE: option.TIMELINE, SWEEP: option.SWEEP}
_PLACE = "rpc.spread_buckets"
_SPLIT_SHARE = 0.2
"""Share of the work that splitting the files is, for progress."""


def joined_result(
    job: Job, table: PartitionedTable, tasks: Tasks, report: Progress, cancelled: Cancelled
) -> Any:
    """Compute a run over a partitioned table: the engine's result of its kind.

    Args:
        job: the run.
        table: its table.
        tasks: where its tasks are computed.
        report: called with a stage and a fraction done.
        cancelled: called while results are awaited.

    Raises:
        InputError: PARAMETER_INVALID for options whose results are no sums over buckets, PARTITION_UNREADABLE,
            TABLE_EMPTY, or as the verb.
    """
    with plan_of(job.kind, job.message, LocalInputs()) as plan:
        options = plan.options
        options.refuse(
            verb=_VERBS[job.kind],
            files=True,
            dates="entry_date" in dict(table.columns),
            limits=has_limits(plan.law, plan.scenarios),
            mixture=any(scenario.mixture for scenario in plan.scenarios),
        )
    shared = tasks.share(job.written())
    buckets = _buckets(table, tasks, shared, report)
    found, handles = list[BucketResults | None](), list[Handle]()
    for number, pieces in enumerate(buckets):
        handles.append(tasks.submit(f"{_PLACE}:bucket", shared, str(number).encode(), pieces))
        if tasks.at_once == 1:
            report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    for number, (handle, pieces) in enumerate(zip(handles, buckets, strict=True)):
        found.append(pickle.loads(tasks.result(handle, cancelled)))
        tasks.forget([handle, *pieces])
        report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    computed = [each for each in found if each is not None]
    joined = _JOINS[job.kind](computed, options)
    if job.lines_to:
        write_provenance(job.lines_to, joined.provenance)
    return joined


def _buckets(table: PartitionedTable, tasks: Tasks, shared: Handle, report: Progress) -> list[list[Handle]]:
    """Split all slices; the pieces of each bucket, in the order of the slices."""
    pieces: list[list[Handle]] = [[] for _ in range(table.buckets)]
    for number in range(len(table.slices)):
        report("reading the table", _SPLIT_SHARE * number / len(table.slices))
        parts = tasks.submit(f"{_PLACE}:split", shared, str(number).encode())
        for bucket, own in enumerate(pieces):
            own.append(tasks.item(parts, bucket))
    return pieces


def split(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> list[bytes]:
    """Divide the rows of a slice, whose place is the argument, by bucket."""
    job = Job.read(shared)
    table = _table(job)
    with plan_of(job.kind, job.message, LocalInputs()) as plan:
        key = goods_keys(plan.law, plan.scenarios, plan.options)
        return [_encoded(frame) for frame in split_slice(table.slices[int(argument)], table.buckets, key)]


def bucket(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the run over the rows of a bucket, whose pieces are the inputs and whose number is the argument.

    The result is None for a bucket without rows. Lines are written to where the job says.
    """
    job = Job.read(shared)
    rows = bucket_of_pieces(_table(job), [pl.read_ipc(io.BytesIO(data)) for data in inputs])
    if not rows.frame.height:
        return pickle.dumps(None)
    with plan_of(job.kind, job.message, LocalInputs()) as plan:
        found = _computed(plan, rows, cancelled, with_lines=bool(job.lines_to))
        if job.lines_to:
            found = replace(found, result=_without_lines(found.result, job.lines_to, int(argument)))
        return pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL)


def _without_lines(result: Any, folder: str, number: int) -> Any:
    """Write the lines of each point of an impact, and take them out of the result."""
    if not isinstance(result, Impact):
        return result
    for block in result.scenarios:
        if block.lines is not None:
            write_part(folder, f"{block.id}-{block.on}", number, block.lines)
    return replace(result, scenarios=tuple(replace(block, lines=None) for block in result.scenarios))


def _computed(plan: RunPlan, rows: Bucket, cancelled: Cancelled, *, with_lines: bool) -> BucketResults:
    run = _run(
        plan,
        rows.frame,
        cancelled,
        replace(plan.options, draws=0, include_lines=with_lines, premium_amounts=True),
    )
    result, static = _whole(plan, run), static_options(plan.options)
    # Preparing the rows takes most of the time, so all runs over them share it.
    beside = None if static is None else _whole(plan, _run(plan, run.prepared, cancelled, static))
    refused = result.refused
    places = refused["row"].to_numpy()
    placed = refused.with_columns(rows.rows.gather(places).alias("row")).insert_column(
        0, rows.files.gather(places).alias(PLACE)
    )
    return BucketResults(result, beside, placed, _drawn(plan, run.prepared, cancelled))


def _drawn(plan: RunPlan, table: Table, cancelled: Cancelled) -> tuple[DrawnPoint, ...]:
    if not plan.options.draws:
        return ()
    run = _run(plan, table, cancelled, plan.options)
    if not isinstance(run, ImpactRun):
        return ()
    points = [run.drawn(index) for index in range(parts_of(plan.kind, plan.request))]
    return tuple(point for point in points if point is not None)


def _run(plan: RunPlan, table: Table, cancelled: Cancelled, options: Options) -> Run:
    return plan.run(table, lambda stage, fraction: None, cancelled, options)


def _whole(plan: RunPlan, run: Run) -> Any:
    values: list[Any] = [run.value(index) for index in range(parts_of(plan.kind, plan.request))]
    return run.result(values)


def _table(job: Job) -> PartitionedTable:
    if not isinstance(job.table, PartitionedTable):
        raise TypeError("the table of this job is no partitioned one")
    return job.table


def _encoded(frame: pl.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.write_ipc(data, compression="lz4")
    return data.getvalue()
