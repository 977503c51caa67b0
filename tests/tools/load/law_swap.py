"""Measure quotes while a new law is checked, warmed and served, and the time until it answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tariffs.client import Client
from tests.law.packs import drop, newer_pack
from tests.tools.load.plan import Plan
from tests.tools.load.replay import quotes_at_rate
from tests.tools.load.rows import Measured
from tests.tools.load.servers import serving, wait_until

SWAP_SECONDS = 15.0
"""Length of the load in which a law is swapped, as a check takes some seconds."""


def measure(plan: Plan) -> list[Measured]:
    """Rows on the slowest quotes while the default law is swapped, and on the seconds until it answers."""
    packs = plan.folder / "packs"
    packs.mkdir()
    made = [_pack(plan.folder / f"law-{number}", number) for number in range(plan.rounds)]
    with serving(
        plan.folder / "swap", workers=1, law_dir=packs, law_unsigned=True, law_default="latest"
    ) as server:
        tails, seconds, idle = [], [], []
        for number, pack in enumerate(made):
            base = quotes_at_rate(plan.folder, server, plan.seconds).p99
            waited = _Served(server.target, _version(number))
            drop(pack, packs, f"law-{number}.tar.zst")
            tails.append(quotes_at_rate(plan.folder, server, SWAP_SECONDS).p99 / base)
            seconds.append(waited.seconds())
            idle.append(base)
            server.settle()
    told = f"idle p99 {min(idle):.2f} to {max(idle):.2f} ms"
    return [
        Measured("quote_tail_law_swap", tuple(tails), told),
        Measured(
            "law_swap_seconds",
            tuple(seconds),
            "from the file to the first answer under it, at 400 quotes a second",
        ),
    ]


class _Served:
    """Waits in a thread until calls without a name get a version."""

    def __init__(self, target: str, version: str) -> None:
        self._began, self._ended = time.monotonic(), 0.0
        self._thread = threading.Thread(target=self._wait, args=(target, version))
        self._thread.start()

    def seconds(self) -> float:
        """Seconds until then."""
        self._thread.join()
        return self._ended - self._began

    def _wait(self, target: str, version: str) -> None:
        with Client(target) as client:
            wait_until(
                lambda: any(one.is_default and one.version == version for one in client.law_versions())
            )
        self._ended = time.monotonic()


def _version(number: int) -> str:
    return f"2027.01.{number + 1:02}.1"


def _pack(folder: Path, number: int) -> bytes:
    folder.mkdir()
    return newer_pack(folder, _version(number))
