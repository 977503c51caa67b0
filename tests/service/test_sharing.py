"""Tables and runs are shared with a group: its members see and use them, only owners and admins change them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import grpc
import pytest

from tariffs.service.server import watched_file
from tariffs.v1 import scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.callers import ask, refused, scenario_text
from tests.service.harness import (
    TIMEOUT,
    Fault,
    Running,
    as_caller,
    caller_files,
    fails,
    fault_of,
    no_warm_up,
    points,
    running,
)
from tests.service.stored import arrow, metadata_of, parts, read, rows, start, until, wait

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
SMALL: dict[str, Any] = {"points": points(("base", "2026-11-20")), "response": pb.RESPONSE_MODEL_NONE}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    files = caller_files(tmp_path_factory.mktemp("sharing"), " ".join(NAMES), CALLERS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watched_file, "LOOK_SECONDS", 0.05)
        with running(warm=no_warm_up, **files) as server:
            yield server


def uploaded(server: Running, name: str, seed: int, share_with: str = "", count: int = 20) -> Any:
    requests = list(parts(rows(count, seed), count))
    requests[0].share_with = share_with
    return server.tables.UploadTable(iter(requests), timeout=TIMEOUT, **as_caller(name))


def table_names(server: Running, name: str, **given: Any) -> set[str]:
    return {table.name for table in ask(server, "ListTables", name, **given).tables}


def test_a_table_shared_at_its_upload_is_listed_and_used_by_the_group_alone(server: Running) -> None:
    table = uploaded(server, "ann", 101, "desk")
    assert (table.owner, table.shared_with) == ("ann", "desk")
    assert {name for name in NAMES if table.name in table_names(server, name)} == {"ann", "amy"}
    assert ask(server, "Simulate", "amy", handle=table.name, **SMALL)
    fault = refused(server, "Simulate", "bob", handle=table.name, **SMALL)
    assert fault.reason == "TABLE_NOT_FOUND"
    assert table.name in table_names(server, "root", all_owners=True)
    denied = refused(server, "ListTables", "amy", all_owners=True)
    assert (denied.reason, denied.metadata["role"]) == ("NOT_ALLOWED", "admin")


def test_sharing_is_changed_and_ended_by_the_owner(server: Running) -> None:
    table = uploaded(server, "ann", 102)
    assert table.name not in table_names(server, "amy")
    share, cannot = partial(ask, server, "ShareTable"), partial(refused, server, "ShareTable")
    assert cannot("ann", name=table.name, group="floor").reason == "NOT_ALLOWED"
    for wrong in ("x" * 201, "a\0b", " desk", "\u2028"):
        fault = cannot("root", name=table.name, group=wrong)
        assert (fault.reason, fault.fields) == ("REQUEST_INVALID", ["group"])
    assert share("ann", name=table.name, group="desk").shared_with == "desk"
    assert table.name in table_names(server, "amy")
    assert cannot("amy", name=table.name, group="floor").reason == "NOT_ALLOWED"
    assert uploaded(server, "ann", 102).shared_with == "desk"
    assert share("ann", name=table.name).shared_with == ""
    assert table.name not in table_names(server, "amy")
    assert share("root", name=table.name, group="floor").owner == "ann"
    assert table.name in table_names(server, "bob")


def test_an_upload_for_a_foreign_group_stores_nothing(server: Running) -> None:
    fault = fails(lambda: uploaded(server, "bob", 103, "desk"))
    assert (fault.reason, fault.fields) == ("NOT_ALLOWED", ["share_with"])
    assert not table_names(server, "bob") & {uploaded(server, "root", 103).name}


def test_an_admin_deletes_the_table_of_the_owner_that_it_names(server: Running) -> None:
    name = uploaded(server, "ann", 104).name
    uploaded(server, "bob", 104)
    fault = refused(server, "DeleteTable", "root", name=name)
    assert (fault.reason, fault.fields) == ("REQUEST_INVALID", ["owner"])
    assert "'ann', 'bob'" in fault.message
    assert refused(server, "DeleteTable", "root", name=name, owner="amy").reason == "TABLE_NOT_FOUND"
    ask(server, "DeleteTable", "root", name=name, owner="ann")
    assert name not in table_names(server, "ann")
    assert name in table_names(server, "bob")
    ask(server, "DeleteTable", "root", name=name)
    assert name not in table_names(server, "bob")


def test_a_run_over_a_shared_table_goes_on_when_sharing_ends(server: Running) -> None:
    table = uploaded(server, "ann", 105, "desk")
    run = start(server, pb.SimulateRequest(handle=table.name, **SMALL), **as_caller("amy"))
    ask(server, "ShareTable", "ann", name=table.name)
    ended = wait(server, run.name, **as_caller("amy"))
    assert ended.done
    assert not ended.HasField("error")
    assert refused(server, "Simulate", "amy", handle=table.name, **SMALL).reason == "TABLE_NOT_FOUND"


def run_names(server: Running, name: str, **given: Any) -> set[str]:
    return {operation.name for operation in ask(server, "ListOperations", name, **given).operations}


def test_a_shared_run_is_listed_and_read_by_the_group_and_changed_by_its_owner(server: Running) -> None:
    request = {"arrow": arrow(rows(20)), **SMALL}
    started = ask(server, "StartRun", "ann", simulate=request, share_with="desk")
    name = started.name
    assert (metadata_of(started).owner, metadata_of(started).shared_with) == ("ann", "desk")
    assert wait(server, name, **as_caller("amy")).done
    assert read(server, name, **as_caller("amy"))
    assert {one for one in NAMES if name in run_names(server, one)} == {"ann", "amy"}
    assert name in run_names(server, "root", filter="all_owners")
    assert refused(server, "ListOperations", "amy", filter="all_owners").reason == "NOT_ALLOWED"
    assert refused(server, "ListOperations", "amy", filter="done").fields == ["filter"]
    assert refused(server, "GetOperation", "bob", name=name).reason == "RUN_NOT_FOUND"
    assert metadata_of(ask(server, "ShareRun", "ann", name=name)).shared_with == ""
    assert refused(server, "GetOperation", "amy", name=name).reason == "RUN_NOT_FOUND"
    ask(server, "DeleteOperation", "root", name=name)
    assert name not in run_names(server, "ann")


def quota_of(fault: Fault) -> tuple[str, str]:
    assert "operators" in fault.metadata["fix"]
    return fault.reason, fault.metadata["quota"]


def test_quotas_of_the_callers_file_bound_calls_and_the_error_names_them(server: Running) -> None:
    request = {"handle": uploaded(server, "low", 1).name, **SMALL}
    assert quota_of(fails(lambda: uploaded(server, "low", 2))) == ("ROW_QUOTA", "tables")
    assert quota_of(fails(lambda: uploaded(server, "low", 1, count=900))) == ("ROW_QUOTA", "table_bytes")
    axis = {"name": "elasticity.sigma", "values": ["x0.5:x2:x0.5"]}
    sweep: dict[str, Any] = {"scenario": {"name": "base"}, "on": "2026-07-01", "grid": {"axes": [axis]}}
    sweep["response"] = pb.RESPONSE_MODEL_NONE
    fault = refused(server, "Sweep", "low", **sweep)
    assert quota_of(fault) == ("ROW_QUOTA", "sweep_points")
    assert "4 points" in fault.message
    assert quota_of(refused(server, "StartRun", "low", sweep=sweep)) == ("ROW_QUOTA", "sweep_points")
    with server.server._task_queue.sweeps.limit.place("low"):
        fault = refused(server, "Simulate", "low", **request)
        uploaded(server, "low", 1)
    assert quota_of(fault) == ("TOO_MANY_STREAMS", "runs")
    ask(server, "StartRun", "low", simulate=request)
    assert quota_of(refused(server, "StartRun", "low", simulate=request)) == ("ROW_QUOTA", "runs_kept")


def save_and_share(server: Running, scenario: str) -> None:
    ask(server, "SaveScenario", "ann", yaml=scenario_text(name=scenario))
    ask(server, "ShareScenario", "ann", name=f"team/{scenario}", group="desk")


def test_who_leaves_a_group_loses_what_is_shared_with_it_at_the_next_call(server: Running) -> None:
    table = uploaded(server, "ann", 109, "desk").name
    save_and_share(server, "left")
    asked: Any = (server, "GetStoredScenario", "amy")
    assert ask(*asked, name="team/ann/left").owner == "ann"
    callers = server.server._settings.callers_file
    assert callers is not None
    callers.write_text(CALLERS.replace("[desk, floor]", "[floor]"))
    try:
        until(lambda: table not in table_names(server, "amy"))
        assert refused(server, "Simulate", "amy", handle=table, **SMALL).reason == "TABLE_NOT_FOUND"
        assert refused(*asked, name="team/ann/left").reason == "SCENARIO_NOT_FOUND"
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
            for event in server.scenarios.WatchScenarios(request, timeout=TIMEOUT, **as_caller("amy")):
                heard.append(event.name)
        except grpc.RpcError as error:
            ended.append(fault_of(error))

    watching = threading.Thread(target=follow)
    watching.start()
    try:
        save_and_share(server, "heard")
        until(lambda: "team/ann/heard" in heard)
        settings.callers_file.write_text(CALLERS.replace("[desk, floor]", "[floor]"))
        until(lambda: not foreign(server, "amy"))
        save_and_share(server, "unheard")
        ask(server, "SaveScenario", "amy", yaml=scenario_text(name="own"))
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
    until(lambda: foreign(server, "amy"))


def foreign(server: Running, name: str) -> list[str]:
    """The scenarios of others that a caller sees; none of a caller that is not known yet."""
    try:
        found = ask(server, "ListStoredScenarios", name).scenarios
    except grpc.RpcError:
        return []
    return [one.name for one in found if one.owner != name]
