"""Files of tables while they are uploaded, locked by the process that receives them.

The lock ends with the process, whatever ends it, so that a file without one is left over and can be removed at once.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import BinaryIO

from tariffs.service.storage.files import disk_errors

_SUFFIX = ".upload"


class UploadFile:
    """File of the parts of one upload, opened by the first part. Every method blocks.

    A cancelled call leaves its last write running in a thread; the lock makes `remove` wait for it, and a write after
    `remove` is dropped, so no handle and no file stays behind.

    Args:
        directory: where the file is made.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{uuid.uuid4().hex}{_SUFFIX}"
        self._file: BinaryIO | None = None
        self._removed = False
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append data; raises ServiceError STORAGE_UNAVAILABLE if the disk is full."""
        with self._lock, disk_errors():
            if not self._removed:
                self._append(data)

    def flush(self) -> None:
        """Write what is left in memory, so that the file can be read; raises as `write`."""
        with self._lock, disk_errors():
            if self._file is not None:
                self._file.flush()

    def remove(self) -> None:
        """Delete and close the file."""
        with self._lock:
            self._removed = True
            self.path.unlink(missing_ok=True)
            if self._file is not None:
                with suppress(OSError):
                    self._file.close()
                self._file = None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = _open_locked(self.path)
        self._file.write(data)


def sweep_uploads(directory: Path) -> list[str]:
    """Remove uploads whose process has ended; return their names."""
    removed = []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        # A file in use, one that is gone by now, or a file system without locks.
        with suppress(OSError), path.open("rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            path.unlink()
            removed.append(path.name)
    return removed


def _open_locked(path: Path) -> BinaryIO:
    """Make a file that has its name only once it is locked."""
    draft = path.with_suffix("")
    file = draft.open("wb")
    try:
        with suppress(OSError):
            flock(file, LOCK_EX)
        draft.rename(path)
    except BaseException:
        file.close()
        draft.unlink(missing_ok=True)
        raise
    return file
