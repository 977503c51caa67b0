"""SimulationService: scenarios over a period."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.timeline import ScenarioTimeline, Timeline, timeline
from tariffs.engine.scenario import Scenario
from tariffs.service.rpc.checks import required
from tariffs.service.rpc.shared import notes_of, provenance_of, scenario_of
from tariffs.service.rpc.simulation import Cancelled, Local, options_of, parameters_of, table_of
from tariffs.service.wire import arrow
from tariffs.v1 import simulation_service_pb2 as pb

SCENARIOS_LIMIT = 16
Emit = Callable[[pb.TimelineResponse], None]


def run_timeline(
    request: pb.TimelineRequest, emit: Emit, cancelled: Cancelled, local: Local | None = None
) -> None:
    """Run a request, handing out messages in order: progress, refused rows, scenarios, and last `done`.

    Args:
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: asked between steps; yes ends the run.
        local: a table and parameters by reference; they stand in for those of the request.

    Raises:
        TariffsError: what is wrong with the request, or CANCELLED.
    """
    local = local or Local()
    scenarios = scenarios_of(request)
    start, end = period_of(request)
    with parameters_of(request, local) as parameters:
        found = timeline(
            local.table if local.table is not None else table_of(request),
            scenarios,
            start,
            end,
            law=load_law(),
            options=options_of(request, parameters),
            progress=lambda stage, fraction: emit(
                pb.TimelineResponse(progress=pb.Progress(stage=stage, fraction=fraction))
            ),
            cancelled=cancelled,
        )
    tell_refused(found.refused, emit)
    for scenario in found.scenarios:
        tell_scenario(scenario, emit)
    emit(done_of(found, request))


def scenarios_of(request: pb.TimelineRequest) -> list[Scenario]:
    """The scenarios of a request."""
    if not 1 <= len(request.scenarios) <= SCENARIOS_LIMIT:
        raise InputError(
            "REQUEST_INVALID",
            f"The request has {len(request.scenarios)} scenarios.",
            field="scenarios",
            fix=f"Give 1 to {SCENARIOS_LIMIT}.",
        )
    return [scenario_of(ref, f"scenarios[{index}]") for index, ref in enumerate(request.scenarios)]


def period_of(request: pb.TimelineRequest) -> tuple[str, str]:
    """The first and the last day of a request."""
    return (
        required(request.start, "start", "Give the first day."),
        required(request.end, "end", "Give the last day."),
    )


def tell_refused(refused: pl.DataFrame, emit: Emit) -> None:
    """Hand out the rows that could not be used, if there are any."""
    if refused.height:
        for data in arrow.batches(refused):
            emit(pb.TimelineResponse(refused=pb.RefusedBatch(arrow=data)))


def done_of(found: Timeline, request: pb.TimelineRequest) -> pb.TimelineResponse:
    """The last message of a run."""
    done = pb.Done(provenance=provenance_of(found.provenance, request), notes=notes_of(found.notes))
    return pb.TimelineResponse(done=done)


def tell_scenario(found: ScenarioTimeline, emit: Emit) -> None:
    """Hand out the results of one scenario."""
    frames: tuple[tuple[str, pl.DataFrame], ...] = (
        ("segments", found.segments),
        ("totals", found.totals),
        ("averages", found.averages),
        ("average_total", found.average_total),
    )
    for kind, frame in frames:
        for data in arrow.batches(frame):
            message = pb.TimelineResponse()
            batch: pb.ResultBatch = getattr(message, kind)
            batch.scenario, batch.arrow = found.id, data
            emit(message)
