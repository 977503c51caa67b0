"""Files that appear whole or not at all, whoever writes them at the same time."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_UNFINISHED = ".part"


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a file beside `path`, and give it its name once it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")
    try:
        write(draft)
        _sync(draft)
        draft.replace(path)
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def touch(path: Path) -> bool:
    """Say that a file or directory is in use; whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sweep(directory: Path, keep: Callable[[str], bool], idle_seconds: float) -> list[str]:
    """Remove what nobody keeps and nobody has touched for a while; gives the names."""
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
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
