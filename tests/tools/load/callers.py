"""Callers with the shipped client, in threads, who count what was answered and what failed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tariffs.client import Client
from tariffs.client.errors import TariffsError
from tests.tools.load.plan import QUOTE
from tests.tools.load.threads import beside

JOIN_SECONDS = 120.0
LINE = QUOTE["line"]


@dataclass
class Tally:
    """Counts of calls: answered by kind, and failures."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, kind: str, call: Callable[[], object]) -> None:
        """Make one call and count it."""
        try:
            call()
        except TariffsError as error:
            with self._lock:
                self.failed.append(f"{kind}: {error.reason} {error}"[:200])
        else:
            with self._lock:
                self.answered[kind] += 1

    def told(self) -> str:
        """All of it in words."""
        done = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.answered.items()))
        return f"{done}; first failure: {self.failed[0]}" if self.failed else done


def quote(client: Client) -> object:
    """One quote."""
    return client.duty(
        LINE["hts"], origin=LINE["origin"], entry_date=LINE["entry"], value=LINE["customs_value"]
    )


def sweep(client: Client) -> object:
    """One small run over the embedded table."""
    return client.impact(scenarios=["base", "truce-lapses"], on="2026-12-01", horizon="short")


@contextmanager
def calling(target: str, tally: Tally, quotes: int, sweeps: int) -> Iterator[None]:
    """So many callers of quotes and of sweeps, each with a client of its own, one call after the other."""
    over = threading.Event()
    kinds = [("quotes", quote, 0.005)] * quotes + [("sweeps", sweep, 0.05)] * sweeps

    def one(kind: str, call: Callable[[Client], object], pause: float) -> None:
        with Client(target) as client:
            while not over.is_set():
                tally.make(kind, lambda: call(client))
                time.sleep(pause)

    threads = [threading.Thread(target=one, args=kind) for kind in kinds]
    with beside(threads, over, JOIN_SECONDS):
        yield
