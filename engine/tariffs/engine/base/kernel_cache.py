"""Cache compiled kernels on disk between processes.

The directory is `NUMBA_CACHE_DIR`, else the user's cache directory, with a sub-directory per hash of all
kernel sources and the numba version: old code is never loaded after an edit or an upgrade. A read-only directory is
still read (an image may ship it filled); if the directory cannot be read, kernels are compiled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache

_SOURCES = ("base/ordered_sums.py", "*/kernel.py", "*/kernels/*.py")
_numba_load: Callable[..., Any] = FunctionCache.load_overload
_numba_save: Callable[..., Any] = FunctionCache.save_overload


@cache
def kernels_digest() -> str:
    """SHA-256 of the sources of all kernels and the numba version, in hex."""
    digest = hashlib.sha256(numba.__version__.encode())
    engine = Path(__file__).parents[1]
    for path in sorted(path for pattern in _SOURCES for path in engine.glob(pattern)):
        digest.update(str(path.relative_to(engine)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def cache_directory() -> Path:
    """Directory of the kernels compiled from exactly these sources; it need not exist."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        base = Path(chosen)
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        base = (Path(home) if home else Path("~/.cache").expanduser()) / "tariffs" / "kernels"
    return base / kernels_digest()[:16]


class KernelLocator:
    """Numba's cache locator protocol over `cache_directory`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Locate the cache of one kernel."""
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], source_path: str) -> KernelLocator:
        """Create the locator of one kernel; never None, because without a cache only the start is slower."""
        return cls(function)

    def ensure_cache_path(self) -> None:
        """Create the directory.

        Raises:
            OSError: it cannot be created.
        """
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """Directory of the compiled kernels."""
        return str(cache_directory())

    def get_source_stamp(self) -> str:
        """Stamp that a cached kernel must match to be loaded."""
        return kernels_digest()

    def get_disambiguator(self) -> str:
        """Suffix that distinguishes kernels of the same name."""
        return str(self._line)


_UNREADABLE = (OSError, EOFError, UnpicklingError)


def _load(self: Any, signature: Any, target_context: Any) -> Any:
    try:
        return _numba_load(self, signature, target_context)
    except _UNREADABLE:
        # A truncated file must never stop a run: reset its index and compile.
        with suppress(OSError):
            self.flush()
    return None


def _save(self: Any, signature: Any, data: Any) -> None:
    with suppress(*_UNREADABLE):
        _numba_save(self, signature, data)


_KernelCacheImpl = type("_KernelCacheImpl", (CompileResultCacheImpl,), {"_locator_classes": [KernelLocator]})
_KernelCache = type(
    "_KernelCache",
    (FunctionCache,),
    {"_impl_class": _KernelCacheImpl, "load_overload": _load, "save_overload": _save},
)


def kernel_cache(function: Callable[..., Any]) -> Any:
    """Compilation cache of one kernel, to be set on its dispatcher."""
    return _KernelCache(function)
