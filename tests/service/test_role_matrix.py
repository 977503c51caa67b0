"""Every method, called by every role on an own, a group's and a foreign object, over a real server.

What must happen is worked out here from the words of docs/identity.md, not from the table of the server. A new method
is called with an empty request unless one is given here, and needs run unless it is in a list here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_channelz.v1 import channelz_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tariffs.service.storage.database import RUNS, TABLES
from tariffs.service.storage.portfolio_store import PORTFOLIO_EVENTS, PORTFOLIOS
from tariffs.service.storage.scenario_events import (
    SCENARIO_CHECKS,
    SCENARIO_EVENTS,
    SCENARIO_VERSIONS,
    SCENARIOS,
)
from tariffs.v1 import contract, scenario_service_pb2, watch_service_pb2
from tests.service.harness import TIMEOUT, Running, fault_of, running
from tests.service.jwt_issuer import bearer
from tests.service.small_requests import PLAIN, POINT, SMALL
from tests.service.stored import arrow, rows, simulation, start, until, upload, wait

ROLES = ("none", "read", "run", "admin")
WHOSE = ("own", "group", "foreign")
# Owner and group of the object; `desk` is a group of every caller, `floor` of none.
MAKER = "maker"
STRANGER, FLOOR, DESK = "stranger", "floor", "desk"
CALLERS = f"""
callers:
  none: {{groups: [{DESK}]}}
  read: {{groups: [{DESK}], roles: [read]}}
  run: {{groups: [{DESK}], roles: [run]}}
  admin: {{groups: [{DESK}], roles: [admin]}}
  {MAKER}: {{roles: [run]}}
"""
OPEN = {"LawService/GetServerInfo", "LawService/GetCaller", "ServerReflection/ServerReflectionInfo"}
READ = {
    *("DutyService/CalculateDuty", "DutyService/BatchCalculateDuties", "DutyService/CompareCodes"),
    *("LawService/GetLaw", "LawService/ListMeasures", "LawService/GetMeasure", "LawService/ListChanges"),
    "LawService/ListCodes",
    *("LawService/CalculatePortFee", "LawService/ListVersions", "LawService/WatchVersions"),
    *("ScenarioService/ListScenarios", "ScenarioService/GetScenario"),
    *("ScenarioService/CheckScenario", "ScenarioService/DiffScenarios"),
    *("ScenarioService/GetStoredScenario", "ScenarioService/ListStoredScenarios"),
    *("ScenarioService/ListScenarioVersions", "ScenarioService/WatchScenarios"),
    *("TableService/GetTable", "TableService/ListTables", "SimulationService/ReadRun"),
    *("WatchService/ListPortfolios", "WatchService/ListPortfolioEvents", "WatchService/WatchPortfolio"),
    *("Operations/GetOperation", "Operations/ListOperations", "Operations/WaitOperation"),
}
# Only an owner may do this with an object, or an admin.
CHANGES = {
    *("TableService/DeleteTable", "TableService/ShareTable", "SimulationService/ShareRun"),
    *("Operations/CancelOperation", "Operations/DeleteOperation"),
    *("ScenarioService/ShareScenario", "ScenarioService/DeleteScenario"),
    "WatchService/DeletePortfolio",
}
ADMINS = {"WatchService/ReleasePortfolio"}
OF_TABLES = {"TableService/GetTable", "TableService/DeleteTable", "TableService/ShareTable"}
OF_RUNS = {
    *("SimulationService/ReadRun", "SimulationService/ShareRun", "Operations/GetOperation"),
    *("Operations/WaitOperation", "Operations/CancelOperation", "Operations/DeleteOperation"),
}
OF_SCENARIOS = {
    *("ScenarioService/GetStoredScenario", "ScenarioService/ListScenarioVersions"),
    *("ScenarioService/ShareScenario", "ScenarioService/DeleteScenario"),
}
OF_PORTFOLIOS = {
    *("WatchService/ListPortfolioEvents", "WatchService/WatchPortfolio"),
    *("WatchService/DeletePortfolio", "WatchService/ReleasePortfolio"),
}
ENDLESS = {"LawService/WatchVersions", "ScenarioService/WatchScenarios", "WatchService/WatchPortfolio"}
OF_WATCH = (PORTFOLIOS, PORTFOLIO_EVENTS)
SCENARIO_TABLES = (SCENARIOS, SCENARIO_VERSIONS, SCENARIO_CHECKS, SCENARIO_EVENTS)
SCENARIO = """schema: tariffs.scenario/v1
id: NAME
title: Another rate of forced labor on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%}
"""
CHANNELZ = "Channelz/"

GOODS = [{"line": {"hts": "9503000073", "origin": "CN", "customsValue": "10000"}}]
EVENT = {"number": 1, "owner": MAKER, "name": "mine", "id": "1", "event": b"", "happened": 0.0} | {
    "delivery": "", "attempts": 0, "due": 0.0, "error": "",
}  # fmt: skip
SIMULATE: dict[str, Any] = {"points": [POINT], **PLAIN}
REQUESTS = SMALL | {
    "LawService/CalculatePortFee": {
        "on": "2025-10-20",
        "voyage": {"kind": "operated", "netTons": "1000", "cargoTons": "1000"},
    },
    "LawService/ListChanges": {"start": "2025-04-01", "end": "2025-04-02"},
    "SimulationService/Simulate": SIMULATE,
    "SimulationService/SimulateGroups": SIMULATE,
    "SimulationService/Timeline": {
        "scenarios": [{"name": "base"}],
        "start": "2026-07-01",
        "end": "2026-07-02",
        **PLAIN,
    },
    "SimulationService/StartRun": {"simulate": SIMULATE},
    "ScenarioService/SaveScenario": {"yaml": SCENARIO.replace("NAME", "saved")},
    "ScenarioService/WatchScenarios": {"after": -1},
    "WatchService/SavePortfolio": {"name": "saved", "lines": GOODS},
    "ServerReflection/ServerReflectionInfo": {"listServices": ""},
}


def methods() -> dict[str, Any]:
    """Every method that a server answers, health apart, by `Service/Method`."""
    own = [
        service for module in contract._modules() for service in module.DESCRIPTOR.services_by_name.values()
    ]
    standard = [
        service
        for module in (operations_pb2, channelz_pb2, reflection_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
    ]
    return {
        f"{service.name}/{method.name}": method for service in (*own, *standard) for method in service.methods
    }


METHODS = methods()


def takes_handle(method: Any) -> bool:
    """Test for a request with a stored table in it."""
    inputs = [
        method.input_type,
        *(field.message_type for field in method.input_type.fields if field.message_type),
    ]
    return any("handle" in message.fields_by_name for message in inputs)


def about_object(name: str) -> bool:
    return name in OF_TABLES | OF_RUNS | OF_SCENARIOS | OF_PORTFOLIOS or takes_handle(METHODS[name])


CASES = [
    (name, role, whose)
    for name in METHODS
    for role in ROLES
    for whose in (WHOSE if about_object(name) else WHOSE[:1])
]


def expected(name: str, role: str, whose: str) -> str:
    """The reason that must come back; OK if the call is allowed."""
    needed = "run"
    if name in OPEN:
        needed = "none"
    elif name.startswith(CHANNELZ) or name in ADMINS:
        needed = "admin"
    elif name in READ and not takes_handle(METHODS[name]):
        needed = "read"
    if ROLES.index(role) < ROLES.index(needed):
        return "NOT_ALLOWED"
    if role == "admin" or whose == "own" or not about_object(name):
        return "OK"
    if whose == "group":
        return "NOT_ALLOWED" if name in CHANGES else "OK"
    if name in OF_SCENARIOS:
        return "SCENARIO_NOT_FOUND"
    if name in OF_PORTFOLIOS:
        return "PORTFOLIO_NOT_FOUND"
    return "RUN_NOT_FOUND" if name in OF_RUNS else "TABLE_NOT_FOUND"


@dataclass(frozen=True)
class Matrix:
    """A server with a caller of each role, and the one table, run, scenario and portfolio in its database."""

    server: Running
    table: dict[str, Any]
    run: dict[str, Any]
    scenario: tuple[dict[str, Any], ...]
    portfolio: tuple[dict[str, Any], ...]

    def give_to(self, owner: str, group: str) -> None:
        """Make the table, the run, the scenario and the portfolio those of an owner, shared with a group."""
        with self.server.server._storage._database.begin() as connection:
            for stored, row in ((TABLES, self.table), (RUNS, self.run)):
                connection.execute(stored.delete())
                connection.execute(stored.insert().values({**row, "owner": owner, "shared_with": group}))
            rows_of = (
                *zip(SCENARIO_TABLES, self.scenario, strict=True),
                *zip(OF_WATCH, self.portfolio, strict=True),
            )
            for stored, row in rows_of:
                shared = {"shared_with": group} if "shared_with" in row else {}
                connection.execute(stored.delete())
                connection.execute(stored.insert().values({**row, "owner": owner, **shared}))

    def requests(self, name: str, owner: str) -> list[Any]:
        """The messages of a call about the table, the run or the scenario of an owner."""
        method, given = METHODS[name], dict(REQUESTS.get(name, {}))
        handle, run = f"tables/{self.table['digest']}", f"operations/{self.run['id']}"
        if name in OF_TABLES | OF_RUNS:
            given["name"] = handle if name in OF_TABLES else run
        elif name in OF_SCENARIOS:
            given["name"] = f"team/{owner}/mine"
        elif name in OF_PORTFOLIOS:
            given["name"] = f"{owner}/mine"
        elif name == "SimulationService/StartRun":
            given["simulate"] = {**SIMULATE, "handle": handle}
        elif takes_handle(method):
            given["handle"] = handle
        if "group" in method.input_type.fields_by_name and name in CHANGES:
            given["group"] = DESK
        messages: list[Any] = [ParseDict(given, GetMessageClass(method.input_type)())]
        if name == "TableService/UploadTable":
            messages[0].arrow = arrow(rows(20))
        if name == "SimulationService/SimulateLines":
            messages[0].config.points.add(scenario={"name": "base"}, on="2026-07-01")
            messages.append(type(messages[0])(arrow=arrow(rows(20))))
        return messages

    def outcome(self, name: str, role: str, owner: str) -> str:
        """Call a method as a role; return OK or the reason, of gRPC's own services the code."""
        method = METHODS[name]
        kind = "_".join(
            "stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming)
        )
        path = f"/{method.containing_service.full_name}/{method.name}"
        answer = GetMessageClass(method.output_type).FromString
        call = getattr(self.server.channel, kind)(path, lambda message: message.SerializeToString(), answer)
        sent = self.requests(name, owner)
        try:
            found = call(
                iter(sent) if method.client_streaming else sent[0],
                timeout=TIMEOUT,
                metadata=bearer(f"token-of-{role}"),
            )
            if name in ENDLESS:
                next(found)
                found.cancel()
            elif method.server_streaming:
                list(found)
        except grpc.RpcError as error:
            if name.startswith(CHANNELZ) and error.code() is grpc.StatusCode.NOT_FOUND:
                return "OK"
            return fault_of(error).reason
        return "OK"


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    directory: Path = tmp_path_factory.mktemp("matrix")
    callers, tokens = directory / "callers", directory / "tokens"
    callers.write_text(CALLERS)
    tokens.write_text("".join(f"{name} token-of-{name}\n" for name in (*ROLES, MAKER)))
    with running(tokens_file=tokens, callers_file=callers) as server:
        made: Any = {"metadata": bearer(f"token-of-{MAKER}")}
        upload(server, rows(20), **made)
        name = start(server, simulation(rows(20)), **made).name
        assert wait(server, name, **made).done
        request = scenario_service_pb2.SaveScenarioRequest(yaml=SCENARIO.replace("NAME", "mine"))
        server.scenarios.SaveScenario(request, timeout=TIMEOUT, **made)
        goods: Any = {"name": "mine", "lines": GOODS}
        server.portfolios.SavePortfolio(
            ParseDict(goods, watch_service_pb2.SavePortfolioRequest()), timeout=TIMEOUT, **made
        )
        asked = watch_service_pb2.ListPortfoliosRequest()
        until(
            lambda: server.portfolios.ListPortfolios(asked, timeout=TIMEOUT, **made).portfolios[0].watched_to
        )
        with server.server._storage._database.read() as connection:
            table, run, *scenario, portfolio = (
                dict(connection.execute(sa.select(one)).one()._mapping)
                for one in (TABLES, RUNS, *SCENARIO_TABLES, PORTFOLIOS)
            )
        yield Matrix(server, table, run, tuple(scenario), (portfolio, EVENT))


@pytest.mark.parametrize(("name", "role", "whose"), CASES, ids=["-".join(case) for case in CASES])
def test_a_role_may_do_with_an_object_what_the_documents_say(
    matrix: Matrix, name: str, role: str, whose: str
) -> None:
    owner, group = {"own": (role, ""), "group": (STRANGER, DESK), "foreign": (STRANGER, FLOOR)}[whose]
    matrix.give_to(owner, group)
    assert matrix.outcome(name, role, owner) == expected(name, role, whose)


def test_the_matrix_has_every_role_and_every_kind_of_object() -> None:
    assert len(CASES) >= 4 * len(METHODS)
    objects = {name for name, _, whose in CASES if whose == "foreign"}
    assert objects >= OF_TABLES | OF_RUNS | OF_SCENARIOS | OF_PORTFOLIOS | {
        "SimulationService/Simulate",
        "SweepService/Sweep",
    }
    reasons = {"OK", "NOT_ALLOWED", "TABLE_NOT_FOUND", "RUN_NOT_FOUND", "SCENARIO_NOT_FOUND"}
    reasons.add("PORTFOLIO_NOT_FOUND")
    assert {expected(*case) for case in CASES} == reasons
