"""ScenarioService."""

from __future__ import annotations

from typing import Any

import grpc.aio

from tariffs.service.rpc import scenarios
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import scenario_service_pb2, scenario_service_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class ScenarioHandler(scenario_service_pb2_grpc.ScenarioServiceServicer):
    """The library inline; a check compares whole laws, in a worker."""

    def __init__(self, runs: TaskQueue) -> None:
        self._runs = runs

    async def ListScenarios(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.ListScenariosRequest, context: Context
    ) -> scenario_service_pb2.ListScenariosResponse:
        """All scenarios of the library."""
        return scenarios.list_scenarios(request)

    async def GetScenario(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.GetScenarioRequest, context: Context
    ) -> scenario_service_pb2.Scenario:
        """One scenario with its text."""
        return scenarios.get_scenario(request)

    async def CheckScenario(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.CheckScenarioRequest, context: Context
    ) -> scenario_service_pb2.CheckScenarioResponse:
        """What is wrong with a scenario."""
        return await self._runs.short("check", request, scenario_service_pb2.CheckScenarioResponse, context)

    async def DiffScenarios(  # noqa: N802 - the name on the wire
        self, request: scenario_service_pb2.DiffScenariosRequest, context: Context
    ) -> scenario_service_pb2.DiffScenariosResponse:
        """What two scenarios make different in the law."""
        return await self._runs.short("diff", request, scenario_service_pb2.DiffScenariosResponse, context)
