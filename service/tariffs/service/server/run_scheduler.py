"""Scheduler of long runs: lease runs, compute them, and delete what has expired; one per server.

Schedulers of several servers share one run store. A scheduler keeps a run for as long as it renews the lease; after its
server dies the lease expires, and another continues with the first missing part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.rpc.runs import request_of
from tariffs.service.storage.run_store import Lease, LeaseState, RunStore
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.status import INVARIANT
from tariffs.service.wire.trace_context import set_current_trace
from tariffs.service.workers.dask_tasks import WORKER_KEY
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.service.workers.tasks import CancelToken

if TYPE_CHECKING:
    from tariffs.service.observability.otel_tracing import OtelSpan, OtlpTracing

POLL_SECONDS = 1.0
SWEEP_SECONDS = 60.0
END_SECONDS = 10.0
_RENEWALS_PER_LEASE = 3
_WATCH_SECONDS = 0.5
_PROGRESS_SECONDS = 0.5
_FIRST_PAUSE = 2.0
_MOST_DOUBLINGS = 5
_WAITING_STAGE = "waiting for the cluster"
# A separate generator: tests depend on the sequence of the shared one.
_JITTER = Random()
_log = structlog.get_logger("tariffs.service")
Result = TypeVar("Result")


class RunScheduler:
    """Computes long runs through the task queue of a server.

    Args:
        slots: how many long runs to compute at a time.
        cluster: address of the Dask scheduler that computes them; empty for the worker processes.
        named: returns the caller of a name, whose quota of runs is that of its long runs.
    """

    def __init__(
        self,
        task_queue: TaskQueue,
        storage: Storage,
        slots: int,
        cluster: str,
        named: Callable[[str], Caller],
        tracing: OtlpTracing | None = None,
    ) -> None:
        self._named = named
        self._task_queue = task_queue
        self._storage = storage
        self._cluster = cluster
        self._tracing = tracing
        self._slots = asyncio.Semaphore(slots)
        self._awake = asyncio.Event()
        self._works: set[asyncio.Task[None]] = set()
        self._cancel_tokens: set[CancelToken] = set()
        self._stopping = False
        self._lost_clusters = 0
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start to lease runs and to delete expired ones."""
        self._loops = [asyncio.create_task(self._lease_runs()), asyncio.create_task(self._sweep())]

    def wake(self) -> None:
        """Look for a run at once."""
        self._awake.set()

    async def stop(self) -> None:
        """Stop computing and release the leases, so that other servers continue."""
        self._stopping = True
        self._awake.set()
        self._cancel_all()
        if self._loops:
            leasing, sweeping = self._loops
            sweeping.cancel()
            # Not cancelled: a lease just being taken would block its run until it expires.
            await asyncio.gather(leasing, sweeping, return_exceptions=True)
        self._cancel_all()
        await asyncio.gather(*self._works, return_exceptions=True)

    def _cancel_all(self) -> None:
        for cancel_token in tuple(self._cancel_tokens):
            cancel_token.cancel()

    async def _lease_runs(self) -> None:
        while not self._stopping:
            await self._slots.acquire()
            lease = None
            try:
                lease = await self._next_lease()
            finally:
                if lease is None:
                    self._slots.release()
            if lease is not None:
                leased = _LeasedRun(self._storage.runs, lease)
                self._cancel_tokens.add(leased.cancel_token)
                work = asyncio.create_task(self._run(leased))
                self._works.add(work)
                work.add_done_callback(self._ended)

    async def _next_lease(self) -> Lease | None:
        """Lease a run; None after a pause without one, or at once while stopping."""
        self._awake.clear()
        lease = None if self._stopping else await _in_thread(self._storage.runs.lease_next)
        if lease is None and not self._stopping:
            with suppress(TimeoutError):
                # Jitter, so that servers started together do not query together.
                await asyncio.wait_for(self._awake.wait(), POLL_SECONDS * _JITTER.uniform(0.7, 1.3))
        return lease

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._works.discard(work)
        self._slots.release()

    async def _sweep(self) -> None:
        while True:
            await _in_thread(self._storage.sweep)
            await asyncio.sleep(SWEEP_SECONDS * _JITTER.uniform(0.7, 1.3))

    async def _run(self, leased: _LeasedRun) -> None:
        run = leased.lease.run
        span = self._begin_span(leased.lease)
        set_current_trace(span)
        _log.info("run leased", run=run.name, attempt=run.attempts)
        work = asyncio.create_task(self._compute(leased))
        watch = asyncio.create_task(leased.watch())
        leased.cancel_token.add_callback(partial(_cancel_later, asyncio.get_running_loop(), work))
        reason = ""
        try:
            await work
        except TariffsError as error:
            reason = error.reason
            await self._interrupt(leased, error)
        except asyncio.CancelledError:
            reason = "CANCELLED"
            await self._interrupt(leased, ServiceError(reason, "The run did not stop in time."))
        except Exception as error:
            reason = INVARIANT
            _log.error("unexpected error", run=run.name, exc_info=error)
            await _in_thread(self._storage.runs.crash, leased.lease)
        finally:
            if span is not None:
                span.end(reason)
            watch.cancel()
            self._cancel_tokens.discard(leased.cancel_token)

    def _begin_span(self, lease: Lease) -> OtelSpan | None:
        run = lease.run
        if self._tracing is None:
            return None
        return self._tracing.run(run.name, run.kind, run.attempts, run.started_by)

    async def _compute(self, leased: _LeasedRun) -> None:
        payload = await asyncio.to_thread(self._payload, leased.lease)
        owner = self._named(leased.lease.run.owner)
        found = self._task_queue.messages_in_turn("run", payload, leased.cancel_token, POLL_SECONDS, owner)
        async with aclosing(found) as messages:
            async for data in messages:
                facts, provenance = unpack(data)
                if "messages" in facts:
                    await asyncio.to_thread(self._succeed, leased.lease, provenance, facts["messages"])
                elif "part" in facts:
                    self._lost_clusters = 0
                    await _in_thread(self._storage.runs.finish_part, leased.lease, facts["part"])
                else:
                    await leased.report_progress(facts["stage"], facts["fraction"])

    def _succeed(self, lease: Lease, provenance: bytes, messages: int) -> None:
        if not self._storage.parts(lease.run).complete():
            raise ServiceError("SERVER_UNAVAILABLE", "A part of the result was removed during the run.")
        self._storage.runs.succeed(lease, provenance, messages)
        _log.info("run done", run=lease.run.name, messages=messages)

    async def _interrupt(self, leased: _LeasedRun, error: TariffsError) -> None:
        runs, lease = self._storage.runs, leased.lease
        _log.info("run interrupted", run=lease.run.name, reason=error.reason)
        if leased.state is LeaseState.CANCEL:
            await _in_thread(runs.end_cancelled, lease)
        elif self._stopping or leased.state is LeaseState.LOST or error.reason == "SHUTTING_DOWN":
            await _in_thread(runs.release, lease)
        elif error.reason == "STORAGE_UNAVAILABLE":
            # No fault of the run: it waits until there is room, and its finished parts stay.
            await asyncio.sleep(POLL_SECONDS)
            await _in_thread(runs.release, lease)
        elif error.reason == "SERVER_UNAVAILABLE" or WORKER_KEY in error.metadata:
            await _in_thread(runs.crash, lease)
        elif error.reason == "CLUSTER_UNAVAILABLE":
            # No fault of the run either; the pause doubles until a part is finished.
            pause = _FIRST_PAUSE * 2**self._lost_clusters * _JITTER.uniform(0.7, 1.3)
            self._lost_clusters = min(self._lost_clusters + 1, _MOST_DOUBLINGS)
            await _in_thread(runs.pause, lease, pause, _WAITING_STAGE)
        else:
            await _in_thread(runs.fail, lease, error)

    def _payload(self, lease: Lease) -> bytes:
        run = lease.run
        request = request_of(run)
        facts = {
            "kind": run.kind,
            "directory": str(self._storage.parts(run).directory),
            "total": run.total_parts,
            "cluster": self._cluster,
        }
        if request.WhichOneof("table") == "handle":
            facts["table"] = str(self._storage.run_table(request.handle))
        return pack(facts, run.request)


class _LeasedRun:
    """One run while it is computed: renews its lease and watches for a cancellation."""

    def __init__(self, runs: RunStore, lease: Lease) -> None:
        self.cancel_token = CancelToken()
        self.state = LeaseState.HELD
        self.lease = lease
        self._runs = runs
        self._reported_at = 0.0

    async def watch(self) -> None:
        """Renew the lease until it is lost or the run's cancellation is requested."""
        loop = asyncio.get_running_loop()
        interval = self._runs.lease_seconds / _RENEWALS_PER_LEASE
        renewed = loop.time()
        while self.state is LeaseState.HELD:
            await asyncio.sleep(min(_WATCH_SECONDS, interval))
            renew = loop.time() - renewed >= interval
            state = await _in_thread(self._runs.renew if renew else self._runs.lease_state, self.lease)
            if state is not None:
                # A database that is away for a moment delays a renewal; the database decides when it is lost.
                self.state = state
                renewed = loop.time() if renew else renewed
        self.cancel_token.cancel()

    async def report_progress(self, stage: str, fraction: float) -> None:
        """Store the progress of the run, at most twice a second."""
        now = asyncio.get_running_loop().time()
        if now - self._reported_at >= _PROGRESS_SECONDS:
            self._reported_at = now
            await _in_thread(self._runs.report_progress, self.lease, stage, fraction)


def _cancel_later(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None]) -> None:
    """Cancel work that does not end by itself after its token was cancelled."""
    loop.call_soon_threadsafe(lambda: loop.call_later(END_SECONDS, work.cancel))


async def _in_thread(work: Callable[..., Result], *arguments: Any) -> Result | None:
    """Run `work` off the event loop; an error is logged and gives None, and the next caller tries again."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except TariffsError as error:
        _log.warning("database error", reason=error.reason, message=str(error))
    except Exception as error:
        _log.error("unexpected error", exc_info=error)
    return None
