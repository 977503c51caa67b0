"""Limit of calls a second for each caller: the time until which its calls would last at its rate.

The generic cell rate algorithm: one comparison a call, where counting libraries keep windows with locks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tariffs.service.wire.status import quota_busy

BURST_SECONDS = 1.0
_CALLERS_KEPT = 4096
_ROUNDING = 1e-9


@dataclass(slots=True)
class RateLimit:
    """Calls a second of each caller; those of one second may come at once.

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
