"""Limit of concurrent calls or tasks, in all and per caller, so that no caller takes every place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tariffs.service.wire.status import server_busy


@dataclass(slots=True)
class FairLimit:
    """Counts what is running and refuses more at one of two limits.

    Attributes:
        noun: what is counted, in the plural, for the error text.
        total: the limit of the server.
        per_caller: the limit of one caller.
    """

    noun: str
    total: int
    per_caller: int
    held: int = 0
    _by_caller: Counter[str] = field(default_factory=Counter)

    def enter(self, key: str) -> None:
        """Count one more for the caller `key`; raises ServiceError TOO_MANY_STREAMS at a limit."""
        if self.held >= self.total:
            raise server_busy(
                f"{self.held} {self.noun} are in progress, the limit of the server.", self.total
            )
        own = self._by_caller[key]
        if own >= self.per_caller:
            raise server_busy(
                f"you have {own} {self.noun} in progress, the limit of a caller.", self.per_caller
            )
        self.held += 1
        self._by_caller[key] = own + 1

    @contextmanager
    def place(self, key: str) -> Iterator[None]:
        """Count one more for the length of the block; raises as `enter`."""
        self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    def leave(self, key: str) -> None:
        """Count one less for the caller `key`."""
        self.held -= 1
        self._by_caller[key] -= 1
        if not self._by_caller[key]:
            # Callers without calls are forgotten, so that memory does not grow with their number.
            del self._by_caller[key]
