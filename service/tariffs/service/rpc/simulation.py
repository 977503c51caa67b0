"""SimulationService.Simulate: compute scenarios over a trade table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tariffs.engine.runs.impact import ImpactRun, Point, ScenarioImpact
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.run_spec.option import IMPACT
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.shared import filled, notes_of, provenance_of, scenario_of
from tariffs.service.rpc.verb import Asked, PartEnd, Verb
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

POINTS_LIMIT = 1000


def points_of(points: Sequence[pb.Point], parameters: Mapping[str, str]) -> list[Point]:
    """Convert the points of a request, the parameters of their scenarios filled in."""
    if not 1 <= len(points) <= POINTS_LIMIT:
        raise request_invalid(
            f"The request has {len(points):,} points.",
            "points",
            f"Send 1 to {POINTS_LIMIT:,} points: a scenario and a day each.",
        )
    scenarios = [
        scenario_of(point.scenario, f"points[{index}].scenario") for index, point in enumerate(points)
    ]
    return [
        Point(scenario, word(point.on, f"points[{index}].on"))
        for index, (scenario, point) in enumerate(
            zip(filled(scenarios, parameters, "scenario_parameters"), points, strict=True)
        )
    ]


def frames_of(point: ScenarioImpact) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the tables of a point, each with the name of its field."""
    yield "groups", point.groups
    yield "total", pl.DataFrame([point.total], schema=dict.fromkeys(point.total, pl.Float64))
    if point.ranges is not None:
        yield "ranges", point.ranges.groups
        yield "total_ranges", point.ranges.total
        yield "tornado", point.ranges.tornado
    for name in ("attribution", "consumer_prices", "lines"):
        if (frame := getattr(point, name)) is not None:
            yield name, frame


def done_of(end: RunEnd, parts: Sequence[PartEnd], request: Any) -> pb.Done:
    """Make the content of the last message, with the notes of all points and of each."""
    return pb.Done(
        provenance=provenance_of(end.provenance, request),
        notes=notes_of(dict.fromkeys((*end.notes, *(note for part in parts for note in part.notes)))),
        point_notes=[
            pb.PointNotes(
                scenario=str(part.labels["scenario"]), on=str(part.labels["on"]), notes=notes_of(part.notes)
            )
            for part in parts
        ],
    )


def _read(request: pb.SimulateRequest) -> Asked:
    points = points_of(request.points, request.scenario_parameters)
    return Asked(len(points), [point.scenario for point in points], (points,))


SIMULATE = Verb(
    "simulate",
    IMPACT,
    pb.SimulateRequest,
    pb.SimulateResponse,
    _read,
    ImpactRun,
    frames_of,
    lambda index, point: {"scenario": point.id, "on": point.on},
    done_of,
)
