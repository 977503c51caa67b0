"""Client for asyncio: the verbs of `Client`, each awaited, with the same arguments and results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from tariffs.client._verbs.async_question_calls import AsyncQuestionCalls
from tariffs.client._verbs.awaited import awaited
from tariffs.client._wire.cancellation import SCOPE, CancelScope
from tariffs.client.client import Client
from tariffs.client.config import Config, Tls

P = ParamSpec("P")
R = TypeVar("R")


class AsyncClient(AsyncQuestionCalls):
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

    changes = awaited(Client.changes)
    bom = awaited(Client.bom)
    check = awaited(Client.check)
    check_table = awaited(Client.check_table)
    close = awaited(Client.close)
    collections = awaited(Client.collections)
    delete_scenario = awaited(Client.delete_scenario)
    delete_table = awaited(Client.delete_table)
    diff = awaited(Client.diff)
    duties = awaited(Client.duties)
    duty = awaited(Client.duty)
    find = awaited(Client.find)
    hindcast = awaited(Client.hindcast)
    impact = awaited(Client.impact)
    law = awaited(Client.law)
    law_versions = awaited(Client.law_versions)
    legal_text = awaited(Client.legal_text)
    lines = awaited(Client.lines)
    measure = awaited(Client.measure)
    measure_codes = awaited(Client.measure_codes)
    measures = awaited(Client.measures)
    port_fees = awaited(Client.port_fees)
    refund = awaited(Client.refund)
    run = awaited(Client.run)
    runs = awaited(Client.runs)
    save_scenario = awaited(Client.save_scenario)
    scenario = awaited(Client.scenario)
    scenario_versions = awaited(Client.scenario_versions)
    scenarios = awaited(Client.scenarios)
    seek = awaited(Client.seek)
    server = awaited(Client.server)
    share_scenario = awaited(Client.share_scenario)
    share_table = awaited(Client.share_table)
    start = awaited(Client.start)
    start_sweep = awaited(Client.start_sweep)
    stored_scenario = awaited(Client.stored_scenario)
    stored_scenarios = awaited(Client.stored_scenarios)
    sweep = awaited(Client.sweep)
    tables = awaited(Client.tables)
    timeline = awaited(Client.timeline)
    score = awaited(Client.score)
    upload = awaited(Client.upload)
    watch_events = awaited(Client.watch_events)
    watch_law_versions = awaited(Client.watch_law_versions)
    watch_scenarios = awaited(Client.watch_scenarios)
    whoami = awaited(Client.whoami)
    world = awaited(Client.world)
