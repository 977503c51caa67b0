"""Compile numeric kernels with numba; kernels contain no country, heading or measure.

Importing this module is light; numba is loaded by the first module that decorates a function with `jit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def jit(function: Kernel) -> Kernel:
    """Compile `function` on first call, without the GIL and cached across processes.

    The original stays reachable as `.py_func`, so that every kernel can be tested as plain Python. With
    `NUMBA_DISABLE_JIT=1` the function is returned unchanged.
    """
    from numba import njit

    from tariffs.engine.base.kernel_cache import kernel_cache

    compiled: Any = njit(nogil=True)(function)
    if hasattr(compiled, "py_func"):
        # numba's own cache compares only the file of the outer function, so an edited callee in another
        # file would be loaded stale; ours is keyed by the sources of all kernels together.
        compiled._cache = kernel_cache(function)
    kernel: Kernel = compiled
    return kernel
