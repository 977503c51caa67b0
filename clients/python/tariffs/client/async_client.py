"""Client for asyncio: the verbs of `Client`, each awaited, with the same arguments and results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from tariffs.client._wire.cancellation import SCOPE, CancelScope
from tariffs.client.client import Client
from tariffs.client.config import Config, Tls

P = ParamSpec("P")
R = TypeVar("R")


def _awaited(
    method: Callable[Concatenate[Client, P], R],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    """Make the awaited form of a method, with its signature and documentation."""

    @wraps(method)
    async def call(self: AsyncClient, /, *args: P.args, **options: P.kwargs) -> R:
        return await self.call(method, self.client, *args, **options)

    return call


class AsyncClient:
    """Client of a server for asyncio, or with `AsyncClient.local()` of the engine in this process.

    Calls are made in threads, so that the event loop goes on. A task that is cancelled ends its call on the server; in
    this process, work that has begun goes on to its end. Methods of results that make calls (`quote.why`, `run.wait`,
    `stream.collect`) are awaited with `call`.

    Args:
        target: as in `Client`.
        token: as in `Client`.
        tls: as in `Client`.
        law_version: as in `Client`.
        config: as in `Client`.

    Attributes:
        client: the client that makes the calls.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | None = None,
        tls: Tls | None = None,
        law_version: str = "",
        config: Config | None = None,
    ) -> None:
        self.client = Client(target, token=token, tls=tls, law_version=law_version, config=config)

    @classmethod
    def local(
        cls, *, law: str | Path | None = None, law_version: str = "", config: Config | None = None
    ) -> AsyncClient:
        """Make a client that runs the engine in this process.

        Args:
            law: as in `Client.local`.
            law_version: as in `Client.local`.
            config: as in `Client`.

        Raises:
            ExtraMissing: the `server` extra is not installed.
        """
        client = cls(config=config)
        client.client = Client.local(law=law, law_version=law_version, config=config)
        return client

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(self, function: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
        """Await a function that makes calls, such as `quote.why`; cancelling the task ends them."""
        scope = CancelScope()
        token = SCOPE.set(scope)
        try:
            return await asyncio.to_thread(function, *args, **options)
        except asyncio.CancelledError:
            scope.cancel()
            raise
        finally:
            SCOPE.reset(token)

    changes = _awaited(Client.changes)
    bom = _awaited(Client.bom)
    check = _awaited(Client.check)
    check_table = _awaited(Client.check_table)
    close = _awaited(Client.close)
    collections = _awaited(Client.collections)
    delete_portfolio = _awaited(Client.delete_portfolio)
    delete_scenario = _awaited(Client.delete_scenario)
    delete_table = _awaited(Client.delete_table)
    diff = _awaited(Client.diff)
    duties = _awaited(Client.duties)
    duty = _awaited(Client.duty)
    find = _awaited(Client.find)
    hindcast = _awaited(Client.hindcast)
    impact = _awaited(Client.impact)
    impact_both = _awaited(Client.impact_both)
    law = _awaited(Client.law)
    law_versions = _awaited(Client.law_versions)
    legal_text = _awaited(Client.legal_text)
    lines = _awaited(Client.lines)
    measure = _awaited(Client.measure)
    measure_codes = _awaited(Client.measure_codes)
    measures = _awaited(Client.measures)
    options = _awaited(Client.options)
    port_fees = _awaited(Client.port_fees)
    portfolio_events = _awaited(Client.portfolio_events)
    portfolios = _awaited(Client.portfolios)
    refund = _awaited(Client.refund)
    release_portfolio = _awaited(Client.release_portfolio)
    run = _awaited(Client.run)
    runs = _awaited(Client.runs)
    save_portfolio = _awaited(Client.save_portfolio)
    save_scenario = _awaited(Client.save_scenario)
    scenario = _awaited(Client.scenario)
    scenario_versions = _awaited(Client.scenario_versions)
    scenarios = _awaited(Client.scenarios)
    seek = _awaited(Client.seek)
    server = _awaited(Client.server)
    share_scenario = _awaited(Client.share_scenario)
    source = _awaited(Client.source)
    share_table = _awaited(Client.share_table)
    start = _awaited(Client.start)
    start_sweep = _awaited(Client.start_sweep)
    stored_scenario = _awaited(Client.stored_scenario)
    stored_scenarios = _awaited(Client.stored_scenarios)
    sweep = _awaited(Client.sweep)
    tables = _awaited(Client.tables)
    timeline = _awaited(Client.timeline)
    timeline_both = _awaited(Client.timeline_both)
    score = _awaited(Client.score)
    upload = _awaited(Client.upload)
    watch_events = _awaited(Client.watch_events)
    watch_law_versions = _awaited(Client.watch_law_versions)
    watch_portfolio = _awaited(Client.watch_portfolio)
    watch_scenarios = _awaited(Client.watch_scenarios)
    whoami = _awaited(Client.whoami)
    world = _awaited(Client.world)
