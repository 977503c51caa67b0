"""SimulationService.Simulate: compute scenarios over a trade table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.runs.impact import Impact, Point, ScenarioImpact, impact
from tariffs.service.rpc.checks import word
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_options import options_of, parameters_of
from tariffs.service.rpc.shared import filled, notes_of, provenance_of, scenario_of
from tariffs.service.wire import arrow
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

POINTS_LIMIT = 1000
Emit = Callable[[pb.SimulateResponse], None]
Cancelled = Callable[[], bool]


def simulate(
    request: pb.SimulateRequest, emit: Emit, cancelled: Cancelled, local: LocalInputs | None = None
) -> None:
    """Compute a request and emit its messages in order: progress, refused rows, points, and last `done`.

    Args:
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: called between steps; True ends the run.
        local: inputs that replace those of the request.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    result = impact_of(request, lambda stage, fraction: emit(_progress(stage, fraction)), cancelled, local)
    emit_refused(result.refused, pb.SimulateResponse, emit)
    for point in result.scenarios:
        emit_point(point, emit)
    emit(done_of(result, request))


def impact_of(
    request: pb.SimulateRequest,
    progress: Callable[[str, float], None],
    cancelled: Cancelled,
    local: LocalInputs | None,
) -> Impact:
    """Compute the impact that a request asks for; the arguments are as those of `simulate`."""
    local = local or LocalInputs()
    points = points_of(request.points, request.scenario_parameters)
    table = local.table if local.table is not None else table_of(request)
    with parameters_of(request, local) as parameters:
        return impact(
            table,
            points,
            law=LAWS.named(request.law_version),
            options=options_of(request, parameters),
            progress=progress,
            cancelled=cancelled,
        )


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


def table_of(request: Any) -> pl.DataFrame | None:
    """Read the table in a request; None for the embedded one.

    Raises:
        InputError: TABLE_NOT_FOUND for a handle, which only a server with stored tables can resolve.
    """
    source = request.WhichOneof("table")
    if source == "handle":
        raise InputError(
            "TABLE_NOT_FOUND",
            f"There is no stored table {word(request.handle, 'handle')!r} in this process.",
            field="handle",
            fix="Only servers store tables; in-process pass the table itself.",
        )
    return arrow.read_table(request.arrow) if source == "arrow" else None


def emit_refused(refused: pl.DataFrame, response: type[Any], emit: Callable[[Any], None]) -> None:
    """Emit the refused rows, if any, as messages of a response type."""
    if refused.height:
        for data in arrow.batches(refused):
            emit(response(refused=pb.RefusedBatch(arrow=data)))


def emit_frames(
    frames: Iterable[tuple[str, pl.DataFrame]],
    response: type[Any],
    emit: Callable[[Any], None],
    **fields: str | int,
) -> None:
    """Emit frames as messages of a response type, in batches.

    Args:
        frames: the name of the response's field, and the frame, of each.
        response: the type of the messages.
        emit: takes each message.
        fields: further fields of every batch, such as its scenario.
    """
    for kind, frame in frames:
        for data in arrow.batches(frame):
            message = response()
            # Filled in place, which saves a copy of the batch.
            batch = getattr(message, kind)
            batch.arrow = data
            for name, value in fields.items():
                setattr(batch, name, value)
            emit(message)


def done_of(result: Impact, request: pb.SimulateRequest) -> pb.SimulateResponse:
    """Make the last message of a run; of its points only ids, days and notes are read."""
    points = result.scenarios
    return pb.SimulateResponse(
        done=pb.Done(
            provenance=provenance_of(result.provenance, request),
            notes=notes_of(dict.fromkeys((*result.notes, *(n for point in points for n in point.notes)))),
            point_notes=[
                pb.PointNotes(scenario=point.id, on=point.on, notes=notes_of(point.notes)) for point in points
            ],
        )
    )


def emit_point(point: ScenarioImpact, emit: Emit) -> None:
    """Emit the results of one point."""
    emit_frames(frames_of(point), pb.SimulateResponse, emit, scenario=point.id, on=point.on)


def frames_of(point: ScenarioImpact) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the tables of a point, each with the name of its field."""
    yield "groups", point.groups
    yield "total", _total(point)
    if point.ranges is not None:
        yield "ranges", point.ranges.groups
        yield "total_ranges", point.ranges.total
        yield "tornado", point.ranges.tornado
    if point.attribution is not None:
        yield "attribution", point.attribution
    if point.consumer_prices is not None:
        yield "consumer_prices", point.consumer_prices
    if point.lines is not None:
        yield "lines", point.lines


def _total(point: ScenarioImpact) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series([value], dtype=pl.Float64) for name, value in point.total.items()})


def _progress(stage: str, fraction: float) -> pb.SimulateResponse:
    return pb.SimulateResponse(progress=pb.Progress(stage=stage, fraction=fraction))
