"""Compute runs in a worker process, one at a time, so that compiling and kernels never block the server's event loop.

`python -m tariffs.service.workers.worker_main WARMUP NICENESS` reads pickled tuples from standard input,
("run", number, task, payload, traceparent) and ("cancel", number), and writes pickled tuples to standard output:
("ready",), ("progress", data), ("result", data) and ("end", error, time). Stages are reported with the time where there
is a traceparent. A warm-up may return a function, which is called when the worker first waits for work. It exits when
its input ends, so a worker never outlives its server.
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
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any, BinaryIO, NoReturn

from tariffs.engine.base.chunks import compute_time, watched
from tariffs.engine.base.stages import observed
from tariffs.engine.errors import TariffsError
from tariffs.service.observability.task_time import StageSpans, StopTime, TaskTime
from tariffs.service.wire.status import check_cancelled
from tariffs.service.workers.idle_memory import release_free_memory
from tariffs.service.workers.warm_data import warm_data

IDLE_SECONDS = 0.3
"""Seconds without a job after which a worker counts as idle."""


class UnexpectedError(Exception):
    """An uncatalogued error of a task, with the worker's traceback as text."""


class _Inbox:
    """Reads messages of the server: jobs are queued, a cancellation takes effect at once."""

    def __init__(self, source: BinaryIO) -> None:
        self.when_idle: Callable[[], None] | None = None
        self.jobs: queue.Queue[tuple[int, str, bytes, str]] = queue.Queue()
        self._source = source
        self._cancelled = threading.Event()
        self._current = -1
        self._cancelled_early: set[int] = set()
        self._lock = threading.Lock()
        self._cancelled_at = (0.0, 0)

    def read(self) -> None:
        """Read until the server closes the pipe, then end the process, whatever it computes."""
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                kind, number, *rest = pickle.load(self._source)
                if kind == "run":
                    self.jobs.put((number, *rest))
                else:
                    self._cancel(number)
        _exit()

    def next_job(self) -> tuple[int, str, bytes, str]:
        """Wait for a job; meanwhile the rest of the warm-up is done, and memory that is free is given back."""
        try:
            return self.jobs.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            if self.when_idle is not None:
                self.when_idle()
                self.when_idle = None
            release_free_memory()
        return self.jobs.get()

    def begin(self, number: int) -> None:
        """Set the job that is computed from now on."""
        with self._lock:
            self._current = number
            self._cancelled.clear()
            if number in self._cancelled_early:
                self._set_cancelled()
            self._cancelled_early.clear()

    def cancelled(self) -> bool:
        """Return True if the current job was cancelled."""
        return self._cancelled.is_set()

    def stopped(self) -> StopTime | None:
        """Return the stop time of the job that has just ended, if it was cancelled."""
        if not self._cancelled.is_set():
            return None
        at, chunks = self._cancelled_at
        return StopTime(time.perf_counter() - at, compute_time().chunks - chunks)

    def _cancel(self, number: int) -> None:
        with self._lock:
            if number == self._current:
                self._set_cancelled()
            elif number > self._current:
                # The job itself is still in the queue.
                self._cancelled_early.add(number)

    def _set_cancelled(self) -> None:
        self._cancelled_at = (time.perf_counter(), compute_time().chunks)
        self._cancelled.set()


class _Outbox:
    """Sends messages to the server; the result sink of tasks."""

    def __init__(self, pipe: BinaryIO, inbox: _Inbox) -> None:
        self._pipe = pipe
        self.cancelled = inbox.cancelled

    def send(self, *message: Any) -> None:
        """Send one tuple; blocks while the server does not read."""
        pickle.dump(message, self._pipe, protocol=pickle.HIGHEST_PROTOCOL)
        self._pipe.flush()

    def result(self, data: bytes) -> None:
        """Send a message of the response, unless the job was cancelled."""
        self.check()
        self.send("result", data)

    def progress(self, data: bytes) -> None:
        """Send a progress message, unless the job was cancelled."""
        self.check()
        self.send("progress", data)

    def check(self) -> None:
        """Raise ServiceError CANCELLED if the job was cancelled."""
        check_cancelled(self.cancelled)


def main(warm_up: str, niceness: int) -> None:
    """Warm up and compute until the server closes the standard input."""
    source, pipe = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Output printed by a library must not end up between the messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    inbox = _Inbox(source)
    outbox = _Outbox(pipe, inbox)
    threading.Thread(target=inbox.read, name="inbox", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(niceness)
    try:
        with warm_data():
            from tariffs.service.workers.tasks import import_name

            inbox.when_idle = import_name(warm_up)()
            # Arrays of the warm-up that refer to themselves would stay for good.
            gc.collect()
    except TariffsError as error:
        outbox.send("end", error, TaskTime())
        _exit()
    except Exception:
        traceback.print_exc()
        _exit()
    outbox.send("ready")
    while True:
        number, task, payload, traceparent = inbox.next_job()
        inbox.begin(number)
        stages = StageSpans()
        with observed(stages) if traceparent else nullcontext():
            failure, spent = _run(task, payload, inbox, outbox)
        outbox.send("end", failure, replace(spent, stages=stages.spans))


def _exit() -> NoReturn:
    """End the process at once: the reading thread cannot be ended otherwise."""
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
        # Polars panics are no Exception; none of them may end the worker.
        error = UnexpectedError(traceback.format_exc())
    after, ended = compute_time(), time.perf_counter()
    kernels = (after.seconds - before.seconds, after.lines - before.lines)
    return error, TaskTime(ended - begun, *kernels, inbox.stopped())


if __name__ == "__main__":
    # Pickled classes must belong to the imported module, and this one runs under the name __main__.
    from tariffs.service.workers import worker_main

    worker_main.main(sys.argv[1], int(sys.argv[2]))
