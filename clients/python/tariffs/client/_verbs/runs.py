"""Client methods for long runs on a server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from google.longrunning import operations_pb2

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.replay import recorded_call
from tariffs.client._verbs.run_handle import Run, RunStatus, status_of
from tariffs.client._verbs.tables import TableCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import Table
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client._wire.run_options import read_spec
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day
from tariffs.run_spec.typed import RunOptions
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
        request_id: str = "",
        share_with: str = "",
        timeout: float | None = None,
        **options: Unpack[RunOptions],
    ) -> Run:
        """Start a run on the server that continues without the caller.

        Args:
            lines: as in `impact`; so are the other arguments.
            scenarios: library names, `*.yaml` paths, or `Scenario`s.
            on: day of the law.
            period: first and last day: compute a timeline in place of an impact, which takes no `on`,
                `include_lines`, `draws`, `seed`, `attribute`, `consumer_prices` and `reaction`.
            by: keys of the groups.
            request_id: your own id of this request; the same id again returns the same run.
            share_with: one of your groups, whose members may read the result.
            timeout: seconds for starting it; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.RunOptions)`.

        Raises:
            InvalidRequest: the request cannot be run, as far as this can be checked at once; or there is no server.
        """
        scenarios = Scenario.all_of(scenarios)
        if period is None:
            spec = read_spec("impact", options, on=on, by=by)
            run = requests.simulate_request(scenarios, spec)
            call = recorded_call("impact", lines, scenarios, spec)
            return self._start("simulate", run, lines, call, request_id, share_with, timeout)
        spec = read_spec("timeline", {**options, "on": on}, by=by)
        start, end = period
        timeline = requests.timeline_request(scenarios, start, end, spec)
        call = recorded_call("timeline", lines, scenarios, spec, start=start, end=end)
        return self._start("timeline", timeline, lines, call, request_id, share_with, timeout)

    def _start(
        self,
        kind: str,
        run: Any,
        lines: Table | None,
        call: Mapping[str, object],
        request_id: str,
        share_with: str,
        timeout: float | None,
    ) -> Run:
        """Start a run from its request, a field of StartRunRequest, and the record of its call."""
        remote = self._remote()
        remote.give(run, lines)
        # Without an id a call that is tried again would begin a second run.
        request = simulation_service_pb2.StartRunRequest(
            request_id=arguments.text(request_id, "request_id") or uuid.uuid4().hex,
            share_with=arguments.text(share_with, "share_with"),
            **{kind: run},
        )
        seconds = arguments.seconds(timeout, self._config.deadlines.batch)
        return Run(remote.unary("StartRun", request, seconds).name, remote, self._config, call)

    def runs(self, *, all_owners: bool = False, timeout: float | None = None) -> tuple[RunStatus, ...]:
        """List the runs of this caller on the server and those shared with it, the newest first.

        Args:
            all_owners: list the runs of everybody, for admins.
            timeout: seconds for each page; by default the config's deadline.
        """
        owners = "all_owners" if all_owners else ""
        pages = self._pages(operations_pb2.ListOperationsRequest, timeout, filter=owners)
        return tuple(status_of(operation) for page in pages for operation in page.operations)

    def run(self, name: str) -> Run:
        """Get the handle of a run by its name; a wrong name is an error at the first call."""
        return Run(arguments.text(name, "name"), self._remote(), self._config)
