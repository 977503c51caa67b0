"""Build the requests of sweeps and goal seeks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import TypeAlias

import polars as pl

from tariffs.client import _arguments as arguments
from tariffs.client._wire.frames import Table, read_table
from tariffs.client._wire.requests import ScenarioLike, run_request, scenario_ref
from tariffs.client._wire.uploads import cut
from tariffs.client.errors import InvalidRequest
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import ParameterValue
from tariffs.run_spec.spec import RunSpec
from tariffs.v1 import simulation_service_pb2, sweep_service_pb2

Values = ParameterValue | Iterable[ParameterValue]
Vary = Mapping[str, Values]
"""Values by parameter: one, several, or ranges such as `0%:50%:0.5%` and `2026-11-01:2026-12-31`."""
PointList: TypeAlias = Sequence[Mapping[str, ParameterValue]] | Table
"""Points one by one: mappings, or a table with a column a parameter."""
Where = Mapping[str, str | Iterable[str]]
"""Values that count, by key of groups."""


EXTREMES = {"max": inf, "min": -inf}
"""Targets that are no numbers: the largest and the least value of a result."""


def sweep_request(
    scenario: ScenarioLike,
    vary: Mapping[str, Sequence[str]],
    points: pl.DataFrame | None,
    options: RunSpec,
    message_limit: int,
) -> simulation_service_pb2.SweepRequest:
    """Build the request of a sweep, without its table: of a grid from `axes`, or of the list from `point_rows`.

    The list is sent in parts of at most `message_limit` bytes.

    Raises:
        InvalidRequest: REQUEST_INVALID for both or neither of grid and list; as `simulate_request`.
    """
    if bool(vary) == (points is not None):
        raise InvalidRequest(
            "REQUEST_INVALID",
            "A sweep needs either values to vary or a list of points.",
            field="vary",
            fix='Give vary={"cn": "0%:50%:1%"} or points=.',
        )
    request = run_request(simulation_service_pb2.SweepRequest, options, **_of_scenario(scenario, options))
    if points is None:
        axes = [simulation_service_pb2.SweepAxis(name=name, values=values) for name, values in vary.items()]
        request.grid.axes.extend(axes)
    else:
        request.list.arrow.extend(data for _, data in cut(points, message_limit))
    return request


def seek_request(
    scenario: ScenarioLike, vary: object, target: object, where: Where | None, options: RunSpec
) -> sweep_service_pb2.SeekRequest:
    """Build the request of a goal seek, without its table, from arguments of `Client.seek`.

    Raises:
        InvalidRequest: REQUEST_INVALID for a range, target or filter of another form; as `simulate_request`.
    """
    match vary:
        case (str() as name, low, high):
            ends = [axes({name: end})[name][0] for end in (low, high)]
        case _:
            raise arguments.refusal(
                "vary", vary, 'Give a parameter with its lowest and highest value: ("cn", "0%", "60%").'
            )
    column, value = target_of(target)
    return run_request(
        sweep_service_pb2.SeekRequest,
        options,
        **_of_scenario(scenario, options),
        parameter=arguments.text(name, "vary"),
        low=ends[0],
        high=ends[1],
        column=column,
        target=value,
        where=[
            sweep_service_pb2.SeekFilter(key=key, values=arguments.names(values, f"where.{key}"))
            for key, values in arguments.mapping(where, "where").items()
        ],
    )


def axes(vary: object) -> dict[str, list[str]]:
    """Write the values of each parameter as text; ranges stay as they are.

    Raises:
        InvalidRequest: REQUEST_INVALID for no mapping, PARAMETER_INVALID for a value that is no text, number, day,
            True or False.
    """
    return {
        name: [_text(name, one) for one in _several(values)]
        for name, values in arguments.mapping(vary, "vary").items()
    }


def point_rows(points: object) -> pl.DataFrame:
    """Write a list of points as a table of text, a column a parameter; what a point leaves out is null.

    Raises:
        InvalidRequest: TABLE_UNREADABLE, REQUEST_INVALID or PARAMETER_INVALID.
    """
    if isinstance(points, Sequence) and not isinstance(points, str):
        rows = [arguments.mapping(point, "points") for point in points]
    else:
        rows = read_table(points).to_dicts()  # type: ignore[arg-type] # it refuses what is no table
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {
        name: [None if row.get(name) is None else _text(name, row[name]) for row in rows] for name in names
    }
    return pl.DataFrame(columns, dict.fromkeys(names, pl.String))


def target_of(target: object) -> tuple[str, float]:
    """Check a target, a column and a number, `max` or `min`; raises InvalidRequest REQUEST_INVALID."""
    match target:
        case (str() as column, "max" | "min" as value):
            return arguments.text(column, "target"), EXTREMES[value]
        case (str() as column, int() | float() as value) if not isinstance(value, bool):
            return arguments.text(column, "target"), float(value)
    raise arguments.refusal("target", target, 'Give a result column and its value: ("duty_after", 3.0e11).')


def _of_scenario(scenario: ScenarioLike, options: RunSpec) -> dict[str, object]:
    parsed = Scenario.of(scenario)
    return {"scenario": scenario_ref(parsed), "on": parsed.day or options.on}


def _several(values: object) -> Iterable[object]:
    single = isinstance(values, str) or not isinstance(values, Iterable)
    return [values] if single else values  # type: ignore[return-value] # mypy does not follow `single`


def _text(name: str, value: object) -> str:
    return arguments.parameters({name: value})[name]
