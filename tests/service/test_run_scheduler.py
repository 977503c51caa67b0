"""The watch over a long run continues whatever the database raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tariffs.engine.errors import ServiceError
from tariffs.service.server import run_scheduler
from tariffs.service.storage.run_store import LeaseState


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
