"""Client methods for the law, its changes and its scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from tariffs.client import _arguments as arguments
from tariffs.client._verbs.remote_calls import RemoteCalls
from tariffs.client._wire import requests
from tariffs.client._wire.frames import Table
from tariffs.client._wire.reading import read, read_all
from tariffs.client._wire.requests import Money, ScenarioLike
from tariffs.client.errors import InvalidRequest, client_version
from tariffs.client.results import law as lawinfo
from tariffs.client.results.law_changes import LawChanges
from tariffs.client.results.port_fees import PortFees
from tariffs.client.results.scenario_check import CheckResult, Difference
from tariffs.client.results.server_info import CallerInfo, ServerVersion
from tariffs.client.scenario import Scenario
from tariffs.run_spec.option import Day, Parameters
from tariffs.run_spec.typed import LawOptions
from tariffs.v1 import contract
from tariffs.v1 import law_service_pb2 as law_pb
from tariffs.v1 import scenario_service_pb2 as scenario_pb

EMBEDDED = "embedded"


class LawCalls(RemoteCalls):
    """Law, its changes and its scenarios; mixed into `Client`."""

    def law(self, *, law_version: str = "", timeout: float | None = None) -> lawinfo.Law:
        """Get the version of a law, its switches and its claims; `law_version` as in `changes`."""
        answer = self._lookup(law_pb.GetLawRequest, timeout, law_version=law_version)
        return read(lawinfo.Law, answer, coverage=(answer.coverage_start_time, answer.coverage_end_time))

    def law_versions(self, *, timeout: float | None = None) -> tuple[lawinfo.LawVersion, ...]:
        """List the laws that calls may name, the newest first, then packs that are being checked or were refused."""
        answer = self._lookup(law_pb.ListVersionsRequest, timeout)
        return read_all(lawinfo.LawVersion, answer.versions)

    def watch_law_versions(self, *, timeout: float | None = None) -> Iterator[tuple[lawinfo.LawVersion, ...]]:
        """Iterate over what `law_versions` lists, at once and again whenever it changes.

        Args:
            timeout: seconds; by default a month.

        Raises:
            InvalidRequest: there is no server.
            Unavailable: the server ends; watch again, as the first list has all that has changed.
        """
        lists = self._watch(law_pb.WatchVersionsRequest, timeout)
        return (read_all(lawinfo.LawVersion, one.versions) for one in lists)

    def server(self, *, timeout: float | None = None) -> ServerVersion:
        """Get the version of the server, and what it or this client lacks.

        Raises:
            Unsupported: METHOD_UNKNOWN: the server is older than this call.
        """
        answer = self._lookup(law_pb.GetServerInfoRequest, timeout)
        here = contract.methods() | contract.request_fields()
        there = {*answer.methods, *answer.request_fields}
        return ServerVersion(
            version=answer.version,
            client_version=client_version(),
            law_version=answer.law_version,
            missing_on_server=tuple(sorted(here - there)),
            missing_in_client=tuple(sorted(there - here)),
        )

    def whoami(self, *, timeout: float | None = None) -> CallerInfo:
        """Get the name, roles, groups and quotas of this caller, and what it uses of them.

        Raises:
            Unauthenticated: the server does not know the caller.
            Unsupported: METHOD_UNKNOWN: the server is older than this call.
        """
        return read(CallerInfo, self._lookup(law_pb.GetCallerRequest, timeout))

    def changes(
        self,
        start: Day,
        end: Day,
        lines: Table | None = None,
        *,
        hts: str = "",
        origin: str = "",
        scenario: ScenarioLike | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> LawChanges:
        """List changes of the law from `start` to `end`; with a table those that reach its lines, and their effect.

        Args:
            start: first day.
            end: last day.
            lines: frame, lazy frame or path of a trade table, "embedded" for the one that ships, None for none. Each
                step is valued as if all lines entered at its instant; a line's own entry date does not count.
            hts: changes for this HTS code only.
            origin: changes for this country only.
            scenario: library name, `*.yaml` path, or `Scenario`.
            timeout: seconds; by default the config's deadline.
            **options: options of the law, listed by `help(tariffs.client.LawOptions)`, but for `parameters` and
                `date_format`; with direction export, changes of the law of the country that retaliates.

        Raises:
            InvalidRequest: the window, the table or an option cannot be used.
        """
        request = requests.law_request(
            "changes",
            law_pb.ListChangesRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            start=arguments.day(start, "start"),
            end=arguments.day(end, "end"),
            hts=arguments.text(hts, "hts"),
            origin=arguments.text(origin, "origin"),
        )
        table: Table | None = lines
        if isinstance(lines, str) and lines == EMBEDDED:
            request.embedded, table = True, None
        seconds = arguments.seconds(timeout, self._config.deadlines.impact)
        return read(LawChanges, self._backend.unary("ListChanges", request, seconds, table))

    def measures(
        self, authority: str = "", *, law_version: str = "", timeout: float | None = None
    ) -> tuple[lawinfo.Measure, ...]:
        """List the measures of an authority node and below, or of the whole law, without their periods."""
        answer = self._lookup(
            law_pb.ListMeasuresRequest, timeout, authority=authority, law_version=law_version
        )
        return read_all(lawinfo.Measure, answer.measures)

    def measure(
        self, measure_id: str, *, law_version: str = "", timeout: float | None = None
    ) -> lawinfo.Measure:
        """Get a measure by its id or by the label of a period, with its periods and later acts.

        Raises:
            NotFound: MEASURE_NOT_FOUND.
        """
        name = arguments.text(measure_id, "measure_id")
        answer = self._lookup(law_pb.GetMeasureRequest, timeout, id=name, law_version=law_version)
        return read(lawinfo.Measure, answer)

    def measure_codes(
        self,
        measure_id: str,
        *,
        hts: str = "",
        list_name: str = "",
        page_size: int = 0,
        page_token: str = "",
        law_version: str = "",
        timeout: float | None = None,
    ) -> lawinfo.MeasureCodes:
        """List the codes that rows of a measure and acts on it name, themselves or by lists, on the law's as-of day.

        Args:
            measure_id: id of the measure, or label of one of its periods.
            hts: only codes that hold this code, or are part of it.
            list_name: only codes of this list.
            page_size: most codes to get; 0 is 100, at most 1,000.
            page_token: `next_page_token` of the page before.
            law_version: as in `changes`.
            timeout: seconds; by default the config's deadline.

        Raises:
            NotFound: MEASURE_NOT_FOUND.
            InvalidRequest: HTS_CODE_MALFORMED, or a page that cannot be used.
        """
        answer = self._lookup(
            law_pb.ListCodesRequest,
            timeout,
            id=arguments.text(measure_id, "measure_id"),
            hts=hts,
            list=arguments.text(list_name, "list_name"),
            page_size=page_size,
            page_token=page_token,
            law_version=law_version,
        )
        return read(lawinfo.MeasureCodes, answer)

    def scenarios(self, *, timeout: float | None = None) -> tuple[lawinfo.ScenarioInfo, ...]:
        """List the scenarios of the library, without their text."""
        answer = self._lookup(scenario_pb.ListScenariosRequest, timeout)
        return read_all(lawinfo.ScenarioInfo, answer.scenarios)

    def scenario(
        self, name: str, *, parameters: Parameters | None = None, timeout: float | None = None
    ) -> lawinfo.ScenarioInfo:
        """Get a scenario of the library, with its text; the digest is that with `parameters` filled in.

        Raises:
            NotFound: SCENARIO_NOT_FOUND, with the nearest names.
            InvalidRequest: PARAMETER_UNKNOWN or PARAMETER_INVALID.
        """
        values = arguments.parameters(parameters)
        id_ = arguments.text(name, "name")
        answer = self._lookup(scenario_pb.GetScenarioRequest, timeout, id=id_, parameters=values)
        return read(lawinfo.ScenarioInfo, answer)

    def check(
        self,
        scenario: ScenarioLike,
        *,
        parameters: Parameters | None = None,
        law_version: str = "",
        timeout: float | None = None,
    ) -> CheckResult:
        """Check a scenario, given by name, path, `Scenario`, or as YAML text of several lines.

        A faulty scenario is an answer here, not an error; so is a value of `parameters` that does not fit.
        """
        if isinstance(scenario, str) and "\n" in scenario:
            scenario = Scenario.from_text(scenario)
        answer = self._lookup(
            scenario_pb.CheckScenarioRequest,
            timeout,
            scenario=requests.scenario_ref(scenario),
            parameters=arguments.parameters(parameters),
            law_version=law_version,
        )
        return read(CheckResult, answer)

    def diff(
        self,
        first: ScenarioLike,
        second: ScenarioLike,
        *,
        law_version: str = "",
        timeout: float | None = None,
    ) -> tuple[Difference, ...]:
        """Compare the law under two scenarios: the measures that differ, from when to when.

        Raises:
            InvalidRequest: one of them cannot be read or applied.
            NotFound: no such scenario.
        """
        pair = {"first": requests.scenario_ref(first), "second": requests.scenario_ref(second)}
        answer = self._lookup(scenario_pb.DiffScenariosRequest, timeout, **pair, law_version=law_version)
        return read_all(Difference, answer.differences)


class PortFeeCalls(RemoteCalls):
    """Cost of port fees; mixed into `Client`."""

    def port_fees(
        self,
        on: Day = "",
        *,
        kind: str = "",
        ship: str = "",
        net_tons: Money | None = None,
        teu: Money | None = None,
        cargo_tons: Money | None = None,
        containers: Money | None = None,
        calls: Money | None = None,
        share: Money | None = None,
        usd_per_unit: Money | None = None,
        source: str = "",
        scenario: ScenarioLike | None = None,
        timeout: float | None = None,
        **options: Unpack[LawOptions],
    ) -> PortFees:
        """Compute port fees per container and ton on a day, for your voyage or for voyages from public sources.

        Args:
            on: day or instant of the call; by default the law's as-of day.
            kind: kind of ship the fee is on (operated, built, vehicle_carrier, linked); empty is every fee on every
                voyage the law data has sources for.
            ship: voyage of a public source to start from, such as container or bulk.
            net_tons: net tonnage of the ship.
            teu: containers (TEU) landed over all fee-paying calls. A sourced cargo counts only with its own ship.
            cargo_tons: metric tons landed over the same calls.
            containers: boxes landed at one call, for fees by container.
            calls: fee-paying calls of the voyage.
            share: share of the trade's cargo on ships that pay, `"20%"` or 0.2.
            usd_per_unit: US dollars for one unit of the fee's currency.
            source: source of your figures.
            scenario: library name, `*.yaml` path, or `Scenario`; its voyages replace those of public sources.
            timeout: seconds; by default the config's deadline.
            **options: `known_on`, `switches` and `law_version`, as `help(tariffs.client.LawOptions)` has them.

        Raises:
            InvalidRequest: there is no such fee, a figure cannot be used, or one comes without `kind`.
        """
        figures = {
            "net_tons": net_tons,
            "teu": teu,
            "cargo_tons": cargo_tons,
            "containers": containers,
            "calls": calls,
            "share": requests.rate_text(share, "share") if isinstance(share, str) else share,
            "usd_per_unit": usd_per_unit,
        }
        voyage = {name: str(value) for name, value in figures.items() if value is not None}
        texts = {"ship": arguments.text(ship, "ship"), "source": arguments.text(source, "source")}
        voyage |= {name: text for name, text in texts.items() if text}
        if voyage and not kind:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{', '.join(voyage)} given without a kind of ship.",
                field="kind",
                fix="Name the kind of ship the fee is on.",
            )
        request = requests.law_request(
            "port_fees",
            law_pb.CalculatePortFeeRequest,
            options,
            scenario=requests.scenario_ref(scenario),
            on=arguments.day(on, "on"),
            voyage=law_pb.Voyage(kind=arguments.text(kind, "kind"), **voyage) if kind else None,
        )
        return read(PortFees, self._call(request, timeout))
