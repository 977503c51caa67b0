"""Trace of the current call or long run, in a context variable; None while nothing is traced.

Spans are recorded when they have ended, so that a worker process needs no tracing of its own: it sends times back.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

TRACEPARENT_KEY = "traceparent"
Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class EndedSpan:
    """A span that has ended.

    Attributes:
        name: its name.
        begun, ended: nanoseconds since 1970.
        attributes: facts of it.
        reason: reason of the error that ended it; empty without one.
        children: spans within it.
    """

    name: str
    begun: int
    ended: int
    attributes: Attributes = field(default_factory=dict)
    reason: str = ""
    children: tuple[EndedSpan, ...] = ()


class Trace(Protocol):
    """Span of a call or run that has not ended."""

    @property
    def traceparent(self) -> str:
        """Its context in the form of W3C; empty if it is not sampled."""

    @property
    def log_fields(self) -> Mapping[str, str]:
        """Fields of log lines: `trace_id` and `span_id`."""

    def record(self, span: EndedSpan) -> None:
        """Record a span within this one."""


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """Return the span of the current call or run; None if it is not traced."""
    return _TRACE.get()


def current_traceparent() -> str:
    """Return the context of the current call or run in the form of W3C; empty if nothing is recorded."""
    trace = _TRACE.get()
    return "" if trace is None else trace.traceparent


def set_current_trace(trace: Trace | None) -> None:
    """Set the span of the current call or run for the rest of the asyncio task."""
    _TRACE.set(trace)


def trace_log_fields() -> Mapping[str, str]:
    """Return the fields by which a log line is found from its trace; empty if nothing is traced."""
    trace = _TRACE.get()
    return {} if trace is None else trace.log_fields
