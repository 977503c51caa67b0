"""Long runs as google.longrunning has them."""

from __future__ import annotations

from google.longrunning import operations_pb2

from tariffs.service.rpc.tables import time_text
from tariffs.service.storage.run_rows import CANCELLED, FAILED, RUNNING, SUCCEEDED, WAITING, RunRow
from tariffs.service.wire.status import failure_of
from tariffs.v1 import common_pb2
from tariffs.v1 import simulation_service_pb2 as pb

STATES = {
    WAITING: pb.RUN_STATE_WAITING,
    RUNNING: pb.RUN_STATE_RUNNING,
    SUCCEEDED: pb.RUN_STATE_SUCCEEDED,
    FAILED: pb.RUN_STATE_FAILED,
    CANCELLED: pb.RUN_STATE_CANCELLED,
}


def operation_of(run: RunRow, keep_seconds: float) -> operations_pb2.Operation:
    """A run as an operation: its metadata always, its result or error once it has ended."""
    operation = operations_pb2.Operation(name=run.name, done=not run.is_open)
    operation.metadata.Pack(
        pb.RunMetadata(
            state=STATES[run.state],
            stage=run.stage,
            fraction=run.fraction,
            finished_parts=run.finished_parts,
            total_parts=run.total_parts,
            attempts=run.attempts,
            create_time=time_text(run.created),
            end_time=time_text(run.ended),
            expire_time=time_text(None if run.ended is None else run.ended + keep_seconds),
        )
    )
    if run.failure is not None:
        operation.error.CopyFrom(failure_of(run.failure))
    elif run.provenance is not None:
        provenance = common_pb2.Provenance.FromString(run.provenance)
        operation.response.Pack(pb.RunResult(provenance=provenance, message_count=run.message_count))
    return operation


def read_response(kind: str, offset: int, message: bytes) -> pb.ReadRunResponse:
    """A message of a run at its place."""
    answer = pb.ReadRunResponse(offset=offset)
    getattr(answer, kind).MergeFromString(message)
    return answer
