"""Spans of a server by OpenTelemetry, sent by OTLP over gRPC as the variables OTEL_* say.

The provider is the server's own: the one of an application in the same process stays as it is. Names of spans and
attributes follow the semantic conventions for gRPC.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tariffs.engine.base.provenance import engine_version
from tariffs.service.wire.identity import Metadata
from tariffs.service.wire.trace_context import TRACEPARENT_KEY, Attributes, EndedSpan

CLOSE_SECONDS = 1.0
"""Longest time that the end of a server waits for the collector of its spans."""
_NAME = "tariffs"
_W3C = TraceContextTextMapPropagator()
_KEYS = frozenset(_W3C.fields)
# Other codes are the caller's faults, which the conventions do not count as errors of a server.
_SERVER_FAULTS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)


class OtlpTracing:
    """Spans of one server process, sent by OTLP."""

    def __init__(self) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("tariffs.service", engine_version())

    def call(self, method: str, metadata: Metadata, request_id: str) -> OtelSpan:
        """Begin the span of a call, within that of its caller."""
        carrier = {key: str(value) for key, value in metadata if key in _KEYS}
        attributes = {"rpc.system.name": "grpc", "rpc.method": method, "tariffs.request_id": request_id}
        parent = _W3C.extract(carrier, Context())
        return OtelSpan(self._tracer, self._tracer.start_span(method, parent, SpanKind.SERVER, attributes))

    def run(self, name: str, kind: str, attempt: int, started_by: str) -> OtelSpan:
        """Begin the span of a long run: a trace of its own, linked to the call that started the run."""
        starter = get_current_span(_W3C.extract({TRACEPARENT_KEY: started_by}, Context())).get_span_context()
        attributes: Attributes = {"tariffs.run": name, "tariffs.kind": kind, "tariffs.attempt": attempt}
        span = self._tracer.start_span(
            f"run {kind}", Context(), attributes=attributes, links=[Link(starter)] if starter.is_valid else []
        )
        return OtelSpan(self._tracer, span)

    def close(self) -> None:
        """Send what is not yet sent; a collector that does not answer is left after CLOSE_SECONDS."""
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(CLOSE_SECONDS)


class OtelSpan:
    """Span of a call or run."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        context = span.get_span_context()
        ids = format_trace_id(context.trace_id), format_span_id(context.span_id)
        self._sampled = context.trace_flags.sampled
        self.traceparent = f"00-{'-'.join(ids)}-01" if self._sampled else ""
        self.log_fields: Mapping[str, str] = dict(zip(("trace_id", "span_id"), ids, strict=True))

    def record(self, span: EndedSpan) -> None:
        """Record a span within this one."""
        if self._sampled:
            _record(self._tracer, self._span, span)

    def end(self, reason: str, code: str = "") -> dict[str, str] | None:
        """End the span with the reason of a failure, and the status code of a call; return the exemplar of its metrics.

        The exemplar is None if the trace is not sampled.
        """
        if code:
            self._span.set_attribute("rpc.response.status_code", code)
        if reason:
            self._span.set_attribute("error.type", reason)
        if code in _SERVER_FAULTS or (reason and not code):
            self._span.set_status(Status(StatusCode.ERROR, reason or code))
        self._span.end()
        return dict(self.log_fields) if self._sampled else None


def _record(tracer: Tracer, parent: Span, ended: EndedSpan) -> None:
    context = set_span_in_context(parent, Context())
    span = tracer.start_span(ended.name, context, attributes=ended.attributes, start_time=ended.begun)
    for child in ended.children:
        _record(tracer, span, child)
    if ended.reason:
        span.set_attribute("error.type", ended.reason)
        span.set_status(Status(StatusCode.ERROR, ended.reason))
    span.end(ended.ended)


def _resource() -> Resource:
    """Name the service, unless the environment does: attributes given here would have precedence."""
    own: dict[str, str | int] = {"service.version": engine_version(), "process.pid": os.getpid()}
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    if not named:
        own["service.name"] = _NAME
    return Resource.create(own)
