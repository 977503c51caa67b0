"""What can be computed away from the event loop, by name: the same names in the server and in its workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from google.protobuf.message import Message

from tariffs.engine.base.chunks import watched
from tariffs.engine.errors import ServiceError


class CancelToken:
    """Whether nobody waits for a task any more; who must hear of it at once leaves a function to call."""

    def __init__(self) -> None:
        self._set = False
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def is_set(self) -> bool:
        """Whether it is over."""
        return self._set

    def set(self) -> None:
        """Say that it is over; the second time changes nothing."""
        with self._lock:
            self._set, listeners = True, self._listeners
            self._listeners = []
        for listener in listeners:
            listener()

    def tell(self, listener: Callable[[], None]) -> None:
        """Have a function called once when it is over, in the thread that says so; now if it is over already."""
        with self._lock:
            if not self._set:
                self._listeners.append(listener)
                return
        listener()

    def forget(self, listener: Callable[[], None]) -> None:
        """Call a function no more that was left here."""
        with self._lock, suppress(ValueError):
            self._listeners.remove(listener)


class ResultSink(Protocol):
    """Where a task's messages go, and how it hears that nobody waits for them any more."""

    def result(self, data: bytes) -> None:
        """Hand on a message of the answer; may block until the caller is ready for more."""

    def progress(self, data: bytes) -> None:
        """Hand on a message that tells how far the task is; one that comes twice does no harm."""

    def cancelled(self) -> bool:
        """Whether to end early."""


Task = Callable[[bytes, ResultSink], None]


@dataclass(frozen=True, slots=True)
class _UnaryTask:
    """A function `(request, emit, cancelled)` of `rpc`, named so that only who runs it imports it."""

    request: str
    function: str

    def __call__(self, payload: bytes, outlet: ResultSink) -> None:
        request: Message = named(self.request).FromString(payload)
        content = _content_of(request)

        def emit(message: Any) -> None:
            tell = outlet.progress if content and message.WhichOneof(content) == "progress" else outlet.result
            tell(message.SerializeToString())

        named(self.function)(request, emit, outlet.cancelled)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A function of `rpc` from a request to its one answer."""

    request: str
    function: str

    def __call__(self, payload: bytes, outlet: ResultSink) -> None:
        request: Message = named(self.request).FromString(payload)
        outlet.result(named(self.function)(request).SerializeToString())


@dataclass(frozen=True, slots=True)
class _Whole:
    """A function of payload and outlet."""

    function: str

    def __call__(self, payload: bytes, outlet: ResultSink) -> None:
        named(self.function)(payload, outlet)


def _content_of(request: Message) -> str:
    """The oneof of the messages that answer a request which is told how far it is; empty for others."""
    return "content" if request.DESCRIPTOR.name in {"SimulateRequest", "TimelineRequest"} else ""


def named(place: str) -> Any:
    """What `module:name` names."""
    module, name = place.split(":")
    return getattr(import_module(module), name)


_V1, _RPC = "tariffs.v1", "tariffs.service.rpc"
TASKS: Mapping[str, Task] = {
    "simulate": _UnaryTask(f"{_V1}.simulation_service_pb2:SimulateRequest", f"{_RPC}.simulation:simulate"),
    "timeline": _UnaryTask(f"{_V1}.simulation_service_pb2:TimelineRequest", f"{_RPC}.timeline:run_timeline"),
    "duties": _UnaryTask(
        f"{_V1}.duty_service_pb2:BatchCalculateDutiesRequest", f"{_RPC}.duty:calculate_duties"
    ),
    "refunds": _UnaryTask(
        f"{_V1}.refund_service_pb2:CalculateRefundsRequest", f"{_RPC}.refund:calculate_refunds"
    ),
    "changes": _UnaryTask(f"{_V1}.law_service_pb2:ListChangesRequest", f"{_RPC}.changes:list_changes"),
    "check": _Answer(
        f"{_V1}.scenario_service_pb2:CheckScenarioRequest", f"{_RPC}.scenarios:check_scenario_text"
    ),
    "port_fee": _Answer(
        f"{_V1}.law_service_pb2:CalculatePortFeeRequest", f"{_RPC}.portfees:calculate_port_fee"
    ),
    "simulate_kept": _Whole(f"{_RPC}.tables:simulate_kept"),
    "timeline_kept": _Whole(f"{_RPC}.tables:timeline_kept"),
    "changes_kept": _Whole(f"{_RPC}.tables:changes_kept"),
    "keep_table": _Whole(f"{_RPC}.tables:keep_table"),
    "run": _Whole(f"{_RPC}.runs:compute"),
    "lines": _Whole(f"{_RPC}.lines:value_lines"),
    "lines_end": _Whole(f"{_RPC}.lines:end_lines"),
    "diff": _Answer(f"{_V1}.scenario_service_pb2:DiffScenariosRequest", f"{_RPC}.scenarios:diff_scenarios"),
}


def compute_in_process(task: str, payload: bytes, outlet: ResultSink, over: CancelToken) -> None:
    """Run a task in the calling thread.

    Raises:
        TariffsError: whatever the task raises.
    """

    def check() -> None:
        if over.is_set():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")

    with watched(check):
        TASKS[task](payload, outlet)
