"""Parameters of scenarios on the wire: wrong values are refused by every method that takes them."""

from __future__ import annotations

import pytest

from tariffs.v1 import duty_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, fails, line, points

NAME, DAY = "rates-by-country", "2026-11-24"


def asked(**parameters: str) -> duty_service_pb2.CalculateDutyRequest:
    request = line(entry=DAY)
    request.scenario.name = NAME
    request.parameters.update(parameters)
    return request


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"cm": "1%"}, "PARAMETER_UNKNOWN"),
        ({"cn": "x"}, "PARAMETER_INVALID"),
        ({"cn": "1" * 300}, "REQUEST_INVALID"),
    ],
)
def test_a_wrong_value_is_refused_by_every_method(
    served: Running, parameters: dict[str, str], reason: str
) -> None:
    run = pb.SimulateRequest(points=points((NAME, DAY)), scenario_parameters=parameters)
    period = pb.TimelineRequest(start=DAY, end=DAY, scenario_parameters=parameters)
    period.scenarios.add(name=NAME)
    stream = pb.LinesConfig(points=points((NAME, DAY)), parameters=parameters)
    shown = scenario_service_pb2.GetScenarioRequest(id=NAME, parameters=parameters)
    for call in (
        lambda: served.duty.CalculateDuty(asked(**parameters), timeout=10),
        lambda: list(served.simulation.Simulate(run, timeout=10)),
        lambda: list(served.simulation.Timeline(period, timeout=10)),
        lambda: served.simulation.StartRun(pb.StartRunRequest(simulate=run, request_id="a"), timeout=10),
        lambda: list(
            served.simulation.SimulateLines(iter([pb.SimulateLinesRequest(config=stream)]), timeout=10)
        ),
        lambda: served.scenarios.GetScenario(shown, timeout=10),
    ):
        assert fails(call).reason == reason
