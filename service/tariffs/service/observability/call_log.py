"""Log line and metrics of one call."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import Message

from tariffs.engine.errors import TariffsError
from tariffs.service.observability.audit_facts import refused_rows_of, run_digest_of
from tariffs.service.observability.metrics import Metrics
from tariffs.service.wire.identity import Caller, Metadata, set_current_call
from tariffs.service.wire.status import (
    INVARIANT,
    REQUEST_ID_KEY,
    grpc_code,
    reason_of,
    status_of,
    trailers_of,
)
from tariffs.service.wire.trace_context import TRACEPARENT_KEY, set_current_trace

if TYPE_CHECKING:
    from tariffs.service.observability.otel_tracing import OtelSpan

Context = grpc.aio.ServicerContext[Any, Any]
BeginSpan = Callable[[Metadata, str], "OtelSpan"]
# Request ids are not secrets, so the fast generator is enough.
_IDS = random.Random()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class CallLog:
    """One call from its start to its one line in the log.

    Args:
        rpc: service and method, such as `DutyService/CalculateDuty`.
        context: the call; its trailing metadata gets the request id.
        begin_span: begins its span from its metadata and its request id; None if calls are not traced.

    Attributes:
        metadata: the call's metadata, read once: gRPC builds it at every access.
    """

    def __init__(
        self, rpc: str, context: Context, metrics: Metrics, log: Any, begin_span: BeginSpan | None = None
    ) -> None:
        self._log = log
        self._started = time.perf_counter()
        self._rpc = rpc
        self._context = context
        self._metrics = metrics
        self._run_digest = ""
        self.metadata = context.invocation_metadata() or ()
        self._request_id = request_id_of(self.metadata)
        self._fields = {"rpc": rpc, "request_id": self._request_id}
        self._span = None if begin_span is None else begin_span(self.metadata, self._request_id)
        if self._span is not None:
            set_current_trace(self._span)
        context.set_trailing_metadata(((REQUEST_ID_KEY, self._request_id), *self._trace_trailers()))

    def set_caller(self, who: Caller) -> None:
        """Set the caller of the call."""
        self._fields["owner"] = who.owner
        set_current_call(who, self._fields)

    def read(self, read: Callable[[Any], Any], raw: Any) -> Any:
        """Read the request of the call from its bytes, or an iterator over requests from one over bytes."""
        return read(raw)

    def add_response(self, message: Message) -> None:
        """Record the run digest and the refused rows of a response message."""
        self._run_digest = run_digest_of(message) or self._run_digest
        self._metrics.refused_rows(self._rpc, refused_rows_of(message))

    def end(self, code: str, **facts: Any) -> None:
        """Log and count the call as ended."""
        if self._run_digest:
            facts["run_digest"] = self._run_digest
        seconds = time.perf_counter() - self._started
        exemplar = None if self._span is None else self._span.end(facts.get("reason", ""), code)
        self._metrics.called(self._rpc, code, seconds, exemplar)
        self._log.info("call", code=code, milliseconds=round(seconds * 1e3, 3), **self._fields, **facts)

    async def fail(self, error: Exception) -> NoReturn:
        """Log an error and end the call with its status; the traceback of an unexpected error stays in the log."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if not isinstance(error, TariffsError):
            self._log.error("unexpected error", reason=INVARIANT, exc_info=error, **self._fields)
        status = status_of(error, self._request_id)
        code, reason = grpc_code(status), reason_of(error)
        self._metrics.failed(reason)
        self.end(code.name, reason=reason)
        trailers = (*trailers_of(status, self._request_id), *self._trace_trailers())
        await self._context.abort(code, status.message, trailers)
        raise AssertionError("abort never returns")

    def _trace_trailers(self) -> tuple[tuple[str, str], ...]:
        """Name the span to a caller without a trace of its own, for its report of an error."""
        traceparent = "" if self._span is None else self._span.traceparent
        return ((TRACEPARENT_KEY, traceparent),) if traceparent else ()


def request_id_of(metadata: Metadata | None) -> str:
    """Return the caller's request id, or a new one."""
    request_id = next((str(value) for key, value in metadata or () if key == REQUEST_ID_KEY), "")
    return request_id if request_id and _REQUEST_ID.fullmatch(request_id) else f"{_IDS.getrandbits(128):032x}"
