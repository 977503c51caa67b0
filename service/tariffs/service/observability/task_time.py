"""Measured time of one task in a worker process, and the stages that the engine reports as its spans."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tariffs.service.wire.trace_context import EndedSpan

SPANS_AT_MOST = 500
"""Spans of one task, to bound memory; later ones are counted."""


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


class StageSpans:
    """Observer of stages; inner stages are reported before those around them."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - int(time.perf_counter() * 1e9)
        self._spans: list[EndedSpan] = []
        self._count = 0
        self.dropped = 0

    def __call__(self, name: str, begun: float, ended: float) -> None:
        """Add a stage that has ended, by times of `time.perf_counter`."""
        if self._count >= SPANS_AT_MOST:
            self.dropped += 1
            return
        self._count += 1
        first = self._since_epoch(begun)
        inner = len(self._spans)
        while inner and self._spans[inner - 1].begun >= first:
            inner -= 1
        children = tuple(self._spans[inner:])
        self._spans[inner:] = [EndedSpan(name, first, self._since_epoch(ended), children=children)]

    @property
    def spans(self) -> tuple[EndedSpan, ...]:
        """The outermost spans so far."""
        return tuple(self._spans)

    def _since_epoch(self, seconds: float) -> int:
        return int(seconds * 1e9) + self._offset
