"""Report stages of a computation, with their time, to an observer of the current context; nothing without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Observer = Callable[[str, float, float], None]
"""Takes the name of a stage that has ended, and its begin and end in seconds of `time.perf_counter`."""
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Report the stages of this context to an observer: an inner one before the one around it."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Report the block, or the function so decorated, as a stage, also if it raises."""
    observer = _observer.get()
    if observer is None:
        yield
        return
    begun = time.perf_counter()
    try:
        yield
    finally:
        observer(name, begun, time.perf_counter())
