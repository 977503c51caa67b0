"""Whether a call is let in: the server is warm, not stopping, and below its limits of calls at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.status import server_busy

# grpc's own limit ends calls without saying why, so it stands behind this one.
_BACKSTOP_CALLS = 64


@dataclass(slots=True)
class Admission:
    """Lets calls in.

    Attributes:
        limit: calls at a time.
        limit_each: of these, how many may be one caller's, so that nobody shuts the others out.
    """

    limit: int
    limit_each: int
    warm: bool = False
    stopping: bool = False
    inside: int = 0
    _each: dict[str, int] = field(default_factory=dict)

    @property
    def backstop(self) -> int:
        """A limit for grpc itself, beyond what the gate lets in and refuses."""
        return 2 * self.limit + _BACKSTOP_CALLS

    @contextmanager
    def call(self, key: str) -> Iterator[None]:
        """Let one call of the caller `key` in for as long as it lasts.

        Raises:
            ServiceError: WARMING_UP, SHUTTING_DOWN or TOO_MANY_STREAMS.
        """
        self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    def enter(self, key: str) -> None:
        """Let one call of the caller `key` in, which must leave.

        Raises:
            ServiceError: WARMING_UP, SHUTTING_DOWN or TOO_MANY_STREAMS.
        """
        self._check(key)
        self.inside += 1
        self._each[key] = self._each.get(key, 0) + 1

    def leave(self, key: str) -> None:
        """One call of the caller `key` has ended."""
        self.inside -= 1
        if self._each[key] > 1:
            self._each[key] -= 1
        else:
            # Callers come and go: only those inside are remembered.
            del self._each[key]

    def _check(self, key: str) -> None:
        if self.stopping:
            raise ServiceError(
                "SHUTTING_DOWN", "The server is draining.", fix="Try another one, or again shortly."
            )
        if not self.warm:
            raise ServiceError("WARMING_UP", "The server is not ready yet.", fix="Try again shortly.")
        if self.inside >= self.limit:
            raise server_busy(f"The server has {self.inside} calls in hand, its limit.", self.limit)
        if self._each.get(key, 0) >= self.limit_each:
            raise server_busy(
                f"You have {self._each[key]} calls in hand, the limit of a caller.", self.limit_each
            )
