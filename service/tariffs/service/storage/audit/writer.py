"""Write audit entries from a thread, so that no call waits for a disk or a database."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.storage.audit.chain import time_text
from tariffs.service.storage.audit.file_chain import FileChain
from tariffs.service.storage.audit.table_chain import TableChain

BATCH_SECONDS = 0.05
RETRY_SECONDS = 1.0
WAITING_LIMIT = 20_000
_ERRORS = (OSError, TariffsError, sa.exc.SQLAlchemyError)
_log = structlog.get_logger("tariffs.service")


class AuditWriter:
    """Queue of audit entries before the thread that writes them.

    Entries that cannot be written wait and are tried again. What happens to calls meanwhile is a setting: new ones are
    refused, so that none is without its entry, or go on; entries beyond WAITING_LIMIT are then lost, and counted.

    Args:
        refuse: refuse calls while entries cannot be written.
    """

    def __init__(self, chain: FileChain | TableChain, *, refuse: bool) -> None:
        self.written = 0
        self.lost = 0
        self.failing = False
        self._chain = chain
        self._refuse = refuse
        self._queue: deque[tuple[float, str, Mapping[str, Any]]] = deque()
        self._pending: deque[Mapping[str, Any]] = deque()
        self._lost_untold = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)

    @property
    def waiting(self) -> int:
        """Entries that are not stored yet."""
        return len(self._queue) + len(self._pending)

    def start(self, facts: Mapping[str, Any]) -> None:
        """Append an entry that the server starts, and begin to write.

        Raises:
            ServiceError: AUDIT_UNAVAILABLE if it cannot be written.
        """
        self._pending.append({"time": time_text(time.time()), "kind": "opened", **facts})
        try:
            self._append()
        except _ERRORS as error:
            self._chain.close()
            raise cannot_write(error) from error
        _log.info("audit", chain=self._chain.name)
        self._thread.start()

    def check(self) -> None:
        """Refuse a call while entries cannot be written, if that is the setting.

        Raises:
            ServiceError: AUDIT_UNAVAILABLE.
        """
        if self.failing and self._refuse:
            raise _unavailable("The audit record cannot be written, and calls without one are refused.")

    def record(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Queue an entry; never waits."""
        if len(self._queue) >= WAITING_LIMIT:
            self.lost += 1
            self._lost_untold += 1
            return
        self._queue.append((time.time(), kind, facts))
        self._wake.set()

    def close(self) -> None:
        """Write what waits and an entry that the server stops; give up if that fails."""
        if self._thread.is_alive():
            self.record("closed", {})
            self._closing.set()
            self._wake.set()
            self._thread.join()
        if self.waiting:
            _log.error("audit entries lost", entries=self.waiting)
        self._chain.close()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            # One write to the disk for many entries.
            self._closing.wait(BATCH_SECONDS)
            self._wake.clear()
            closing = self._closing.is_set()
            self._take()
            try:
                self._append()
            except Exception as error:
                self._failed(error)
                self._closing.wait(RETRY_SECONDS)
                self._wake.set()
                if closing:
                    return
                continue
            if self._queue or self._lost_untold:
                # What did not fit into this write is for the next: a full queue takes no entry that would wake it.
                self._wake.set()
            elif closing:
                return

    def _take(self) -> None:
        # As many again may wait in `_pending` while writing fails, but no more.
        while self._queue and len(self._pending) < WAITING_LIMIT:
            seconds, kind, facts = self._queue.popleft()
            self._pending.append({"time": time_text(seconds), "kind": kind, **facts})
        if self._lost_untold and len(self._pending) < WAITING_LIMIT:
            lost, self._lost_untold = self._lost_untold, 0
            self._pending.append({"time": time_text(time.time()), "kind": "lost", "entries": lost})

    def _append(self) -> None:
        before = len(self._pending)
        if before:
            self._chain.append(self._pending)
            self.written += before
        if self.failing:
            self.failing = False
            _log.info("audit written again", chain=self._chain.name)

    def _failed(self, error: Exception) -> None:
        if not self.failing:
            _log.error("audit not written", chain=self._chain.name, message=_text_of(error))
        self.failing = True


def cannot_write(error: Exception) -> ServiceError:
    """Make the error for a record that cannot be written."""
    return _unavailable(f"The audit record cannot be written: {_text_of(error)}.")


def _text_of(error: Exception) -> str:
    # The text of a database error may contain the entries.
    return str(error) if isinstance(error, (OSError, TariffsError)) else type(error).__name__


def _unavailable(message: str) -> ServiceError:
    return ServiceError(
        "AUDIT_UNAVAILABLE",
        message,
        fix="Try again later; the operator must make room, or set TARIFFS_AUDIT_FAILURE=continue.",
    )
