"""Compile numeric kernels with numba; kernels contain no country, heading or measure.

Importing this module is light; numba is loaded by the first module that decorates a function with `jit`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
# Threads may import modules of kernels at the same time.
_SETTING = threading.Lock()


def jit(function: Kernel) -> Kernel:
    """Compile `function` on first call, without the GIL and cached across processes.

    The original stays reachable as `.py_func`, so that every kernel can be tested as plain Python. With
    `NUMBA_DISABLE_JIT=1` the function is returned unchanged.
    """
    return _compiled(function, forceinline=False)


def inlined(function: Kernel) -> Kernel:
    """Compile a short `function` as `jit` does, into the code of every kernel that calls it."""
    return _compiled(function, forceinline=True)


def _compiled(function: Kernel, *, forceinline: bool) -> Kernel:
    from numba import config, njit

    from tariffs.engine.base.kernel_cache import LOCATOR, prepared_directory

    # numba's own locators compare only the file of the outer function, so an edited callee in another file would be
    # loaded stale; ours is keyed by the sources of all kernels together. It is for these kernels alone, and a kernel
    # keeps the locator it was made with.
    with _SETTING:
        before = config.CACHE_LOCATOR_CLASSES
        config.CACHE_LOCATOR_CLASSES = LOCATOR
        try:
            cached = prepared_directory() is not None
            kernel: Kernel = njit(nogil=True, cache=cached, forceinline=forceinline)(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = before
    return kernel
