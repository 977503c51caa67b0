"""Law packs on a running server: checked, warmed and served while calls go on; refused ones change nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from tariffs.client import Client, Scenario
from tariffs.client.cli.__main__ import run as command
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.pack import archive
from tariffs.engine.law.pack.archive import MANIFEST, SIGNATURE
from tariffs.engine.law.pack.build import build_pack
from tariffs.engine.law.pack.signature import sign
from tariffs.service.rpc.laws import LATEST, LAWS
from tariffs.service.storage.scenario_events import SCENARIO_CHECKS
from tests.law.packs import CHARGED, EXEMPT, NEWER, drop, golden_case, key_pair, law_copy, newer_pack
from tests.service.callers import scenario_text
from tests.service.harness import TIMEOUT, Running, fails, no_warm_up, running
from tests.service.law_packs import FOLLOWING, NEXT, PACK, REFUSED, SERVED, quoted, states, versions, watching
from tests.service.stored import (
    Held,
    get,
    metadata_of,
    read,
    result_of,
    results,
    rows,
    simulated,
    simulation,
    start,
    until,
    wait,
)


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, law_keys: tuple[Path, Path], law_checks: Path
) -> Iterator[tuple[Running, Path]]:
    packs, state = tmp_path_factory.mktemp("packs"), tmp_path_factory.mktemp("state")
    shutil.copytree(law_checks, state / "law_checks")
    with watching(packs, law_keys[1], law_default="builtin", state_dir=state) as server:
        yield server, packs


@pytest.fixture
def watched(started: tuple[Running, Path]) -> Iterator[tuple[Running, Path]]:
    """A server that watches a directory of packs, which is empty before and after."""
    server, packs = started
    yield server, packs
    for path in packs.iterdir():
        path.unlink()
    until(lambda: states(server).keys() == {"built in"})


def test_a_signed_pack_is_served_without_a_restart_and_by_name_alone(
    watched: tuple[Running, Path], pack: bytes
) -> None:
    server, packs = watched
    own = load_law().version
    assert quoted(server) == (CHARGED, own)
    drop(pack, packs, PACK)
    until(lambda: states(server).get(PACK) == SERVED)
    assert quoted(server, NEWER) == quoted(server, "latest") == (EXEMPT, NEWER)
    assert quoted(server) == quoted(server, own) == quoted(server, "default") == (CHARGED, own)
    newest, builtin = versions(server)
    assert (newest.version, newest.pack, newest.is_latest, newest.is_default) == (NEWER, PACK, True, False)
    assert (builtin.digest, builtin.is_latest, builtin.is_default) == (load_law().digest, False, True)
    assert len(newest.key_id) == 16
    assert quoted(server, f"{NEWER}@{newest.digest}") == (EXEMPT, NEWER)
    (packs / PACK).unlink()
    until(lambda: PACK not in states(server))
    assert fails(lambda: quoted(server, NEWER)).reason == "LAW_VERSION_NOT_FOUND"


def test_an_unknown_version_names_those_there(served: Running) -> None:
    own = load_law()
    for name in ("2020.01.01.1", "newest", f"{own.version}@{'0' * 64}", f"x@{own.digest}"):
        fault = fails(partial(quoted, served, name))
        assert (fault.code, fault.reason) == (grpc.StatusCode.NOT_FOUND, "LAW_VERSION_NOT_FOUND")
        assert fault.fields == ["law_version"]
        assert fault.metadata["versions"] == own.version


def test_a_refused_pack_says_why_and_changes_nothing(
    watched: tuple[Running, Path], pack: bytes, law_keys: tuple[Path, Path], tmp_path: Path
) -> None:
    server, packs = watched
    drop(pack, packs, PACK)
    until(lambda: states(server).get(PACK) == SERVED)
    own = load_law()
    (tmp_path / "same").mkdir()
    same_version = newer_pack(tmp_path / "same", own.version, key=law_keys[0])
    golden = golden_case(tmp_path / "golden", assessed=CHARGED)
    failing = build_pack(law_copy(tmp_path / "law", "2026.12.02.1"), golden=golden, key=law_keys[0])
    unsigned = archive.read(pack, PACK)
    del unsigned[SIGNATURE]
    refused = {
        "truncated.tar.zst": (pack[:-1000], "LAW_PACK_INVALID", "truncated.tar.zst: "),
        "unsigned.tar.zst": (archive.written(unsigned), "LAW_PACK_UNTRUSTED", "it is not signed"),
        "other-key.tar.zst": (signed_by(pack, key_pair(tmp_path)[0]), "LAW_PACK_UNTRUSTED", "known key"),
        "same.tar.zst": (same_version, "LAW_PACK_INVALID", "that of another law here (built in)"),
        "failing.tar.zst": (failing, "LAW_TEST_FAILED", "toys-exempt: assessed is 0.00"),
    }
    for name, (data, _, _) in refused.items():
        drop(data, packs, name)
    # Neither a hidden file nor one of another kind is a pack.
    (packs / ".hidden.tar.zst").write_bytes(pack)
    (packs / "README").write_text("packs")
    until(lambda: all(states(server).get(name) == REFUSED for name in refused))
    found = {one.pack: one for one in versions(server)}
    assert found.keys() == {*refused, PACK, ""}
    for name, (_, reason, said) in refused.items():
        assert (found[name].reason, said in found[name].message) == (reason, True), found[name].message
        assert found[name].fix
    assert quoted(server, "latest") == (EXEMPT, NEWER)
    assert quoted(server) == (CHARGED, own.version)
    # One that is replaced by a broken one goes on being served.
    drop(pack[:-1000], packs, PACK)
    until(lambda: sum(one.pack == PACK for one in versions(server)) == 2)
    assert quoted(server, NEWER) == (EXEMPT, NEWER)


def signed_by(pack: bytes, key: Path) -> bytes:
    members = archive.read(pack, PACK)
    return archive.written(members | {SIGNATURE: sign(members[MANIFEST], key)})


def test_a_watch_is_told_when_the_laws_change(
    watched: tuple[Running, Path],
    pack: bytes,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, packs = watched
    # A check that was made before takes no time, and a watch looks four times a second.
    monkeypatch.setattr(server.server._law_watch, "_settle_seconds", 1.0)
    with Client(f"127.0.0.1:{server.port}") as client:
        seen = client.watch_law_versions(timeout=TIMEOUT)
        assert [one.version for one in next(seen)] == [load_law().version]
        drop(pack, packs, PACK)
        (loading,) = [one for one in next(seen) if one.pack]
        assert (loading.pack, loading.state, loading.version) == (PACK, "loading", "")
        served = next(seen)
        assert (served[0].pack, served[0].state, served[0].version) == (PACK, "served", NEWER)
        assert served == client.law_versions()
    arguments = ["law", "watch", "--count", "1", "--target", f"127.0.0.1:{server.port}"]
    assert command([*arguments, "--json"]) == command(arguments) == 0
    # The server in this process logs to the same place.
    told = [one for one in capsys.readouterr().out.splitlines() if not one.startswith('{"event')]
    first = next(one for one in told if one.startswith('{"versions'))
    assert json.loads(first)["versions"] == [asdict(one) for one in served]
    assert any(one.endswith(f"{NEWER}@{served[0].digest[:12]}  served  latest") for one in told)


def test_a_default_that_is_not_there_stops_the_start(packs: Path, keys: Path) -> None:
    with pytest.raises(InputError) as caught, watching(packs, keys, law_default=NEWER):
        raise AssertionError("it started")
    assert caught.value.reason == "SETTING_INVALID"
    assert load_law().version in caught.value.fix


def test_a_run_keeps_its_law_over_a_swap_and_a_restart(
    packs: Path, pack: bytes, following: bytes, keys: Path, state: Path
) -> None:
    drop(pack, packs, PACK)
    given: dict[str, Any] = {"state_dir": state, "lease_seconds": 2.0}
    request, held = simulation(rows(20)), Held("run")
    with watching(packs, keys, compute=held, **given) as server:
        name = start(server, request, "once").name
        assert held.begun.wait(60)
        assert metadata_of(get(server, name)).law_version.startswith(f"{NEWER}@")
    (packs / PACK).unlink()
    drop(following, packs, NEXT)
    with watching(packs, keys, **given) as server:
        assert quoted(server) == (CHARGED, FOLLOWING)
        # The same request again under its id is the same run, though its law is no longer the default.
        assert start(server, request, "once").name == name
        done = wait(server, name)
        assert result_of(done).provenance.law_version == NEWER
        resumed = read(server, name)
        assert metadata_of(done).attempts == 2
        # What the run gave is compared with a call under its law, which is served again.
        drop(pack, packs, PACK)
        until(lambda: states(server).get(PACK) == SERVED)
        request.law_version = NEWER
        assert results(resumed) == simulated(server, request)


def test_a_call_in_flight_keeps_its_law(packs: Path, pack: bytes, keys: Path, state: Path) -> None:
    held = Held("simulate")
    with watching(packs, keys, compute=held, state_dir=state) as server:
        call = server.simulation.Simulate(simulation(rows(20)), timeout=10 * TIMEOUT)
        first = next(one for one in call if one.WhichOneof("content") != "progress")
        assert first.WhichOneof("content") != "done"
        drop(pack, packs, PACK)
        until(lambda: quoted(server) == (EXEMPT, NEWER))
        held.free.set()
        *_, last = call
        assert last.done.provenance.law_version == load_law().version


def test_a_kept_scenario_is_checked_under_a_law_that_is_new_here_beside_a_run() -> None:
    held = Held("simulate")
    with running(held, no_warm_up, workers=1, admitted_runs=1) as server:
        with Client(f"127.0.0.1:{server.port}") as client:
            client.save_scenario(Scenario.from_text(scenario_text()))
        call = server.simulation.Simulate(simulation(rows(20)), timeout=10 * TIMEOUT)
        assert held.begun.wait(TIMEOUT)
        storage = server.server._storage
        with storage._database.begin() as connection:
            connection.execute(SCENARIO_CHECKS.update().values(law_digest="0" * 64))
        law, checks = LAWS.settle(LATEST), server.server._scenario_checks
        assert len(storage.scenarios.unchecked(law.digest)) == 1
        done = asyncio.run_coroutine_threadsafe(checks.check_all(law), server.loop)
        try:
            done.result(TIMEOUT)
        finally:
            done.cancel()
            call.cancel()
        assert storage.scenarios.unchecked(law.digest) == []
