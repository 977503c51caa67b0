"""Compute a run over a partitioned table by tasks: split its files, compute its buckets, and join their results.

`split` and `bucket` are tasks.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from tariffs.engine.runs.joined_parts import PLACE, BucketResults, goods_keys, joined_blocks, joined_end
from tariffs.engine.runs.outcomes.responding_table import has_limits
from tariffs.engine.runs.outcomes.table_run import Progress
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.engine.tables.partition_files import write_part, write_provenance
from tariffs.engine.tables.partitions import Bucket, PartitionedTable, bucket_of_pieces, split_slice
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_plan import RunPlan, plan_of
from tariffs.service.rpc.spread_job import Job
from tariffs.service.workers.spread_tasks import Cancelled, Handle, Tasks

_PLACE = "rpc.spread_buckets"
_SPLIT_SHARE = 0.2
"""Share of the work that splitting the files is, for progress."""


def joined_result(job: Job, tasks: Tasks, report: Progress, cancelled: Cancelled) -> tuple[list[Any], RunEnd]:
    """Compute a run over a partitioned table: the blocks of its result, and its end.

    Args:
        job: the run, over a partitioned table.
        tasks: where its tasks are computed.
        report: called with a stage and a fraction done.
        cancelled: called while results are awaited.

    Raises:
        InputError: PARAMETER_INVALID for options whose results are no sums over buckets, PARTITION_UNREADABLE,
            TABLE_EMPTY, or as the verb.
    """
    table = _table(job)
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        options, scenarios = plan.options, plan.asked.scenarios
        options.refuse(
            verb=job.verb.name,
            files=True,
            dates="entry_date" in dict(table.columns),
            limits=has_limits(plan.law, scenarios),
            mixture=any(scenario.mixture for scenario in scenarios),
        )
    shared = tasks.share(job.written())
    buckets = _buckets(table, tasks, shared, report)
    found, handles = list[BucketResults](), list[Handle]()
    for number, pieces in enumerate(buckets):
        handles.append(tasks.submit(f"{_PLACE}:bucket", shared, str(number).encode(), pieces))
        if tasks.at_once == 1:
            report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    for number, (handle, pieces) in enumerate(zip(handles, buckets, strict=True)):
        found += pickle.loads(tasks.result(handle, cancelled))
        tasks.forget([handle, *pieces])
        report("computing", _SPLIT_SHARE + (1 - _SPLIT_SHARE) * (number + 1) / len(buckets))
    end = joined_end(found)
    if job.lines_to:
        write_provenance(job.lines_to, end.provenance)
    return joined_blocks(found, options), end


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
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        key = goods_keys(plan.law, plan.asked.scenarios, plan.options)
        return [_encoded(frame) for frame in split_slice(table.slices[int(argument)], table.buckets, key)]


def bucket(shared: bytes, argument: bytes, inputs: Sequence[bytes], cancelled: Cancelled) -> bytes:
    """Compute the run over the rows of a bucket, whose pieces are the inputs and whose number is the argument.

    The result is a list, which is empty for a bucket without rows. Lines are written to where the job says.
    """
    job = Job.read(shared)
    rows = bucket_of_pieces(_table(job), [pl.read_ipc(io.BytesIO(data)) for data in inputs])
    if not rows.frame.height:
        return pickle.dumps([])
    with plan_of(job.verb, job.message, LocalInputs()) as plan:
        found = _computed(plan, rows, job, int(argument), cancelled)
        return pickle.dumps([found], protocol=pickle.HIGHEST_PROTOCOL)


def _computed(plan: RunPlan, rows: Bucket, job: Job, number: int, cancelled: Cancelled) -> BucketResults:
    options = replace(plan.options, include_lines=bool(job.lines_to))
    run = plan.run(rows.frame, lambda stage, fraction: None, cancelled, options)
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
    """Write the lines of a point, and take them out of it."""
    write_part(folder, f"{block.id}-{block.on}", number, block.lines)
    return replace(block, lines=None)


def _table(job: Job) -> PartitionedTable:
    if not isinstance(job.table, PartitionedTable):
        raise TypeError("the table of this job is no partitioned one")
    return job.table


def _encoded(frame: pl.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.write_ipc(data, compression="lz4")
    return data.getvalue()
