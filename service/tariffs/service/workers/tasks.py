"""Registry of tasks by name, shared by the server and its worker processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from tariffs.questions.index import INDEX
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
RPC = "tariffs.service.rpc"


@dataclass(frozen=True, slots=True)
class StreamTask:
    """Task of a call: a function `(request, emit, cancelled)` of `rpc`, imported only by the process that runs it.

    The payload is the request; its fact `table`, if any, is the path of a stored table in place of the request's.
    """

    request: str
    function: str

    def imported(self) -> Callable[..., Any]:
        """Import the function `(request, emit, cancelled)`, which may take inputs that replace those of the request."""
        function: Callable[..., Any] = import_name(f"{RPC}.{self.function}")
        return function

    def __call__(self, payload: bytes, sink: ResultSink) -> None:
        """Compute the call."""
        facts, data = unpack(payload)
        inputs = []
        if "table" in facts:
            local_inputs = import_name(f"{RPC}.run_options:LocalInputs")
            inputs.append(local_inputs(facts["table"], lines_limit=MESSAGE_LIMIT))

        def emit(message: Any) -> None:
            is_progress = _PROGRESS in message.DESCRIPTOR.fields_by_name and message.HasField(_PROGRESS)
            send = sink.progress if is_progress else sink.result
            send(message.SerializeToString())

        request = import_name(f"tariffs.v1.{self.request}").FromString(data)
        self.imported()(request, emit, sink.cancelled, *inputs)


class CallTask(StreamTask):
    """Task of a call whose function `(request, cancelled)` of `rpc` returns its one response."""

    def imported(self) -> Callable[..., Any]:
        """Import the function, as one that emits its response."""
        function = super().imported()
        return lambda request, emit, *more: emit(function(request, *more))


class _ShortTask(StreamTask):
    """Task of a call whose function of `rpc` takes the request alone, and returns its one response."""

    def imported(self) -> Callable[..., Any]:
        """Import the function, as one that emits its response."""
        function = super().imported()
        return lambda request, emit, *_more: emit(function(request))


class QuestionTask(StreamTask):
    """Task of a declared question; its function is the name of the question."""

    def imported(self) -> Callable[..., Any]:
        """Import what answers questions, as a function that emits the response."""
        answer = import_name(f"{RPC}.questions:answer")
        return lambda request, emit, cancelled: emit(answer(self.function, request, cancelled))


def import_name(place: str) -> Any:
    """Import and return the object that `module:name` names."""
    module, name = place.split(":")
    return getattr(import_module(module), name)


def _payload_task(function: str) -> Task:
    return lambda payload, sink: import_name(f"{RPC}.{function}")(payload, sink)


_PROGRESS = "progress"
CALLS: Mapping[str, StreamTask] = {
    "simulate": StreamTask("simulation_service_pb2:SimulateRequest", "runs:simulate"),
    "timeline": StreamTask("simulation_service_pb2:TimelineRequest", "runs:timeline"),
    "collections": CallTask(
        "simulation_service_pb2:CalculateCollectionsRequest", "collections:calculate_collections"
    ),
    "hindcast": CallTask("simulation_service_pb2:CompareTradeRequest", "hindcast:compare"),
    "sweep": StreamTask("simulation_service_pb2:SweepRequest", "runs:sweep"),
    "seek": StreamTask("sweep_service_pb2:SeekRequest", "seek:run_seek"),
    "changes": CallTask("law_service_pb2:ListChangesRequest", "changes:list_changes"),
    "check_table": CallTask("table_service_pb2:CheckTableRequest", "table_check:check_table"),
    "duties": CallTask("duty_service_pb2:BatchCalculateDutiesRequest", "duty:calculate_duties"),
    "codes": CallTask("duty_service_pb2:CompareCodesRequest", "codes:compare"),
    "bom": CallTask("duty_service_pb2:CalculateBomRequest", "bom:calculate_bom"),
    "refunds": CallTask("refund_service_pb2:CalculateRefundsRequest", "refund:calculate_refunds"),
    "watch_events": CallTask("duty_service_pb2:ListWatchEventsRequest", "watch:list_watch_events"),
    "world": CallTask("simulation_service_pb2:SolveWorldRequest", "world:solve_world"),
    **{name: QuestionTask(f"{one.messages}:{one.method}Request", name) for name, one in INDEX.items()},
    "check": _ShortTask("scenario_service_pb2:CheckScenarioRequest", "scenarios:check_scenario_text"),
    "diff": _ShortTask("scenario_service_pb2:DiffScenariosRequest", "scenarios:diff_scenarios"),
    "port_fee": _ShortTask("law_service_pb2:CalculatePortFeeRequest", "port_fees:calculate_port_fee"),
}
"""Tasks of calls by name; in-process the same functions are called."""
TASKS: Mapping[str, Task] = {
    **CALLS,
    "law_quotes": _payload_task("law_warmup:warm_quotes_of"),
    "law_runs": _payload_task("law_warmup:warm_runs_of"),
    "store_table": _payload_task("tables:store_table"),
    "run": _payload_task("runs:compute"),
    "lines": _payload_task("lines:value_lines"),
    "lines_end": _payload_task("lines:end_lines"),
}
