"""Verbs whose results are computed in parts: how a request is read, how the engine runs it, the messages of a result.

A request is a run of `Simulate`, `Timeline` or `Sweep`; streams, long runs, clusters and files take it from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from tariffs.engine.errors import ServiceError
from tariffs.engine.law.notes import Note
from tariffs.engine.runs.impact import ImpactRun, Point, ScenarioImpact
from tariffs.engine.runs.stepwise_run import RunEnd, StepwiseRun
from tariffs.engine.runs.sweeps.sweep import SweepRun, blocks_of, check_points, shortened, switched
from tariffs.engine.runs.sweeps.sweep_points import POINTS_AT_MOST, check_count, grid
from tariffs.engine.scenario import Scenario
from tariffs.run_spec import option
from tariffs.service.rpc.checks import few, required, word, words
from tariffs.service.rpc.shared import filled, notes_of, provenance_of, scenario_of
from tariffs.service.wire import arrow
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

if TYPE_CHECKING:
    from tariffs.engine.runs.timeline import ScenarioTimeline, TimelineRun

Labels = Mapping[str, str | int]
Frames = Iterable[tuple[str, pl.DataFrame]]
POINTS_LIMIT = 1000
SCENARIOS_LIMIT = 16
_KINDS = ("segments", "totals", "averages", "average_total")
COLUMNS_LIMIT = 64


class Asked(NamedTuple):
    """Arguments of the engine that a request asks for.

    Attributes:
        parts: number of parts of the result.
        scenarios: the scenarios with their parameters filled in; of a sweep, those with different changes.
        given: arguments of the engine's run after the table.
        named: further arguments by name.
    """

    parts: int
    scenarios: Sequence[Scenario]
    given: Sequence[Any]
    named: Mapping[str, Any] = {}


class PartEnd(NamedTuple):
    """Facts of a part for the end of its run: the fields of its batches, and its notes."""

    labels: Labels
    notes: tuple[Note, ...]


def plain_done(end: RunEnd, parts: Sequence[PartEnd], request: Any) -> pb.Done:
    """Make the content of the last message of a run without notes by part."""
    return pb.Done(provenance=provenance_of(end.provenance, request), notes=notes_of(end.notes))


@dataclass(frozen=True)
class Verb:
    """A verb whose result is computed and sent in parts: points, scenarios, or blocks of points.

    Attributes:
        kind: name of its requests in StartRun, and of their responses in ReadRun.
        name: its name in the list of options, `run_spec`.
        request: type of its requests.
        response: type of its messages.
        read: reads a request; raises TariffsError for an invalid one.
        run: makes the engine's run.
        frames: tables of a part, each with the name of its field.
        labels: fields of the batches of a part, given its index and itself.
        done: makes the content of the last message.
        sends_parts: True if a stream has each part as soon as it is computed; otherwise all are held, since rows that
            only computing shows to be unusable come first.
    """

    kind: str
    name: str
    request: type[Any]
    response: type[Any]
    read: Callable[[Any], Asked]
    run: Callable[..., StepwiseRun]
    frames: Callable[[Any], Frames]
    labels: Callable[[int, Any], Labels]
    done: Callable[[RunEnd, Sequence[PartEnd], Any], pb.Done] = plain_done
    sends_parts: bool = False

    def part_end(self, index: int, block: Any) -> PartEnd:
        """Return the facts of a part for the end of its run."""
        return PartEnd(self.labels(index, block), getattr(block, "notes", ()))

    def part_messages(self, index: int, block: Any) -> Iterator[Any]:
        """Make the messages of a part, in batches."""
        labels = self.labels(index, block)
        for kind, frame in self.frames(block):
            for data in arrow.batches(frame):
                message = self.response()
                # Filled in place, which saves a copy of the batch.
                batch = getattr(message, kind)
                batch.arrow = data
                for name, value in labels.items():
                    setattr(batch, name, value)
                yield message

    def whole_messages(self, blocks: Sequence[Any], end: RunEnd, request: Any) -> Iterator[Any]:
        """Make the messages of a result that is computed: refused rows, parts, and the last one."""
        yield from refused_messages(end.refused, self.response)
        for index, block in enumerate(blocks):
            yield from self.part_messages(index, block)
        parts = [self.part_end(index, block) for index, block in enumerate(blocks)]
        yield self.response(done=self.done(end, parts, request))


def refused_messages(refused: pl.DataFrame, response: type[Any]) -> Iterator[Any]:
    """Make the messages of refused rows, if there are any."""
    if refused.height:
        for data in arrow.batches(refused):
            yield response(refused=pb.RefusedBatch(arrow=data))


def progress_of(response: type[Any], emit: Callable[[Any], None]) -> Callable[[str, float], None]:
    """Make the function that emits progress: it takes a stage and a fraction done."""
    return lambda stage, fraction: emit(response(progress=pb.Progress(stage=stage, fraction=fraction)))


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
    for name in ("attribution", "consumer_prices", "households", "world", "lines"):
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


def _read_points(request: pb.SimulateRequest) -> Asked:
    points = points_of(request.points, request.scenario_parameters)
    return Asked(len(points), [point.scenario for point in points], (points,))


SIMULATE = Verb(
    "simulate",
    option.IMPACT,
    pb.SimulateRequest,
    pb.SimulateResponse,
    _read_points,
    ImpactRun,
    frames_of,
    lambda index, point: {"scenario": point.id, "on": point.on},
    done_of,
)


def _read_period(request: pb.TimelineRequest) -> Asked:
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


def _timeline_run(table: Any, *given: Any, **how: Any) -> TimelineRun:
    """Make the run of a timeline, with a score where its options have a projection."""
    # Loaded by the first timeline: an impact loads neither.
    from tariffs.engine.runs.score.score import ScoreRun
    from tariffs.engine.runs.timeline import TimelineRun

    kind = ScoreRun if how["options"].score else TimelineRun
    return kind(table, *given, **how)


def _timeline_frames(scenario: ScenarioTimeline) -> Iterator[tuple[str, pl.DataFrame]]:
    for kind in (*_KINDS, "score"):
        if (frame := getattr(scenario, kind)) is not None:
            yield kind, frame


TIMELINE = Verb(
    "timeline",
    option.TIMELINE,
    pb.TimelineRequest,
    pb.TimelineResponse,
    _read_period,
    _timeline_run,
    _timeline_frames,
    lambda index, scenario: {"scenario": scenario.id},
)


def points_of_sweep(request: pb.SweepRequest) -> list[dict[str, str]]:
    """Read the points of a request.

    Raises:
        InputError: REQUEST_INVALID without points, PARAMETER_INVALID for no or too many, or values that cannot be
            read; as `read_table` for a list.
    """
    source = request.WhichOneof("points")
    if source is None:
        raise request_invalid("The sweep has no points.", "points", "Give a grid or a list of points.")
    return _listed(request.list) if source == "list" else _grid(request.grid)


def named_of(request: Any) -> dict[str, Any]:
    """Read what sweeps and goal seeks have in common: values of parameters that are the same at all points, the day."""
    return {
        "parameters": words(request.scenario_parameters, "scenario_parameters"),
        "on": word(request.on, "on"),
    }


def check_quota(who: Caller, request: pb.SweepRequest) -> None:
    """Refuse a sweep with more points than the caller's quota.

    Raises:
        ServiceError: ROW_QUOTA.
        InputError: the points cannot be read.
    """
    limit = who.quotas.sweep_points
    if limit is not None and (count := len(points_of_sweep(request))) > limit:
        raise ServiceError(
            "ROW_QUOTA",
            f"The sweep has {count:,} points, and your quota `sweep_points` is {limit:,}.",
            field="points",
            fix="Give fewer points, or ask the operators of the server for a higher quota.",
            metadata={"limit": str(limit), "quota": "sweep_points"},
        )


def _read_sweep(request: pb.SweepRequest) -> Asked:
    scenario, points = scenario_of(request.scenario, "scenario"), points_of_sweep(request)
    named = named_of(request)
    check_points(scenario, points, named["parameters"])
    ways = switched(scenario, points, named["parameters"])
    return Asked(blocks_of(len(points)), ways, (scenario, points), named)


def _grid(message: pb.SweepGrid) -> list[dict[str, str]]:
    axes: dict[str, list[str]] = {}
    for index, axis in enumerate(message.axes):
        name = required(axis.name, f"grid.axes[{index}].name", "Give the name of a parameter.")
        if name in axes:
            raise request_invalid(f"The parameter {name} has two axes.", "grid.axes", "Give it once.")
        axes[name] = [word(value, f"grid.axes[{index}].values") for value in axis.values]
    return grid(axes)


def _listed(message: pb.SweepList) -> list[dict[str, str]]:
    """Read a list of points; a null is left to the default."""
    few(message.arrow, "list.arrow", POINTS_AT_MOST)
    points: list[dict[str, str]] = []
    for data in message.arrow:
        frame = arrow.read_table(data)
        few(frame.columns, "list.arrow", COLUMNS_LIMIT)
        check_count(len(points) + frame.height)
        rows = frame.select(pl.all().cast(pl.String)).iter_rows(named=True)
        points += ({name: text for name, text in row.items() if text is not None} for row in rows)
    check_count(len(points))
    return points


def _sweep_done(end: RunEnd, parts: Sequence[PartEnd], request: Any) -> pb.Done:
    # Parts of a table that are joined may have more notes of one reason than a sweep tells.
    return plain_done(replace(end, notes=shortened(end.notes)), parts, request)


SWEEP = Verb(
    "sweep",
    option.SWEEP,
    pb.SweepRequest,
    pb.SweepResponse,
    _read_sweep,
    SweepRun,
    lambda block: (("groups", block.groups), ("totals", block.totals)),
    lambda index, block: {"block": index},
    _sweep_done,
    sends_parts=True,
)

VERBS: Mapping[str, Verb] = {verb.kind: verb for verb in (SIMULATE, TIMELINE, SWEEP)}
