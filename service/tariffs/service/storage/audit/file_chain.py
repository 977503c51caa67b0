"""Chain of audit entries in a directory: JSON lines, a new file each day and beyond a size.

`NAME-YYYY-MM-DD-SEQ.jsonl` begins with the entry SEQ of the chain NAME. `NAME.head` has number and digest of the last
entry, written after it, so that entries cut off at the end are noticed. `NAME.lock` is locked by the process that
writes.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tariffs.engine.errors import ServiceError
from tariffs.service.storage.audit.chain import (
    MISSING_HEAD,
    Head,
    append,
    digest_of_line,
    read_entry,
    time_text,
)
from tariffs.service.storage.audit.sources import HEAD_SUFFIX, LOCK_SUFFIX, chain_files, read_head
from tariffs.service.storage.files import sync

_MODE = 0o600
_NAMES_TRIED = 64


@dataclass
class _OpenFile:
    """The file that is being written, its day and its size."""

    handle: int
    day: str
    size: int


class FileChain:
    """Appends entries to the files of one chain.

    Args:
        directory: the directory; created if it does not exist.
        name: name of the chain; another is used while a process writes to it: NAME.2, NAME.3 and so on.
        file_bytes: size from which a file is followed by another.
    """

    def __init__(self, directory: Path, name: str, file_bytes: int) -> None:
        self.name = name
        self._directory = directory
        self._file_bytes = file_bytes
        self._head = Head()
        self._lock: int | None = None
        self._file: _OpenFile | None = None
        self._is_resumed = False

    def append(self, pending: deque[Mapping[str, Any]]) -> None:
        """Append entries, removing each from `pending` once it is on the disk.

        Raises:
            OSError: the disk is full or fails; what was written of an entry is cut off again.
        """
        if not self._is_resumed:
            pending.extendleft(self._resume())
        while pending:
            file = self._file_for(pending[0])
            data, head = bytearray(), self._head
            heads: list[Head] = []
            for facts in pending:
                if heads and (file.size + len(data) >= self._file_bytes or facts["time"][:10] != file.day):
                    break
                line, head = append(self.name, head, facts)
                data += line + b"\n"
                heads.append(head)
            self._write(file, bytes(data))
            self._head = heads[-1]
            for _ in heads:
                pending.popleft()
            self._write_head()

    def close(self) -> None:
        """Close the file and give the chain free."""
        self._close_file()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._is_resumed = False

    def _resume(self) -> list[Mapping[str, Any]]:
        """Find the end of the chain; return an entry about what was lost there, if anything was."""
        if self._lock is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._take_lock()
        self._close_file()
        written, dropped = self._last_entry()
        found = read_head(self._directory / f"{self.name}{HEAD_SUFFIX}")
        recorded = found or Head()
        # Of two with one number the recorded one counts: an entry changed meanwhile must break the chain.
        self._head = max(recorded, written, key=lambda head: head.seq)
        missing, headless = self._head.seq - written.seq, found is None and bool(written.seq or dropped)
        if found is None and not headless:
            # A chain has a head from its beginning: one that is missing was removed.
            self._write_head()
        self._is_resumed = True
        if not (dropped or missing or headless):
            return []
        facts = {"dropped_bytes": dropped, "missing_entries": missing, MISSING_HEAD: headless}
        return [{"time": time_text(time.time()), "kind": "recovered", **facts}]

    def _take_lock(self) -> int:
        name = self.name
        for number in range(1, _NAMES_TRIED + 1):
            self.name = name if number == 1 else f"{name}.{number}"
            handle = os.open(
                self._directory / f"{self.name}{LOCK_SUFFIX}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE
            )
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            return handle
        raise ServiceError(
            "AUDIT_UNAVAILABLE",
            f"All chains {name} to {self.name} in {self._directory} are being written.",
            fix="Set TARIFFS_AUDIT_CHAIN to a name of this server's own.",
        )

    def _last_entry(self) -> tuple[Head, int]:
        """Find the last whole entry; cut off what follows it, and count those bytes."""
        dropped = 0
        for path in reversed(chain_files(self._directory, self.name)):
            data = path.read_bytes()
            end = data.rfind(b"\n") + 1
            if end < len(data):
                dropped += len(data) - end
                os.truncate(path, end)
            if end:
                line = data[:end].removesuffix(b"\n").rpartition(b"\n")[2]
                entry = read_entry(line)
                return Head(entry["seq"] if entry else 0, digest_of_line(line)), dropped
        return Head(), dropped

    def _file_for(self, facts: Mapping[str, Any]) -> _OpenFile:
        day = facts["time"][:10]
        file = self._file
        if file is not None and file.day == day and file.size < self._file_bytes:
            return file
        self._close_file()
        path = self._path_for(day)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
        self._file = file = _OpenFile(handle, day, os.fstat(handle).st_size)
        sync(self._directory)
        return file

    def _path_for(self, day: str) -> Path:
        """The last file, if it is of this day and has room; else the next one."""
        before = chain_files(self._directory, self.name)[-1:]
        for path in before:
            if path.name.startswith(f"{self.name}-{day}-") and path.stat().st_size < self._file_bytes:
                return path
        return self._directory / f"{self.name}-{day}-{self._head.seq + 1:012}.jsonl"

    def _write(self, file: _OpenFile, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file.handle, rest) :]
            os.fsync(file.handle)
        except OSError:
            # If the cut fails too, the end is looked for again before the next entry.
            self._is_resumed = False
            with suppress(OSError):
                os.ftruncate(file.handle, file.size)
                self._is_resumed = True
            raise
        file.size += len(data)

    def _write_head(self) -> None:
        # Always the same length and in place: it needs no space on a full disk.
        path = self._directory / f"{self.name}{HEAD_SUFFIX}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            os.pwrite(handle, f"{self._head.seq:020} {self._head.digest}\n".encode(), 0)
        finally:
            os.close(handle)

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file.handle)
            self._file = None
