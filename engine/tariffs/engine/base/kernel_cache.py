"""Cache compiled kernels on disk between processes.

The directory is `NUMBA_CACHE_DIR`, else the user's cache directory, with a sub-directory per hash of all
kernel sources and the numba version: old code is never loaded after an edit or an upgrade. numba finds it through the
locator here (its setting `NUMBA_CACHE_LOCATOR_CLASSES`). A directory that can only be read (an image may ship it
filled) is copied for the process; if no directory can be used, every process compiles.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import numba
from numba.core.runtime import rtsys

from tariffs.engine.base.snapshot import cache_base

LOCATOR = f"{__name__}.KernelLocator"
_SOURCES = ("base/ordered_sums.py", "*/*kernel.py", "*/kernels/*.py")
_FILES = "*.nb[ic]"
# All kernels take some 3 MB.
_ROOM_NEEDED = 32 << 20


def kernel_sources() -> list[Path]:
    """List the files of the engine with kernels, sorted."""
    return sorted(path for pattern in _SOURCES for path in Path(__file__).parents[1].glob(pattern))


@cache
def kernels_digest() -> str:
    """SHA-256 of the sources of all kernels and the numba version, in hex."""
    digest, engine = hashlib.sha256(numba.__version__.encode()), Path(__file__).parents[1]
    for path in kernel_sources():
        digest.update(str(path.relative_to(engine)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def cache_directory() -> Path:
    """Directory of the kernels compiled from exactly these sources; it need not exist."""
    return cache_base() / kernels_digest()[:16]


@cache
def prepared_directory() -> Path | None:
    """Make the directory ready for numba, which stops at files that it cannot read or write; None if none can be used.

    Files that are not whole are removed: a disk was full, or a copy broke off.
    """
    directory = cache_directory()
    try:
        if _is_writable(directory):
            for path in directory.glob(_FILES):
                if not _is_whole(path):
                    path.unlink(missing_ok=True)
            return directory
        return _copied(directory)
    except OSError:
        return None


def load_alone(kernel: Any) -> None:
    """Load a kernel from the cache without what only a compile needs.

    numba fills all its registries before it looks into the cache, which takes a third of a second of every process.
    Compiled code calls nothing of them but the runtime; a kernel that is not in the cache fills them when it compiles.
    """
    kept = kernel._cache

    def load(signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        with kept._guard_against_spurious_io_errors():
            return kept._load_overload(signature, context)

    kept.load_overload = load


def _is_writable(directory: Path) -> bool:
    """Test whether files can be written into a directory, made if there is none."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            return shutil.disk_usage(directory).free > _ROOM_NEEDED
    except OSError:
        return False


@cache
def _copies() -> TemporaryDirectory[str]:
    """Directory of the copy that this process uses, removed at its end."""
    return TemporaryDirectory(prefix="tariffs-kernels-")


def _copied(directory: Path) -> Path | None:
    """Copy the whole files of a directory that cannot be written; None without room for them."""
    copy = Path(_copies().name)
    if shutil.disk_usage(copy).free <= _ROOM_NEEDED:
        return None
    for path in directory.glob(_FILES):
        if _is_whole(path):
            shutil.copyfile(path, copy / path.name)
    return copy


def _is_whole(path: Path) -> bool:
    """Test whether a file is a sequence of pickles, the last one with its end; nothing of them is loaded."""
    with path.open("rb") as file:
        try:
            while file.peek(1):
                _Hollow(file).load()
        except (
            EOFError,
            pickle.UnpicklingError,
            ValueError,
            TypeError,
            AttributeError,
            IndexError,
            KeyError,
        ):
            return False
    return True


class _Nothing:
    """Stand for whatever a pickle names."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        return object.__new__(cls)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _Nothing()

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        pass

    def __hash__(self) -> int:
        return 0


class _Hollow(pickle.Unpickler):
    """Reader of pickles that loads no class or function."""

    def find_class(self, module: str, name: str, /) -> Any:
        return _Nothing


class KernelLocator:
    """Locator of numba's cache, by the protocol of its own locators."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Locate the cache of one kernel."""
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], source_path: str) -> KernelLocator:
        """Create the locator of one kernel."""
        return cls(function)

    def ensure_cache_path(self) -> None:
        """Do nothing: `prepared_directory` made the directory."""

    def get_cache_path(self) -> str:
        """Directory of the compiled kernels."""
        return str(prepared_directory())

    def get_source_stamp(self) -> str:
        """Stamp that a cached kernel must match to be loaded."""
        return kernels_digest()

    def get_disambiguator(self) -> str:
        """Suffix that distinguishes kernels of the same name."""
        return str(self._line)
