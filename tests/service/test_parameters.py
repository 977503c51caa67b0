"""Parameters of scenarios on the wire: each request fills them, and no answer is that of other values."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict

from tariffs.service.rpc.runs import compute
from tariffs.service.storage.result_parts import ResultParts
from tariffs.service.wire.frames import pack
from tariffs.v1 import duty_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, fails, line, points

NAME, DAY = "rates-by-country", "2026-11-24"


def asked(**parameters: str) -> duty_service_pb2.CalculateDutyRequest:
    request = line(entry=DAY)
    request.scenario.name = NAME
    request.parameters.update(parameters)
    return request


def test_answers_that_are_kept_are_those_of_the_values(served: Running) -> None:
    for _ in range(3):
        for value, duty in (("20%", "2000.00"), ("31%", "3100.00"), ("0.005", "50.00")):
            answer = served.duty.CalculateDuty(asked(cn=value), timeout=10)
            assert answer.assessed == duty
            assert answer.provenance.details["scenario_parameters"][NAME]["cn"] == value
    assert served.duty.CalculateDuty(asked(), timeout=10).assessed == "2000.00"


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


def test_runs_of_other_values_have_other_digests(served: Running) -> None:
    digests = set()
    for value in ("20%", "0.2", "21%"):
        request = pb.SimulateRequest(
            points=points((NAME, DAY)), response=pb.RESPONSE_MODEL_NONE, scenario_parameters={"cn": value}
        )
        *_, last = served.simulation.Simulate(request, timeout=60)
        digests.add(last.done.provenance.run_digest)
    assert len(digests) == 3


class Unheard:
    """Takes the messages of a task and keeps none."""

    def result(self, data: bytes) -> None:
        pass

    def progress(self, data: bytes) -> None:
        pass

    def cancelled(self) -> bool:
        return False


def test_a_run_that_is_taken_up_again_has_its_values_back(tmp_path: Path) -> None:
    request = pb.SimulateRequest(
        points=points(("base", DAY), (NAME, DAY), (NAME, "2027-01-11")),
        response=pb.RESPONSE_MODEL_NONE,
        scenario_parameters={"cn": "31%"},
    )
    payload = pack(
        {"kind": "simulate", "directory": str(tmp_path), "total": 3, "cluster": ""},
        request.SerializeToString(),
    )
    parts = ResultParts(tmp_path, 3)
    compute(payload, Unheard())
    whole = [part.read(0, 100) for part in parts]
    for part in (parts[1], parts[2], parts.tail):
        part.path.unlink()
    compute(payload, Unheard())
    assert [part.read(0, 100) for part in parts] == whole
    done = pb.SimulateResponse.FromString(whole[-1][-1]).done
    details = MessageToDict(done.provenance.details)
    assert details["scenario_parameters"][NAME]["cn"] == "31%"
