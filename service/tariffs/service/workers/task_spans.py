"""Record spans of a task in the trace of its call or run: its wait for a worker, and each attempt at it."""

from __future__ import annotations

import time

from tariffs.service.observability.task_time import TaskTime
from tariffs.service.wire.trace_context import Attributes, EndedSpan, current_trace


def record_wait(lane: str, task: str, begun: int) -> None:
    """Record that a task waited for a worker of a lane until now.

    Args:
        begun: when it was admitted, in nanoseconds since 1970.
    """
    trace = current_trace()
    if trace is not None:
        attributes = {"tariffs.lane": lane, "tariffs.task": task}
        trace.record(EndedSpan("wait for a worker", begun, time.time_ns(), attributes))


class AttemptSpan:
    """Span of one attempt at a task in a worker process, within the trace of the current context.

    Attributes:
        traceparent: context for the worker; empty if nothing is recorded.
    """

    def __init__(self, task: str, process: int) -> None:
        self._trace = current_trace()
        self._begun = time.time_ns()
        self._task = task
        self._process = process
        self.traceparent = "" if self._trace is None else self._trace.traceparent

    def end(self, reason: str, spent: TaskTime) -> None:
        """Record the attempt as ended, with the reason of its error and the time that the worker reports."""
        if self._trace is None:
            return
        attributes: Attributes = {
            "tariffs.task": self._task,
            "process.pid": self._process,
            "tariffs.kernel_seconds": spent.kernel_seconds,
            "tariffs.rows": spent.lines,
        }
        ended = time.time_ns()
        name = f"task {self._task}"
        self._trace.record(EndedSpan(name, self._begun, ended, attributes, reason, spent.stages))
