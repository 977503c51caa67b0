"""Sample memory, open files and threads of processes, and fit a line through each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psutil

from tests.tools.load.servers import MIB
from tests.tools.soak.servers import SoakServer

EVERY_SECONDS = 5.0
WARM_SHARE, WARM_SECONDS_AT_MOST = 0.3, 600.0
FEWEST = 6
Sample = tuple[float, float, int, int]
"""Time, MiB of resident memory, open files, threads."""


@dataclass
class Samples:
    """Samples of a server and of each of its workers, by process."""

    server: SoakServer
    by_process: dict[int, list[Sample]] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def take(self) -> None:
        """Take one sample of each process."""
        assert self.server.process is not None
        for process in (psutil.Process(self.server.process.pid), *self.server.workers()):
            try:
                sample = (
                    time.monotonic(),
                    process.memory_info().rss / MIB,
                    process.num_fds(),
                    process.num_threads(),
                )
            except psutil.Error:
                continue
            self.by_process.setdefault(process.pid, []).append(sample)

    def run(self, over: threading.Event) -> None:
        """Sample until the event is set."""
        while not over.wait(EVERY_SECONDS):
            self.take()

    def of_server(self) -> list[Sample]:
        """Samples of the process that answers calls, after its warm-up."""
        assert self.server.process is not None
        return self._warm(self.by_process.get(self.server.process.pid, []))

    def of_workers(self) -> list[list[Sample]]:
        """Samples of each worker that lived long enough, after its warm-up, the longest first."""
        assert self.server.process is not None
        found = [self._warm(own) for pid, own in self.by_process.items() if pid != self.server.process.pid]
        return sorted((own for own in found if len(own) >= FEWEST), key=len, reverse=True)

    @staticmethod
    def _warm(samples: list[Sample]) -> list[Sample]:
        if not samples:
            return []
        lasted = samples[-1][0] - samples[0][0]
        since = samples[0][0] + min(WARM_SECONDS_AT_MOST, WARM_SHARE * lasted)
        return [sample for sample in samples if sample[0] >= since]


@dataclass(frozen=True)
class Trend:
    """First and last level of a line through samples, and its slope an hour."""

    first: float
    last: float
    an_hour: float

    @classmethod
    def of(cls, samples: list[Sample], column: int) -> Trend:
        """Fit the line."""
        if len(samples) < FEWEST:
            return cls(0.0, 0.0, 0.0)
        times = np.array([sample[0] for sample in samples])
        values = np.array([sample[column] for sample in samples], dtype=float)
        slope, level = np.polyfit(times - times[0], values, 1)
        return cls(float(level), float(level + slope * (times[-1] - times[0])), float(slope * 3600))

    @property
    def growth(self) -> float:
        """Last level over first."""
        return self.last / self.first if self.first else 1.0


@contextmanager
def sampling(server: SoakServer) -> Iterator[Samples]:
    """Sample a server until the end of the block."""
    over, samples = threading.Event(), Samples(server)
    thread = threading.Thread(target=samples.run, args=(over,))
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
