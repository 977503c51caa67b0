"""Takes up long runs, sees them through, and forgets what is past its time: one keeper per server.

Keepers of several servers share one ledger. A run belongs to the keeper that claimed it for as long as it renews the
claim; when its server dies the claim runs out, and another goes on from the first part that is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from functools import partial
from random import Random
from typing import Any, TypeVar

import structlog

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.rpc.runs import REQUESTS
from tariffs.service.storage.run_store import Lease, LeaseState, RunStore
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.frames import pack, unpack
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.service.workers.tasks import CancelToken

POLL_SECONDS = 1.0
SWEEP_SECONDS = 60.0
END_SECONDS = 10.0
_BEATS = 3
_WATCH_SECONDS = 0.5
_TELL_SECONDS = 0.5
# One of its own: tests of others rely on what the shared one gives.
_JITTER = Random()
_log = structlog.get_logger("tariffs.service")
Found = TypeVar("Found")


class RunScheduler:
    """Computes long runs through the lanes of a server.

    Args:
        runs: the lanes.
        kept: what the server keeps.
        slots: how many long runs to see through at a time.
    """

    def __init__(self, runs: TaskQueue, kept: Storage, slots: int) -> None:
        self._runs = runs
        self._kept = kept
        self._slots = asyncio.Semaphore(slots)
        self._awake = asyncio.Event()
        self._works: set[asyncio.Task[None]] = set()
        self._overs: set[CancelToken] = set()
        self._stopping = False
        self._taking: asyncio.Task[None] | None = None
        self._forgetting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for runs."""
        self._taking = asyncio.create_task(self._take_up())
        self._forgetting = asyncio.create_task(self._forget())

    def wake(self) -> None:
        """Say that there is a run to take up."""
        self._awake.set()

    async def stop(self) -> None:
        """Give back what is computed, for other servers to go on with."""
        self._stopping = True
        self._awake.set()
        self._end_all()
        if self._taking is not None and self._forgetting is not None:
            self._forgetting.cancel()
            # Not cancelled: a claim that is on its way would be nobody's until it runs out.
            await asyncio.gather(self._taking, self._forgetting, return_exceptions=True)
        self._end_all()
        await asyncio.gather(*self._works, return_exceptions=True)

    def _end_all(self) -> None:
        for over in tuple(self._overs):
            over.set()

    async def _take_up(self) -> None:
        while not self._stopping:
            await self._slots.acquire()
            claim = None
            try:
                claim = await self._next()
            finally:
                if claim is None:
                    self._slots.release()
            if claim is not None:
                seeing = _RunInHand(self._kept.ledger, claim)
                self._overs.add(seeing.over)
                work = asyncio.create_task(self._see_through(claim, seeing))
                self._works.add(work)
                work.add_done_callback(self._ended)

    async def _next(self) -> Lease | None:
        """The next claim, or None after a while without one, or at once if there shall be none."""
        self._awake.clear()
        claim = None if self._stopping else await _told(self._kept.ledger.claim)
        if claim is None and not self._stopping:
            with suppress(TimeoutError):
                # Servers that began together must not ask together for ever.
                await asyncio.wait_for(self._awake.wait(), POLL_SECONDS * _JITTER.uniform(0.7, 1.3))
        return claim

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._works.discard(work)
        self._slots.release()

    async def _forget(self) -> None:
        while True:
            await _told(self._kept.sweep)
            await asyncio.sleep(SWEEP_SECONDS * _JITTER.uniform(0.7, 1.3))

    async def _see_through(self, claim: Lease, seeing: _RunInHand) -> None:
        _log.info("run taken up", run=claim.run.name, attempt=claim.run.attempts)
        work = asyncio.create_task(self._compute(claim, seeing))
        watch = asyncio.create_task(seeing.watch())
        seeing.over.tell(partial(_end_soon, asyncio.get_running_loop(), work))
        try:
            await work
        except TariffsError as error:
            await self._break_off(claim, seeing, error)
        except asyncio.CancelledError:
            await self._break_off(claim, seeing, ServiceError("CANCELLED", "The run did not end by itself."))
        except Exception as error:
            _log.error("unforeseen", run=claim.run.name, exc_info=error)
            await _told(self._kept.ledger.crash, claim)
        finally:
            watch.cancel()
            self._overs.discard(seeing.over)

    async def _compute(self, claim: Lease, seeing: _RunInHand) -> None:
        payload = await asyncio.to_thread(self._payload, claim)
        async with aclosing(self._messages(claim, seeing, payload)) as found:
            async for data in found:
                facts, provenance = unpack(data)
                if "messages" in facts:
                    await asyncio.to_thread(self._succeed, claim, provenance, facts["messages"])
                elif "part" in facts:
                    await _told(self._kept.ledger.finish_part, claim, facts["part"])
                else:
                    await seeing.tell(facts["stage"], facts["fraction"])

    async def _messages(
        self, claim: Lease, seeing: _RunInHand, payload: bytes
    ) -> AsyncGenerator[bytes, None]:
        """The messages of the task, as soon as the lane has room for it."""
        while True:
            try:
                messages = self._runs.messages("run", payload, seeing.over, claim.run.owner)
                async with aclosing(messages) as found:
                    async for data in found:
                        yield data
                return
            except ServiceError as error:
                if error.reason != "TOO_MANY_STREAMS" or seeing.over.is_set():
                    raise
            await asyncio.sleep(POLL_SECONDS)

    def _succeed(self, claim: Lease, provenance: bytes, messages: int) -> None:
        if not self._kept.parts(claim.run).complete():
            raise ServiceError("SERVER_UNAVAILABLE", "A part was removed while the run was computed.")
        self._kept.ledger.succeed(claim, provenance, messages)
        _log.info("run done", run=claim.run.name, messages=messages)

    async def _break_off(self, claim: Lease, seeing: _RunInHand, error: TariffsError) -> None:
        ledger = self._kept.ledger
        _log.info("run broken off", run=claim.run.name, reason=error.reason)
        if seeing.standing is LeaseState.CANCEL:
            await _told(ledger.end_cancelled, claim)
        elif self._stopping or seeing.standing is LeaseState.LOST or error.reason == "SHUTTING_DOWN":
            await _told(ledger.release, claim)
        elif error.reason == "SERVER_UNAVAILABLE":
            await _told(ledger.crash, claim)
        else:
            await _told(ledger.fail, claim, error)

    def _payload(self, claim: Lease) -> bytes:
        run = claim.run
        request: Any = REQUESTS[run.kind].FromString(run.request)
        facts = {
            "kind": run.kind,
            "directory": str(self._kept.parts(run).directory),
            "total": run.total_parts,
        }
        if request.WhichOneof("table") == "handle":
            facts["table"] = str(self._kept.table(run.owner, request.handle))
        return pack(facts, run.request)


class _RunInHand:
    """One run while it is computed: its claim renewed, its end watched for."""

    def __init__(self, ledger: RunStore, claim: Lease) -> None:
        self.over = CancelToken()
        self.standing = LeaseState.HELD
        self._ledger = ledger
        self._claim = claim
        self._told_at = 0.0

    async def watch(self) -> None:
        """Renew the claim until it is lost or the run's end is asked for."""
        loop = asyncio.get_running_loop()
        beat = self._ledger.lease_seconds / _BEATS
        renewed = loop.time()
        while self.standing is LeaseState.HELD:
            await asyncio.sleep(min(_WATCH_SECONDS, beat))
            renew = loop.time() - renewed >= beat
            look = self._ledger.renew if renew else self._ledger.standing
            standing = await _told(look, self._claim)
            if standing is not None:
                # A database that is away for a moment costs a beat; the claim itself says when it is too late.
                self.standing = standing
                renewed = loop.time() if renew else renewed
        self.over.set()

    async def tell(self, stage: str, fraction: float) -> None:
        """Note how far the run is, not more often than anyone reads it."""
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            await _told(self._ledger.tell, self._claim, stage, fraction)


def _end_soon(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None]) -> None:
    """End what does not end by itself once it was told to."""
    loop.call_soon_threadsafe(lambda: loop.call_later(END_SECONDS, work.cancel))


async def _told(work: Callable[..., Found], *arguments: Any) -> Found | None:
    """What `work` gives, off the loop; a database that is away is told and tried again by whoever comes next."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except TariffsError as error:
        _log.warning("ledger", reason=error.reason, message=str(error))
    except Exception as error:
        _log.error("unforeseen", exc_info=error)
    return None
