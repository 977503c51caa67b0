"""Trace calls of the client with OpenTelemetry, which is imported only where the configuration asks for it."""

from __future__ import annotations

import importlib
from typing import Any

from tariffs.client import errors

OFF, OTLP, APPLICATION = "none", "otlp", "application"
TRACES = (OFF, OTLP, APPLICATION)


def call_tracer(traces: str, target: str) -> Any:
    """Make the interceptor that traces the calls of a channel; None if they are not traced.

    Raises:
        InvalidRequest: SETTING_INVALID for another value than those of `TRACES`.
        ExtraMissing: OpenTelemetry is not installed.
    """
    if traces == OFF:
        return None
    if traces not in TRACES:
        raise errors.InvalidRequest(
            "SETTING_INVALID",
            f"traces is {traces!r}.",
            field="traces",
            fix=f"Use one of {', '.join(TRACES)}, or unset TARIFFS_TRACES.",
        )
    try:
        spans: Any = importlib.import_module("tariffs.client._wire.call_spans")
    except ModuleNotFoundError as error:
        raise errors.extra_missing("telemetry", error.name) from error
    return spans.CallTracer(spans.tracer(traces == OTLP), target)
