"""Spans of calls by OpenTelemetry, with names and attributes of its semantic conventions for gRPC."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tariffs.client._wire.call_details import CallInterceptor, with_entries
from tariffs.client.errors import from_rpc_error

_NAME = "tariffs.client"
_W3C = TraceContextTextMapPropagator()


def tracer(own: bool) -> Tracer:
    """Return a tracer of the application, or of a provider of the client's own that sends by OTLP."""
    made: Tracer = (_provider() if own else trace).get_tracer(_NAME, version("tariffs"))
    return made


@cache
def _provider() -> Any:
    """Make the provider of this process, which sends what is left when the process ends."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": _NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class CallTracer(CallInterceptor):
    """Interceptor that makes a span of every call, within the application's own, and sends its context along."""

    def __init__(self, tracer: Tracer, target: str, place: tuple[str, str]) -> None:
        self._tracer = tracer
        self._target = target
        host, port = place
        self._server: dict[str, str | int] = {"rpc.system.name": "grpc", "server.address": host}
        if port.isdigit():
            self._server["server.port"] = int(port)

    def call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Make the call within a span of its own."""
        method = details.method.removeprefix("/")
        attributes = {**self._server, "rpc.method": method}
        span = self._tracer.start_span(method, kind=SpanKind.CLIENT, attributes=attributes)
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(span))
        try:
            call = continuation(with_entries(details, carrier.items()), request)
        except BaseException:
            span.end()
            raise
        call.add_done_callback(lambda ended: self._end(span, ended))
        return call

    def _end(self, span: Span, call: Any) -> None:
        code = call.code()
        span.set_attribute("rpc.response.status_code", code.name)
        if code is not grpc.StatusCode.OK:
            reason = (
                from_rpc_error(call, self._target).reason if isinstance(call, grpc.RpcError) else code.name
            )
            span.set_attribute("error.type", reason)
            span.set_status(Status(StatusCode.ERROR, reason))
        span.end()
