"""Compute long runs part by part: write each part when it is done, and continue with the first missing part."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from pathlib import Path

from google.longrunning import operations_pb2

from tariffs.engine.base.provenance import engine_version
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.messages import message_of
from tariffs.service.rpc.run_at_once import run_parts
from tariffs.service.rpc.run_plan import Messages, RunParts
from tariffs.service.rpc.run_summary import law_version_of, summary_of
from tariffs.service.rpc.time_texts import time_text
from tariffs.service.rpc.verbs import VERBS
from tariffs.service.storage.result_parts import ResultParts
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.status import failure_of
from tariffs.service.workers.tasks import ResultSink
from tariffs.v1 import common_pb2
from tariffs.v1 import simulation_service_pb2 as pb


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
