"""Admission of calls: the server is warm, not stopping, and below its limits of concurrent calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from tariffs.engine.errors import ServiceError
from tariffs.service.server.rate_limit import RateLimit
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.fair_limit import FairLimit

# gRPC's own limit ends calls without a reason, so it is set above the server's.
_GRPC_MARGIN = 64


@dataclass(slots=True)
class Admission:
    """Admits or refuses calls.

    Attributes:
        limit: concurrent calls, in all and of one caller.
        rate: calls begun a second, of callers with a quota.
        warm: True once calls can be answered.
        stopping: True once the server drains.
    """

    limit: FairLimit
    rate: RateLimit = field(default_factory=RateLimit)
    warm: bool = False
    stopping: bool = False

    @property
    def grpc_limit(self) -> int:
        """Limit for gRPC itself: room for all admitted calls and for as many that are being refused."""
        return 2 * self.limit.total + _GRPC_MARGIN

    @property
    def admits(self) -> bool:
        """True while calls are admitted, up to the limits."""
        return self.warm and not self.stopping

    def enter(self, who: Caller) -> None:
        """Admit one call of a caller.

        Raises:
            ServiceError: WARMING_UP, SHUTTING_DOWN or TOO_MANY_STREAMS.
        """
        if self.stopping:
            raise ServiceError(
                "SHUTTING_DOWN",
                "The server is shutting down.",
                fix="Try another server, or this one again shortly.",
            )
        if not self.warm:
            raise ServiceError("WARMING_UP", "The server is still starting.", fix="Try again shortly.")
        if who.quotas.calls_per_second is not None:
            self.rate.enter(who.key, who.quotas.calls_per_second)
        self.limit.enter(who.key, who.quotas)

    def leave(self, key: str) -> None:
        """Count an admitted call of the caller `key` as ended."""
        self.limit.leave(key)
