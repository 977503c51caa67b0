"""Client methods for long runs on a server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.longrunning import operations_pb2

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.replay import impact_call, timeline_call
from tariffs.client._verbs.run_handle import Run, RunStatus, status_of
from tariffs.client._verbs.tables import TableCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import Day, ImpactOptions, Parameters, ScenarioLike
from tariffs.client.scenario import Scenario
from tariffs.v1 import simulation_service_pb2


class RunCalls(TableCalls):
    """Long runs on a server; mixed into `Client`."""

    def start(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        on: Day | None = None,
        period: tuple[Day, Day] | None = None,
        by: Sequence[str] = ("origin",),
        baseline: Day | None = None,
        response: str = "armington",
        horizon: str = "path",
        market: str = "product",
        fx_offset: float = 0.0,
        reaction: float = 0.0,
        parameters: Parameters | str | Path | None = None,
        parameter_set: str | Path | None = None,
        known_on: Day | None = None,
        switches: Mapping[str, str] | None = None,
        min_confidence: str = "",
        law_version: str = "",
        include_lines: bool = False,
        draws: int = 0,
        seed: int = 0,
        attribute: bool = False,
        consumer_prices: str = "",
        ahead: Day | None = None,
        direction: str = "import",
        to: str = "",
        date_format: str = "",
        request_id: str = "",
        share_with: str = "",
        timeout: float | None = None,
    ) -> Run:
        """Start a run on the server that continues without the caller.

        Args:
            lines: as in `impact`; so are the other arguments.
            scenarios: library names, `*.yaml` paths, or `Scenario`s.
            on: day of the law.
            period: first and last day: compute a timeline in place of an impact, which takes no `on`,
                `include_lines`, `draws`, `seed`, `attribute`, `consumer_prices` and `reaction`.
            by: keys of the groups.
            baseline: day that the values of `lines` belong to.
            response: armington, passthrough, smart, gsim, exact_hat or none.
            horizon: path (every change of duty at its own age), impact, short or long.
            market: product, or sector for sectors of products and domestic goods.
            fx_offset: as in `impact`.
            reaction: as in `impact`.
            parameters: as in `impact`.
            parameter_set: None for the central set, "low", "high", or the path of a CSV file.
            known_on: use only acts published by this day.
            switches: open points of the law set to other values than their defaults.
            min_confidence: use only acts with at least this confidence.
            law_version: as in `impact`.
            include_lines: add every line to the result.
            draws: draws of the elasticities for `ranges`.
            seed: seed of the draws.
            attribute: split differences by change and authority.
            consumer_prices: effect on consumer prices with margins constant in "dollar" or "percent" (by the latest
                accounts "dollar_2024", "percent_2024"; less what a rise of the dollar takes off "dollar_offset",
                "percent_offset"), or by the method of "yale"; empty for none.
            ahead: as in `impact`.
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
            reaction=reaction,
            parameters=parameters,
            parameter_set=parameter_set,
            by=by,
            known_on=known_on or "",
            switches=switches or {},
            min_confidence=min_confidence,
            law_version=law_version,
            include_lines=include_lines,
            draws=draws,
            seed=seed,
            attribute=attribute,
            consumer_prices=consumer_prices,
            ahead=ahead or "",
            direction=direction,
            to=to,
            date_format=date_format,
        )
        remote, scenarios = self._remote(), Scenario.all_of(scenarios)
        # Without an id a call that is tried again would begin a second run.
        request = simulation_service_pb2.StartRunRequest(
            request_id=arguments.text(request_id, "request_id") or uuid.uuid4().hex,
            share_with=arguments.text(share_with, "share_with"),
        )
        if period is None:
            request.simulate.CopyFrom(requests.simulate_request(scenarios, options))
            remote.give(request.simulate, lines)
            call = impact_call(lines, scenarios, options)
        else:
            request.timeline.CopyFrom(requests.timeline_request(scenarios, *period, options))
            remote.give(request.timeline, lines)
            call = timeline_call(lines, scenarios, *period, options)
        operation = remote.unary("StartRun", request, timeout or self._config.deadlines.batch)
        return Run(operation.name, remote, self._config, call)

    def runs(self, *, all_owners: bool = False, timeout: float | None = None) -> tuple[RunStatus, ...]:
        """List the runs of this caller on the server and those shared with it, the newest first.

        Args:
            all_owners: list the runs of everybody, for admins.
            timeout: seconds for each page; by default the config's deadline.
        """
        request = operations_pb2.ListOperationsRequest(filter="all_owners" if all_owners else "")
        pages = self._pages("ListOperations", request, timeout)
        return tuple(status_of(operation) for page in pages for operation in page.operations)

    def run(self, name: str) -> Run:
        """Get the handle of a run by its name; a wrong name is an error at the first call."""
        return Run(arguments.text(name, "name"), self._remote(), self._config)
