"""Periods, attributions and differences over a real port: the same as in-process."""

from __future__ import annotations

import io

import polars as pl
import pytest

from tariffs.service.local import LocalServices
from tariffs.v1 import common_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running
from tests.service.stored import arrow
from tests.service.test_calls import TABLE, frame

PAIR = ("base", "forced-labor-20-on-china")


def refs() -> list[common_pb2.ScenarioRef]:
    return [common_pb2.ScenarioRef(name=name) for name in PAIR]


def period(**fields: object) -> pb.TimelineRequest:
    given = {"start": "2026-12-01", "end": "2027-01-31", "response": pb.RESPONSE_MODEL_NONE, **fields}
    return pb.TimelineRequest(scenarios=refs(), arrow=arrow(TABLE), **given)  # type: ignore[arg-type]


def contents(messages: list[pb.TimelineResponse]) -> list[pb.TimelineResponse]:
    return [message for message in messages if message.WhichOneof("content") != "progress"]


def test_a_period_is_the_same_over_the_wire_and_in_process(served: Running) -> None:
    there = contents(list(served.simulation.Timeline(period(), timeout=60)))
    here = contents(list(LocalServices().Timeline(period(), timeout=60)))
    kinds = [message.WhichOneof("content") for message in there]
    assert kinds == ["refused", *(["segments", "totals", "averages", "average_total"] * 2), "done"]
    assert [m.SerializeToString(deterministic=True) for m in there[:-1]] == [
        m.SerializeToString(deterministic=True) for m in here[:-1]
    ]
    assert there[-1].done.provenance.run_digest == here[-1].done.provenance.run_digest
    totals = frame([m.totals.arrow for m in there if m.WhichOneof("content") == "totals"])
    assert totals["days"].sum() == 2 * 62


def test_an_attribution_comes_before_done(served: Running) -> None:
    request = pb.SimulateRequest(
        points=[pb.Point(scenario=ref, on="2027-01-11") for ref in refs()],
        arrow=arrow(TABLE),
        response=pb.RESPONSE_MODEL_NONE,
        attribute=True,
    )
    found = [
        m for m in served.simulation.Simulate(request, timeout=60) if m.WhichOneof("content") == "attribution"
    ]
    assert [m.attribution.scenario for m in found] == [PAIR[1]]
    rows = pl.read_ipc_stream(io.BytesIO(found[0].attribution.arrow))
    assert rows["duty"].sum() == pytest.approx(10_000 * 0.075)


def test_differences_name_what_stands_otherwise(served: Running) -> None:
    first, second = refs()
    request = scenario_service_pb2.DiffScenariosRequest(first=first, second=second)
    answer = served.scenarios.DiffScenarios(request, timeout=30)
    assert [(d.id, d.kind, d.start_time, d.end_time) for d in answer.differences] == [
        ("fl301", "measure", "2027-01-01T00:01-05:00", "")
    ]
    assert {d.id for d in answer.provenance.scenarios} == set(PAIR)


@pytest.mark.parametrize("missing", ["start", "end"])
def test_a_period_needs_both_days(missing: str) -> None:
    with pytest.raises(Exception, match=f"{missing} is missing"):
        list(LocalServices().Timeline(period(**{missing: ""}), timeout=60))
