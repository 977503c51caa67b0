"""Messages on their way from who computes to who reads: few in memory, the others in a file that has no name.

A reader who stops reading must not hold the worker that computes for him, nor the server's memory; what he has not
read waits on disk, up to a bound.
"""

from __future__ import annotations

import tempfile
import threading
from collections import deque
from typing import Any

IN_MEMORY = 4
FILE_LIMIT = 256 << 20
"""Bytes of one run that may wait on disk."""


class OverflowQueue:
    """A queue of messages with one writer, in a thread, and one reader.

    Args:
        file_limit: bytes that may wait on disk.
    """

    def __init__(self, file_limit: int) -> None:
        self._limit = file_limit
        self._lock = threading.Lock()
        self._memory: deque[bytes] = deque()
        self._file: Any = None
        self._sizes: deque[int] = deque()
        self._read_at = self._write_at = 0
        self._closed = False

    def put(self, message: bytes) -> bool:
        """Add a message; whether there was room. May wait for the disk."""
        with self._lock:
            there_was_room = self._closed or self._put(message)
        if self._closed:
            self.close()
        return there_was_room

    def take(self) -> bytes | None:
        """The next message if it is in memory; waits for nothing."""
        # What is in memory is older than what is on disk: the writer goes back to memory once all on disk is read.
        return self._memory.popleft() if self._memory else None

    @property
    def has_file(self) -> bool:
        """Whether messages wait on disk."""
        return bool(self._sizes)

    def take_from_file(self) -> bytes | None:
        """The next message wherever it is; None if there is none. May wait for the disk."""
        with self._lock:
            # The writer may have put something into memory since the reader looked there.
            found = self.take() if self._closed or self._memory or not self._sizes else self._read()
        if self._closed:
            self.close()
        return found

    def close(self) -> None:
        """Forget all messages, and all that come from now on; waits for nothing.

        Whoever is reading or writing meanwhile forgets them when done.
        """
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._forget()
            finally:
                self._lock.release()

    def _put(self, message: bytes) -> bool:
        if not self._sizes and len(self._memory) < IN_MEMORY:
            self._memory.append(message)
            return True
        if self._sizes and self._write_at + len(message) > self._limit:
            return False
        if self._file is None:
            # A small file stays in memory too.
            self._file = tempfile.SpooledTemporaryFile(max_size=1 << 20, prefix="tariffs-run-")  # noqa: SIM115
        self._file.seek(self._write_at)
        self._file.write(message)
        self._write_at += len(message)
        self._sizes.append(len(message))
        return True

    def _read(self) -> bytes:
        size = self._sizes.popleft()
        self._file.seek(self._read_at)
        message: bytes = self._file.read(size)
        self._read_at += size
        if not self._sizes:
            self._file.seek(0)
            self._file.truncate()
            self._read_at = self._write_at = 0
        return message

    def _forget(self) -> None:
        self._memory.clear()
        self._sizes.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
