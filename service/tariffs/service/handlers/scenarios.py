"""Handler of ScenarioService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from google.protobuf import empty_pb2

from tariffs.service.handlers.methods import Watchers, computed, of_law, shutting_down
from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import scenarios
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LATEST
from tariffs.service.rpc.stored_scenarios import check_of, event_message, stored_message, text_of, to_store
from tariffs.service.storage.access import page_size, read_token, write_token
from tariffs.service.storage.scenario_names import PREFIX, parse_name
from tariffs.service.storage.storage import Storage
from tariffs.service.wire.identity import caller, caller_now
from tariffs.service.wire.status import request_invalid
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import scenario_service_pb2 as pb
from tariffs.v1 import scenario_service_pb2_grpc

POLL_SECONDS = 1.0


class ScenarioHandler(scenario_service_pb2_grpc.ScenarioServiceServicer):
    """Reads the scenario library inline; checks and differences compare whole laws in a worker."""

    def __init__(self, task_queue: TaskQueue, storage: Storage) -> None:
        self._task_queue = task_queue
        self._storage = storage
        self.watchers = Watchers("watchers of scenarios")

    ListScenarios = of_law(scenarios.list_scenarios)
    _get_scenario = of_law(scenarios.get_scenario)
    CheckScenario = computed("short", "check", pb.CheckScenarioResponse)
    DiffScenarios = computed("short", "diff", pb.DiffScenariosResponse)

    async def GetScenario(self, request: pb.GetScenarioRequest, context: Context) -> pb.Scenario:
        """Return a scenario of the library, or a stored one."""
        if not request.id.startswith(PREFIX):
            library: pb.Scenario = await self._get_scenario(request, context)
            return library
        who, wanted = caller(), parse_name(request.id, "id")

        def read() -> pb.Scenario:
            found = self._storage.scenarios.find(who, wanted, "id")
            return scenarios.get_stored_scenario(request, found)

        return await asyncio.to_thread(read)

    async def SaveScenario(self, request: pb.SaveScenarioRequest, context: Context) -> pb.StoredScenario:
        """Check a scenario and store it, or its next version."""
        text, owner, who = text_of(request), _plain(request.owner, "owner"), caller()
        asked = pb.CheckScenarioRequest(law_version=LATEST)
        asked.scenario.yaml = text
        check = check_of(await self.CheckScenario(asked, context))
        scenarios.refuse_errors(check)

        def save() -> pb.StoredScenario:
            stored = to_store(text, check.law_digest, check)
            return stored_message(self._storage.scenarios.save(who, owner, stored, request.etag))

        return await asyncio.to_thread(save)

    async def GetStoredScenario(
        self, request: pb.GetStoredScenarioRequest, context: Context
    ) -> pb.StoredScenario:
        """Return a stored scenario with its text."""
        wanted = parse_name(request.name, "name")
        found = await asyncio.to_thread(self._storage.scenarios.find, caller(), wanted)
        return stored_message(found, with_text=True)

    async def ListStoredScenarios(
        self, request: pb.ListStoredScenariosRequest, context: Context
    ) -> pb.ListStoredScenariosResponse:
        """List the caller's stored scenarios and those shared with it."""
        size, token = page_size(request.page_size), request.page_token
        owner, name = read_token(token, _is_place) if token else ("", "")
        found = await asyncio.to_thread(self._storage.scenarios.page, caller(), size + 1, (owner, name))
        response = pb.ListStoredScenariosResponse(scenarios=[stored_message(one) for one in found[:size]])
        if len(found) > size:
            response.next_page_token = write_token(found[size - 1].owner, found[size - 1].name)
        return response

    async def ListScenarioVersions(
        self, request: pb.ListScenarioVersionsRequest, context: Context
    ) -> pb.ListScenarioVersionsResponse:
        """List the versions of a stored scenario, newest first."""
        wanted = parse_name(request.name, "name")
        found = await asyncio.to_thread(self._storage.scenarios.versions, caller(), wanted)
        return pb.ListScenarioVersionsResponse(versions=[stored_message(one) for one in found])

    async def ShareScenario(self, request: pb.ShareScenarioRequest, context: Context) -> pb.StoredScenario:
        """Share a stored scenario with a group, or with nobody."""
        group, wanted = _plain(request.group, "group"), parse_name(request.name, "name")
        share = self._storage.scenarios.share
        return stored_message(await asyncio.to_thread(share, caller(), wanted, group, request.etag))

    async def DeleteScenario(self, request: pb.DeleteScenarioRequest, context: Context) -> empty_pb2.Empty:
        """Delete a stored scenario with its versions."""
        wanted = parse_name(request.name, "name")
        await asyncio.to_thread(self._storage.scenarios.delete, caller(), wanted, request.etag)
        return empty_pb2.Empty()

    async def WatchScenarios(
        self, request: pb.WatchScenariosRequest, context: Context
    ) -> AsyncGenerator[pb.ScenarioEvent, None]:
        """Yield the events of scenarios that the caller may see, as they come."""
        who, events = caller(), self._storage.scenario_events
        with self.watchers.place(who.key):
            last = request.after or await asyncio.to_thread(events.last)
            # There may be no event for a month, and the caller waits to know that it watches.
            await context.send_initial_metadata(())
            while self.watchers.open:
                # What it may see is decided now, and not when the watch began, which may be a month ago.
                who = await caller_now()
                for row in await asyncio.to_thread(events.after, who, last):
                    last = row.number
                    yield event_message(row)
                await asyncio.sleep(POLL_SECONDS)
        raise shutting_down("Watch again from the last event.")


def _plain(text: str, field: str) -> str:
    """Return a name of a caller or group; databases refuse some control characters with errors of their own."""
    if not word(text, field).isprintable():
        raise request_invalid(f"{field} has characters that cannot be shown.", field, "Give a name.")
    return text


def _is_place(found: Sequence[Any]) -> bool:
    return len(found) == 2 and all(isinstance(part, str) and "\0" not in part for part in found)
