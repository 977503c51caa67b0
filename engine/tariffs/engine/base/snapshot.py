"""Keep what is made of files of the package on disk between processes: JSON and numbers, nothing that is executed.

A snapshot is one file beside the compiled kernels, `NAME-KEY.snapshot`. The key is the SHA-256 of the data and code
that it was made of, so one that is out of date is never found; its checksum is compared when it is read. A file that is
missing or damaged, or that cannot be written, is as none: the value is made again, with the same bits. Every file may
be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")
ENGINE = Path(__file__).parents[1]
SUFFIX = ".snapshot"
_FORM = b"tariffs snapshot 1\n".ljust(32)
HEAD = len(_FORM) + hashlib.sha256().digest_size
"""Bytes before the content: the form of the file, and the checksum of the content. Arrays are aligned by them."""
_KEPT = 5
"""Files of one name that stay: of this code, and of other checkouts or settings that share the directory."""


def cache_base() -> Path:
    """Directory of compiled kernels and snapshots; it need not exist."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path("~/.cache").expanduser()) / "tariffs" / "kernels"


def snapshot_directory() -> Path:
    """Directory of the snapshots; it need not exist."""
    return cache_base() / "snapshots"


@cache
def files_digest(*patterns: str) -> str:
    """SHA-256 of files of the engine, given by patterns below its folder, with their names, in hex."""
    digest = hashlib.sha256(_FORM)
    for path in sorted({path for pattern in patterns for path in ENGINE.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ENGINE).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def kept_json(name: str, key: str, make: Callable[[], Value]) -> Value:
    """Return a value of JSON from its snapshot, made and kept there if there is none.

    Args:
        key: digest of the data and code that the value is made of.
        make: makes the value of texts, numbers, lists and mappings with texts as keys.
    """
    data = read_snapshot(name, key)
    if data is not None:
        found: Value = json.loads(bytes(data))
        return found
    value = make()
    write_snapshot(name, key, (json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),))
    return value


def read_snapshot(name: str, key: str) -> memoryview | None:
    """Read the bytes of a snapshot into memory of its own, which may be written; None without one that is whole."""
    try:
        with _path(name, key).open("rb") as file:
            data = memoryview(bytearray(os.fstat(file.fileno()).st_size))
            file.readinto(data)
    except OSError:
        return None
    whole = data[: len(_FORM)] == _FORM and hashlib.sha256(data[HEAD:]).digest() == data[len(_FORM) : HEAD]
    return data[HEAD:] if whole else None


def write_snapshot(name: str, key: str, parts: Iterable[bytes | memoryview]) -> None:
    """Write the bytes of a snapshot in place of any there; without a directory or room for it nothing is written."""
    path, parts = _path(name, key), tuple(parts)
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
    written = path.with_name(f"{name}-{os.urandom(8).hex()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written.open("xb") as file:
            file.writelines((_FORM, checksum.digest(), *parts))
        written.replace(path)
        _remove_older(name, path.parent)
    except OSError:
        with suppress(OSError):
            written.unlink(missing_ok=True)


def _path(name: str, key: str) -> Path:
    return snapshot_directory() / f"{name}-{key[:32]}{SUFFIX}"


def _remove_older(name: str, directory: Path) -> None:
    """Remove all but the newest files of a name; another process may do the same."""
    files = sorted(directory.glob(f"{name}-*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)
