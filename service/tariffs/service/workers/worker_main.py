"""Compute runs in a worker process, one at a time, so that compiling and kernels never block the server's event loop.

`python -m tariffs.service.workers.worker_main WARMUP NICENESS` reads pickled tuples from standard input,
("run", number, task, payload) and ("cancel", number), and writes pickled tuples to standard output: ("ready",),
("progress", data), ("result", data) and ("end", error, spent). It ends when its input does, so a worker never outlives
its server.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from tariffs.engine.base.chunks import compute_time, watched
from tariffs.engine.errors import ServiceError, TariffsError


@dataclass(frozen=True, slots=True)
class StopTime:
    """How long a task went on after it was cancelled, and the kernel ranges that ended meanwhile."""

    seconds: float
    chunks: int


@dataclass(frozen=True, slots=True)
class TaskTime:
    """What a task took in its worker: wall time, time inside kernels summed over threads, lines valued by them, and
    its stop if it was cancelled."""

    seconds: float = 0.0
    kernel_seconds: float = 0.0
    lines: int = 0
    stop: StopTime | None = None


class UnforeseenError(Exception):
    """What a task met that it did not raise on purpose, with the stack as the worker saw it."""


class _Inbox:
    """Reads what the server sends: jobs wait in a queue, a cancel takes effect at once."""

    def __init__(self, source: BinaryIO) -> None:
        self.jobs: queue.Queue[tuple[int, str, bytes]] = queue.Queue()
        self._source = source
        self._over = threading.Event()
        self._current = -1
        self._cancelled_early: set[int] = set()
        self._lock = threading.Lock()
        self._cancelled_at = (0.0, 0)

    def read(self) -> None:
        """Read until the server has gone, and leave then, whatever is being computed."""
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                kind, number, *rest = pickle.load(self._source)
                if kind == "run":
                    self.jobs.put((number, *rest))
                else:
                    self._cancel(number)
        _leave()

    def begin(self, number: int) -> None:
        """Say which job is computed from now on."""
        with self._lock:
            self._current = number
            self._over.clear()
            if number in self._cancelled_early:
                self._set_over()
            self._cancelled_early.clear()

    def cancelled(self) -> bool:
        """Whether the job computed now was cancelled."""
        return self._over.is_set()

    def stopped(self) -> StopTime | None:
        """The stop of the job that has just ended, if it was cancelled."""
        if not self._over.is_set():
            return None
        at, chunks = self._cancelled_at
        return StopTime(time.perf_counter() - at, compute_time().chunks - chunks)

    def _cancel(self, number: int) -> None:
        with self._lock:
            if number == self._current:
                self._set_over()
            elif number > self._current:
                # Read before the job itself was begun.
                self._cancelled_early.add(number)

    def _set_over(self) -> None:
        self._cancelled_at = (time.perf_counter(), compute_time().chunks)
        self._over.set()


class _Outbox:
    """Sends to the server; the outlet of tasks."""

    def __init__(self, sink: BinaryIO, inbox: _Inbox) -> None:
        self._sink = sink
        self.cancelled = inbox.cancelled

    def send(self, *message: Any) -> None:
        """Send one tuple; blocks while the server does not read."""
        pickle.dump(message, self._sink, protocol=pickle.HIGHEST_PROTOCOL)
        self._sink.flush()

    def result(self, data: bytes) -> None:
        """Send a message of the answer, unless nobody waits for it."""
        self.check()
        self.send("result", data)

    def progress(self, data: bytes) -> None:
        """Send how far the task is, unless nobody waits for it."""
        self.check()
        self.send("progress", data)

    def check(self) -> None:
        """Stop what is being computed if nobody waits for it; raises ServiceError CANCELLED."""
        if self.cancelled():
            raise ServiceError("CANCELLED", "The caller cancelled the run.")


def main(warm_up: str, niceness: int) -> None:
    """Warm up and compute until the server closes the standard input."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not end up between the messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    inbox = _Inbox(source)
    outbox = _Outbox(sink, inbox)
    threading.Thread(target=inbox.read, name="inbox", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(niceness)
    from tariffs.service.workers.tasks import named

    try:
        named(warm_up)()
    except TariffsError as error:
        outbox.send("end", error, TaskTime())
        _leave()
    except Exception:
        traceback.print_exc()
        _leave()
    # As in the server: what is warm stays, and is not to be looked through for garbage.
    gc.collect()
    gc.freeze()
    outbox.send("ready")
    while True:
        number, task, payload = inbox.jobs.get()
        inbox.begin(number)
        outbox.send("end", *_run(task, payload, inbox, outbox))


def _leave() -> NoReturn:
    """End at once: the thread that reads could not be ended otherwise."""
    sys.stderr.flush()
    os._exit(0)


def _run(task: str, payload: bytes, inbox: _Inbox, outbox: _Outbox) -> tuple[Exception | None, TaskTime]:
    from tariffs.service.workers.tasks import TASKS

    error: Exception | None = None
    before, begun = compute_time(), time.perf_counter()
    try:
        with watched(outbox.check):
            TASKS[task](payload, outbox)
    except TariffsError as known:
        error = known
    except BaseException:
        # Polars panics past Exception; whatever it is, it must not take the worker with it.
        error = UnforeseenError(traceback.format_exc())
    after, ended = compute_time(), time.perf_counter()
    kernels = (after.seconds - before.seconds, after.lines - before.lines)
    return error, TaskTime(ended - begun, *kernels, inbox.stopped())


if __name__ == "__main__":
    # What is pickled must come from the module of that name, which this one is not while it runs as a script.
    from tariffs.service.workers import worker_main

    worker_main.main(sys.argv[1], int(sys.argv[2]))
