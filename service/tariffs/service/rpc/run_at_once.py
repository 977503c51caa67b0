"""Compute a verb for a caller who waits: in this process, by tasks over files in it, or by tasks on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from tariffs.engine.runs.outcomes.table_run import Progress
from tariffs.engine.tables.partitions import is_partitioned
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_plan import PartsHere, RunParts, messages_of, plan_of, table_of, whole_run
from tariffs.service.rpc.spread_buckets import joined_result
from tariffs.service.rpc.spread_job import Job
from tariffs.service.rpc.spread_parts import SpreadRun
from tariffs.service.rpc.verb import Verb, progress_of
from tariffs.service.rpc.verbs import VERBS
from tariffs.service.workers.dask_tasks import cluster
from tariffs.service.workers.spread_tasks import Cancelled, OneProcess

Emit = Callable[[Any], None]


def run(kind: str, request: Any, emit: Emit, cancelled: Cancelled, local: LocalInputs | None = None) -> None:
    """Compute a request and emit its messages in order: progress, refused rows, parts, and last `done`.

    Args:
        kind: the verb, as in VERBS.
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: called between steps; True ends the run.
        local: inputs that replace those of the request, and the address of the cluster, empty for this process.

    Raises:
        TariffsError: an invalid request, CANCELLED, CLUSTER_UNAVAILABLE or CLUSTER_MISMATCH.
    """
    messages = _messages(VERBS[kind], request, emit, cancelled, local or LocalInputs())
    with closing(messages):
        for message in messages:
            emit(message)


def _messages(
    verb: Verb, request: Any, emit: Emit, cancelled: Cancelled, local: LocalInputs
) -> Generator[Any, None, None]:
    report = progress_of(verb.response, emit)
    if local.cluster or local.lines_to or is_partitioned(local.table):
        report("reading the table", 0.0)
    if local.lines_to or is_partitioned(local.table):
        job = Job.of(verb.kind, request, local)
        with cluster(local.cluster) if local.cluster else OneProcess(cancelled) as tasks:
            yield from verb.whole_messages(*joined_result(job, tasks, report, cancelled), job.message)
    elif local.cluster or verb.sends_parts:
        with run_parts(verb, request, local, report, cancelled) as run:
            own = report if local.cluster else lambda stage, fraction: None
            yield from messages_of(run, verb.read(request).parts, own)
    else:
        yield from verb.whole_messages(*whole_run(verb, request, report, cancelled, local), request)


@contextmanager
def run_parts(
    verb: Verb, request: Any, local: LocalInputs, report: Progress, cancelled: Cancelled
) -> Iterator[RunParts]:
    """Prepare a run over one table, whose parts are computed in this process or on a cluster; arguments as `run`."""
    if local.cluster:
        job = Job.of(verb.kind, request, local)
        with cluster(local.cluster) as tasks:
            yield SpreadRun(tasks, job, cancelled)
    else:
        with plan_of(verb, request, local) as plan:
            yield PartsHere(plan, table_of(request, local), report, cancelled)


simulate, timeline, sweep = (partial(run, kind) for kind in VERBS)
