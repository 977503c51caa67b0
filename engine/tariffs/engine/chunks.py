"""Running a kernel over ranges of lines, on a few threads, with a check between ranges.

Ranges never share an output, so the bits are the same for any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CHUNK_LINES = 32_768


def thread_count() -> int:
    """Threads for kernels: the setting TARIFFS_THREADS, else the machine's cores, at most 8."""
    asked = os.environ.get("TARIFFS_THREADS", "")
    return max(1, int(asked)) if asked.isdigit() else min(8, os.cpu_count() or 1)


def run_chunks(lines: int, kernel: Callable[[int, int], None], check: Callable[[], None]) -> None:
    """Call `kernel(lo, hi)` over all lines; `check` may raise to stop within a chunk or two."""
    ranges = [(lo, min(lo + CHUNK_LINES, lines)) for lo in range(0, lines, CHUNK_LINES)]

    def one(bounds: tuple[int, int]) -> None:
        check()
        kernel(*bounds)

    threads = thread_count()
    if threads == 1 or len(ranges) < 2:
        for bounds in ranges:
            one(bounds)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(one, ranges):
            pass
