"""Find the events of stored portfolios: each day, and when the newest law of the server changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from typing import Any

import structlog

from tariffs.engine.errors import TariffsError
from tariffs.service.rpc.laws import LATEST, LAWS, ServedLaw
from tariffs.service.rpc.portfolios import HELD_SHARE, after_swap, found_of, requests_of, today
from tariffs.service.server.background import in_background
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import watch_service_pb2 as pb

LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
_CALLER = Caller("portfolios", "portfolios")
_DAY = timedelta(days=1)
_log = structlog.get_logger("tariffs.service")


class PortfolioRounds:
    """Keeps the events of every portfolio up to today, under the newest law.

    Servers of one database may find the same events: an event has one id, and is stored once.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage, day: Callable[[], date] = today) -> None:
        self._task_queue = task_queue
        self._portfolios = storage.portfolios
        self._day = day

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Find events as long as the block lasts."""
        return in_background(self._work())

    async def _work(self) -> None:
        while True:
            pause = LOOK_SECONDS
            try:
                await self.look()
            except Exception as error:
                _log.warning("portfolios not watched", message=type(error).__name__)
                pause = RETRY_SECONDS
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Find the events of the portfolios that are behind."""
        law, day = LAWS.settle(LATEST), await asyncio.to_thread(self._day)
        for row in await asyncio.to_thread(self._portfolios.behind, law.exact, day.isoformat()):
            try:
                await self._watch(row, law, day)
            except TariffsError as error:
                _log.warning(
                    "portfolio not watched", portfolio=f"{row.owner}/{row.name}", message=error.message
                )

    async def _watch(self, row: Any, law: ServedLaw, day: date) -> None:
        if row.law and row.law != law.exact:
            await self._swap(row, law)
            return
        start = (date.fromisoformat(row.day) + _DAY).isoformat() if row.day else row.since
        await asyncio.to_thread(
            self._portfolios.add, row, await self._found(row, law, start, day.isoformat())
        )

    async def _swap(self, row: Any, law: ServedLaw) -> None:
        """Find what a new law makes of the days that were watched; if it touches many lines, an admin decides."""
        found = await self._found(row, law, row.since, row.day)
        found, touched = after_swap(row, found, await asyncio.to_thread(self._portfolios.known, row))
        facts = {"portfolio": f"{row.owner}/{row.name}", "law": law.version, "lines": touched}
        if touched > HELD_SHARE * row.line_count:
            await asyncio.to_thread(self._portfolios.hold, row, found, touched)
            _log.warning("events of a law wait for an admin", **facts)
            return
        await asyncio.to_thread(self._portfolios.add, row, found)
        _log.info("events of a law added", **facts)

    async def _found(self, row: Any, law: ServedLaw, start: str, end: str) -> Any:
        answers = []
        for request in requests_of(row, law.exact, min(start, end), end):
            answers.append(
                await self._task_queue.background(
                    "watch_events", request, pb.ListWatchEventsResponse, _CALLER
                )
            )
        return found_of(law.exact, end, answers)
