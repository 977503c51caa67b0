"""File that is reloaded when it changes; while it cannot be read, what was read before stays in use."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from tariffs.engine.errors import TariffsError

LOOK_SECONDS = 1.0
Content = TypeVar("Content")
_log = structlog.get_logger("tariffs.service")


class WatchedFile(ABC, Generic[Content]):
    """A file and what was read from it.

    Args:
        path: the file.
        noun: what it holds, in log lines.

    Attributes:
        content: what was read last.

    Raises:
        InputError: SETTING_INVALID if the file cannot be read at the start.
    """

    def __init__(self, path: Path, noun: str) -> None:
        self._path = path
        self._noun = noun
        self._lock = threading.Lock()
        self._logged_error = ""
        self._seen = _signature(path)
        self.content = self._read()

    async def watch(self) -> None:
        """Check the file every second until cancelled, in a thread: a slow disk must not block the event loop."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.reload_if_changed)
            except Exception as error:
                _log.error("unexpected error", exc_info=error)

    def reload_if_changed(self) -> None:
        """Read the file if it has changed."""
        with self._lock:
            if _signature(self._path) != self._seen:
                self._reload()

    def reload(self) -> None:
        """Read the file."""
        with self._lock:
            self._reload()

    def _reload(self) -> None:
        """Replace the content; a file that cannot be read is tried again at the next check."""
        signature = _signature(self._path)
        try:
            self.content = self._read()
        except TariffsError as error:
            # A half-written file must not lock all callers out: what is known stays valid meanwhile.
            if str(error) != self._logged_error:
                self._logged_error = str(error)
                _log.error(f"{self._noun} not read", reason=error.reason, message=str(error))
            return
        self._seen, self._logged_error = signature, ""
        _log.info(f"{self._noun} read", names=self.size)

    @property
    @abstractmethod
    def size(self) -> int:
        """Names in the content, for the log."""

    @abstractmethod
    def _read(self) -> Content:
        """Read the file; raises InputError SETTING_INVALID."""


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
