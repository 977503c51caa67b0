"""Make spans of the stages that the engine reports, with those within a stage as its children."""

from __future__ import annotations

import time

from tariffs.service.wire.trace_context import EndedSpan

SPANS_AT_MOST = 500
"""Spans of one task, to bound memory; later ones are counted."""


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
