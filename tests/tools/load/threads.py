"""Threads that work beside what a block does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def beside(
    threads: Sequence[threading.Thread], over: threading.Event, join_seconds: float | None = None
) -> Iterator[None]:
    """Run threads until the end of the block, which sets `over` and waits for them."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(join_seconds)
