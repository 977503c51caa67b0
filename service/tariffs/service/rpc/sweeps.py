"""SweepService: compute a scenario at many points of its parameters, or seek the point that meets a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from tariffs.engine.law.notes import Note
from tariffs.engine.runs.seek import Jump, Root, Seek, Value, Vary, seek
from tariffs.engine.runs.seek_target import Target
from tariffs.engine.runs.sweep import Sweep, SweepBlock, SweepRun
from tariffs.engine.runs.sweep_points import POINTS_AT_MOST, check_count, grid
from tariffs.engine.tables.partitions import is_partitioned
from tariffs.run_spec.option import SEEK
from tariffs.service.rpc.checks import few, required, word, words
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.local_inputs import LocalInputs
from tariffs.service.rpc.run_options import KEYS_LIMIT, options_of, parameters_of
from tariffs.service.rpc.shared import notes_of, provenance_of, scenario_of
from tariffs.service.rpc.simulation import (
    Cancelled,
    emit_frames,
    emit_refused,
    table_of,
)
from tariffs.service.wire import arrow
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import sweep_service_pb2

EmitSweep = Callable[[pb.SweepResponse], None]
EmitSeek = Callable[[sweep_service_pb2.SeekResponse], None]
VALUES_LIMIT = 1_000
COLUMNS_LIMIT = 64


def run_sweep(
    request: pb.SweepRequest, emit: EmitSweep, cancelled: Cancelled, local: LocalInputs | None = None
) -> None:
    """Compute a sweep and emit its messages in order: progress, refused rows, blocks, and last `done`.

    Args:
        request: the request.
        emit: takes each message; it may block until the caller is ready for more.
        cancelled: called between steps; True ends the run.
        local: inputs that replace those of the request.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    local = local or LocalInputs()
    scenario, points = scenario_of(request.scenario, "scenario"), points_of(request)
    with parameters_of(request, local) as parameters:
        run = SweepRun(
            local.table if local.table is not None else table_of(request),
            scenario,
            points,
            parameters=fixed_of(request),
            on=word(request.on, "on"),
            law=LAWS.named(request.law_version),
            options=options_of(request, parameters),
            progress=lambda stage, fraction: emit(
                pb.SweepResponse(progress=pb.Progress(stage=stage, fraction=fraction))
            ),
            cancelled=cancelled,
        )
        rows, notes = run.refused, list[Note]()
        emit_refused(rows, pb.SweepResponse, emit)
        for index in range(run.blocks):
            block = run.value(index)
            notes += block.notes
            emit_block(index, block, emit)
    result = run.result([notes_alone(notes)])
    # Rows that only valuing shows to be unusable.
    late = result.refused.join(rows.select("row").unique(), on="row", how="anti", maintain_order="left")
    emit_refused(late, pb.SweepResponse, emit)
    emit(done_of(result, request))


def points_of(request: pb.SweepRequest) -> list[dict[str, str]]:
    """Read the points of a request.

    Raises:
        InputError: REQUEST_INVALID without points, PARAMETER_INVALID for no or too many, or values that cannot be
            read; as `read_table` for a list.
    """
    source = request.WhichOneof("points")
    if source is None:
        raise request_invalid("The sweep has no points.", "points", "Give a grid or a list of points.")
    return _listed(request.list) if source == "list" else _grid(request.grid)


def fixed_of(request: pb.SweepRequest | sweep_service_pb2.SeekRequest) -> dict[str, str]:
    """Read the values of parameters that are the same at all points."""
    return words(request.scenario_parameters, "scenario_parameters")


def emit_block(index: int, block: SweepBlock, emit: EmitSweep) -> None:
    """Emit the results of a block of points."""
    frames = (("groups", block.groups), ("totals", block.totals))
    emit_frames(frames, pb.SweepResponse, emit, block=index)


def notes_alone(notes: Sequence[Note]) -> SweepBlock:
    """Make a block that holds the notes of others, for the end of a run whose rows have been sent."""
    return SweepBlock(pl.DataFrame(), pl.DataFrame(), tuple(notes))


def done_of(result: Sweep, request: pb.SweepRequest) -> pb.SweepResponse:
    """Make the last message of a sweep."""
    done = pb.Done(provenance=provenance_of(result.provenance, request), notes=notes_of(result.notes))
    return pb.SweepResponse(done=done)


def run_seek(
    request: sweep_service_pb2.SeekRequest,
    emit: EmitSeek,
    cancelled: Cancelled,
    local: LocalInputs | None = None,
) -> None:
    """Seek a target and emit its messages in order: progress, refused rows, and last the answer.

    Args:
        request: the request.
        emit: takes each message.
        cancelled: called between steps; True ends the run.
        local: inputs that replace those of the request.

    Raises:
        TariffsError: an invalid request, or CANCELLED.
    """
    local = local or LocalInputs()
    scenario, vary, target = scenario_of(request.scenario, "scenario"), _vary(request), _target(request)
    with parameters_of(request, local) as parameters:
        options = options_of(request, parameters)
        options.refuse(verb=SEEK, files=is_partitioned(local.table))
        result = seek(
            local.table if local.table is not None else table_of(request),
            scenario,
            vary,
            target,
            parameters=fixed_of(request),
            on=word(request.on, "on"),
            law=LAWS.named(request.law_version),
            options=options,
            progress=lambda stage, fraction: emit(
                sweep_service_pb2.SeekResponse(progress=pb.Progress(stage=stage, fraction=fraction))
            ),
            cancelled=cancelled,
        )
    emit_refused(result.refused, sweep_service_pb2.SeekResponse, emit)
    emit(_answer(result, request))


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


def _vary(request: sweep_service_pb2.SeekRequest) -> Vary:
    return Vary(
        required(request.parameter, "parameter", "Give the name of a parameter."),
        required(request.low, "low", "Give the lowest value."),
        required(request.high, "high", "Give the highest value."),
    )


def _target(request: sweep_service_pb2.SeekRequest) -> Target:
    column = required(request.column, "column", "Give a result column.")
    where: dict[str, Sequence[str]] = {}
    for index, one in enumerate(request.where[: KEYS_LIMIT + 1]):
        key = required(one.key, f"where[{index}].key", "Give a key of groups.")
        if key in where or len(where) == KEYS_LIMIT or not 1 <= len(one.values) <= VALUES_LIMIT:
            raise request_invalid(
                f"The filter on {key} cannot be used: it is given twice, is one of more than {KEYS_LIMIT}, or has "
                f"{len(one.values):,} values.",
                f"where[{index}]",
                f"Give at most {KEYS_LIMIT} keys, each once with 1 to {VALUES_LIMIT:,} values.",
            )
        where[key] = [word(value, f"where[{index}].values") for value in one.values]
    return Target(column, request.target, where)


def _answer(result: Seek, request: sweep_service_pb2.SeekRequest) -> sweep_service_pb2.SeekResponse:
    (path,) = arrow.batches(result.path)
    done = sweep_service_pb2.SeekResult(
        roots=[_root(root) for root in result.roots],
        jumps=[_jump(jump) for jump in result.jumps],
        nearest=_root(result.nearest),
        monotone=result.monotone,
        path=path,
        provenance=provenance_of(result.provenance, request),
        notes=notes_of(result.notes),
    )
    return sweep_service_pb2.SeekResponse(done=done)


def _root(root: Root) -> sweep_service_pb2.SeekRoot:
    to = None if root.to is None else _value(root.to)
    return sweep_service_pb2.SeekRoot(value=_value(root.value), achieved=root.achieved, to=to)


def _jump(jump: Jump) -> sweep_service_pb2.SeekJump:
    return sweep_service_pb2.SeekJump(
        value=_value(jump.value),
        achieved=jump.achieved,
        next_value=_value(jump.next_value),
        next_achieved=jump.next_achieved,
    )


def _value(value: Value) -> sweep_service_pb2.ParameterValue:
    if isinstance(value, str):
        return sweep_service_pb2.ParameterValue(text=value)
    return sweep_service_pb2.ParameterValue(number=value)
