"""Client methods that vary the parameters of a scenario: sweeps and goal seeks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.replay import sweep_call, with_call
from tariffs.client._verbs.run_handle import Run
from tariffs.client._verbs.tables import TableCalls
from tariffs.client._wire import sweep_answers, sweep_requests
from tariffs.client._wire.frames import Table
from tariffs.client._wire.progress import Progress, reporting
from tariffs.client._wire.requests import Day, ImpactOptions, Parameters, ParameterValue, ScenarioLike
from tariffs.client._wire.retry import read_whole
from tariffs.client._wire.sweep_requests import PointList, Vary, Where
from tariffs.client.results.sweep import Seek, Sweep
from tariffs.client.scenario import Scenario
from tariffs.v1 import simulation_service_pb2


class SweepCalls(TableCalls):
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
        baseline: Day | None = None,
        response: str = "armington",
        horizon: str = "path",
        market: str = "product",
        fx_offset: float = 0.0,
        parameters: Parameters | str | Path | None = None,
        parameter_set: str | Path | None = None,
        known_on: Day | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        law_version: str = "",
        direction: str = "import",
        to: str = "",
        date_format: str = "",
        cluster: str = "",
        progress: Progress = None,
        timeout: float | None = None,
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
            baseline: day that the values of `lines` belong to.
            response: armington, passthrough, smart, gsim, exact_hat or none.
            horizon: path (every change of duty at its own age), impact, short or long.
            market: product, or sector for sectors of products and domestic goods.
            fx_offset: as in `impact`.
            parameters: values of parameters that are the same at all points.
            parameter_set: None for the central set, "low", "high", or the path of a CSV file.
            known_on: use only acts published by this day.
            switches: open points of the law set to other values than their defaults.
            min_confidence: use only acts with at least this confidence.
            law_version: as in `impact`.
            direction: import or export.
            to: for exports, the ISO code of the country they go to; empty is the first of the law, or the
                `destination` of each row of a table.
            date_format: as in `impact`.
            cluster: as in `impact`.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: points, table or an option cannot be used; single bad rows are in `refused` instead.
            TariffsError: as `impact`.
        """
        options = ImpactOptions(
            on=on or "",
            baseline=baseline or "",
            response=response,
            horizon=horizon,
            market=market,
            fx_offset=fx_offset,
            parameters=parameters,
            parameter_set=parameter_set,
            by=by,
            known_on=known_on or "",
            switches=switches or {},
            min_confidence=min_confidence,
            law_version=law_version,
            direction=direction,
            to=to,
            date_format=date_format,
        )
        request, call = self._sweep(lines, scenario, vary, points, options)
        seconds = timeout or self._config.deadlines.sweep
        with reporting(progress) as report:
            result = read_whole(
                lambda left: self._computing(cluster).over_table("Sweep", request, lines, left),
                lambda messages: sweep_answers.sweep(messages, report),
                seconds,
            )
        return replace(result, provenance=with_call(result.provenance, call))

    def start_sweep(
        self,
        lines: Table | None = None,
        scenario: ScenarioLike = "base",
        *,
        vary: Vary | None = None,
        points: PointList | None = None,
        on: Day | None = None,
        by: Sequence[str] = ("origin",),
        baseline: Day | None = None,
        response: str = "armington",
        horizon: str = "path",
        market: str = "product",
        fx_offset: float = 0.0,
        parameters: Parameters | str | Path | None = None,
        parameter_set: str | Path | None = None,
        known_on: Day | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        law_version: str = "",
        direction: str = "import",
        to: str = "",
        date_format: str = "",
        request_id: str = "",
        share_with: str = "",
        timeout: float | None = None,
    ) -> Run:
        """Start a sweep on the server that continues without the caller, in blocks of 200 points.

        Args:
            lines: as in `sweep`; so are the other arguments.
            scenario: library name, `*.yaml` path, or `Scenario` with parameters.
            vary: values by parameter.
            points: the points one by one.
            on: day of the law.
            by: keys of the groups.
            baseline: day that the values of `lines` belong to.
            response: armington, passthrough, smart, gsim, exact_hat or none.
            horizon: path (every change of duty at its own age), impact, short or long.
            market: product, or sector for sectors of products and domestic goods.
            fx_offset: as in `impact`.
            parameters: values of parameters that are the same at all points.
            parameter_set: None for the central set, "low", "high", or the path of a CSV file.
            known_on: use only acts published by this day.
            switches: open points of the law set to other values than their defaults.
            min_confidence: use only acts with at least this confidence.
            law_version: as in `impact`.
            direction: import or export.
            to: for exports, the ISO code of the country they go to; empty is the first of the law, or the
                `destination` of each row of a table.
            date_format: as in `impact`.
            request_id: your own id of this request; the same id again returns the same run.
            share_with: one of your groups, whose members may read the result.
            timeout: seconds for starting it; by default the config's deadline.

        Raises:
            InvalidRequest: the request cannot be run, as far as this can be checked at once; or there is no server.
        """
        options = ImpactOptions(
            on=on or "",
            baseline=baseline or "",
            response=response,
            horizon=horizon,
            market=market,
            fx_offset=fx_offset,
            parameters=parameters,
            parameter_set=parameter_set,
            by=by,
            known_on=known_on or "",
            switches=switches or {},
            min_confidence=min_confidence,
            law_version=law_version,
            direction=direction,
            to=to,
            date_format=date_format,
        )
        remote = self._remote()
        sweep, call = self._sweep(lines, scenario, vary, points, options)
        remote.give(sweep, lines)
        # Without an id a call that is tried again would begin a second run.
        request = simulation_service_pb2.StartRunRequest(
            sweep=sweep,
            request_id=arguments.text(request_id, "request_id") or uuid.uuid4().hex,
            share_with=arguments.text(share_with, "share_with"),
        )
        operation = remote.unary("StartRun", request, timeout or self._config.deadlines.batch)
        return Run(operation.name, remote, self._config, call)

    def seek(
        self,
        lines: Table | None = None,
        scenario: ScenarioLike = "base",
        *,
        vary: tuple[str, ParameterValue, ParameterValue],
        target: tuple[str, float],
        where: Where | None = None,
        on: Day | None = None,
        baseline: Day | None = None,
        response: str = "armington",
        horizon: str = "path",
        market: str = "product",
        fx_offset: float = 0.0,
        parameters: Parameters | str | Path | None = None,
        parameter_set: str | Path | None = None,
        known_on: Day | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        law_version: str = "",
        direction: str = "import",
        to: str = "",
        date_format: str = "",
        progress: Progress = None,
        timeout: float | None = None,
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
                in the whole table, such as `("value_after_share", 0.1)`.
            where: values that count by key, such as `{"origin": "CN"}` or `{"hts2": ["61", "62"]}`; by default all.
            on: day of the law.
            baseline: day that the values of `lines` belong to.
            response: armington, passthrough, smart, gsim, exact_hat or none.
            horizon: path (every change of duty at its own age), impact, short or long.
            market: product, or sector for sectors of products and domestic goods.
            fx_offset: as in `impact`.
            parameters: values of the scenario's other parameters.
            parameter_set: None for the central set, "low", "high", or the path of a CSV file.
            known_on: use only acts published by this day.
            switches: open points of the law set to other values than their defaults.
            min_confidence: use only acts with at least this confidence.
            law_version: as in `impact`.
            direction: import or export.
            to: for exports, the ISO code of the country they go to; empty is the first of the law, or the
                `destination` of each row of a table.
            date_format: as in `impact`.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.

        Raises:
            InvalidRequest: range, target, filter, table or an option cannot be used.
            TariffsError: as `impact`.
        """
        options = ImpactOptions(
            on=on or "",
            baseline=baseline or "",
            response=response,
            horizon=horizon,
            market=market,
            fx_offset=fx_offset,
            parameters=parameters,
            parameter_set=parameter_set,
            known_on=known_on or "",
            switches=switches or {},
            min_confidence=min_confidence,
            law_version=law_version,
            direction=direction,
            to=to,
            date_format=date_format,
        )
        request = sweep_requests.seek_request(Scenario.of(scenario), vary, target, where, options)
        seconds = timeout or self._config.deadlines.sweep
        with reporting(progress) as report:
            return read_whole(
                lambda left: self._backend.over_table("Seek", request, lines, left),
                lambda messages: sweep_answers.seek(messages, report),
                seconds,
            )

    def _sweep(
        self,
        lines: Table | None,
        scenario: ScenarioLike,
        vary: Vary | None,
        points: PointList | None,
        options: ImpactOptions,
    ) -> tuple[simulation_service_pb2.SweepRequest, dict[str, object]]:
        """Build the request of a sweep, and the record of the call."""
        parsed = Scenario.of(scenario)
        values = sweep_requests.axes(vary)
        rows = None if points is None else sweep_requests.point_rows(points)
        request = sweep_requests.sweep_request(parsed, values, rows, options, self._config.message_limit)
        return request, sweep_call(lines, parsed, values, rows, options)
