"""SimulationService.SimulateGroups: groups and totals of a run as rows of named values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from google.protobuf.struct_pb2 import Struct

from tariffs.engine.runs.impact import ScenarioImpact
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.run_plan import whole_run
from tariffs.service.rpc.shared import notes_of
from tariffs.service.rpc.verbs import SIMULATE, done_of, frames_of
from tariffs.service.wire.status import Cancelled, request_invalid, too_large
from tariffs.v1 import simulation_service_pb2 as pb

VALUES_LIMIT = 100_000
"""Most values of an answer, some 3 MiB: a client takes messages of 4 MiB unless it is set otherwise."""
REFUSED_ROWS = 100
Frames = list[tuple[str, pl.DataFrame]]


def simulate_groups(
    request: pb.SimulateRequest, cancelled: Cancelled, local: LocalInputs | None = None
) -> pb.SimulateGroupsResponse:
    """Compute a request of `simulate` as one response.

    Raises:
        TariffsError: an invalid request, CANCELLED, or BATCH_TOO_LARGE for a result that one message cannot hold.
    """
    if request.include_lines:
        raise request_invalid(
            "This call sends no lines.", "include_lines", "Leave it out, or use Simulate, which streams them."
        )
    blocks, end = whole_run(
        SIMULATE, request, lambda _stage, _fraction: None, cancelled, local or LocalInputs()
    )
    points = [(point, list(frames_of(point))) for point in blocks]
    _check_size(frames for _, frames in points)
    return _response(end, points, request)


def _check_size(points: Iterable[Frames]) -> None:
    found = sum(frame.height * frame.width for frames in points for _, frame in frames)
    if found > VALUES_LIMIT:
        raise too_large(
            f"The result has {found:,} values; the limit of one answer is {VALUES_LIMIT:,}.",
            "by",
            "Send fewer points or keys, or use Simulate, which streams tables.",
            found,
            VALUES_LIMIT,
        )


def _response(
    end: RunEnd, points: list[tuple[ScenarioImpact, Frames]], request: pb.SimulateRequest
) -> pb.SimulateGroupsResponse:
    done = done_of(end, [SIMULATE.part_end(0, point) for point, _ in points], request)
    return pb.SimulateGroupsResponse(
        scenarios=[_point(point, frames) for point, frames in points],
        refused=pb.RefusedRows(
            count=end.refused["row"].n_unique(), rows=_rows(end.refused.head(REFUSED_ROWS))
        ),
        notes=done.notes,
        provenance=done.provenance,
    )


def _point(point: ScenarioImpact, frames: Frames) -> pb.PointGroups:
    message = pb.PointGroups(id=point.id, on=point.on, notes=notes_of(point.notes))
    for name, frame in frames:
        rows = _rows(frame)
        if name == "total":
            message.total.CopyFrom(rows[0])
        else:
            getattr(message, name).extend(rows)
    return message


def _rows(frame: pl.DataFrame) -> list[Struct]:
    return [_row(row) for row in frame.iter_rows(named=True)]


def _row(values: Mapping[str, Any]) -> Struct:
    row = Struct()
    row.update({name: _plain(value) for name, value in values.items()})
    return row


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
