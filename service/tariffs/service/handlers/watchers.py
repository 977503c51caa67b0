"""Bound the calls that watch for changes, and end them when the server stops."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tariffs.engine.errors import ServiceError
from tariffs.service.workers.fair_limit import FairLimit

_MOST = 64


class Watchers:
    """Calls that watch, at most half of them of one caller.

    Args:
        noun: what they are, in the plural, for the error text.

    Attributes:
        open: False once they are to end: another server can answer them.
    """

    def __init__(self, noun: str) -> None:
        self._limit = FairLimit(noun, _MOST, _MOST // 2)
        self.open = True

    def place(self, key: str) -> AbstractContextManager[None]:
        """Count a call while the context is open; raises ServiceError TOO_MANY_STREAMS at a limit."""
        return self._limit.place(key)

    def close(self) -> None:
        """End the calls."""
        self.open = False


def shutting_down(fix: str) -> ServiceError:
    """Make the error of a call that ends because the server stops."""
    return ServiceError("SHUTTING_DOWN", "The server is shutting down.", fix=fix)
