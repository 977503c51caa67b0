"""Scenarios that callers keep on the server: versions, sharing, lost updates, names in calls, checks, events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
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
from tariffs.v1 import common_pb2, simulation_service_pb2
from tariffs.v1 import scenario_service_pb2 as pb
from tests.service.callers import ask, pages, refused
from tests.service.callers import scenario_text as text
from tests.service.harness import (
    TEAM,
    TIMEOUT,
    Running,
    as_caller,
    caller_files,
    fails,
    fault_of,
    line,
    no_warm_up,
    running,
)
from tests.service.stored import result_of, rows, simulation, start, until, wait


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {**caller_files(tmp_path_factory.mktemp("callers"), "ann bob eve root", TEAM), "warm": no_warm_up}


@pytest.fixture(scope="module")
def server(new_database: Callable[[], str], settings: dict[str, Any]) -> Iterator[Running]:
    with running(database_url=new_database(), **settings) as started:
        yield started


def save(server: Running, who: str, yaml: str, etag: str = "") -> Any:
    return ask(server, "SaveScenario", who, yaml=yaml, etag=etag)


def get(server: Running, who: str, name: str) -> Any:
    return ask(server, "GetStoredScenario", who, name=name)


def dutiable(scenario: str = "") -> dict[str, Any]:
    """A line of a day on which the scenario of these tests is in force."""
    return {"line": line(entry="2027-02-01").line, "scenario": {"name": scenario}}


def quote(server: Running, who: str, scenario: str) -> Any:
    return ask(server, "CalculateDuty", who, **dutiable(scenario))


def names(server: Running, who: str) -> list[str]:
    return [one.name for one in ask(server, "ListStoredScenarios", who).scenarios]


def test_versions_stay_and_an_etag_keeps_updates(server: Running) -> None:
    first = save(server, "ann", text("10%", "versions"))
    assert (first.name, first.version, first.owner, first.check.ok) == ("team/ann/versions", 1, "ann", True)
    assert (first.check.law_version, first.check.law_digest) == (load_law().version, load_law().digest)
    assert save(server, "ann", text("10%", "versions")) == first
    assert fails(lambda: save(server, "ann", text("20%", "versions"))).reason == "SCENARIO_EXISTS"
    second = save(server, "ann", text("20%", "versions"), first.etag)
    assert (second.version, second.etag != first.etag) == (2, True)
    assert save(server, "ann", text("20%", "versions"), first.etag) == second
    fault = fails(lambda: save(server, "ann", text("30%", "versions"), first.etag))
    assert (fault.code, fault.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SCENARIO_CHANGED")
    assert fault.metadata["etag"] == second.etag
    versions = ask(server, "ListScenarioVersions", "ann", name="team/versions").versions
    assert [(one.version, one.digest) for one in versions] == [(2, second.digest), (1, first.digest)]
    assert get(server, "ann", "team/versions@1").yaml == text("10%", "versions")
    assert get(server, "ann", "team/ann/versions").yaml == text("20%", "versions")


def test_a_scenario_of_the_same_name_of_another_owner_stays_as_it_is(server: Running) -> None:
    save(server, "bob", text("10%", "namesake"))
    theirs = get(server, "bob", "team/namesake")
    mine = save(server, "ann", text("20%", "namesake"))
    save(server, "ann", text("30%", "namesake"), mine.etag)
    assert get(server, "bob", "team/namesake") == theirs
    ask(server, "DeleteScenario", "ann", name="team/namesake")
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
    mine: Any = {"name": "team/ann/shared"}
    for who in ("bob", "eve"):
        assert refused(server, "GetStoredScenario", who, **mine).reason == "SCENARIO_NOT_FOUND"
    shared = ask(server, "ShareScenario", "ann", name="team/shared", group="desk")
    assert shared.shared_with == "desk"
    assert get(server, "bob", "team/shared") == get(server, "bob", "team/ann/shared")
    assert "team/ann/shared" in names(server, "bob")
    assert "team/ann/shared" not in names(server, "eve")
    assert refused(server, "GetStoredScenario", "eve", **mine).reason == "SCENARIO_NOT_FOUND"
    fault = refused(server, "CalculateDuty", "eve", **dutiable("team/ann/shared"))
    assert fault.reason == "SCENARIO_NOT_FOUND"
    assert quote(server, "bob", "team/shared").provenance.scenarios[0].stored_name == "team/ann/shared"
    theirs = {"yaml": text("9%", "shared"), "etag": shared.etag, "owner": "ann"}
    assert refused(server, "SaveScenario", "bob", **theirs).reason == "NOT_ALLOWED"
    assert refused(server, "ShareScenario", "ann", **mine, group="not-of-ann").reason == "NOT_ALLOWED"
    assert save(server, "bob", text("11%", "shared")).name == "team/bob/shared"
    assert get(server, "bob", "team/shared").owner == "bob"
    assert get(server, "root", "team/ann/shared").owner == "ann"
    ask(server, "ShareScenario", "root", **mine)
    assert "team/ann/shared" not in names(server, "bob")
    ask(server, "DeleteScenario", "root", **mine)
    assert refused(server, "GetStoredScenario", "ann", name="team/shared").reason == "SCENARIO_NOT_FOUND"


def test_a_name_counts_wherever_a_text_does_and_the_answer_says_version_and_digest(server: Running) -> None:
    first = save(server, "ann", text("30%", "used"))
    second = save(server, "ann", text("40%", "used"), first.etag)
    inline = dutiable() | {"scenario": {"yaml": text("30%", "used")}}
    expected = ask(server, "CalculateDuty", "ann", **inline)
    for name in ("team/used@1", f"team/ann/used@1#{first.digest[:12]}", f"team/used@1#{first.digest}"):
        found = quote(server, "ann", name)
        assert found.assessed == expected.assessed
        assert found.provenance.scenarios[0] == common_pb2.ScenarioDigest(
            id="used", digest=first.digest, stored_name="team/ann/used", stored_version=1
        )
    assert quote(server, "ann", "team/used").provenance.scenarios[0].digest == second.digest
    fault = refused(server, "CalculateDuty", "ann", **dutiable(f"team/used#{first.digest}"))
    assert (fault.code, fault.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SCENARIO_CHANGED")
    odd = ("team/", "team/none", "team/used@9", "team/../used", "team/used@0", "team/USED", "team/a/b/c")
    for name in odd:
        fault = refused(server, "CalculateDuty", "ann", **dutiable(name))
        assert fault.reason == "SCENARIO_NOT_FOUND", name
    forged = dutiable() | {"scenario": {"yaml": text(), "stored_name": "team/ann/used"}}
    assert refused(server, "CalculateDuty", "ann", **forged).reason == "REQUEST_INVALID"

    points = simulation(rows(5), asked=[("team/used", "2027-02-01"), ("base", "2027-02-01")])
    done = list(server.simulation.Simulate(points, timeout=TIMEOUT, **as_caller("ann")))[-1].done
    assert [(one.id, one.stored_version) for one in done.provenance.scenarios] == [("used", 2), ("base", 0)]
    stream = [simulation_service_pb2.SimulateLinesRequest(config={"points": [points.points[0]]})]
    messages = list(server.simulation.SimulateLines(iter(stream), timeout=TIMEOUT, **as_caller("ann")))
    assert messages[-1].done.provenance.scenarios[0].stored_name == "team/ann/used"
    named = {"scenario": {"name": "team/used"}}
    batch = ask(server, "BatchCalculateDuties", "ann", lines=[line().line], **named)
    assert batch.provenance.scenarios[0].stored_version == 2
    shown = ask(server, "GetScenario", "ann", id="team/used@1")
    assert (shown.digest, shown.provenance.scenarios[0].stored_version) == (first.digest, 1)
    assert ask(server, "CheckScenario", "ann", **named).ok


def test_a_run_keeps_the_text_that_it_began_with(server: Running) -> None:
    saved = save(server, "ann", text("35%", "kept"))
    request = simulation(rows(5), asked=[("team/kept", "2027-02-01")])
    name = start(server, request, **as_caller("ann")).name
    ask(server, "DeleteScenario", "ann", name="team/kept")
    result = result_of(wait(server, name, **as_caller("ann")))
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
    assert refused(server, "SaveScenario", "root", yaml=text(), owner="a\0b").reason == "REQUEST_INVALID"
    fault = refused(server, "ShareScenario", "root", name="team/mine", group="a\0b")
    assert fault.reason == "REQUEST_INVALID"
    for name in ("team/a\0b/mine", "team/\ud7ff\uffff/x\n", "mine"):
        assert refused(server, "GetStoredScenario", "root", name=name).reason == "SCENARIO_NOT_FOUND"


def test_lists_have_pages(server: Running) -> None:
    for number in range(5):
        save(server, "eve", text(name=f"page-{number}"))
    listed = pages(server, "ListStoredScenarios", "eve", size=2)
    ids = [[one.id for one in page.scenarios if not one.yaml] for page in listed]
    assert ids == [["page-0", "page-1"], ["page-2", "page-3"], ["page-4"]]
    assert refused(server, "ListStoredScenarios", "eve", page_token="x").reason == "PAGE_TOKEN_INVALID"


def test_watchers_learn_what_happens_to_what_they_may_see(server: Running) -> None:
    save(server, "ann", text(name="earlier"))
    last = server.server._storage.scenario_events.last()
    from_now = server.scenarios.WatchScenarios(
        pb.WatchScenariosRequest(), timeout=TIMEOUT, **as_caller("ann")
    )
    # It has begun.
    assert from_now.initial_metadata() is not None
    save(server, "ann", text(name="watched"))
    ask(server, "ShareScenario", "ann", name="team/watched", group="desk")
    ask(server, "DeleteScenario", "ann", name="team/watched")
    for who in ("ann", "bob", "eve"):
        save(server, who, text(name="later"))
    saved, shared, deleted, later = events(server, "ann", last, 4)
    assert [one.kind for one in (saved, shared, deleted, later)] == [SAVED, SHARED, DELETED, SAVED]
    assert {one.name for one in (saved, shared, deleted)} == {"team/ann/watched"}
    assert [next(from_now) for _ in range(4)] == [saved, shared, deleted, later]
    from_now.cancel()
    assert events(server, "bob", last, 2) == [shared, deleted]
    assert events(server, "ann", shared.number, 2) == [deleted, later]
    for who, before in (("bob", deleted), ("eve", saved)):
        assert events(server, who, before.number, 1)[0].name == f"team/{who}/later"


SAVED, SHARED, DELETED = (
    pb.ScenarioEventKind.Value(f"SCENARIO_EVENT_KIND_{kind}") for kind in ("SAVED", "SHARED", "DELETED")
)


def events(server: Running, who: str, after: int, count: int) -> list[Any]:
    """The first events that a caller is told of after one."""
    watch = server.scenarios.WatchScenarios(
        pb.WatchScenariosRequest(after=after), timeout=TIMEOUT, **as_caller(who)
    )
    found = list(islice(watch, count))
    watch.cancel()
    return found


def test_an_owner_keeps_so_many_which_a_new_law_checks_anew_and_tells_of(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest law is another one from one look to the next; under it one scenario of two has nothing to change."""
    with running(scenarios_per_owner=2, **settings) as server:
        stays, _ = (save(server, "ann", text(name=name)) for name in ("stays", "breaks"))
        assert refused(server, "SaveScenario", "ann", yaml=text(name="third")).reason == "ROW_QUOTA"
        assert save(server, "bob", text(name="third")).owner == "bob"
        assert save(server, "ann", text("12%", "stays"), stays.etag).version == 2
        ask(server, "ShareScenario", "ann", name="team/breaks", group="desk")
        last = server.server._storage.scenario_events.last()
        newer = replace(LAWS.settle(LATEST), digest="f" * 64)

        async def check(self: ScenarioChecks, scenario: StoredVersion, law: ServedLaw) -> pb.ScenarioCheck:
            assert law == newer
            problem = pb.Problem(reason="NOTHING_MATCHED", severity=pb.SEVERITY_ERROR)
            ok = scenario.name != "breaks"
            return pb.ScenarioCheck(ok=ok, problems=[] if ok else [problem], law_digest=law.digest)

        monkeypatch.setattr(ScenarioChecks, "_check", check)
        monkeypatch.setattr(scenario_checks, "LAWS", SimpleNamespace(settle=lambda _: newer))
        (event,) = events(server, "bob", last, 1)
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
