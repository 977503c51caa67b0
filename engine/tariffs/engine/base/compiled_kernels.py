"""Compile numeric kernels with numba; kernels contain no country, heading or measure.

Importing kernels is light: numba is loaded by the first call of one. A server imports modules that have kernels, and
calls none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
# Threads may call kernels for the first time at the same time.
_SETTING = threading.Lock()


class Kernel:
    """A function that is compiled by its first call, or by the compile of a kernel that calls it.

    Attributes:
        py_func: the original, so that every kernel can be tested as plain Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.py_func = function

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        return self.compiled(*arguments)

    @cached_property
    def compiled(self) -> Any:
        """The function with numba around it."""
        from numba import config, njit

        from tariffs.engine.base.kernel_cache import LOCATOR, load_alone, prepared_directory

        # numba's own locators compare only the file of the outer function, so an edited callee in another file would
        # be loaded stale; ours is keyed by the sources of all kernels together. It is for these kernels alone, and a
        # kernel keeps the locator it was made with.
        with _SETTING:
            before = config.CACHE_LOCATOR_CLASSES
            config.CACHE_LOCATOR_CLASSES = LOCATOR
            try:
                cached = prepared_directory() is not None
                kernel = njit(nogil=True, cache=cached)(self.py_func)
            finally:
                config.CACHE_LOCATOR_CLASSES = before
        if cached:
            load_alone(kernel)
        return kernel

    @property
    def _numba_type_(self) -> Any:
        """Type by which numba calls this kernel from another."""
        return self.compiled._numba_type_


def jit(function: Function) -> Function:
    """Compile `function` on first call, without the GIL and cached across processes.

    With `NUMBA_DISABLE_JIT=1` the function runs as it is.
    """
    return cast("Function", Kernel(function))
