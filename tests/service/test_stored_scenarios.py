"""Scenarios that callers keep on the server: versions, sharing, lost updates, names in calls, checks, events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from tariffs.engine.law import load_law
from tariffs.service.rpc.laws import LATEST, LAWS, ServedLaw
from tariffs.service.server import scenario_checks
from tariffs.service.server.scenario_checks import ScenarioChecks
from tariffs.service.storage.scenario_events import SCENARIO_CHECKS
from tariffs.service.storage.scenario_names import StoredVersion
from tariffs.service.wire.identity import Caller
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2
from tariffs.v1 import scenario_service_pb2 as pb
from tests.service.harness import TIMEOUT, Running, fails, fault_of, line, no_warm_up, running
from tests.service.stored import rows, simulation, start, until, wait

CALLERS = ("ann", "bob", "eve", "root")
CALLERS_FILE = """
callers:
  ann: {roles: [run], groups: [desk]}
  bob: {roles: [run], groups: [desk]}
  eve: {roles: [run]}
  root: {roles: [admin]}
"""


def as_(name: str) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer token-of-{name}-0123456789abcdef"),), "timeout": TIMEOUT}


def text(rate: str = "10%", name: str = "mine") -> str:
    return SCENARIO.replace("RATE", rate).replace("NAME", name)


SCENARIO = """schema: tariffs.scenario/v1
id: NAME
title: Another rate of forced labor on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: RATE}
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory: Path = tmp_path_factory.mktemp("callers")
    tokens, callers = directory / "tokens", directory / "callers.yaml"
    tokens.write_text("".join(f"{name} token-of-{name}-0123456789abcdef\n" for name in CALLERS))
    tokens.chmod(0o600)
    callers.write_text(CALLERS_FILE)
    return {"tokens_file": tokens, "callers_file": callers, "warm": no_warm_up}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, settings: dict[str, Any]) -> Iterator[Running]:
    database = {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgresql")()}
    with running(**database, **settings) as started:
        yield started


def save(server: Running, who: str, yaml: str, etag: str = "", owner: str = "") -> Any:
    return server.scenarios.SaveScenario(
        pb.SaveScenarioRequest(yaml=yaml, etag=etag, owner=owner), **as_(who)
    )


def get(server: Running, who: str, name: str) -> Any:
    return server.scenarios.GetStoredScenario(pb.GetStoredScenarioRequest(name=name), **as_(who))


def share(server: Running, who: str, name: str, group: str, etag: str = "") -> Any:
    return server.scenarios.ShareScenario(
        pb.ShareScenarioRequest(name=name, group=group, etag=etag), **as_(who)
    )


def delete(server: Running, who: str, name: str) -> Any:
    return server.scenarios.DeleteScenario(pb.DeleteScenarioRequest(name=name), **as_(who))


def quote(server: Running, who: str, scenario: str) -> Any:
    request = line(entry="2027-02-01")
    request.scenario.name = scenario
    return server.duty.CalculateDuty(request, **as_(who))


def names(server: Running, who: str) -> list[str]:
    response = server.scenarios.ListStoredScenarios(pb.ListStoredScenariosRequest(), **as_(who))
    return [one.name for one in response.scenarios]


def test_versions_stay_and_an_etag_keeps_updates(server: Running) -> None:
    first = save(server, "ann", text("10%", "versions"))
    assert (first.name, first.version, first.owner, first.check.ok) == ("team/ann/versions", 1, "ann", True)
    assert save(server, "ann", text("10%", "versions")) == first
    assert fails(lambda: save(server, "ann", text("20%", "versions"))).reason == "SCENARIO_EXISTS"
    second = save(server, "ann", text("20%", "versions"), first.etag)
    assert (second.version, second.etag != first.etag) == (2, True)
    assert save(server, "ann", text("20%", "versions"), first.etag) == second
    fault = fails(lambda: save(server, "ann", text("30%", "versions"), first.etag))
    assert (fault.code, fault.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SCENARIO_CHANGED")
    assert fault.metadata["etag"] == second.etag
    request = pb.ListScenarioVersionsRequest(name="team/versions")
    versions = server.scenarios.ListScenarioVersions(request, **as_("ann")).versions
    assert [(one.version, one.digest) for one in versions] == [(2, second.digest), (1, first.digest)]
    assert get(server, "ann", "team/versions@1").yaml == text("10%", "versions")
    assert get(server, "ann", "team/ann/versions").yaml == text("20%", "versions")


def test_a_scenario_of_the_same_name_of_another_owner_stays_as_it_is(server: Running) -> None:
    save(server, "bob", text("10%", "namesake"))
    theirs = get(server, "bob", "team/namesake")
    mine = save(server, "ann", text("20%", "namesake"))
    save(server, "ann", text("30%", "namesake"), mine.etag)
    assert get(server, "bob", "team/namesake") == theirs
    delete(server, "ann", "team/namesake")
    assert get(server, "bob", "team/namesake") == theirs


def test_of_many_updates_at_a_time_one_wins(server: Running) -> None:
    etag = save(server, "ann", text("10%", "race")).etag

    def update(number: int) -> str:
        try:
            save(server, "ann", text(f"{number + 11}%", "race"), etag)
        except grpc.RpcError as error:
            return fault_of(error).reason
        return ""

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(update, range(8))) == ["", *["SCENARIO_CHANGED"] * 7]
    assert get(server, "ann", "team/race").version == 2


def test_others_see_what_is_shared_with_their_group_and_change_nothing(server: Running) -> None:
    save(server, "ann", text("10%", "shared"))
    for who in ("bob", "eve"):
        assert fails(partial(get, server, who, "team/ann/shared")).reason == "SCENARIO_NOT_FOUND"
    shared = share(server, "ann", "team/shared", "desk")
    assert shared.shared_with == "desk"
    assert get(server, "bob", "team/shared") == get(server, "bob", "team/ann/shared")
    assert "team/ann/shared" in names(server, "bob")
    assert "team/ann/shared" not in names(server, "eve")
    assert fails(lambda: get(server, "eve", "team/ann/shared")).reason == "SCENARIO_NOT_FOUND"
    assert fails(lambda: quote(server, "eve", "team/ann/shared")).reason == "SCENARIO_NOT_FOUND"
    assert quote(server, "bob", "team/shared").provenance.scenarios[0].stored_name == "team/ann/shared"
    for call in (
        lambda: share(server, "bob", "team/ann/shared", ""),
        lambda: delete(server, "bob", "team/ann/shared"),
        lambda: save(server, "bob", text("9%", "shared"), shared.etag, owner="ann"),
        lambda: share(server, "ann", "team/shared", "no-group-of-ann"),
    ):
        assert fails(call).reason == "NOT_ALLOWED"
    assert save(server, "bob", text("11%", "shared")).name == "team/bob/shared"
    assert get(server, "bob", "team/shared").owner == "bob"
    assert get(server, "root", "team/ann/shared").owner == "ann"
    share(server, "root", "team/ann/shared", "")
    assert "team/ann/shared" not in names(server, "bob")
    delete(server, "root", "team/ann/shared")
    assert fails(lambda: get(server, "ann", "team/shared")).reason == "SCENARIO_NOT_FOUND"


def test_a_name_counts_wherever_a_text_does_and_the_answer_says_version_and_digest(server: Running) -> None:
    first = save(server, "ann", text("30%", "used"))
    second = save(server, "ann", text("40%", "used"), first.etag)
    inline = line(entry="2027-02-01")
    inline.scenario.yaml = text("30%", "used")
    expected = server.duty.CalculateDuty(inline, **as_("ann"))
    for name in ("team/used@1", f"team/ann/used@1#{first.digest[:12]}", f"team/used@1#{first.digest}"):
        found = quote(server, "ann", name)
        assert found.assessed == expected.assessed
        assert found.provenance.scenarios[0] == common_pb2.ScenarioDigest(
            id="used", digest=first.digest, stored_name="team/ann/used", stored_version=1
        )
    assert quote(server, "ann", "team/used").provenance.scenarios[0].digest == second.digest
    fault = fails(lambda: quote(server, "ann", f"team/used#{first.digest}"))
    assert (fault.code, fault.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SCENARIO_CHANGED")
    for name in (
        "team/",
        "team/none",
        "team/used@9",
        "team/../used",
        "team/used@0",
        "team/USED",
        "team/a/b/c",
    ):
        assert fails(partial(quote, server, "ann", name)).reason == "SCENARIO_NOT_FOUND", name
    forged = line()
    forged.scenario.CopyFrom(common_pb2.ScenarioRef(yaml=text(), stored_name="team/ann/used"))
    assert fails(lambda: server.duty.CalculateDuty(forged, **as_("ann"))).reason == "REQUEST_INVALID"

    points = simulation(rows(5), asked=[("team/used", "2027-02-01"), ("base", "2027-02-01")])
    done = list(server.simulation.Simulate(points, **as_("ann")))[-1].done
    assert [(one.id, one.stored_version) for one in done.provenance.scenarios] == [("used", 2), ("base", 0)]
    batch = duty_service_pb2.BatchCalculateDutiesRequest(lines=[line().line])
    batch.scenario.name = "team/used"
    assert server.duty.BatchCalculateDuties(batch, **as_("ann")).provenance.scenarios[0].stored_version == 2
    stream = [simulation_service_pb2.SimulateLinesRequest(config={"points": [points.points[0]]})]
    messages = list(server.simulation.SimulateLines(iter(stream), **as_("ann")))
    assert messages[-1].done.provenance.scenarios[0].stored_name == "team/ann/used"
    shown = server.scenarios.GetScenario(pb.GetScenarioRequest(id="team/used@1"), **as_("ann"))
    assert (shown.digest, shown.provenance.scenarios[0].stored_version) == (first.digest, 1)
    check = pb.CheckScenarioRequest(scenario={"name": "team/used"})
    assert server.scenarios.CheckScenario(check, **as_("ann")).ok


def test_a_run_keeps_the_text_that_it_began_with(server: Running) -> None:
    saved = save(server, "ann", text("35%", "kept"))
    request = simulation(rows(5), asked=[("team/kept", "2027-02-01")])
    name = start(server, request, metadata=as_("ann")["metadata"]).name
    delete(server, "ann", "team/kept")
    done = wait(server, name, metadata=as_("ann")["metadata"])
    result = simulation_service_pb2.RunResult()
    assert done.response.Unpack(result)
    assert result.provenance.scenarios[0] == common_pb2.ScenarioDigest(
        id="kept", digest=saved.digest, stored_name="team/ann/kept", stored_version=1
    )


@pytest.mark.parametrize(
    ("yaml", "reason"),
    [
        ("", "SCENARIO_SYNTAX"),
        ("id: [", "SCENARIO_SYNTAX"),
        (text().replace("id: fl301", "id: no_such"), "NOTHING_MATCHED"),
        (text(name="base"), "REQUEST_INVALID"),
        (text() + "\0", "REQUEST_INVALID"),
        (text() + "#" * (257 << 10), "BATCH_TOO_LARGE"),
        (text().replace("basis:", "parents: [team/used]\nbasis:"), "SCENARIO_NOT_FOUND"),
    ],
)
def test_a_faulty_text_is_not_stored(server: Running, yaml: str, reason: str) -> None:
    before = names(server, "eve")
    assert fails(lambda: save(server, "eve", yaml)).reason == reason
    assert names(server, "eve") == before


def test_names_with_odd_characters_are_refused(server: Running) -> None:
    assert fails(lambda: save(server, "root", text(), owner="a\0b")).reason == "REQUEST_INVALID"
    assert fails(lambda: share(server, "root", "team/mine", "a\0b")).reason == "REQUEST_INVALID"
    for name in ("team/a\0b/mine", "team/\ud7ff\uffff/x\n"):
        assert fails(partial(get, server, "root", name)).reason == "SCENARIO_NOT_FOUND"
    assert fails(lambda: get(server, "ann", "mine")).reason == "SCENARIO_NOT_FOUND"


def test_lists_have_pages(server: Running) -> None:
    for number in range(5):
        save(server, "eve", text(name=f"page-{number}"))
    found: list[str] = []
    token = ""
    while True:
        request = pb.ListStoredScenariosRequest(page_size=2, page_token=token)
        response = server.scenarios.ListStoredScenarios(request, **as_("eve"))
        found += [one.id for one in response.scenarios]
        token = response.next_page_token
        if not token:
            break
    assert found == [f"page-{number}" for number in range(5)]
    bad = pb.ListStoredScenariosRequest(page_token="x")
    assert (
        fails(lambda: server.scenarios.ListStoredScenarios(bad, **as_("eve"))).reason == "PAGE_TOKEN_INVALID"
    )


def test_an_owner_has_so_many_and_no_more(settings: dict[str, Any]) -> None:
    with running(scenarios_per_owner=2, **settings) as server:
        first = save(server, "ann", text(name="one"))
        save(server, "ann", text(name="two"))
        assert fails(lambda: save(server, "ann", text(name="three"))).reason == "ROW_QUOTA"
        assert save(server, "ann", text("12%", "one"), first.etag).version == 2
        save(server, "bob", text(name="three"))


def test_watchers_learn_what_happens_to_what_they_may_see(server: Running) -> None:
    watched: dict[str, list[Any]] = {name: [] for name in ("ann", "bob", "eve")}
    calls = {
        name: server.scenarios.WatchScenarios(pb.WatchScenariosRequest(), **as_(name)) for name in watched
    }

    def follow(name: str) -> None:
        try:
            for event in calls[name]:
                watched[name].append(event)
        except grpc.RpcError:
            return

    threads = [threading.Thread(target=follow, args=(name,)) for name in watched]
    for thread in threads:
        thread.start()
    try:
        until(
            lambda: (
                (save(server, "ann", text(name="probe")) and len(_kinds(watched["ann"]))) or _touch(server)
            )
        )
        save(server, "ann", text(name="watched"))
        share(server, "ann", "team/watched", "desk")
        delete(server, "ann", "team/watched")
        until(lambda: _kinds(watched["ann"], "watched")[-1:] == ["DELETED"])
        until(lambda: _kinds(watched["bob"], "watched")[-1:] == ["DELETED"])
    finally:
        for call in calls.values():
            call.cancel()
        for thread in threads:
            thread.join(TIMEOUT)
    assert _kinds(watched["ann"], "watched")[0] == "SAVED"
    assert _kinds(watched["bob"], "watched") == ["SHARED", "DELETED"]
    assert watched["eve"] == []
    last = watched["ann"][0].number
    again = server.scenarios.WatchScenarios(pb.WatchScenariosRequest(after=last), **as_("ann"))
    assert next(again) == watched["ann"][1]
    again.cancel()


def _touch(server: Running) -> bool:
    delete(server, "ann", "team/probe")
    return False


def _kinds(events: list[Any], name: str = "probe") -> list[str]:
    prefix = "SCENARIO_EVENT_KIND_"
    return [
        pb.ScenarioEventKind.Name(one.kind).removeprefix(prefix)
        for one in events
        if one.name.endswith(f"/{name}")
    ]


def test_law_of_the_check_is_named(server: Running) -> None:
    found = save(server, "ann", text(name="law"))
    assert (found.check.law_version, found.check.law_digest) == (load_law().version, load_law().digest)


def test_a_new_law_checks_all_anew_and_tells_their_owners(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest law is another one from one look to the next; under it one scenario of two has nothing to change."""
    with running(**settings) as server:
        for name in ("stays", "breaks"):
            save(server, "ann", text(name=name))
        share(server, "ann", "team/breaks", "desk")
        last = server.server._storage.scenario_events.last()
        newer = replace(LAWS.settle(LATEST), digest="f" * 64)

        async def check(self: ScenarioChecks, scenario: StoredVersion, law: ServedLaw) -> pb.ScenarioCheck:
            assert law == newer
            problem = pb.Problem(reason="NOTHING_MATCHED", severity=pb.SEVERITY_ERROR)
            ok = scenario.name != "breaks"
            return pb.ScenarioCheck(ok=ok, problems=[] if ok else [problem], law_digest=law.digest)

        monkeypatch.setattr(ScenarioChecks, "_check", check)
        monkeypatch.setattr(scenario_checks, "LAWS", SimpleNamespace(settle=lambda _: newer))
        watch = server.scenarios.WatchScenarios(pb.WatchScenariosRequest(after=last), **as_("bob"))
        event = next(watch)
        watch.cancel()
        assert (event.kind, event.name) == (pb.SCENARIO_EVENT_KIND_CHECKED, "team/ann/breaks")
        assert (event.check.ok, event.check.problems[0].reason) == (False, "NOTHING_MATCHED")
        assert not get(server, "ann", "team/breaks").check.ok
        until(lambda: get(server, "ann", "team/stays").check.law_digest == newer.digest)
        assert get(server, "ann", "team/stays").check.ok
        assert len(server.server._storage.scenario_events.after(Caller("ann"), last)) == 1
        assert server.server._storage.scenarios.unchecked(newer.digest) == []
        assert quote(server, "ann", "team/breaks").assessed


def test_a_start_checks_what_the_law_of_before_checked(settings: dict[str, Any], tmp_path: Path) -> None:
    given = {"database_url": f"sqlite:///{tmp_path / 'state.sqlite'}", **settings}
    with running(**given) as server:
        save(server, "ann", text())
        with server.server._storage._database.begin() as connection:
            connection.execute(SCENARIO_CHECKS.update().values(law_digest="0" * 64))
        law = load_law()
        assert len(server.server._storage.scenarios.unchecked(law.digest)) == 1
    with running(**given) as server:
        until(lambda: not server.server._storage.scenarios.unchecked(law.digest))
        found = get(server, "ann", "team/mine")
    assert (found.check.ok, found.check.law_digest) == (True, law.digest)
