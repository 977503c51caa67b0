"""Interface of tracing. OpenTelemetry is imported by `start_tracing` alone, where the setting asks for it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Protocol

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.identity import Metadata
from tariffs.service.wire.trace_context import Trace

OFF, OTLP = "none", "otlp"
_MODULE = "tariffs.service.observability.otel_tracing"


class OpenSpan(Trace, Protocol):
    """Span of a call or run, which its owner ends."""

    def end(self, reason: str, code: str = "") -> dict[str, str] | None:
        """End the span with the reason of a failure, and the status code of a call; return the exemplar of its metrics.

        The exemplar is None if the trace is not sampled.
        """


class Tracing(Protocol):
    """Spans of one server process."""

    def call(self, method: str, metadata: Metadata, request_id: str) -> OpenSpan:
        """Begin the span of a call, within that of its caller."""

    def run(self, name: str, kind: str, attempt: int, started_by: str) -> OpenSpan:
        """Begin the span of a long run: a trace of its own, linked to the call that started the run."""

    def close(self) -> None:
        """Send what is not yet sent."""


def start_tracing(traces: str) -> Tracing | None:
    """Start tracing as the setting says; None if it is off; raises ServiceError EXTRA_MISSING without OpenTelemetry."""
    if traces == OFF or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        module: Any = import_module(_MODULE)
    except ModuleNotFoundError as error:
        raise ServiceError(
            "EXTRA_MISSING",
            f"Traces need OpenTelemetry: {error.name} is not installed.",
            field="traces",
            fix="Install tariffs[telemetry], or set TARIFFS_TRACES=none.",
        ) from error
    tracing: Tracing = module.OtlpTracing()
    return tracing
