"""Pool of worker processes: start, run tasks, cancel, replace those that die."""

from __future__ import annotations

import fcntl
import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.observability.task_time import TaskTime
from tariffs.service.wire.status import cancelled_error, reason_of
from tariffs.service.workers.task_spans import AttemptSpan
from tariffs.service.workers.tasks import CancelToken, ResultSink

ATTEMPTS = 2
PIPE_BYTES = 1 << 20
_POLL_SECONDS = 0.05
_CLOSE_SECONDS = 2.0
_log = structlog.get_logger("tariffs.service")
Observer = Callable[[str, TaskTime], None]


class WorkerPool:
    """A fixed number of worker processes, each computing one task at a time.

    Args:
        warm_up: `module:function` that each process calls before its first task.
        niceness: how far the priority of each process is lowered.
        observe: called with the name and time of each task.
        variables: environment variables of the processes besides those of this one.
    """

    def __init__(
        self,
        count: int,
        *,
        warm_up: str,
        threads: int = 1,
        niceness: int = 10,
        observe: Observer = lambda task, time: None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.restarts = 0
        self._start = partial(_Worker, warm_up, threads, niceness, variables or {})
        self._observe = observe
        self._numbers = itertools.count()
        self._slots = [_Slot() for _ in range(count)]
        # The worker last used comes first: it has compiled what the next task may need.
        self._idle: queue.LifoQueue[_Slot] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._closed = False

    def spawn(self) -> None:
        """Start the first process."""
        self._fill(self._slots[0])

    def wait_ready(self) -> None:
        """Wait until the first process is warm, then start the others in a thread.

        Requirement: a server answers soon after its start, and warm-ups at a time would share its cores.

        Raises:
            TariffsError: the warm-up failed.
        """
        first, *others = self._slots
        self._warm(first)
        self._idle.put(first)
        threading.Thread(target=self._warm_others, args=(others,), name="warm-up", daemon=True).start()

    def _warm_others(self, slots: Sequence[_Slot]) -> None:
        """Start and warm up the processes of slots; one that fails is logged, and its next task starts another."""
        for slot in slots:
            with suppress(TariffsError):
                self._fill(slot)
        for slot in slots:
            with suppress(TariffsError):
                self._warm(slot)
            self._idle.put(slot)

    def compute(self, task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        """Run a task in an idle worker, waiting for one; the task is restarted once if its worker dies.

        A task sends the same messages in the same order every time, so the second attempt skips those already sent.

        Raises:
            TariffsError: the task's own error; CANCELLED; SERVER_UNAVAILABLE if its workers died.
        """
        slot = self._take(cancel_token)
        try:
            error, time = self._attempts(slot, task, payload, sink, cancel_token)
        finally:
            self._idle.put(slot)
        self._observe(task, time)
        if error is not None:
            raise error

    def compute_in_idle(self, task: str, payload: bytes, sink: ResultSink) -> None:
        """Run a task in each worker that is idle, one after the other; errors are those of `compute`."""
        for _ in self._slots:
            try:
                slot = self._idle.get_nowait()
            except queue.Empty:
                return
            try:
                error, _time = self._attempts(slot, task, payload, sink, CancelToken())
            finally:
                self._put_last(slot)
            if error is not None:
                raise error

    def _put_last(self, slot: _Slot) -> None:
        """Put a slot behind all that are idle: the one that was put last is taken first."""
        others = []
        with suppress(queue.Empty):
            while True:
                others.append(self._idle.get_nowait())
        for each in (slot, *reversed(others)):
            self._idle.put(each)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers."""
        with self._lock:
            return [slot.worker.process.pid for slot in self._slots if slot.worker]

    def close(self) -> None:
        """End all processes, including those that compute."""
        with self._lock:
            self._closed = True
            workers = [slot.worker for slot in self._slots if slot.worker]
        for worker in workers:
            worker.close()

    def _attempts(
        self, slot: _Slot, task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken
    ) -> tuple[Exception | None, TaskTime]:
        sent = 0
        for _ in range(ATTEMPTS):
            worker = self._warm(slot)
            cancel_token.check()
            relay = _WorkerRelay(sink, cancel_token, sent)
            attempt = AttemptSpan(task, worker.process.pid)
            try:
                error, time = worker.run(next(self._numbers), task, payload, relay, attempt.traceparent)
                attempt.end("" if error is None else reason_of(error), time)
                return error, time
            except _DiedError:
                attempt.end("WORKER_DIED", TaskTime())
                sent = max(sent, relay.seen)
                self._empty(slot, worker)
                if relay.error is not None:
                    raise relay.error from None
        raise ServiceError(
            "SERVER_UNAVAILABLE",
            f"{ATTEMPTS} worker processes died while they computed this run.",
            fix="Try again, or split the run into smaller ones.",
        )

    def _take(self, cancel_token: CancelToken) -> _Slot:
        while True:
            with suppress(queue.Empty):
                return self._idle.get(timeout=_POLL_SECONDS)
            if cancel_token.is_set() or self._closed:
                raise cancelled_error()

    def _warm(self, slot: _Slot) -> _Worker:
        """Return the slot's worker once it is ready; the slot survives the death of its workers."""
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
    """Slot of one worker; empty after its death until the next task."""

    worker: _Worker | None = None


class _DiedError(Exception):
    """The worker process has ended."""


class _WorkerRelay:
    """Passes a worker's messages to the sink of a task.

    Requirement: after a worker has died, the second attempt must not send messages twice. An error of the sink ends
    the task.
    """

    def __init__(self, sink: ResultSink, cancel_token: CancelToken, skip: int) -> None:
        self.seen = 0
        self.cancel_token = cancel_token
        self.error: Exception | None = None
        self._sink = sink
        self._skip = skip

    def take(self, kind: str, data: bytes) -> None:
        """Pass on one message."""
        if self.error is not None:
            return
        try:
            if kind == "progress":
                self._sink.progress(data)
            elif self.seen >= self._skip:
                self._sink.result(data)
        except Exception as error:
            self.error = error
            self.cancel_token.cancel()
            return
        self.seen += kind == "result"


class _Worker:
    """One process and the pipes to it. Only the thread that runs a task reads; any thread may cancel."""

    def __init__(self, warm_up: str, threads: int, niceness: int, variables: Mapping[str, str]) -> None:
        limits = {name: str(threads) for name in ("TARIFFS_THREADS", "POLARS_MAX_THREADS")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tariffs.service.workers.worker_main", warm_up, str(niceness)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables, **limits},
            # An interrupt at the terminal is handled by the server alone. The session is that of the server: Linux
            # shares processors out among sessions, and priorities count within one.
            process_group=0,
        )
        self._sending = threading.Lock()
        self._ready = False
        assert self.process.stdout is not None
        # A whole batch of a table at a time: the default of 64 KiB would cost sixteen context switches each.
        # Linux alone has the call.
        with suppress(AttributeError, OSError):
            fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def wait_ready(self) -> None:
        """Wait for the end of the warm-up; raises its error."""
        if self._ready:
            return
        try:
            kind, *rest = self._receive()
        except _DiedError:
            raise ServiceError(
                "SERVER_UNAVAILABLE",
                "A worker process died during its warm-up.",
                fix="Its traceback is on standard error.",
            ) from None
        if kind != "ready":
            error: Exception = rest[0]
            raise error
        self._ready = True

    def run(
        self, number: int, task: str, payload: bytes, relay: _WorkerRelay, traceparent: str
    ) -> tuple[Exception | None, TaskTime]:
        """Compute a task; return its error (that of the sink before the task's) and its time."""
        self._send("run", number, task, payload, traceparent)
        listener = partial(self._cancel, number)
        relay.cancel_token.add_callback(listener)
        try:
            while True:
                kind, *rest = self._receive()
                if kind == "end":
                    error, time = rest
                    return relay.error or error, time
                relay.take(kind, rest[0])
        finally:
            # A later cancellation would block the event loop until the next job is sent.
            relay.cancel_token.remove_callback(listener)

    def close(self) -> None:
        """End the process by closing its input, and kill it if it does not end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdin.close()
        try:
            self.process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # After the end only: until then a reading thread holds the pipe.
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
