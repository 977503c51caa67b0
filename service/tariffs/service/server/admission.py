"""Admission of calls: the server is warm, not stopping, and below its limits of concurrent calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tariffs.engine.errors import ServiceError
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.status import quota_busy
from tariffs.service.workers.fair_limit import FairLimit

# gRPC's own limit ends calls without a reason, so it is set above the server's.
_GRPC_MARGIN = 64
BURST_SECONDS = 1.0
_CALLERS_KEPT = 4096
_ROUNDING = 1e-9


@dataclass(slots=True)
class RateLimit:
    """Calls a second of each caller; those of one second may come at once.

    The generic cell rate algorithm: one comparison a call, where counting libraries keep windows with locks.

    Attributes:
        clock: seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    _due: dict[str, float] = field(default_factory=dict)

    def enter(self, key: str, per_second: float) -> None:
        """Count a call of the caller `key`; raises ServiceError TOO_MANY_STREAMS beyond the rate."""
        now, interval = self.clock(), 1 / per_second
        due = max(self._due.get(key, now), now)
        if due - now > max(0.0, BURST_SECONDS - interval) + _ROUNDING:
            raise quota_busy(
                f"you have begun {per_second:g} calls in a second", "calls_per_second", per_second
            )
        self._due[key] = due + interval
        if len(self._due) > _CALLERS_KEPT:
            # Callers whose calls are spread out already need no number.
            self._due = {other: at for other, at in self._due.items() if at > now}


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
        """Admit one call of a caller; raises ServiceError WARMING_UP, SHUTTING_DOWN or TOO_MANY_STREAMS."""
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
