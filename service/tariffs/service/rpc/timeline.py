"""SimulationService.Timeline: compute scenarios over a period."""

from __future__ import annotations

from tariffs.engine.runs.timeline import TimelineRun
from tariffs.run_spec import option
from tariffs.service.rpc.checks import required
from tariffs.service.rpc.shared import filled, scenario_of
from tariffs.service.rpc.verb import Asked, Verb
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

SCENARIOS_LIMIT = 16
_KINDS = ("segments", "totals", "averages", "average_total")


def _read(request: pb.TimelineRequest) -> Asked:
    if not 1 <= len(request.scenarios) <= SCENARIOS_LIMIT:
        raise request_invalid(
            f"The request has {len(request.scenarios)} scenarios.",
            "scenarios",
            f"Send 1 to {SCENARIOS_LIMIT}.",
        )
    named = [scenario_of(ref, f"scenarios[{index}]") for index, ref in enumerate(request.scenarios)]
    scenarios = filled(named, request.scenario_parameters, "scenario_parameters")
    start = required(request.start, "start", "Give the first day.")
    end = required(request.end, "end", "Give the last day.")
    return Asked(len(scenarios), scenarios, (scenarios, start, end))


TIMELINE = Verb(
    "timeline",
    option.TIMELINE,
    pb.TimelineRequest,
    pb.TimelineResponse,
    _read,
    TimelineRun,
    lambda scenario: ((kind, getattr(scenario, kind)) for kind in _KINDS),
    lambda index, scenario: {"scenario": scenario.id},
)
