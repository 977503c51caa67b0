"""File that is reloaded when it changes; while it cannot be read, what was read before stays in use."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from tariffs.engine.errors import TariffsError

LOOK_SECONDS = 1.0
Signature = tuple[int, int, int]
Content = TypeVar("Content")
_log = structlog.get_logger("tariffs.service")


class WatchedFile(ABC, Generic[Content]):
    """A file and what was read from it.

    Args:
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
        self._seen = self._signature()
        self.content = self._read()

    async def watch(self) -> None:
        """Check the file every second until cancelled."""
        await look_every_second(self.reload_if_changed)

    def reload_if_changed(self) -> None:
        """Read the file if it has changed."""
        with self._lock:
            if self._signature() != self._seen:
                self._reload()

    def reload(self) -> None:
        """Read the file."""
        with self._lock:
            self._reload()

    def _reload(self) -> None:
        """Replace the content; a file that cannot be read is tried again at the next check."""
        signature = self._signature()
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

    def _signature(self) -> Signature | None:
        try:
            return signature_of(self._path)
        except OSError:
            return None

    @property
    @abstractmethod
    def size(self) -> int:
        """Names in the content, for the log."""

    @abstractmethod
    def _read(self) -> Content:
        """Read the file; raises InputError SETTING_INVALID."""


def signature_of(path: Path) -> Signature:
    """Read time, size and number of a file, which tell whether it has changed; raises OSError."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


async def look_every_second(look: Callable[[], None]) -> None:
    """Call a function every second until cancelled, in a thread: a slow disk must not block the event loop."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await asyncio.to_thread(look)
        except Exception as error:
            _log.error("unexpected error", exc_info=error)
