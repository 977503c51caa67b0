"""Every method, called by every role on an own, a group's and a foreign object, over a real server.

What must happen is worked out here from the words of docs/identity.md, not from the table of the server. A new method
is called with an empty request unless one is given here, and needs run unless it is in a list here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from tariffs.service.storage.scenario_events import (
    SCENARIO_CHECKS,
    SCENARIO_EVENTS,
    SCENARIO_VERSIONS,
    SCENARIOS,
)
from tariffs.v1 import contract
from tests.service.callers import ask, scenario_text, stub_of
from tests.service.harness import TIMEOUT, Running, as_caller, caller_files, fault_of, no_warm_up, running
from tests.service.small_requests import PLAIN, POINT, SMALL
from tests.service.stored import arrow, rows, simulation, start, upload, wait

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
    *("Operations/GetOperation", "Operations/ListOperations", "Operations/WaitOperation"),
}
# Only an owner may do this with an object, or an admin.
CHANGES = {
    *("TableService/DeleteTable", "TableService/ShareTable", "SimulationService/ShareRun"),
    *("Operations/CancelOperation", "Operations/DeleteOperation"),
    *("ScenarioService/ShareScenario", "ScenarioService/DeleteScenario"),
}
OF_TABLES = {"TableService/GetTable", "TableService/DeleteTable", "TableService/ShareTable"}
OF_RUNS = {
    *("SimulationService/ReadRun", "SimulationService/ShareRun", "Operations/GetOperation"),
    *("Operations/WaitOperation", "Operations/CancelOperation", "Operations/DeleteOperation"),
}
OF_SCENARIOS = {
    *("ScenarioService/GetStoredScenario", "ScenarioService/ListScenarioVersions"),
    *("ScenarioService/ShareScenario", "ScenarioService/DeleteScenario"),
}
NOT_FOUND = {
    "RUN_NOT_FOUND": OF_RUNS,
    "SCENARIO_NOT_FOUND": OF_SCENARIOS,
}
ENDLESS = {"LawService/WatchVersions", "ScenarioService/WatchScenarios"}
STORED = (TABLES, RUNS, SCENARIOS, SCENARIO_VERSIONS, SCENARIO_CHECKS, SCENARIO_EVENTS)
CHANNELZ = "Channelz/"

SIMULATE: dict[str, Any] = {"points": [POINT], **PLAIN}
REQUESTS = SMALL | {
    "LawService/CalculatePortFee": {
        "on": "2025-10-20",
        "voyage": {"kind": "operated", "netTons": "1000", "cargoTons": "1000"},
    },
    "LawService/ListChanges": {"start": "2025-04-01", "end": "2025-04-02"},
    "SimulationService/Simulate": SIMULATE,
    "SimulationService/Timeline": {
        "scenarios": [{"name": "base"}],
        "start": "2026-07-01",
        "end": "2026-07-02",
        **PLAIN,
    },
    "SimulationService/StartRun": {"simulate": SIMULATE},
    "ScenarioService/SaveScenario": {"yaml": scenario_text(name="saved")},
    "ScenarioService/WatchScenarios": {"after": -1},
    "ServerReflection/ServerReflectionInfo": {"listServices": ""},
}


SERVICES = [
    *contract.services(),
    *(
        service
        for module in (operations_pb2, channelz_pb2, reflection_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
    ),
]
METHODS = {f"{service.name}/{method.name}": method for service in SERVICES for method in service.methods}
"""Every method that a server answers, health apart."""


def takes_handle(method: Any) -> bool:
    """Test for a request with a stored table in it."""
    inputs = [
        method.input_type,
        *(field.message_type for field in method.input_type.fields if field.message_type),
    ]
    return any("handle" in message.fields_by_name for message in inputs)


def about_object(name: str) -> bool:
    return name in OF_TABLES | OF_RUNS | OF_SCENARIOS or takes_handle(METHODS[name])


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
    elif name.startswith(CHANNELZ):
        needed = "admin"
    elif name in READ and not takes_handle(METHODS[name]):
        needed = "read"
    if ROLES.index(role) < ROLES.index(needed):
        return "NOT_ALLOWED"
    if role == "admin" or whose == "own" or not about_object(name):
        return "OK"
    if whose == "group":
        return "NOT_ALLOWED" if name in CHANGES else "OK"
    return next((reason for reason, names in NOT_FOUND.items() if name in names), "TABLE_NOT_FOUND")


@dataclass(frozen=True)
class Matrix:
    """A server with a caller of each role, and the rows of the one object of each kind in its database."""

    server: Running
    stored: dict[sa.Table, dict[str, Any]]

    def give_to(self, owner: str, group: str) -> None:
        """Make the table, the run and the scenario those of an owner, shared with a group."""
        with self.server.server._storage._database.begin() as connection:
            for stored, row in self.stored.items():
                shared = {"shared_with": group} if "shared_with" in row else {}
                connection.execute(stored.delete())
                connection.execute(stored.insert().values({**row, "owner": owner, **shared}))

    def requests(self, name: str, owner: str) -> list[Any]:
        """The messages of a call about the table, the run or the scenario of an owner."""
        method, given = METHODS[name], dict(REQUESTS.get(name, {}))
        handle = f"tables/{self.stored[TABLES]['digest']}"
        if name in OF_TABLES:
            given["name"] = handle
        elif name in OF_RUNS:
            given["name"] = f"operations/{self.stored[RUNS]['id']}"
        elif name in OF_SCENARIOS:
            given["name"] = f"team/{owner}/mine"
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
        sent = self.requests(name, owner)
        try:
            given = iter(sent) if method.client_streaming else sent[0]
            found = stub_of(self.server, method)(given, timeout=TIMEOUT, **as_caller(role))
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
    files, made = (
        caller_files(tmp_path_factory.mktemp("matrix"), " ".join((*ROLES, MAKER)), CALLERS),
        as_caller(MAKER),
    )
    with running(warm=no_warm_up, **files) as server:
        upload(server, rows(20), **made)
        name = start(server, simulation(rows(20)), **made).name
        assert wait(server, name, **made).done
        ask(server, "SaveScenario", MAKER, yaml=scenario_text(name="mine"))
        with server.server._storage._database.read() as connection:
            stored = {one: dict(connection.execute(sa.select(one)).one()._mapping) for one in STORED}
        yield Matrix(server, stored)


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
    assert objects >= OF_TABLES | OF_RUNS | OF_SCENARIOS | {
        "SimulationService/Simulate",
        "SweepService/Sweep",
    }
    assert {expected(*case) for case in CASES} == {"OK", "NOT_ALLOWED", "TABLE_NOT_FOUND", *NOT_FOUND}
