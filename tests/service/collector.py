"""A collector of OpenTelemetry on loopback: keeps the spans that are sent to it by OTLP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.service.stored import until

ERROR = trace_pb2.Status.STATUS_CODE_ERROR
SPAN = trace_pb2.Span
SERVER, CLIENT, INTERNAL = SPAN.SPAN_KIND_SERVER, SPAN.SPAN_KIND_CLIENT, SPAN.SPAN_KIND_INTERNAL


@dataclass(frozen=True)
class CollectedSpan:
    """A span with its attributes and those of its resource."""

    service: str
    span: Any

    @property
    def name(self) -> str:
        return str(self.span.name)

    @property
    def attributes(self) -> dict[str, Any]:
        return attributes_of(self.span)


def attributes_of(holder: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.port = 0
        self.metadata: list[dict[str, Any]] = []
        self._spans: list[CollectedSpan] = []
        self._lock = threading.Lock()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the wire
        with self._lock:
            self.metadata.append(dict(context.invocation_metadata()))
            for resource in request.resource_spans:
                service = attributes_of(resource.resource).get("service.name", "")
                for scope in resource.scope_spans:
                    self._spans.extend(CollectedSpan(service, span) for span in scope.spans)
        return pb.ExportTraceServiceResponse()

    def clear(self) -> None:
        with self._lock:
            self._spans.clear()
            self.metadata.clear()

    def spans(self) -> list[CollectedSpan]:
        with self._lock:
            return list(self._spans)

    def wait_for(
        self, found: Callable[[list[CollectedSpan]], bool], seconds: float = 60.0
    ) -> list[CollectedSpan]:
        """The spans once `found` holds for them."""
        until(lambda: found(self.spans()), seconds)
        return self.spans()


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of the loopback."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()


def within(spans: list[CollectedSpan], name: str) -> CollectedSpan:
    """The one span of that name."""
    (found,) = [one for one in spans if one.name == name]
    return found


def parent_of(spans: list[CollectedSpan], child: CollectedSpan) -> CollectedSpan:
    """The span around another."""
    (found,) = [one for one in spans if one.span.span_id == child.span.parent_span_id]
    assert found.span.trace_id == child.span.trace_id
    return found
