"""Answer a request by tasks: over a partitioned table in this process, or over any table on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tariffs.engine.runs.impact import Impact
from tariffs.engine.runs.sweep import BLOCK_POINTS, Sweep, SweepBlock, blocks_of
from tariffs.engine.runs.timeline import Timeline
from tariffs.engine.tables.partitions import PartitionedTable
from tariffs.service.rpc import simulation, sweeps, timeline
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_steps import RESPONSES, parts_of
from tariffs.service.rpc.spread_buckets import joined_result
from tariffs.service.rpc.spread_job import Job
from tariffs.service.rpc.spread_parts import SpreadRun
from tariffs.service.workers.dask_tasks import cluster
from tariffs.service.workers.spread_tasks import Cancelled, OneProcess, Tasks
from tariffs.v1 import simulation_service_pb2 as pb

Emit = Callable[[Any], None]


def run_spread(kind: str, request: Any, emit: Emit, cancelled: Cancelled, local: LocalInputs) -> None:
    """Compute a request and emit its messages in the order of the verb: progress, refused rows, results, `done`.

    Args:
        kind: SIMULATE, TIMELINE or SWEEP.
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: called while tasks are computed.
        local: inputs that replace those of the request, and the address of the cluster, empty for this process.

    Raises:
        TariffsError: as the verb, CLUSTER_UNAVAILABLE or CLUSTER_MISMATCH.
    """
    response = RESPONSES[kind]

    def report(stage: str, fraction: float) -> None:
        emit(response(progress=pb.Progress(stage=stage, fraction=fraction)))

    report("reading the table", 0.0)
    job = Job.of(kind, request, local)
    with _tasks(local.cluster, cancelled) as tasks:
        if isinstance(job.table, PartitionedTable):
            _emit(joined_result(job, job.table, tasks, report, cancelled), job.message, emit)
            return
        for _, data in _parts(SpreadRun(tasks, job, cancelled), parts_of(kind, job.message), report):
            emit(response.FromString(data))


@contextmanager
def _tasks(address: str, cancelled: Cancelled) -> Iterator[Tasks]:
    if address:
        with cluster(address) as tasks:
            yield tasks
    else:
        with OneProcess(cancelled) as here:
            yield here


def _parts(run: SpreadRun, total: int, report: Callable[[str, float], None]) -> Iterator[tuple[str, bytes]]:
    """Yield the messages of a run over one table."""
    yield from run.head()
    facts = []
    for number, (messages, own) in enumerate(run.parts(range(total))):
        yield from messages
        facts.append(own)
        report(f"part {number + 1:,} of {total:,}", (number + 1) / total)
    yield from run.end(facts)


def _emit(result: Impact | Timeline | Sweep, request: Any, emit: Emit) -> None:
    """Emit a result of the engine."""
    if isinstance(result, Impact):
        simulation.emit_refused(result.refused, pb.SimulateResponse, emit)
        for point in result.scenarios:
            simulation.emit_point(point, emit)
        emit(simulation.done_of(result, request))
    elif isinstance(result, Timeline):
        simulation.emit_refused(result.refused, pb.TimelineResponse, emit)
        for scenario in result.scenarios:
            timeline.emit_scenario(scenario, emit)
        emit(timeline.done_of(result, request))
    else:
        simulation.emit_refused(result.refused, pb.SweepResponse, emit)
        for index in range(blocks_of(result.points.height)):
            sweeps.emit_block(index, _block(result, index), emit)
        emit(sweeps.done_of(result, request))


def _block(result: Sweep, index: int) -> SweepBlock:
    first = index * BLOCK_POINTS
    chosen = (result.point_of_row >= first) & (result.point_of_row < first + BLOCK_POINTS)
    return SweepBlock(result.groups.filter(chosen), result.totals.slice(first, BLOCK_POINTS), ())
