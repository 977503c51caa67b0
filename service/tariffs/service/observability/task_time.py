"""Measured time of one task in a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.service.wire.trace_context import EndedSpan


@dataclass(frozen=True, slots=True)
class StopTime:
    """Seconds from the cancellation of a task to its end, and the kernel ranges that ended in between."""

    seconds: float
    chunks: int


@dataclass(frozen=True, slots=True)
class TaskTime:
    """Time of one task.

    Attributes:
        seconds: wall time.
        kernel_seconds: time in kernels, summed over threads.
        lines: lines valued.
        stop: its stop, if it was cancelled.
        stages: its stages as spans, if it is traced.
    """

    seconds: float = 0.0
    kernel_seconds: float = 0.0
    lines: int = 0
    stop: StopTime | None = None
    stages: tuple[EndedSpan, ...] = ()
