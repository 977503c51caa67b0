"""The watch over a long run continues whatever the database raises."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.engine.errors import ServiceError
from tariffs.service.server import run_scheduler
from tariffs.service.server.run_scheduler import RunScheduler
from tariffs.service.storage.run_store import LeaseState
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.dask_tasks import unavailable


class FailingRunStore:
    """Fails in several ways, then says that the run shall be cancelled."""

    lease_seconds = 0.003

    def __init__(self) -> None:
        self.asked = 0

    def renew(self, lease: Any) -> LeaseState:
        self.asked += 1
        if self.asked == 1:
            raise ServiceError("SERVER_UNAVAILABLE", "The database is away.")
        if self.asked < 4:
            raise [OSError("the disk"), RuntimeError("the driver")][self.asked - 2]
        return LeaseState.CANCEL

    lease_state = renew


@pytest.mark.asyncio
async def test_a_watch_that_meets_any_error_goes_on_and_hears_of_the_cancel() -> None:
    runs: Any = FailingRunStore()
    leased = run_scheduler._LeasedRun(runs, lease=None)  # type: ignore[arg-type]
    await asyncio.wait_for(leased.watch(), 10)
    assert runs.asked == 4
    assert leased.state is LeaseState.CANCEL
    assert leased.cancel_token.is_set()


class Ends:
    """Notes how the leases of runs end."""

    lease_seconds = 60.0

    def __init__(self) -> None:
        self.ends: list[Any] = []

    def pause(self, lease: Any, seconds: float, stage: str) -> None:
        self.ends.append(seconds)

    def crash(self, lease: Any) -> None:
        self.ends.append("crash")


@pytest.mark.asyncio
async def test_a_lost_cluster_pauses_a_run_for_longer_each_time_and_a_task_that_ends_workers_is_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_scheduler, "_JITTER", SimpleNamespace(uniform=lambda low, high: 1.0))
    runs, queue = Ends(), None
    storage: Any = SimpleNamespace(runs=runs)
    scheduler = RunScheduler(queue, storage, 1, "tcp://cluster", Caller)  # type: ignore[arg-type] # not used
    lease: Any = SimpleNamespace(run=SimpleNamespace(name="operations/1"))
    leased: Any = SimpleNamespace(lease=lease, state=LeaseState.HELD)
    for _ in range(7):
        await scheduler._interrupt(leased, unavailable("tcp://cluster", "the scheduler was lost"))
    assert runs.ends == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0]
    for error in (
        unavailable("tcp://cluster", "a task ended 3 workers", worker="tcp://worker"),
        ServiceError("SERVER_UNAVAILABLE", "The worker process died."),
    ):
        await scheduler._interrupt(leased, error)
    assert runs.ends[-2:] == ["crash", "crash"]
