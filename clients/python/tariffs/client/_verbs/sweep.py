"""Client methods that vary the parameters of a scenario: sweeps and goal seeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.replay import recorded_call
from tariffs.client._verbs.run_handle import Run
from tariffs.client._verbs.runs import RunCalls
from tariffs.client._wire import answers, sweep_requests
from tariffs.client._wire.frames import Table
from tariffs.client._wire.progress import Progress
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client._wire.run_options import read_spec
from tariffs.client._wire.sweep_requests import PointList, Vary, Where
from tariffs.client.results.sweep import Seek, Sweep
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day, ParameterValue
from tariffs.run_spec.spec import RunSpec
from tariffs.run_spec.typed import ResponseOptions
from tariffs.v1 import simulation_service_pb2


class SweepCalls(RunCalls):
    """Sweeps and goal seeks; mixed into `Client`."""

    def sweep(
        self,
        lines: Table | None = None,
        scenario: ScenarioLike = "base",
        *,
        vary: Vary | None = None,
        points: PointList | None = None,
        on: Day | None = None,
        by: Sequence[str] = ("origin",),
        cluster: str = "",
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[ResponseOptions],
    ) -> Sweep:
        """Compute a scenario at up to 100,000 points of its parameters, by group and in total.

        Args:
            lines: as in `impact`; so are all other arguments that are not explained here.
            scenario: library name, `*.yaml` path, or `Scenario` with parameters.
            vary: values by parameter, such as `{"cn": ["0%", "10%"], "vn": "0%:50%:0.5%"}`; the points are all
                combinations. A range has both ends; days need no step. `elasticity.sigma`, `elasticity.eta` and, of
                `exact_hat`, `elasticity.theta` multiply elasticities of the response: `"x0.5:x2:x0.5"`.
            points: the points one by one, in place of `vary`: mappings, a frame or a file with a column a parameter;
                what a point leaves out has its default.
            on: day of the law.
            by: keys of the groups, such as origin, authority, hts2.
            cluster: as in `impact`.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.ResponseOptions)`.

        Raises:
            InvalidRequest: points, table or an option cannot be used; single bad rows are in `refused` instead.
            TariffsError: as `impact`.
        """
        spec = read_spec("sweep", options, on=on, by=by)
        request, call = self._sweep(lines, scenario, vary, points, spec)
        seconds = arguments.seconds(timeout, self._config.deadlines.sweep)
        backend = self._computing(cluster)
        return self._run("Sweep", request, lines, answers.sweep, seconds, progress, backend, call)

    def start_sweep(
        self,
        lines: Table | None = None,
        scenario: ScenarioLike = "base",
        *,
        vary: Vary | None = None,
        points: PointList | None = None,
        on: Day | None = None,
        by: Sequence[str] = ("origin",),
        request_id: str = "",
        share_with: str = "",
        timeout: float | None = None,
        **options: Unpack[ResponseOptions],
    ) -> Run:
        """Start a sweep on the server that continues without the caller, in blocks of 200 points.

        Args:
            lines: as in `sweep`; so are the other arguments.
            scenario: library name, `*.yaml` path, or `Scenario` with parameters.
            vary: values by parameter.
            points: the points one by one.
            on: day of the law.
            by: keys of the groups.
            request_id: your own id of this request; the same id again returns the same run.
            share_with: one of your groups, whose members may read the result.
            timeout: seconds for starting it; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.ResponseOptions)`.

        Raises:
            InvalidRequest: the request cannot be run, as far as this can be checked at once; or there is no server.
        """
        spec = read_spec("sweep", options, on=on, by=by)
        request, call = self._sweep(lines, scenario, vary, points, spec)
        return self._start("sweep", request, lines, call, request_id, share_with, timeout)

    def seek(
        self,
        lines: Table | None = None,
        scenario: ScenarioLike = "base",
        *,
        vary: tuple[str, ParameterValue, ParameterValue],
        target: tuple[str, float | str],
        where: Where | None = None,
        on: Day | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[ResponseOptions],
    ) -> Seek:
        """Find the values of a parameter at which a result meets a target.

        201 values of the range are computed first, so that no root is missed in silence; each is then refined to a
        billionth of the target.

        Args:
            lines: as in `impact`; so are all other arguments that are not explained here.
            scenario: library name, `*.yaml` path, or `Scenario` with parameters.
            vary: name of the parameter, its lowest and its highest value: rates, shares, steps, days, or off and on.
            target: result column and the value it shall have, such as `("duty_after", 3.0e11)`: a sum,
                `effective_rate`, `effective_rate_after`, or a sum with `_share` for the share of the groups that count
                in the whole table, such as `("value_after_share", 0.1)`. `("duty_after", "max")` and `"min"` seek the
                largest and the least value.
            where: values that count by key, such as `{"origin": "CN"}` or `{"hts2": ["61", "62"]}`; by default all.
                With `response="world"` `{"country": "USA"}` makes the target a column of `world` for that country.
            on: day of the law.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.ResponseOptions)`.

        Raises:
            InvalidRequest: range, target, filter, table or an option cannot be used.
            TariffsError: as `impact`.
        """
        spec = read_spec("seek", options, on=on)
        request = sweep_requests.seek_request(Scenario.of(scenario), vary, target, where, spec)
        seconds = arguments.seconds(timeout, self._config.deadlines.sweep)
        name, *ends = vary
        values = [sweep_requests.axes({name: end})[name][0] for end in ends]
        sought = {"vary": [name, *values], "target": list(target), "where": dict(where or {})}
        call = recorded_call("seek", lines, [scenario], spec, **sought)
        return self._run("Seek", request, lines, answers.seek, seconds, progress, call=call)

    def _sweep(
        self,
        lines: Table | None,
        scenario: ScenarioLike,
        vary: Vary | None,
        points: PointList | None,
        spec: RunSpec,
    ) -> tuple[simulation_service_pb2.SweepRequest, dict[str, object]]:
        parsed = Scenario.of(scenario)
        values = sweep_requests.axes(vary)
        rows = None if points is None else sweep_requests.point_rows(points)
        request = sweep_requests.sweep_request(parsed, values, rows, spec, self._config.message_limit)
        listed = None if rows is None else rows.to_dicts()
        return request, recorded_call("sweep", lines, [parsed], spec, vary=values, points=listed)
