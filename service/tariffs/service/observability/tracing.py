"""Start tracing. OpenTelemetry is imported by `start_tracing` alone, where the setting asks for it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tariffs.engine.errors import ServiceError

if TYPE_CHECKING:
    from tariffs.service.observability.otel_tracing import OtlpTracing

OFF, OTLP = "none", "otlp"
_MODULE = "tariffs.service.observability.otel_tracing"


def start_tracing(traces: str) -> OtlpTracing | None:
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
    tracing: OtlpTracing = module.OtlpTracing()
    return tracing
