"""Cancel the calls that another thread waits for, as an asyncio task that is cancelled does."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Protocol

from tariffs.client.errors import Cancelled


class Cancellable(Protocol):
    """Call to a server."""

    def cancel(self) -> object:
        """End the call."""


class CancelScope:
    """Calls made for one awaited call, which end together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Cancellable] = []
        self._cancelled = False

    def add(self, call: Cancellable) -> None:
        """Register a call that has begun; raises Cancelled, and ends the call, if the scope is cancelled already."""
        with self._lock:
            self._calls.append(call)
            cancelled = self._cancelled
        if cancelled:
            call.cancel()
            raise Cancelled("CANCELLED", "The call was cancelled.", code="CANCELLED")

    def cancel(self) -> None:
        """End all calls, and those that begin later; idempotent."""
        with self._lock:
            self._cancelled, calls = True, list(self._calls)
        for call in calls:
            call.cancel()


SCOPE: ContextVar[CancelScope | None] = ContextVar("scope", default=None)
"""Scope of the calls of the current thread or task; None if nobody can cancel them."""
