"""Run a kernel over ranges of lines on several threads, with a cancellation check between ranges.

Ranges never share an output, so the bits are the same for any number of threads. Stages without a loop over lines call
`checkpoint()` every few milliseconds, so that a caller can stop them without passing a callback through every function.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from tariffs.engine.base.stages import stage

T = TypeVar("T")
R = TypeVar("R")
CHUNK_LINES = 32_768
_STEPS_WORTH_THREADS = 500_000
_watch: ContextVar[Callable[[], None]] = ContextVar("watch", default=lambda: None)


@contextmanager
def watched(check: Callable[[], None]) -> Iterator[None]:
    """Make every `checkpoint()` of this context call `check`, which may raise to stop the work."""
    token = _watch.set(check)
    try:
        yield
    finally:
        _watch.reset(token)


def checkpoint() -> None:
    """Call the check of the current context, which raises if the work is cancelled."""
    _watch.get()()


def checkpoint_here() -> Callable[[], None]:
    """Check of the current context, to be called in threads that the current one starts."""
    return _watch.get()


def thread_count() -> int:
    """Number of threads for kernels: the setting TARIFFS_THREADS, else the number of cores, at most 8."""
    setting = os.environ.get("TARIFFS_THREADS", "")
    return max(1, int(setting)) if setting.isdigit() else min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class ComputeTime:
    """Work of kernels in this process so far: seconds summed over threads, lines or parts of lines, and ranges."""

    seconds: float = 0.0
    lines: int = 0
    chunks: int = 0


class _Meter:
    """Counter of the work of kernels, for metrics."""

    def __init__(self) -> None:
        self.total = ComputeTime()
        self._lock = threading.Lock()

    def add(self, seconds: float, lines: int) -> None:
        """Add one range."""
        with self._lock:
            total = self.total
            self.total = ComputeTime(total.seconds + seconds, total.lines + lines, total.chunks + 1)


_METER = _Meter()


@contextmanager
def metered(lines: int) -> Iterator[None]:
    """Count the time of a kernel, and the lines that it passes over."""
    started = time.perf_counter()
    yield
    _METER.add(time.perf_counter() - started, lines)


def compute_time() -> ComputeTime:
    """Work of kernels in this process so far."""
    return _METER.total


# The thread that calls takes part too, so work within work ends without a free helper.
_HELPERS = ThreadPoolExecutor(max(1, 2 * thread_count()), thread_name_prefix="kernels")


def over_threads(work: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> list[R]:
    """Call `work` for every item on several threads, this one among them, and return the results in order.

    Args:
        work: function of one item, safe on several threads.
        items: what to work on.
        threads: most threads to use; by default `thread_count()`.

    Raises:
        BaseException: what `work` raised first in the order of items; later items may be left out then.
    """
    waiting = deque(enumerate(items))
    results: dict[int, R] = {}
    failed: dict[int, BaseException] = {}
    helpers = min(thread_count() if threads is None else threads, len(waiting)) - 1

    def take() -> None:
        while waiting and not failed:
            try:
                place, item = waiting.popleft()
            except IndexError:
                return
            try:
                results[place] = work(item)
            except BaseException as error:
                failed[place] = error

    running = [_HELPERS.submit(take) for _ in range(helpers)]
    try:
        take()
        wait([each for each in running if not each.cancel()])
    finally:
        waiting.clear()
    if failed:
        raise failed[min(failed)]
    return [results[place] for place in range(len(results))]


def run_ranges(count: int, size: int, work: Callable[[int, int], None]) -> None:
    """Call `work(first, last)` over a range, split evenly between threads; in one if it has few steps (`size`)."""
    threads = min(thread_count(), count) if size >= _STEPS_WORTH_THREADS else 1
    ends = [count * part // max(threads, 1) for part in range(threads + 1)]
    over_threads(lambda bounds: work(*bounds), pairwise(ends), threads)


@stage("pass over lines")
def run_chunks(lines: int, kernel: Callable[[int, int], None], check: Callable[[], None]) -> None:
    """Call `kernel(lo, hi)` over all lines; `check` may raise to stop within a chunk or two."""

    def one(low: int) -> None:
        check()
        high = min(low + CHUNK_LINES, lines)
        with metered(high - low):
            kernel(low, high)

    over_threads(one, range(0, lines, CHUNK_LINES))
