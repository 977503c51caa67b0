"""Limit of concurrent calls or tasks, in all and per caller, so that no caller takes every place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tariffs.service.wire.identity import SERVER_LIMITS, Quotas
from tariffs.service.wire.status import quota_busy, server_busy


@dataclass(slots=True)
class FairLimit:
    """Counts what is running and refuses more at one of two limits.

    Attributes:
        noun: what is counted, in the plural, for the error text.
        total: the limit of the server.
        per_caller: the limit of one caller.
        quota: name of the quota that gives a caller another limit; empty for none.
    """

    noun: str
    total: int
    per_caller: int
    quota: str = ""
    held: int = 0
    _by_caller: Counter[str] = field(default_factory=Counter)

    def enter(self, key: str, quotas: Quotas = SERVER_LIMITS) -> None:
        """Count one more for the caller `key` with these quotas; raises ServiceError TOO_MANY_STREAMS at a limit."""
        if self.held >= self.total:
            raise server_busy(
                f"{self.held} {self.noun} are in progress, the limit of the server.", self.total
            )
        own, quota = self._by_caller[key], self._quota_of(quotas)
        if quota is not None and own >= quota:
            raise quota_busy(f"you have {own} {self.noun} in progress", self.quota, quota)
        if quota is None and own >= self.per_caller:
            raise server_busy(
                f"you have {own} {self.noun} in progress, the limit of a caller.", self.per_caller
            )
        self.held += 1
        self._by_caller[key] = own + 1

    def limit_of(self, quotas: Quotas) -> int:
        """Return the limit of a caller with these quotas."""
        quota = self._quota_of(quotas)
        return self.per_caller if quota is None else quota

    def held_by(self, key: str) -> int:
        """Return what a caller has in progress."""
        return self._by_caller.get(key, 0)

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

    def _quota_of(self, quotas: Quotas) -> int | None:
        return getattr(quotas, self.quota) if self.quota else None
