"""Bounded queue between worker and client: a few messages in memory, the others in an unnamed file.

Requirement: a client that stops reading must not block the worker that computes for it, nor fill the server's memory.
"""

from __future__ import annotations

import tempfile
import threading
from collections import deque
from typing import Any

IN_MEMORY = 4
FILE_LIMIT = 256 << 20
"""Bytes of one run that may be queued on disk."""


class OverflowQueue:
    """A queue of messages with one writer, in a thread, and one reader.

    Args:
        file_limit: bytes that may be queued on disk.
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
        """Add a message; False if the queue or the disk is full. May wait for the disk."""
        with self._lock:
            added = self._closed or self._put(message)
        if self._closed:
            self.close()
        return added

    def take(self) -> bytes | None:
        """Take the next message if it is in memory; never blocks."""
        # Messages in memory are older than those on disk: the writer returns to memory once the file is read.
        return self._memory.popleft() if self._memory else None

    @property
    def has_file(self) -> bool:
        """True if messages are queued on disk."""
        return bool(self._sizes)

    def take_from_file(self) -> bytes | None:
        """Take the next message from memory or disk; None if there is none. May wait for the disk."""
        with self._lock:
            # The writer may have added to memory since the reader looked there.
            message = self.take() if self._closed or self._memory or not self._sizes else self._read()
        if self._closed:
            self.close()
        return message

    def close(self) -> None:
        """Discard all messages, and all that are added later; never blocks.

        A thread that reads or writes at this moment discards them when it is done.
        """
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._discard()
            finally:
                self._lock.release()

    def _put(self, message: bytes) -> bool:
        if not self._sizes and len(self._memory) < IN_MEMORY:
            self._memory.append(message)
            return True
        if self._sizes and self._write_at + len(message) > self._limit:
            return False
        try:
            self._write(message)
        except OSError:
            # The disk is full: as if the queue were, the writer waits until the reader has read what is before it.
            return False
        self._write_at += len(message)
        self._sizes.append(len(message))
        return True

    def _write(self, message: bytes) -> None:
        if self._file is None:
            # Without a buffer: a message counts as written only once the disk has it.
            self._file = tempfile.TemporaryFile(prefix="tariffs-run-", buffering=0)  # noqa: SIM115
        self._file.seek(self._write_at)
        left = memoryview(message)
        while left:
            left = left[self._file.write(left) :]

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

    def _discard(self) -> None:
        self._memory.clear()
        self._sizes.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
