"""SimulationService: scenarios over a trade table, told as they come."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, ScenarioImpact, Table, impact
from tariffs.service.rpc.checks import choice, direction_of, word, words
from tariffs.service.rpc.shared import notes_of, provenance_of, scenario_of
from tariffs.service.wire import arrow
from tariffs.v1 import simulation_service_pb2 as pb

POINTS_LIMIT = 64
KEYS_LIMIT = 8
PARAMETER_SETS = ("low", "high")
Emit = Callable[[pb.SimulateResponse], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Local:
    """What only a caller in the same process can give: a table and a parameter file by reference."""

    table: Table = None
    parameters: str = ""


def simulate(
    request: pb.SimulateRequest, emit: Emit, cancelled: Cancelled, local: Local | None = None
) -> None:
    """Run a request, handing out messages in order: progress, refused rows, points, and last `done`.

    Args:
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: asked between steps; yes ends the run.
        local: a table and parameters by reference; they stand in for those of the request.

    Raises:
        TariffsError: what is wrong with the request, or CANCELLED.
    """
    local = local or Local()
    points = points_of(request.points)
    table = local.table if local.table is not None else table_of(request)
    with parameters_of(request, local) as parameters:
        found = impact(
            table,
            points,
            law=load_law(),
            options=simulate_options(request, parameters),
            progress=lambda stage, fraction: emit(_progress(stage, fraction)),
            cancelled=cancelled,
        )
    _tell(found, request, emit)


def points_of(points: Sequence[pb.Point]) -> list[Point]:
    """The points of a request."""
    if not 1 <= len(points) <= POINTS_LIMIT:
        raise InputError(
            "REQUEST_INVALID",
            f"The request has {len(points)} points.",
            field="points",
            fix=f"Give 1 to {POINTS_LIMIT}: a scenario and a day each.",
        )
    return [
        Point(scenario_of(point.scenario, f"points[{index}].scenario"), word(point.on, f"points[{index}].on"))
        for index, point in enumerate(points)
    ]


def table_of(request: pb.SimulateRequest | pb.TimelineRequest) -> pl.DataFrame | None:
    """The table a request brings; None is the embedded one.

    Raises:
        InputError: TABLE_NOT_FOUND for a handle: whoever keeps tables gives them by reference.
    """
    given = request.WhichOneof("table")
    if given == "handle":
        raise InputError(
            "TABLE_NOT_FOUND",
            f"There is no table {word(request.handle, 'handle')!r} here.",
            field="handle",
            fix="Tables are kept by servers; in-process give the table itself.",
        )
    return arrow.read_table(request.arrow) if given == "arrow" else None


def options_of(request: pb.SimulateRequest | pb.TimelineRequest, parameters: str) -> Options:
    """What points and periods have in common of how a table is valued."""
    if len(request.by) > KEYS_LIMIT:
        raise InputError(
            "REQUEST_INVALID",
            f"There are {len(request.by)} keys.",
            field="by",
            fix=f"Give at most {KEYS_LIMIT}.",
        )
    default = Options()
    return Options(
        baseline=word(request.baseline, "baseline"),
        response=choice(pb.ResponseModel, request.response, "response") or default.response,
        horizon=choice(pb.Horizon, request.horizon, "horizon") or default.horizon,
        parameters=parameters,
        by=tuple(word(key, "by") for key in request.by) or default.by,
        known_on=word(request.known_on, "known_on"),
        switches=words(request.switches, "switches"),
        min_conf=word(request.min_confidence, "min_confidence"),
        direction=direction_of(request.direction),
        date_format=word(request.date_format, "date_format"),
    )


def simulate_options(request: pb.SimulateRequest, parameters: str) -> Options:
    """How a table is valued for a request."""
    return replace(
        options_of(request, parameters),
        lines=request.include_lines,
        attribute=request.attribute,
        draws=request.draws,
        seed=request.seed,
    )


@contextmanager
def parameters_of(request: pb.SimulateRequest | pb.TimelineRequest, local: Local) -> Iterator[str]:
    """The parameter set as the engine takes it: empty, a name, or the path of a file that lives as long as the run."""
    given = request.WhichOneof("parameters")
    if local.parameters or given is None:
        yield local.parameters
    elif given == "parameter_set":
        # Anything but a name of a set would be read as a path of the server's own disk.
        if request.parameter_set not in PARAMETER_SETS:
            raise InputError(
                "PARAMETER_INVALID",
                f"There is no parameter set {word(request.parameter_set, 'parameter_set')!r}.",
                field="parameter_set",
                fix=f"Use {' or '.join(PARAMETER_SETS)}, or send the table as CSV.",
            )
        yield request.parameter_set
    else:
        if len(request.parameter_csv) > arrow.MESSAGE_LIMIT:
            raise InputError(
                "BATCH_TOO_LARGE",
                f"The parameter table has {len(request.parameter_csv):,} bytes.",
                field="parameter_csv",
                fix=f"Send at most {arrow.MESSAGE_LIMIT:,} bytes.",
                metadata={"limit": str(arrow.MESSAGE_LIMIT), "found": str(len(request.parameter_csv))},
            )
        with tempfile.TemporaryDirectory(prefix="tariffs-") as directory:
            path = Path(directory) / "parameters.csv"
            path.write_bytes(request.parameter_csv)
            yield str(path)


def _tell(found: Impact, request: pb.SimulateRequest, emit: Emit) -> None:
    tell_refused(found.refused, emit)
    for point in found.scenarios:
        tell_point(point, emit)
    emit(done_of(found, request))


def tell_refused(refused: pl.DataFrame, emit: Emit) -> None:
    """Hand out the rows that could not be used, if there are any."""
    if refused.height:
        for data in arrow.batches(refused):
            emit(pb.SimulateResponse(refused=pb.RefusedBatch(arrow=data)))


def done_of(found: Impact, request: pb.SimulateRequest) -> pb.SimulateResponse:
    """The last message of a run; of its points only ids, days and notes are read."""
    points = found.scenarios
    return pb.SimulateResponse(
        done=pb.Done(
            provenance=provenance_of(found.provenance, request),
            notes=notes_of(dict.fromkeys((*found.notes, *(n for point in points for n in point.notes)))),
            point_notes=[
                pb.PointNotes(scenario=point.id, on=point.on, notes=notes_of(point.notes)) for point in points
            ],
        )
    )


def tell_point(point: ScenarioImpact, emit: Emit) -> None:
    """Hand out the results of one point."""
    for kind, frame in _frames(point):
        for data in arrow.batches(frame):
            message = pb.SimulateResponse()
            # Filled in place: a batch made first would be copied once more.
            batch: pb.ResultBatch = getattr(message, kind)
            batch.scenario, batch.on, batch.arrow = point.id, point.on, data
            emit(message)


def _frames(point: ScenarioImpact) -> Iterator[tuple[str, pl.DataFrame]]:
    yield "groups", point.groups
    yield "total", _total(point)
    if point.ranges is not None:
        yield "ranges", point.ranges.groups
        yield "total_ranges", point.ranges.total
        yield "tornado", point.ranges.tornado
    if point.attribution is not None:
        yield "attribution", point.attribution
    if point.lines is not None:
        yield "lines", point.lines


def _total(point: ScenarioImpact) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series([value], dtype=pl.Float64) for name, value in point.total.items()})


def _progress(stage: str, fraction: float) -> pb.SimulateResponse:
    return pb.SimulateResponse(progress=pb.Progress(stage=stage, fraction=fraction))
