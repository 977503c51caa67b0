"""Atomic file writes, and removal of unused files."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from tariffs.engine.errors import ServiceError

_UNFINISHED = ".part"
_WALL_AT_START = time.time() - time.monotonic()


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically: `write` fills a draft, which is synced to disk and renamed to `path`.

    Raises:
        ServiceError: STORAGE_UNAVAILABLE if the disk is full or fails.
    """
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")
    with disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(draft)
            sync(draft)
            draft.replace(path)
            sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn errors of writing into STORAGE_UNAVAILABLE: a disk that is full may have room again soon."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        # Polars reports an error of the disk as one of its own.
        raise ServiceError(
            "STORAGE_UNAVAILABLE", "The server cannot write to its disk.", fix="Try again shortly."
        ) from error


def touch(path: Path) -> bool:
    """Update the modification time of a file or directory; False if it does not exist."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sweep(directory: Path, keep: Callable[[str], bool], idle_seconds: float) -> list[str]:
    """Remove entries that `keep` does not claim and that were not touched recently; return their names."""
    removed = []
    for path in _entries(directory):
        if keep(path.name) or _age(path) < idle_seconds:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        removed.append(path.name)
    return removed


def _entries(directory: Path) -> Iterable[Path]:
    with suppress(FileNotFoundError):
        return sorted(directory.iterdir())
    return ()


def _age(path: Path) -> float:
    # A clock that is stepped, either way, makes no file old: an upload that has just begun would be removed.
    now = min(time.time(), time.monotonic() + _WALL_AT_START)
    try:
        return max(0.0, now - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def sync(path: Path) -> None:
    """Write what the system holds of a file or directory to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
