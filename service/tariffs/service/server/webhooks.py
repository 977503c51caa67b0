"""Deliver the events of portfolios to their webhooks, again after growing pauses if they are not taken."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import structlog

from tariffs.service.server.background import in_background
from tariffs.service.server.webhook_calls import DeliveryError, send
from tariffs.service.settings.group import Webhooks
from tariffs.service.storage.storage import Storage

LOOK_SECONDS = 1.0
LEASE_SECONDS = 120.0
"""Seconds after which another server sends what one has leased and not recorded, as it has died."""
FIRST_PAUSE, LONGEST_PAUSE, ATTEMPTS = 5.0, 3600.0, 16
"""Pauses between attempts, in seconds; each is twice the one before. The last attempt comes after some six hours."""
_AT_A_TIME = 50
_BUSY_SECONDS = 90.0
_log = structlog.get_logger("tariffs.service")


class WebhookDelivery:
    """Delivers events from the database, so that neither end loses one; a receiver may get one twice, with one id."""

    def __init__(self, storage: Storage, settings: Webhooks) -> None:
        self._portfolios = storage.portfolios
        self._settings = settings

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Deliver as long as the block lasts, if any host is allowed."""
        return in_background(self._work()) if self._settings.hosts else nullcontext()

    async def _work(self) -> None:
        while True:
            try:
                await self.deliver_due()
            except Exception as error:
                _log.warning("events not delivered", message=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def deliver_due(self) -> None:
        """Deliver the events that are due: those of a portfolio in order, those of several side by side."""
        leased = await asyncio.to_thread(self._portfolios.lease_due, _AT_A_TIME, LEASE_SECONDS)
        of_portfolio: dict[tuple[str, str], list[tuple[Any, Any]]] = {}
        for row, portfolio in leased:
            of_portfolio.setdefault((row.owner, row.name), []).append((row, portfolio))
        await asyncio.gather(*(asyncio.to_thread(self._deliver, rows) for rows in of_portfolio.values()))

    def _deliver(self, rows: list[tuple[Any, Any]]) -> None:
        """Deliver events in order up to the first that is not taken; the others are due again after their lease."""
        until = time.monotonic() + _BUSY_SECONDS
        for row, portfolio in rows:
            if time.monotonic() > until:
                return
            try:
                send(row, portfolio, self._settings)
            except DeliveryError as error:
                is_last = row.attempts + 1 >= ATTEMPTS
                pause = None if is_last else min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE)
                self._portfolios.failed(row, str(error), pause)
                facts = {
                    "portfolio": f"{row.owner}/{row.name}",
                    "event_id": row.id,
                    "attempts": row.attempts + 1,
                }
                _log.warning("event dead" if is_last else "event not taken", **facts, message=str(error))
                return
            self._portfolios.delivered(row)
