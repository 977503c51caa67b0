"""SweepService.Sweep: compute a scenario at many points of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from tariffs.engine.errors import ServiceError
from tariffs.engine.runs.stepwise_run import RunEnd
from tariffs.engine.runs.sweeps.sweep import SweepRun, blocks_of, check_points, shortened, switched
from tariffs.engine.runs.sweeps.sweep_points import POINTS_AT_MOST, check_count, grid
from tariffs.run_spec import option
from tariffs.service.rpc.checks import few, required, word, words
from tariffs.service.rpc.shared import scenario_of
from tariffs.service.rpc.verb import Asked, PartEnd, Verb, plain_done
from tariffs.service.wire import arrow
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.status import request_invalid
from tariffs.v1 import simulation_service_pb2 as pb

COLUMNS_LIMIT = 64


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
    if limit is not None and (count := len(points_of(request))) > limit:
        raise ServiceError(
            "ROW_QUOTA",
            f"The sweep has {count:,} points, and your quota `sweep_points` is {limit:,}.",
            field="points",
            fix="Give fewer points, or ask the operators of the server for a higher quota.",
            metadata={"limit": str(limit), "quota": "sweep_points"},
        )


def _read(request: pb.SweepRequest) -> Asked:
    scenario, points, named = scenario_of(request.scenario, "scenario"), points_of(request), named_of(request)
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


def _done(end: RunEnd, parts: Sequence[PartEnd], request: Any) -> pb.Done:
    # Parts of a table that are joined may have more notes of one reason than a sweep tells.
    return plain_done(replace(end, notes=shortened(end.notes)), parts, request)


SWEEP = Verb(
    "sweep",
    option.SWEEP,
    pb.SweepRequest,
    pb.SweepResponse,
    _read,
    SweepRun,
    lambda block: (("groups", block.groups), ("totals", block.totals)),
    lambda index, block: {"block": index},
    _done,
    sends_parts=True,
)
