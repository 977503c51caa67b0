"""SimulationService.Timeline: compute scenarios over a period."""

from __future__ import annotations

from collections.abc import Callable

from tariffs.engine.runs.timeline import ScenarioTimeline, Timeline, timeline
from tariffs.engine.scenario import Scenario
from tariffs.service.rpc.checks import required
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_options import options_of, parameters_of
from tariffs.service.rpc.shared import filled, notes_of, provenance_of, scenario_of
from tariffs.service.rpc.simulation import (
    Cancelled,
    emit_frames,
    emit_refused,
    table_of,
)
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

SCENARIOS_LIMIT = 16
Emit = Callable[[pb.TimelineResponse], None]


def run_timeline(
    request: pb.TimelineRequest, emit: Emit, cancelled: Cancelled, local: LocalInputs | None = None
) -> None:
    """Compute a request and emit its messages in order: progress, refused rows, scenarios, and last `done`.

    Args:
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: called between steps; True ends the run.
        local: inputs that replace those of the request.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    local = local or LocalInputs()
    scenarios = scenarios_of(request)
    start, end = period_of(request)
    with parameters_of(request, local) as parameters:
        result = timeline(
            local.table if local.table is not None else table_of(request),
            scenarios,
            start,
            end,
            law=LAWS.named(request.law_version),
            options=options_of(request, parameters),
            progress=lambda stage, fraction: emit(
                pb.TimelineResponse(progress=pb.Progress(stage=stage, fraction=fraction))
            ),
            cancelled=cancelled,
        )
    emit_refused(result.refused, pb.TimelineResponse, emit)
    for scenario in result.scenarios:
        emit_scenario(scenario, emit)
    emit(done_of(result, request))


def scenarios_of(request: pb.TimelineRequest) -> list[Scenario]:
    """Return the scenarios of a request, their parameters filled in."""
    if not 1 <= len(request.scenarios) <= SCENARIOS_LIMIT:
        raise request_invalid(
            f"The request has {len(request.scenarios)} scenarios.",
            "scenarios",
            f"Send 1 to {SCENARIOS_LIMIT}.",
        )
    scenarios = [scenario_of(ref, f"scenarios[{index}]") for index, ref in enumerate(request.scenarios)]
    return filled(scenarios, request.scenario_parameters, "scenario_parameters")


def period_of(request: pb.TimelineRequest) -> tuple[str, str]:
    """Return the first and the last day of a request."""
    return (
        required(request.start, "start", "Give the first day."),
        required(request.end, "end", "Give the last day."),
    )


def done_of(result: Timeline, request: pb.TimelineRequest) -> pb.TimelineResponse:
    """Make the last message of a run."""
    done = pb.Done(provenance=provenance_of(result.provenance, request), notes=notes_of(result.notes))
    return pb.TimelineResponse(done=done)


def emit_scenario(scenario: ScenarioTimeline, emit: Emit) -> None:
    """Emit the results of one scenario."""
    kinds = ("segments", "totals", "averages", "average_total")
    frames = ((kind, getattr(scenario, kind)) for kind in kinds)
    emit_frames(frames, pb.TimelineResponse, emit, scenario=scenario.id)
