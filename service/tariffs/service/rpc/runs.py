"""Compute runs: for a caller who waits, or part by part from the first that is missing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from google.longrunning import operations_pb2

from tariffs.engine.base.provenance import engine_version
from tariffs.engine.runs.outcomes.table_run import Progress
from tariffs.engine.tables.partitions import is_partitioned
from tariffs.service.rpc.messages import message_of, time_text
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.run_plan import Messages, PartsHere, plan_of, table_of, whole_run
from tariffs.service.rpc.scenario_refs import refs_of
from tariffs.service.rpc.shared import BASE
from tariffs.service.rpc.spread_runs import Job, SpreadRun, joined_result
from tariffs.service.rpc.verbs import VERBS, Verb, progress_of
from tariffs.service.storage.result_parts import ResultParts
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.status import Cancelled, failure_of
from tariffs.service.workers.dask_tasks import cluster
from tariffs.service.workers.spread_tasks import OneProcess
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import common_pb2
from tariffs.v1 import simulation_service_pb2 as pb

EMBEDDED, SENT = "embedded", "sent"
_UNNAMED = "unnamed"
# Listing a thousand runs must not parse a thousand scenario files.
_ID = re.compile(r"""^\s*id:\s*["']?([^\s"'#]+)""", re.MULTILINE)
Emit = Callable[[Any], None]
RunParts = PartsHere | SpreadRun
"""A run whose parts are computed here, or elsewhere."""


def maker() -> str:
    """Digest the engine version, on which a result depends beside the request, which says the law."""
    return hashlib.sha256(engine_version().encode()).hexdigest()


def compute(payload: bytes, sink: ResultSink) -> None:
    """Compute the missing parts of a run; send a message for each finished part, and last one for the run.

    The payload's facts are `kind`, `directory`, `total`, for a stored table `table`, its path, and `cluster`, the
    address of the Dask scheduler that computes the parts; empty for this process.

    Raises:
        TariffsError: an invalid request, CANCELLED, CLUSTER_UNAVAILABLE or CLUSTER_MISMATCH.
    """
    facts, body = unpack(payload)
    verb = VERBS[facts["kind"]]
    request = verb.request.FromString(body)
    parts = ResultParts(Path(facts["directory"]), facts["total"])
    parts.touch()
    if not parts.tail.is_there():
        local = LocalInputs(facts.get("table"), cluster=facts["cluster"])
        with run_parts(verb, request, local, partial(_report, sink), sink.cancelled) as run:
            _compute(run, parts, sink)
    else:
        for index in range(parts.total):
            sink.result(pack({"part": index + 1}))
    end = parts.tail.facts()
    sink.result(pack({"messages": end["messages"]}, base64.b64decode(end["provenance"])))


def _compute(run: RunParts, parts: ResultParts, sink: ResultSink) -> None:
    if not parts.head.is_there():
        parts.head.write(_written(run.head()), {})
    computed = run.parts([index for index in range(parts.total) if not parts[index].is_there()])
    for index in range(parts.total):
        if not parts[index].is_there():
            part, facts = next(computed)
            parts[index].write(_written(part), facts)
        sink.result(pack({"part": index + 1}))
    *late, last = run.end([parts[index].facts() for index in range(parts.total)])
    count = sum(part.count() for part in parts if part.is_there()) + len(late) + 1
    provenance = base64.b64encode(last.done.provenance.SerializeToString()).decode()
    parts.tail.write(_written([*late, last]), {"messages": count, "provenance": provenance})


def _written(messages: Messages) -> list[tuple[str, bytes]]:
    return [(message.WhichOneof("content"), message.SerializeToString()) for message in messages]


def _report(sink: ResultSink, stage: str, fraction: float) -> None:
    sink.progress(pack({"stage": stage, "fraction": fraction}))


def operation_of(run: RunRow, keep_seconds: float) -> operations_pb2.Operation:
    """Return a run as an operation: metadata always, result or error once it has ended."""
    operation = operations_pb2.Operation(name=run.name, done=not run.is_open)
    scenarios, table = summary_of(run)
    operation.metadata.Pack(
        message_of(
            pb.RunMetadata,
            run,
            create_time=time_text(run.created),
            end_time=time_text(run.ended),
            expire_time=time_text(None if run.ended is None else run.ended + keep_seconds),
            scenarios=scenarios,
            table=table,
            law_version=law_version_of(run),
        )
    )
    if run.failure is not None:
        operation.error.CopyFrom(failure_of(run.failure))
    elif run.provenance is not None:
        provenance = common_pb2.Provenance.FromString(run.provenance)
        operation.response.Pack(pb.RunResult(provenance=provenance, message_count=run.message_count))
    return operation


def read_response(kind: str, offset: int, message: bytes) -> pb.ReadRunResponse:
    """Wrap a message of a run with its offset."""
    response = pb.ReadRunResponse(offset=offset)
    getattr(response, kind).MergeFromString(message)
    return response


def summary_of(run: RunRow) -> tuple[Sequence[str], str]:
    """Return the scenarios of a run, each once, and its table: `embedded`, a handle, or `sent`."""
    request = request_of(run)
    names = dict.fromkeys(_name_of(scenario) for scenario, _ in refs_of(request))
    given = request.WhichOneof("table")
    table = {"handle": request.handle, "arrow": SENT}.get(given, EMBEDDED)
    return list(names) or [BASE], table


def law_version_of(run: RunRow) -> str:
    """Return the law that a run was started with, as `VERSION@DIGEST`; empty in runs of earlier releases."""
    name: str = request_of(run).law_version
    return name


def request_of(run: RunRow) -> Any:
    """Return the request of a run."""
    return VERBS[run.kind].request.FromString(run.request)


def _name_of(scenario: common_pb2.ScenarioRef) -> str:
    if scenario.WhichOneof("scenario") != "yaml":
        return scenario.name or BASE
    found = _ID.search(scenario.yaml)
    return found[1] if found else _UNNAMED


def run(kind: str, request: Any, emit: Emit, cancelled: Cancelled, local: LocalInputs | None = None) -> None:
    """Compute a request and emit its messages in order: progress, refused rows, parts, and last `done`.

    Args:
        kind: the verb, as in VERBS.
        emit: takes each message; it may block until the caller is ready for more.
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
            yield from _part_messages(run, verb.read(request).parts, own)
    else:
        yield from verb.whole_messages(*whole_run(verb, request, report, cancelled, local), request)


def _part_messages(run: RunParts, total: int, report: Progress) -> Iterator[Any]:
    """Yield the messages of a run, each part once it is computed; `report` is called after each."""
    yield from run.head()
    facts = []
    for number, (messages, own) in enumerate(run.parts(range(total)), 1):
        yield from messages
        facts.append(own)
        report(f"part {number:,} of {total:,}", number / total)
    yield from run.end(facts)


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
