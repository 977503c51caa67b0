"""Handler of WatchService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from google.protobuf import empty_pb2

from tariffs.service.handlers.methods import Watchers, computed, shutting_down
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LATEST
from tariffs.service.rpc.portfolios import (
    check_webhook,
    event_message,
    events_request,
    new_portfolio,
    portfolio_message,
    today,
)
from tariffs.service.settings.group import Webhooks
from tariffs.service.storage.portfolio_store import DELIVERIES
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller, caller_now
from tariffs.service.wire.status import request_invalid
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import watch_service_pb2 as pb
from tariffs.v1 import watch_service_pb2_grpc

POLL_SECONDS = 1.0


class WatchHandler(watch_service_pb2_grpc.WatchServiceServicer):
    """Finds events of portfolios in workers: a year of 2,000 lines takes a minute.

    Args:
        settings: hosts that events may be sent to.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage, settings: Webhooks) -> None:
        self._task_queue = task_queue
        self._portfolios = storage.portfolios
        self._settings = settings
        self.watchers = Watchers("watchers of portfolios")

    ListWatchEvents = computed("sweep", "watch_events", pb.ListWatchEventsResponse)

    async def SavePortfolio(
        self, request: pb.SavePortfolioRequest, context: Context
    ) -> pb.SavePortfolioResponse:
        """Check the lines of a portfolio, and store it."""
        who, day = caller(), await asyncio.to_thread(today)
        if request.webhook:
            check_webhook(word(request.webhook, "webhook"), word(request.secret, "secret"), self._settings)
        asked = await asyncio.to_thread(events_request, request, day)
        asked.law_version = LATEST
        answer = await self.ListWatchEvents(asked, context)
        new = new_portfolio(request, asked, len(answer.failures))
        saved = await asyncio.to_thread(self._portfolios.save, who, new)
        return pb.SavePortfolioResponse(portfolio=portfolio_message(saved), failures=answer.failures)

    async def ListPortfolios(
        self, request: pb.ListPortfoliosRequest, context: Context
    ) -> pb.ListPortfoliosResponse:
        """List the caller's portfolios and those shared with it."""
        found = await asyncio.to_thread(self._portfolios.visible_to, caller())
        return pb.ListPortfoliosResponse(portfolios=map(portfolio_message, found))

    async def DeletePortfolio(self, request: pb.DeletePortfolioRequest, context: Context) -> empty_pb2.Empty:
        """Delete a portfolio with its events."""
        await asyncio.to_thread(self._portfolios.delete, caller(), word(request.name, "name"))
        return empty_pb2.Empty()

    async def ListPortfolioEvents(
        self, request: pb.ListPortfolioEventsRequest, context: Context
    ) -> pb.ListPortfolioEventsResponse:
        """List stored events of a portfolio."""
        if request.delivery not in DELIVERIES:
            fix = f"Use one of {', '.join(filter(None, DELIVERIES))}, or leave it empty."
            raise request_invalid("delivery is no state of a delivery.", "delivery", fix)
        asked = word(request.name, "name"), request.after, request.delivery
        found = await asyncio.to_thread(self._portfolios.events, caller(), *asked)
        return pb.ListPortfolioEventsResponse(events=map(event_message, found))

    async def WatchPortfolio(
        self, request: pb.WatchPortfolioRequest, context: Context
    ) -> AsyncGenerator[pb.PortfolioEvent, None]:
        """Yield the events of a portfolio beyond a number, as they come."""
        name, last = word(request.name, "name"), request.after
        with self.watchers.place(caller().key):
            await asyncio.to_thread(self._portfolios.find, caller(), name)
            # There may be no event for a month, and the caller waits to know that it watches.
            await context.send_initial_metadata(())
            while self.watchers.open:
                who = await caller_now()
                for row in await asyncio.to_thread(self._portfolios.events, who, name, last):
                    last = row.number
                    yield event_message(row)
                await asyncio.sleep(POLL_SECONDS)
        raise shutting_down("Watch again from the last event.")

    async def ReleasePortfolio(self, request: pb.ReleasePortfolioRequest, context: Context) -> pb.Portfolio:
        """Let the events of a new law go out that wait for an admin."""
        name = word(request.name, "name")
        return portfolio_message(await asyncio.to_thread(self._portfolios.release, caller(), name))
