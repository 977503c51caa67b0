"""Tables and runs are shared with a group: its members see and use them, only owners and admins change them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2 as ops

from tariffs.v1 import scenario_service_pb2, table_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import TIMEOUT, Fault, Running, fails, fault_of, points, running
from tests.service.jwt_issuer import bearer
from tests.service.stored import arrow, get, metadata_of, parts, read, rows, start, until, wait
from tests.service.test_stored_scenarios import text

NAMES = ("ann", "amy", "bob", "root", "low")
CALLERS = """
callers:
  ann: {groups: [desk], roles: [run]}
  amy: {groups: [desk, floor], roles: [run]}
  bob: {groups: [floor], roles: [run]}
  root: {roles: [admin]}
  low:
    roles: [run]
    quotas: {tables: 1, runs_kept: 1, table_bytes: 10000, sweep_points: 3, runs: 1, calls_per_second: 500}
"""


def by(name: str) -> dict[str, Any]:
    return {"timeout": TIMEOUT, "metadata": bearer(f"token-of-{name}")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory: Path = tmp_path_factory.mktemp("sharing")
    callers, tokens = directory / "callers", directory / "tokens"
    callers.write_text(CALLERS)
    tokens.write_text("".join(f"{name} token-of-{name}\n" for name in NAMES))
    with running(tokens_file=tokens, callers_file=callers) as server:
        yield server


def uploaded(server: Running, name: str, seed: int, share_with: str = "", count: int = 20) -> Any:
    requests = list(parts(rows(count, seed), count))
    requests[0].share_with = share_with
    return server.tables.UploadTable(iter(requests), **by(name))


def table_names(server: Running, name: str, **given: Any) -> set[str]:
    answer = server.tables.ListTables(table_service_pb2.ListTablesRequest(**given), **by(name))
    return {table.name for table in answer.tables}


def over(handle: str) -> pb.SimulateRequest:
    return pb.SimulateRequest(
        points=points(("base", "2026-11-20")), handle=handle, response=pb.RESPONSE_MODEL_NONE
    )


def test_a_table_shared_at_its_upload_is_listed_and_used_by_the_group_alone(server: Running) -> None:
    table = uploaded(server, "ann", 101, "desk")
    assert (table.owner, table.shared_with) == ("ann", "desk")
    assert {name for name in NAMES if table.name in table_names(server, name)} == {"ann", "amy"}
    assert list(server.simulation.Simulate(over(table.name), **by("amy")))
    fault = fails(lambda: list(server.simulation.Simulate(over(table.name), **by("bob"))))
    assert fault.reason == "TABLE_NOT_FOUND"
    assert table.name in table_names(server, "root", all_owners=True)
    denied = fails(lambda: table_names(server, "amy", all_owners=True))
    assert (denied.reason, denied.metadata["role"]) == ("NOT_ALLOWED", "admin")


def test_sharing_is_changed_and_ended_by_the_owner(server: Running) -> None:
    table = uploaded(server, "ann", 102)
    assert table.name not in table_names(server, "amy")

    def share(name: str, group: str) -> Any:
        return server.tables.ShareTable(
            table_service_pb2.ShareTableRequest(name=table.name, group=group), **by(name)
        )

    assert fails(lambda: share("ann", "floor")).reason == "NOT_ALLOWED"
    for wrong in ("x" * 201, "a\0b", " desk", "\u2028"):
        fault = fails(lambda wrong=wrong: share("root", wrong))  # type: ignore[misc] # the default binds it
        assert (fault.reason, fault.fields) == ("REQUEST_INVALID", ["group"])
    assert share("ann", "desk").shared_with == "desk"
    assert table.name in table_names(server, "amy")
    assert fails(lambda: share("amy", "floor")).reason == "NOT_ALLOWED"
    assert uploaded(server, "ann", 102).shared_with == "desk"
    assert share("ann", "").shared_with == ""
    assert table.name not in table_names(server, "amy")
    assert share("root", "floor").owner == "ann"
    assert table.name in table_names(server, "bob")


def test_an_upload_for_a_foreign_group_stores_nothing(server: Running) -> None:
    fault = fails(lambda: uploaded(server, "bob", 103, "desk"))
    assert (fault.reason, fault.fields) == ("NOT_ALLOWED", ["share_with"])
    assert not table_names(server, "bob") & {uploaded(server, "root", 103).name}


def test_an_admin_deletes_the_table_of_the_owner_that_it_names(server: Running) -> None:
    name = uploaded(server, "ann", 104).name
    uploaded(server, "bob", 104)

    def delete(owner: str = "") -> Any:
        request = table_service_pb2.DeleteTableRequest(name=name, owner=owner)
        return server.tables.DeleteTable(request, **by("root"))

    fault = fails(delete)
    assert (fault.reason, fault.fields) == ("REQUEST_INVALID", ["owner"])
    assert "'ann', 'bob'" in fault.message
    assert fails(lambda: delete("amy")).reason == "TABLE_NOT_FOUND"
    delete("ann")
    assert name not in table_names(server, "ann")
    assert name in table_names(server, "bob")
    delete()
    assert name not in table_names(server, "bob")


def test_a_run_over_a_shared_table_goes_on_when_sharing_ends(server: Running) -> None:
    table = uploaded(server, "ann", 105, "desk")
    run = start(server, over(table.name), **{"metadata": by("amy")["metadata"]})
    server.tables.ShareTable(table_service_pb2.ShareTableRequest(name=table.name), **by("ann"))
    ended = wait(server, run.name, metadata=by("amy")["metadata"])
    assert ended.done
    assert not ended.HasField("error")
    assert (
        fails(lambda: list(server.simulation.Simulate(over(table.name), **by("amy")))).reason
        == "TABLE_NOT_FOUND"
    )


def run_names(server: Running, name: str, **given: Any) -> set[str]:
    answer = server.operations.ListOperations(ops.ListOperationsRequest(**given), **by(name))
    return {operation.name for operation in answer.operations}


def test_a_shared_run_is_listed_and_read_by_the_group_and_changed_by_its_owner(server: Running) -> None:
    request = pb.SimulateRequest(
        points=points(("base", "2026-11-20")), arrow=arrow(rows(20)), response=pb.RESPONSE_MODEL_NONE
    )
    started = server.simulation.StartRun(pb.StartRunRequest(simulate=request, share_with="desk"), **by("ann"))
    name = started.name
    assert (metadata_of(started).owner, metadata_of(started).shared_with) == ("ann", "desk")
    amy: Any = {"metadata": by("amy")["metadata"]}
    assert wait(server, name, **amy).done
    assert read(server, name, **amy)
    assert {one for one in NAMES if name in run_names(server, one)} == {"ann", "amy"}
    assert name in run_names(server, "root", filter="all_owners")
    assert fails(lambda: run_names(server, "amy", filter="all_owners")).reason == "NOT_ALLOWED"
    assert fails(lambda: run_names(server, "amy", filter="done")).fields == ["filter"]
    assert fails(lambda: get(server, name, metadata=by("bob")["metadata"])).reason == "RUN_NOT_FOUND"

    def delete(who: str) -> Any:
        return server.operations.DeleteOperation(ops.DeleteOperationRequest(name=name), **by(who))

    def share(who: str, group: str) -> Any:
        return server.simulation.ShareRun(pb.ShareRunRequest(name=name, group=group), **by(who))

    assert fails(lambda: delete("amy")).reason == fails(lambda: share("amy", "floor")).reason == "NOT_ALLOWED"
    assert metadata_of(share("ann", "")).shared_with == ""
    assert fails(lambda: get(server, name, **amy)).reason == "RUN_NOT_FOUND"
    delete("root")
    assert name not in run_names(server, "ann")


def quota_of(fault: Fault) -> tuple[str, str]:
    assert "operators" in fault.metadata["fix"]
    return fault.reason, fault.metadata["quota"]


def test_quotas_of_the_callers_file_bound_calls_and_the_error_names_them(server: Running) -> None:
    uploaded(server, "low", 1)
    assert quota_of(fails(lambda: uploaded(server, "low", 2))) == ("ROW_QUOTA", "tables")
    assert quota_of(fails(lambda: uploaded(server, "low", 1, count=900))) == ("ROW_QUOTA", "table_bytes")
    axis = {"name": "elasticity.sigma", "values": ["x0.5:x2:x0.5"]}
    sweep = pb.SweepRequest(
        scenario={"name": "base"}, on="2026-07-01", grid={"axes": [axis]}, response=pb.RESPONSE_MODEL_NONE
    )
    fault = fails(lambda: list(server.sweeps.Sweep(sweep, **by("low"))))
    assert quota_of(fault) == ("ROW_QUOTA", "sweep_points")
    assert "4 points" in fault.message
    low: Any = {"metadata": by("low")["metadata"]}
    assert quota_of(fails(lambda: start(server, sweep, **low))) == ("ROW_QUOTA", "sweep_points")
    request = over(uploaded(server, "low", 1).name)
    with server.server._task_queue.sweeps.limit.place("low"):
        fault = fails(lambda: list(server.simulation.Simulate(request, **by("low"))))
        uploaded(server, "low", 1)
    assert quota_of(fault) == ("TOO_MANY_STREAMS", "runs")
    start(server, request, **low)
    assert quota_of(fails(lambda: start(server, request, **low))) == ("ROW_QUOTA", "runs_kept")


def test_who_leaves_a_group_loses_what_is_shared_with_it_at_the_next_call(server: Running) -> None:
    table = uploaded(server, "ann", 109, "desk").name
    saved = scenario_service_pb2.SaveScenarioRequest(yaml=text(name="left"))
    server.scenarios.SaveScenario(saved, **by("ann"))
    shared = scenario_service_pb2.ShareScenarioRequest(name="team/left", group="desk")
    server.scenarios.ShareScenario(shared, **by("ann"))
    asked = scenario_service_pb2.GetStoredScenarioRequest(name="team/ann/left")
    assert server.scenarios.GetStoredScenario(asked, **by("amy")).owner == "ann"
    callers = server.server._settings.callers_file
    assert callers is not None
    callers.write_text(CALLERS.replace("[desk, floor]", "[floor]"))
    try:
        until(lambda: table not in table_names(server, "amy"))
        fault = fails(lambda: list(server.simulation.Simulate(over(table), **by("amy"))))
        assert fault.reason == "TABLE_NOT_FOUND"
        fault = fails(lambda: server.scenarios.GetStoredScenario(asked, **by("amy")))
        assert fault.reason == "SCENARIO_NOT_FOUND"
    finally:
        callers.write_text(CALLERS)
    until(lambda: table in table_names(server, "amy"))


def test_a_watch_has_the_rights_that_its_caller_has_now(server: Running) -> None:
    settings = server.server._settings
    assert settings.callers_file is not None
    assert settings.tokens_file is not None
    tokens = settings.tokens_file.read_text()
    heard: list[str] = []
    ended: list[Fault] = []

    def follow() -> None:
        request = scenario_service_pb2.WatchScenariosRequest(after=-1)
        try:
            for event in server.scenarios.WatchScenarios(request, **by("amy")):
                heard.append(event.name)
        except grpc.RpcError as error:
            ended.append(fault_of(error))

    def shared(scenario: str) -> None:
        saved = scenario_service_pb2.SaveScenarioRequest(yaml=text(name=scenario))
        server.scenarios.SaveScenario(saved, **by("ann"))
        share = scenario_service_pb2.ShareScenarioRequest(name=f"team/{scenario}", group="desk")
        server.scenarios.ShareScenario(share, **by("ann"))

    watching = threading.Thread(target=follow)
    watching.start()
    try:
        shared("heard")
        until(lambda: "team/ann/heard" in heard)
        settings.callers_file.write_text(CALLERS.replace("[desk, floor]", "[floor]"))
        until(lambda: not _stored(server, "amy"))
        shared("unheard")
        own = scenario_service_pb2.SaveScenarioRequest(yaml=text(name="own"))
        server.scenarios.SaveScenario(own, **by("amy"))
        until(lambda: "team/amy/own" in heard)
        assert "team/ann/unheard" not in heard
        settings.tokens_file.write_text(tokens.replace("amy token-of-amy\n", ""))
        until(lambda: ended)
        assert (ended[0].code, ended[0].reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    finally:
        settings.callers_file.write_text(CALLERS)
        settings.tokens_file.write_text(tokens)
        watching.join(TIMEOUT)
    # Tests after this one ask as her too.
    until(lambda: _known(server, "amy"))


def _known(server: Running, name: str) -> bool:
    try:
        return bool(_stored(server, name))
    except grpc.RpcError:
        return False


def _stored(server: Running, name: str) -> list[str]:
    request = scenario_service_pb2.ListStoredScenariosRequest()
    answer = server.scenarios.ListStoredScenarios(request, **by(name))
    return [one.name for one in answer.scenarios if one.owner != name]
