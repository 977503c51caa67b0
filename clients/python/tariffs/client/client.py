"""Synchronous client: duties on entry lines, impacts on trade tables, the law and its scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.changes import PortFeeCalls
from tariffs.client._verbs.duty import DutyCalls
from tariffs.client._verbs.legal_lookup import LegalTextCalls
from tariffs.client._verbs.model_spread import model_spread
from tariffs.client._verbs.replay import recorded_call
from tariffs.client._verbs.sweep import SweepCalls
from tariffs.client._wire import answers, requests
from tariffs.client._wire.channel import Backend, LocalBackend, RemoteBackend
from tariffs.client._wire.frames import Table
from tariffs.client._wire.progress import Progress
from tariffs.client._wire.requests import ScenarioLike
from tariffs.client._wire.run_options import read_spec
from tariffs.client.config import Config, Tls, secured, target_from_environment
from tariffs.client.results.impact import ImpactResult, TimelineResult
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day
from tariffs.run_spec.spec import OPTIONS
from tariffs.run_spec.typed import RunOptions, TimelineOptions

if TYPE_CHECKING:
    import grpc

if not TYPE_CHECKING:
    from tariffs.client._verbs.loaded_later import LaterCalls
else:
    from tariffs.client._verbs.bom import BomCalls
    from tariffs.client._verbs.find import FindCalls
    from tariffs.client._verbs.line_stream import LineStreamCalls
    from tariffs.client._verbs.outcomes import OutcomeCalls
    from tariffs.client._verbs.question_calls import QuestionCalls
    from tariffs.client._verbs.refund import RefundCalls
    from tariffs.client._verbs.stored_scenarios import StoredScenarioCalls
    from tariffs.client._verbs.watch import WatchCalls
    from tariffs.client._verbs.world import WorldCalls

    class LaterCalls(
        BomCalls,
        FindCalls,
        LineStreamCalls,
        OutcomeCalls,
        QuestionCalls,
        RefundCalls,
        StoredScenarioCalls,
        WatchCalls,
        WorldCalls,
    ):
        """Verbs whose modules are loaded when they are called."""


class Client(DutyCalls, PortFeeCalls, SweepCalls, LegalTextCalls, LaterCalls):
    """Client of a server, or with `Client.local()` of the engine in this process.

    The channel is opened on the first call and may be used by many threads; `with` closes it. Every call has a
    deadline, and every failure is a `TariffsError`.

    Args:
        target: `host:port`, or several by commas; by default TARIFFS_TARGET, else localhost:50051. It never falls back
            to local mode.
        token: sent with every call; by default TARIFFS_TOKEN.
        tls: True, or a file of certificate authorities to trust; by default TARIFFS_TLS, else not encrypted.
        law_version: law of calls that name none: a version, "latest" or `VERSION@DIGEST`; by default
            TARIFFS_LAW_VERSION, else the server chooses.
        config: deadlines and limits.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | None = None,
        tls: Tls | None = None,
        law_version: str = "",
        config: Config | None = None,
    ) -> None:
        self._config = secured(config or Config(), token, tls, law_version)
        self._backend: Backend = RemoteBackend(target or target_from_environment(), self._config)

    @classmethod
    def local(
        cls, *, law: str | Path | None = None, law_version: str = "", config: Config | None = None
    ) -> Client:
        """Make a client that runs the engine in this process, with the same calls and results.

        Args:
            law: law pack or directory of law data whose law answers calls that name none; None is the one installed.
            law_version: as in `Client`; `law` is one of the versions there.
            config: deadlines and limits.

        Raises:
            ExtraMissing: the `server` extra is not installed.
            InvalidRequest: LAW_PACK_INVALID or LAW_INVALID for a law that cannot be read.
        """
        client = cls(law_version=law_version, config=config)
        backend = LocalBackend()
        exact = backend.add_law(law) if law is not None else ""
        backend.law_version = client._config.law_version or exact
        client._backend = backend
        return client

    @classmethod
    def over(cls, channel: grpc.Channel, *, config: Config | None = None) -> Client:
        """Make a client of a channel that is open already, such as one with interceptors of your own.

        Args:
            channel: the channel; `close` closes it.
            config: deadlines and limits; encryption and token are those of the channel.
        """
        client = cls(config=config)
        client._backend = RemoteBackend("the channel", client._config, channel)
        return client

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; a later call opens another."""
        self._backend.close()

    def impact(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        on: Day | None = None,
        by: Sequence[str] = ("origin",),
        cluster: str = "",
        lines_to: str | Path | None = None,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[RunOptions],
    ) -> ImpactResult:
        """Compute the effect of scenarios on a trade table: landed cost and trade volume, by group and in total.

        Args:
            lines: frame, lazy frame, or path of a Parquet, Arrow or CSV file; what `upload` gave; in this process or by
                `cluster` also a directory or pattern of Parquet files. None is the embedded table of imports.
            scenarios: library names, `*.yaml` paths, or `Scenario`s, which may carry a day of their own.
            on: day of the law; by default the law's as-of day. A line's own entry date beats it.
            by: keys of the groups, such as origin, authority, hts2.
            cluster: address of a Dask scheduler, such as `tls://host:8786`, that computes the run in place of server
                or process; needs the extras `server` and `scale` here and on its workers.
            lines_to: directory or URL for the lines of a partitioned table, a Parquet file a bucket, and provenance.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.RunOptions)`.

        Raises:
            InvalidRequest: the table or an option cannot be used; single bad rows are in `refused` instead.
            NotFound: no such scenario.
            Unavailable: no server answers.
            DeadlineExceeded: the deadline passed.
        """
        spec = read_spec("impact", options, on=on, by=by)
        scenarios = Scenario.all_of(scenarios)
        request = requests.simulate_request(scenarios, spec)
        call = recorded_call("impact", lines, scenarios, spec)
        seconds = arguments.seconds(timeout, self._config.deadlines.impact)
        backend = self._computing(cluster, lines_to)
        result = self._run("Simulate", request, lines, answers.impact, seconds, progress, backend, call)
        if result.ranges is None or cluster:
            return result
        again = partial(self.impact, lines, scenarios, on=on, by=(), timeout=timeout)
        return replace(result, models=model_spread(result, options, again))

    def timeline(
        self,
        lines: Table | None = None,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        start: Day,
        end: Day,
        by: Sequence[str] = ("origin",),
        cluster: str = "",
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[TimelineOptions],
    ) -> TimelineResult:
        """Compute the effect of scenarios on a trade table for every day of a period, in segments and averages.

        Args:
            lines: as in `impact`; entry dates of its lines are ignored.
            scenarios: as in `impact`.
            start: first day.
            end: last day.
            by: keys of the groups, such as origin, authority, hts2.
            cluster: as in `impact`.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.
            **options: the other options, listed by `help(tariffs.client.TimelineOptions)`.

        Raises:
            TariffsError: as `impact`.
        """
        spec = read_spec("timeline", options, by=by)
        scenarios = Scenario.all_of(scenarios)
        request = requests.timeline_request(scenarios, start, end, spec)
        call = recorded_call("timeline", lines, scenarios, spec, start=start, end=end)
        seconds = arguments.seconds(timeout, self._config.deadlines.timeline)
        backend = self._computing(cluster)
        return self._run("Timeline", request, lines, answers.timeline, seconds, progress, backend, call)

    def score(
        self,
        scenarios: Sequence[ScenarioLike] = ("base",),
        *,
        first: int = 2026,
        last: int = 2035,
        progress: Progress = None,
        timeout: float | None = None,
        **options: Unpack[TimelineOptions],
    ) -> TimelineResult:
        """Compute the revenue of scenarios by fiscal year, on imports that grow as CBO projects: `score` of the result.

        Args:
            scenarios: as in `impact`; differences are from the first one.
            first: first fiscal year.
            last: last fiscal year.
            progress: True for a progress bar, or a function that takes stage and fraction.
            timeout: seconds; by default the config's deadline.
            **options: those of `timeline`; `score` is the projection, by default that of 2026-02.

        Raises:
            TariffsError: as `impact`.
        """
        first, last = (
            arguments.whole(year, name, 10_000) for year, name in ((first, "first"), (last, "last"))
        )
        given: dict[str, Any] = {**options, "score": options.get("score") or PROJECTIONS[0]}
        return self.timeline(
            None,
            scenarios,
            start=f"{first - 1}-10-01",
            end=f"{last}-09-30",
            by=["origin"] if options.get("collected") else ["region"],
            progress=progress,
            timeout=timeout,
            **given,
        )


PROJECTIONS = OPTIONS["score"].choices
