"""Worker processes as the server sees them: started, given tasks, told to stop, replaced when they die."""

from __future__ import annotations

import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

try:
    import fcntl
except ImportError:  # elsewhere than on Unix
    fcntl = None  # type: ignore[assignment]

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.service.workers.worker_main import TaskTime

ATTEMPTS = 2
PIPE_BYTES = 1 << 20
_POLL_SECONDS = 0.05
_CLOSE_SECONDS = 2.0
_log = structlog.get_logger("tariffs.service")
Observer = Callable[[str, TaskTime], None]


class WorkerPool:
    """A fixed number of worker processes, each computing one task at a time.

    Args:
        count: how many.
        warm_up: `module:function` each calls before its first task.
        threads: threads each may use for kernels and tables.
        niceness: how far each steps back for others.
        observe: told what each task took.
    """

    def __init__(
        self,
        count: int,
        *,
        warm_up: str,
        threads: int = 1,
        niceness: int = 10,
        observe: Observer = lambda task, spent: None,
    ) -> None:
        self.restarts = 0
        self._start = partial(_Worker, warm_up, threads, niceness)
        self._observe = observe
        self._numbers = itertools.count()
        self._slots = [_Slot() for _ in range(count)]
        self._idle: queue.Queue[_Slot] = queue.Queue()
        self._lock = threading.Lock()
        self._closed = False

    def spawn(self) -> None:
        """Start all processes."""
        for slot in self._slots:
            self._fill(slot)

    def wait_ready(self) -> None:
        """Wait until they are warm.

        Raises:
            TariffsError: a warm-up failed.
        """
        for slot in self._slots:
            self._warm(slot)
            self._idle.put(slot)

    def compute(self, task: str, payload: bytes, outlet: ResultSink, over: CancelToken) -> None:
        """Run a task in an idle worker, waiting for one; a task is taken up again if its worker dies.

        Messages come in the same order every time, so those handed on already are left out of the second attempt.

        Raises:
            TariffsError: whatever the task raises; CANCELLED; SERVER_UNAVAILABLE if its workers died.
        """
        slot = self._take(over)
        try:
            error, spent = self._attempts(slot, task, payload, outlet, over)
        finally:
            self._idle.put(slot)
        self._observe(task, spent)
        if error is not None:
            raise error

    @property
    def processes(self) -> list[int]:
        """Ids of the processes."""
        with self._lock:
            return [slot.worker.process.pid for slot in self._slots if slot.worker]

    def close(self) -> None:
        """End all processes, whatever they compute."""
        with self._lock:
            self._closed = True
            workers = [slot.worker for slot in self._slots if slot.worker]
        for worker in workers:
            worker.close()

    def _attempts(
        self, slot: _Slot, task: str, payload: bytes, outlet: ResultSink, over: CancelToken
    ) -> tuple[Exception | None, TaskTime]:
        handed_on = 0
        for _ in range(ATTEMPTS):
            worker = self._warm(slot)
            if over.is_set():
                raise ServiceError("CANCELLED", "The caller cancelled the run.")
            relay = _WorkerRelay(outlet, over, handed_on)
            try:
                return worker.run(next(self._numbers), task, payload, relay)
            except _DiedError:
                handed_on = max(handed_on, relay.seen)
                self._empty(slot, worker)
                if relay.error is not None:
                    raise relay.error from None
        raise ServiceError(
            "SERVER_UNAVAILABLE", "The workers of the server died on this run.", fix="Try again, or ask less."
        )

    def _take(self, over: CancelToken) -> _Slot:
        while True:
            with suppress(queue.Empty):
                return self._idle.get(timeout=_POLL_SECONDS)
            if over.is_set() or self._closed:
                raise ServiceError("CANCELLED", "The caller cancelled the run.")

    def _warm(self, slot: _Slot) -> _Worker:
        """The worker of a slot, ready; a slot is never lost, whatever happens to its workers."""
        worker = slot.worker or self._fill(slot)
        try:
            worker.wait_ready()
        except TariffsError:
            self._empty(slot, worker)
            raise
        return worker

    def _fill(self, slot: _Slot) -> _Worker:
        with self._lock:
            if self._closed:
                raise ServiceError("SHUTTING_DOWN", "The server is stopping.")
            slot.worker = worker = self._start()
        return worker

    def _empty(self, slot: _Slot, dead: _Worker) -> None:
        slot.worker = None
        dead.close()
        if not self._closed:
            self.restarts += 1
            _log.warning("worker died", worker=dead.process.pid, exit_code=dead.process.returncode)


@dataclass
class _Slot:
    """The place of one worker; empty between the death of one and the need of the next."""

    worker: _Worker | None = None


class _DiedError(Exception):
    """The process has gone."""


class _WorkerRelay:
    """Hands a worker's messages on, but for those of an attempt before; an error of the outlet ends the task."""

    def __init__(self, outlet: ResultSink, over: CancelToken, skip: int) -> None:
        self.seen = 0
        self.over = over
        self.error: Exception | None = None
        self._outlet = outlet
        self._skip = skip

    def take(self, kind: str, data: bytes) -> None:
        """Hand one message on."""
        if self.error is not None:
            return
        try:
            if kind == "progress":
                self._outlet.progress(data)
            elif self.seen >= self._skip:
                self._outlet.result(data)
        except Exception as error:
            self.error = error
            self.over.set()
            return
        self.seen += kind == "result"


class _Worker:
    """One process and the pipes to it. Only the thread that took it reads; any may tell it to stop."""

    def __init__(self, warm_up: str, threads: int, niceness: int) -> None:
        limits = {name: str(threads) for name in ("TARIFFS_THREADS", "POLARS_MAX_THREADS")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tariffs.service.workers.worker_main", warm_up, str(niceness)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **limits},
            # An interrupt at the terminal is the server's to handle.
            start_new_session=True,
        )
        self._sending = threading.Lock()
        self._ready = False
        if fcntl is not None:
            assert self.process.stdout is not None
            # Whole batches of a table at a time: 64 KiB would cost sixteen switches each.
            with suppress(OSError):
                fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def wait_ready(self) -> None:
        """Wait for the end of the warm-up, once; raises what it raised."""
        if self._ready:
            return
        try:
            kind, *rest = self._receive()
        except _DiedError:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                "A worker died while it warmed up.",
                fix="See its error on standard error.",
            ) from None
        if kind != "ready":
            error: Exception = rest[0]
            raise error
        self._ready = True

    def run(
        self, number: int, task: str, payload: bytes, relay: _WorkerRelay
    ) -> tuple[Exception | None, TaskTime]:
        """Compute a task; gives its error, the outlet's own before the task's, and what it took."""
        self._send("run", number, task, payload)
        listener = partial(self._cancel, number)
        relay.over.tell(listener)
        try:
            while True:
                kind, *rest = self._receive()
                if kind == "end":
                    error, spent = rest
                    return relay.error or error, spent
                relay.take(kind, rest[0])
        finally:
            # A cancel that comes later would wait on the event loop until the next job is sent.
            relay.over.forget(listener)

    def close(self) -> None:
        """End the process: politely by closing its input, then by force."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdin.close()
        try:
            self.process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # Not before the end: a thread may be reading, and holds the pipe until then.
        self.process.stdout.close()

    def _cancel(self, number: int) -> None:
        with suppress(_DiedError):
            self._send("cancel", number)

    def _send(self, *message: Any) -> None:
        with self._sending:
            try:
                assert self.process.stdin is not None
                pickle.dump(message, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                self.process.stdin.flush()
            except (OSError, ValueError):
                raise _DiedError from None

    def _receive(self) -> tuple[Any, ...]:
        try:
            assert self.process.stdout is not None
            message: tuple[Any, ...] = pickle.load(self.process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise _DiedError from None
        return message
