"""Handler of ScenarioService."""

from __future__ import annotations

from tariffs.service.observability.call_log import Context
from tariffs.service.rpc import scenarios
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import scenario_service_pb2 as pb
from tariffs.v1 import scenario_service_pb2_grpc


class ScenarioHandler(scenario_service_pb2_grpc.ScenarioServiceServicer):
    """Reads the scenario library inline; checks and differences compare whole laws in a worker."""

    def __init__(self, task_queue: TaskQueue) -> None:
        self._task_queue = task_queue

    async def ListScenarios(
        self, request: pb.ListScenariosRequest, context: Context
    ) -> pb.ListScenariosResponse:
        """List all scenarios of the library."""
        return scenarios.list_scenarios(request)

    async def GetScenario(self, request: pb.GetScenarioRequest, context: Context) -> pb.Scenario:
        """Return one scenario with its text."""
        return scenarios.get_scenario(request)

    async def CheckScenario(
        self, request: pb.CheckScenarioRequest, context: Context
    ) -> pb.CheckScenarioResponse:
        """List the problems of a scenario."""
        response = pb.CheckScenarioResponse
        return await self._task_queue.short("check", request, response, context)

    async def DiffScenarios(
        self, request: pb.DiffScenariosRequest, context: Context
    ) -> pb.DiffScenariosResponse:
        """List the differences between the laws of two scenarios."""
        response = pb.DiffScenariosResponse
        return await self._task_queue.short("diff", request, response, context)
