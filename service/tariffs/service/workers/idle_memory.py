"""Give memory that is free within the process back to the system while a worker waits for work."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from tariffs.engine.base.bounded_cache import clear_brief


def _trim() -> Callable[[int], int] | None:
    """Find `malloc_trim`, which the C library of GNU has and others do not."""
    try:
        found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # elsewhere than on Unix
        return None
    return found


_TRIM = _trim()


def release_free_memory() -> None:
    """Let go of what is soon made again, and return free memory to the system.

    Requirement: a run over a table needs some 300 MB for a moment. The C library keeps them for the next one, so that
    idle workers would hold twice the memory of what they keep.
    """
    clear_brief()
    if _TRIM is not None:
        _TRIM(0)
