"""Registry of tasks by name, shared by the server and its worker processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from google.protobuf.message import Message

from tariffs.service.wire.arrow import MESSAGE_LIMIT
from tariffs.service.wire.frames import unpack
from tariffs.service.wire.status import cancelled_error


class CancelToken:
    """Cancellation of a task, with callbacks for code that must react at once."""

    def __init__(self) -> None:
        self._set = False
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def is_set(self) -> bool:
        """Return True once cancelled."""
        return self._set

    def cancel(self) -> None:
        """Cancel the task; idempotent."""
        with self._lock:
            self._set, listeners = True, self._listeners
            self._listeners = []
        for listener in listeners:
            listener()

    def add_callback(self, listener: Callable[[], None]) -> None:
        """Call `listener` once on cancellation, in the cancelling thread; at once if already cancelled."""
        with self._lock:
            if not self._set:
                self._listeners.append(listener)
                return
        listener()

    def remove_callback(self, listener: Callable[[], None]) -> None:
        """Remove a callback; no error if it is not there."""
        with self._lock, suppress(ValueError):
            self._listeners.remove(listener)

    def check(self) -> None:
        """Raise ServiceError CANCELLED once cancelled."""
        if self._set:
            raise cancelled_error()


class ResultSink(Protocol):
    """Receiver of a task's messages, which also reports its cancellation."""

    def result(self, data: bytes) -> None:
        """Send a message of the response; may block until the caller is ready for more."""

    def progress(self, data: bytes) -> None:
        """Send a progress message; may be sent twice if a worker dies."""

    def cancelled(self) -> bool:
        """Return True if the task should end early."""


Task = Callable[[bytes, ResultSink], None]


@dataclass(frozen=True, slots=True)
class _UnaryTask:
    """Task that calls a function `(request, emit, cancelled)` of `rpc`, imported only by the process that runs it."""

    request: str
    function: str

    def __call__(self, payload: bytes, sink: ResultSink) -> None:
        self._run(payload, sink)

    def _run(self, data: bytes, sink: ResultSink, *inputs: Any) -> None:
        request: Message = import_name(f"{_V1}.{self.request}").FromString(data)

        def emit(message: Any) -> None:
            is_progress = _PROGRESS in message.DESCRIPTOR.fields_by_name and message.HasField(_PROGRESS)
            send = sink.progress if is_progress else sink.result
            send(message.SerializeToString())

        import_name(f"{_RPC}.{self.function}")(request, emit, sink.cancelled, *inputs)


class _StoredTableTask(_UnaryTask):
    """The same over a stored table; the payload's fact is `table`, its path."""

    def __call__(self, payload: bytes, sink: ResultSink) -> None:
        facts, data = unpack(payload)
        inputs = import_name(f"{_RPC}.local_inputs:LocalInputs")
        self._run(data, sink, inputs(facts["table"], lines_limit=MESSAGE_LIMIT))


@dataclass(frozen=True, slots=True)
class _AnswerTask:
    """Task that calls a function of `rpc` from a request to its one response."""

    request: str
    function: str

    def __call__(self, payload: bytes, sink: ResultSink) -> None:
        request: Message = import_name(f"{_V1}.{self.request}").FromString(payload)
        sink.result(import_name(f"{_RPC}.{self.function}")(request).SerializeToString())


@dataclass(frozen=True, slots=True)
class _PayloadTask:
    """Task that calls a function of payload and sink."""

    function: str

    def __call__(self, payload: bytes, sink: ResultSink) -> None:
        import_name(f"{_RPC}.{self.function}")(payload, sink)


def import_name(place: str) -> Any:
    """Import and return the object that `module:name` names."""
    module, name = place.split(":")
    return getattr(import_module(module), name)


_V1, _RPC = "tariffs.v1", "tariffs.service.rpc"
_SIMULATE = "simulation_service_pb2:SimulateRequest", "simulation:simulate"
_GROUPS = "simulation_service_pb2:SimulateRequest", "simulation_groups:simulate_groups"
_TIMELINE = "simulation_service_pb2:TimelineRequest", "timeline:run_timeline"
_SWEEP = "simulation_service_pb2:SweepRequest", "sweeps:run_sweep"
_SEEK = "sweep_service_pb2:SeekRequest", "sweeps:run_seek"
_PROGRESS = "progress"
_CHANGES = "law_service_pb2:ListChangesRequest", "changes:list_changes"
_CHECK_TABLE = "table_service_pb2:CheckTableRequest", "table_check:check_table"
TASKS: Mapping[str, Task] = {
    "simulate": _UnaryTask(*_SIMULATE),
    "groups": _UnaryTask(*_GROUPS),
    "timeline": _UnaryTask(*_TIMELINE),
    "sweep": _UnaryTask(*_SWEEP),
    "seek": _UnaryTask(*_SEEK),
    "changes": _UnaryTask(*_CHANGES),
    "check_table": _UnaryTask(*_CHECK_TABLE),
    "check_table_stored": _StoredTableTask(*_CHECK_TABLE),
    "simulate_stored": _StoredTableTask(*_SIMULATE),
    "groups_stored": _StoredTableTask(*_GROUPS),
    "timeline_stored": _StoredTableTask(*_TIMELINE),
    "sweep_stored": _StoredTableTask(*_SWEEP),
    "seek_stored": _StoredTableTask(*_SEEK),
    "changes_stored": _StoredTableTask(*_CHANGES),
    "duties": _UnaryTask("duty_service_pb2:BatchCalculateDutiesRequest", "duty:calculate_duties"),
    "refunds": _UnaryTask("refund_service_pb2:CalculateRefundsRequest", "refund:calculate_refunds"),
    "check": _AnswerTask("scenario_service_pb2:CheckScenarioRequest", "scenarios:check_scenario_text"),
    "diff": _AnswerTask("scenario_service_pb2:DiffScenariosRequest", "scenarios:diff_scenarios"),
    "port_fee": _AnswerTask("law_service_pb2:CalculatePortFeeRequest", "port_fees:calculate_port_fee"),
    "law_quotes": _PayloadTask("law_warmup:warm_quotes_of"),
    "law_runs": _PayloadTask("law_warmup:warm_runs_of"),
    "store_table": _PayloadTask("tables:store_table"),
    "run": _PayloadTask("runs:compute"),
    "lines": _PayloadTask("lines:value_lines"),
    "lines_end": _PayloadTask("lines:end_lines"),
}
