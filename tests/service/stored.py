"""Helpers for stored tables and long runs: uploads in parts, callers with tokens, complete results."""

from __future__ import annotations

import io
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import polars as pl
from google.longrunning import operations_pb2 as ops
from google.protobuf.duration_pb2 import Duration

from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import table_service_pb2
from tests.service.harness import TIMEOUT, Running, compute_in_process, points

POINTS = (
    ("base", "2026-11-20"),
    ("truce-extended", "2026-11-20"),
    ("base", "2027-01-11"),
    ("truce-extended", "2027-01-11"),
)
KINDS = {pb.SimulateRequest: "simulate", pb.TimelineRequest: "timeline", pb.SweepRequest: "sweep"}


def rows(count: int, seed: int = 1) -> pl.DataFrame:
    """A table of toys, phones and chairs, with a column of the caller's own."""
    draw = random.Random(seed)
    return pl.DataFrame(
        {
            "hts": [draw.choice(("9503.00.0073", "8517.13.0000", "9401.61.6011")) for _ in range(count)],
            "origin": [draw.choice(("CN", "VN", "MX", "DE")) for _ in range(count)],
            "customs_value": [float(draw.randrange(1, 10_000)) for _ in range(count)],
            "mine": [f"row {index}" for index in range(count)],
        }
    )


def arrow(frame: pl.DataFrame, compression: Any = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


def parts(frame: pl.DataFrame, size: int, compression: Any = "uncompressed") -> Iterator[Any]:
    """The frame as upload requests of so many rows each."""
    for start in range(0, frame.height, size):
        data = arrow(frame.slice(start, size), compression)
        yield table_service_pb2.UploadTableRequest(arrow=data)


def upload(server: Any, frame: pl.DataFrame, size: int = 1000, **call: Any) -> Any:
    return server.tables.UploadTable(parts(frame, size), timeout=TIMEOUT, **call)


def results(messages: Sequence[Any]) -> list[bytes]:
    """The messages of a run without progress, as bytes."""
    return [
        m.SerializeToString(deterministic=True) for m in messages if m.WhichOneof("content") != "progress"
    ]


def read(server: Any, name: str, offset: int = 0, **call: Any) -> list[Any]:
    """The messages of a long run."""
    found = server.simulation.ReadRun(pb.ReadRunRequest(name=name, offset=offset), timeout=TIMEOUT, **call)
    messages = list(found)
    assert [m.offset for m in messages] == list(range(offset, offset + len(messages)))
    return [getattr(m, m.WhichOneof("content")) for m in messages]


def metadata_of(operation: Any) -> pb.RunMetadata:
    found = pb.RunMetadata()
    operation.metadata.Unpack(found)
    return found


def result_of(operation: Any) -> pb.RunResult:
    found = pb.RunResult()
    assert operation.response.Unpack(found)
    return found


def simulation(frame: pl.DataFrame, *, asked: Any = POINTS, **more: Any) -> pb.SimulateRequest:
    given: dict[str, Any] = {
        "points": points(*asked),
        "response": pb.RESPONSE_MODEL_NONE,
        "by": ["origin", "hts2"],
        "include_lines": True,
        "arrow": arrow(frame),
    }
    return pb.SimulateRequest(**(given | more))


def bad_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a row that cannot be read."""
    second = pl.int_range(pl.len()) == 1
    return frame.with_columns(hts=pl.when(second).then(pl.lit("no code")).otherwise("hts"))


def start(server: Running, request: Any, request_id: str = "", **call: Any) -> Any:
    kind = KINDS[type(request)]
    given = pb.StartRunRequest(request_id=request_id, **{kind: request})
    return server.simulation.StartRun(given, timeout=TIMEOUT, **call)


def wait(server: Running, name: str, seconds: float = 60.0, **call: Any) -> Any:
    request = ops.WaitOperationRequest(name=name, timeout=Duration(seconds=int(seconds)))
    return server.operations.WaitOperation(request, timeout=TIMEOUT + seconds, **call)


def get(server: Running, name: str, **call: Any) -> Any:
    return server.operations.GetOperation(ops.GetOperationRequest(name=name), timeout=TIMEOUT, **call)


def simulated(server: Running, request: pb.SimulateRequest) -> list[bytes]:
    return results(list(server.simulation.Simulate(request, timeout=TIMEOUT)))


class Held:
    """Computes in threads of this process; a task is held from so many results on until it is let go or cancelled."""

    def __init__(self, task: str, results: int = 1) -> None:
        self.begun, self.free = threading.Event(), threading.Event()
        self.results = results
        self._task = task

    def __call__(self, task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        counts = itertools.count(1)

        def result(data: bytes) -> None:
            sink.result(data)
            if next(counts) >= self.results:
                self.begun.set()
                while not self.free.wait(0.02):
                    cancel_token.check()

        held: Any = SimpleNamespace(cancelled=sink.cancelled, progress=sink.progress, result=result)
        compute_in_process(task, payload, held if task == self._task else sink, cancel_token)


class Failing:
    """Computes in threads of this process; the first times, a task fails after so many results."""

    def __init__(self, task: str, error: Exception, times: int = 1, after: int = 0) -> None:
        self.failures = 0
        self._task, self._error, self._times, self._after = task, error, times, after

    def __call__(self, task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        if task != self._task or self.failures == self._times:
            return compute_in_process(task, payload, sink, cancel_token)
        self.failures += 1
        if not self._after:
            raise self._error
        sent = itertools.count(1)

        def result(data: bytes) -> None:
            sink.result(data)
            if next(sent) == self._after:
                raise self._error

        failing: Any = SimpleNamespace(result=result, progress=sink.progress, cancelled=sink.cancelled)
        return compute_in_process(task, payload, failing, cancel_token)


def until(holds: Callable[[], Any], seconds: float = 300.0) -> Any:
    """Wait until `holds` gives something true and return it; patient enough for a busy machine."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found
