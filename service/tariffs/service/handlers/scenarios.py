"""Handler of ScenarioService."""

from __future__ import annotations

from tariffs.service.handlers.methods import computed, of_law
from tariffs.service.rpc import scenarios
from tariffs.service.workers.task_queue import TaskQueue
from tariffs.v1 import scenario_service_pb2 as pb
from tariffs.v1 import scenario_service_pb2_grpc


class ScenarioHandler(scenario_service_pb2_grpc.ScenarioServiceServicer):
    """Reads the scenario library inline; checks and differences compare whole laws in a worker."""

    def __init__(self, task_queue: TaskQueue) -> None:
        self._task_queue = task_queue

    ListScenarios = of_law(scenarios.list_scenarios)
    GetScenario = of_law(scenarios.get_scenario)
    CheckScenario = computed("short", "check", pb.CheckScenarioResponse)
    DiffScenarios = computed("short", "diff", pb.DiffScenariosResponse)
