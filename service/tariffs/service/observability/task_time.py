"""Measured time of one task in a worker process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopTime:
    """Seconds from the cancellation of a task to its end, and the kernel ranges that ended in between."""

    seconds: float
    chunks: int


@dataclass(frozen=True, slots=True)
class TaskTime:
    """Wall time of a task, kernel time summed over threads, lines valued, and its stop if it was cancelled."""

    seconds: float = 0.0
    kernel_seconds: float = 0.0
    lines: int = 0
    stop: StopTime | None = None
