"""Check stored scenarios again when the newest law of the server changes, and at its start."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import structlog

from tariffs.engine.errors import TariffsError
from tariffs.service.rpc.laws import LATEST, LAWS, ServedLaw
from tariffs.service.rpc.stored_scenarios import check_of, is_news
from tariffs.service.server.background import in_background
from tariffs.service.storage.scenario_names import StoredVersion
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import scenario_service_pb2 as pb

LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
_CALLER = Caller("scenario checks", "scenario checks")
_log = structlog.get_logger("tariffs.service")


class ScenarioChecks:
    """Keeps the result of a check of every stored scenario under the newest law.

    Servers of one database share the work: a scenario that has a result under a law is left out.
    """

    def __init__(self, task_queue: TaskQueue, storage: Storage) -> None:
        self._task_queue = task_queue
        self._storage = storage

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Check scenarios as long as the block lasts."""
        return in_background(self._work())

    async def _work(self) -> None:
        done = ""
        while True:
            law = LAWS.settle(LATEST)
            if law.exact != done:
                try:
                    await self.check_all(law)
                    done = law.exact
                except Exception as error:
                    _log.warning("scenarios not checked", law=law.version, message=type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def check_all(self, law: ServedLaw) -> None:
        """Check the stored scenarios that have no result under a law."""
        found = await asyncio.to_thread(self._storage.scenarios.unchecked, law.digest)
        failed = 0
        for scenario in found:
            check = await self._check(scenario, law)
            failed += not check.ok
            news, result = is_news(scenario.result, check), check.SerializeToString(deterministic=True)
            add = self._storage.scenarios.add_check
            await asyncio.to_thread(add, scenario, law.digest, result, is_news=news)
        if found:
            _log.info("scenarios checked", law=law.version, scenarios=len(found), failed=failed)

    async def _check(self, scenario: StoredVersion, law: ServedLaw) -> pb.ScenarioCheck:
        request = pb.CheckScenarioRequest(law_version=law.exact)
        request.scenario.yaml = scenario.text
        while True:
            try:
                # As the check that a caller asks for: it waits for no run over a table.
                found = await self._task_queue.background("check", request, pb.CheckScenarioResponse, _CALLER)
                return check_of(found)
            except TariffsError as error:
                if error.reason != "TOO_MANY_STREAMS":
                    raise
            await asyncio.sleep(RETRY_SECONDS)
