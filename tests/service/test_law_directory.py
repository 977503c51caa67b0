"""The directory of law packs: away at the start, or with entries that are no packs; neither is silent or blocks."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog

from tariffs.engine.errors import LawError, ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.law.pack.build import build_pack
from tariffs.service.rpc.laws import ServedLaw
from tariffs.service.server import serving
from tariffs.service.server.law_directory import LawDirectory
from tariffs.service.server.law_watch import STEADY_SECONDS
from tariffs.service.server.server import TariffServer
from tests.law.packs import CHARGED, EXEMPT, NEWER, drop, golden_case, key_pair, law_copy
from tests.service.harness import TIMEOUT, Running, fails, no_warm_up
from tests.service.law_packs import (
    FOLLOWING,
    NEXT,
    PACK,
    REFUSED,
    SERVED,
    message,
    quoted,
    states,
    versions,
    watching,
)
from tests.service.processes import served, stop
from tests.service.stored import until
from tests.service.test_lifecycle import NOT_SERVING, health
from tests.service.test_metric_names import scraped, value

BAD = "bad.tar.zst"
STOP_SECONDS = 20.0
FAILING = "tariffs_law_directory_failing"


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    return tmp_path / "packs"


@pytest.fixture
def keys(law_keys: tuple[Path, Path]) -> Path:
    return law_keys[1]


@contextmanager
def waiting(packs: Path, keys: Path, then: Callable[[], None], **settings: Any) -> Iterator[Running]:
    """A server that waits for its packs, which `then` brings; it must have said so before."""
    seen: list[Any] = []

    def look(server: TariffServer) -> None:
        until(lambda: server.metrics_port and scraped(server.metrics_port)[FAILING].samples[0].value)
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = Running(server.port, channel, server, server._law_watch)  # type: ignore[arg-type] # no loop needed
            seen.extend((health(channel), fails(lambda: quoted(stub)).reason))
        then()

    def begin(server: TariffServer) -> None:
        threading.Thread(target=look, args=(server,)).start()

    with watching(packs, keys, on_built=begin, metrics_port=0, **settings) as server:
        assert seen == [NOT_SERVING, "WARMING_UP"]
        assert value(scraped(server.server.metrics_port), FAILING) == 0
        yield server


def dangling(place: Path) -> None:
    place.symlink_to(place.with_name("not there"))


def plain_file(place: Path) -> None:
    place.write_text("no directory")


def loop(place: Path) -> None:
    place.symlink_to(place)


@pytest.mark.parametrize("spoil", [lambda _: None, plain_file, loop], ids=["nowhere", "plain file", "loop"])
def test_a_server_whose_packs_cannot_be_listed_waits_for_them(
    spoil: Callable[[Path], None], tmp_path: Path, state: Path, pack: bytes, keys: Path
) -> None:
    place = tmp_path / "mounted"
    spoil(place)

    def mount() -> None:
        place.unlink(missing_ok=True)
        drop(pack, tmp_path / "new", PACK)
        (tmp_path / "new").rename(place)

    with waiting(place, keys, mount, state_dir=state) as server:
        assert quoted(server) == (EXEMPT, NEWER)


def test_a_server_waits_for_the_least_version_of_its_default(
    packs: Path, state: Path, pack: bytes, following: bytes, keys: Path
) -> None:
    def bring() -> None:
        drop(pack, packs, PACK)

    with (
        waiting(packs, keys, bring, law_default=f"latest>={NEWER}", state_dir=state) as server,
        structlog.testing.capture_logs() as told,
    ):
        assert quoted(server) == quoted(server, "latest") == (EXEMPT, NEWER)
        drop(following, packs, NEXT)
        until(lambda: quoted(server) == (CHARGED, FOLLOWING))
        (packs / NEXT).unlink()
        until(lambda: quoted(server) == (EXEMPT, NEWER))
        (line,) = [one for one in told if one["event"] == "law withdrawn"]
        assert (line["law"], line["pack"], len(line["digest"])) == (FOLLOWING, NEXT, 64)
        # No rollback goes below it.
        (packs / PACK).unlink()
        until(lambda: any(one["event"] == "law kept" for one in told))
        assert quoted(server) == (EXEMPT, NEWER)
        # One that was kept goes when there is another.
        drop(following, packs, NEXT)
        until(lambda: quoted(server) == (CHARGED, FOLLOWING))
        until(lambda: NEWER not in [one.version for one in versions(server)])


def test_a_built_in_law_that_is_new_enough_is_the_least_version(packs: Path, keys: Path) -> None:
    own = load_law().version
    with watching(packs, keys, law_default=f"latest>={own}") as server:
        assert quoted(server) == (CHARGED, own)


def test_a_server_that_waits_for_its_packs_ends_at_sigterm(tmp_path: Path) -> None:
    given = {"TARIFFS_LAW_UNSIGNED": "true", "TARIFFS_LAW_DEFAULT": "latest", "TARIFFS_PROCESSES": "1"}
    with served(tmp_path / "state", TARIFFS_LAW_DIR=str(tmp_path / "nowhere"), **given) as (process, log):
        assert str(tmp_path / "nowhere") in log.until("law directory not read")["message"]
        stop(process)
        assert process.returncode == 0
        assert "serving" not in [one["event"] for one in log.rest()]


def pipe(place: Path) -> None:
    os.mkfifo(place)


def link_to_pipe(place: Path) -> None:
    os.mkfifo(place.with_name("pipe"))
    place.symlink_to("pipe")


def folder(place: Path) -> None:
    place.mkdir()


def a_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        # A long path does not fit into an address.
        here = Path.cwd()
        os.chdir(place.parent)
        try:
            one.bind(place.name)
        finally:
            os.chdir(here)


def test_bad_entries_stop_neither_the_start_nor_updates_nor_rollbacks_nor_the_end(
    packs: Path, state: Path, pack: bytes, following: bytes, keys: Path
) -> None:
    drop(pack, packs, PACK)
    bad = {
        f"{spoil.__name__}.tar.zst": spoil for spoil in (dangling, loop, pipe, link_to_pipe, folder, a_socket)
    }
    at_start = list(bad)[:3]
    for name in at_start:
        bad[name](packs / name)
    with watching(packs, keys, state_dir=state) as server:
        assert quoted(server) == (EXEMPT, NEWER)
        assert {name: states(server)[name] for name in at_start} == dict.fromkeys(at_start, REFUSED)
        for name in bad.keys() - {*at_start}:
            bad[name](packs / name)
        until(lambda: all(states(server).get(name) == REFUSED for name in bad), TIMEOUT)
        refused = [one for one in versions(server) if one.pack in bad]
        assert {(one.reason, one.pack in one.message) for one in refused} == {("LAW_PACK_INVALID", True)}
        drop(following, packs, NEXT)
        until(lambda: quoted(server) == (CHARGED, FOLLOWING), TIMEOUT)
        (packs / NEXT).unlink()
        until(lambda: quoted(server) == (EXEMPT, NEWER), TIMEOUT)
        assert states(server).keys() == {"built in", PACK, *bad}
        began = time.monotonic()
    assert time.monotonic() - began < STOP_SECONDS


def test_a_pack_that_becomes_a_pipe_after_it_was_listed_is_refused(tmp_path: Path, pack: bytes) -> None:
    drop(pack, tmp_path, PACK)
    directory = LawDirectory(tmp_path)
    assert directory.entries()
    (tmp_path / PACK).unlink()
    os.mkfifo(tmp_path / PACK)
    with pytest.raises(LawError, match="no plain file"):
        directory.read(PACK)


def test_a_law_is_served_though_its_warm_up_lasts_or_fails(
    packs: Path, pack: bytes, following: bytes, state: Path, keys: Path
) -> None:
    free = threading.Event()

    def lasts(_: ServedLaw) -> None:
        free.wait(TIMEOUT)

    def fails_now(_: ServedLaw) -> None:
        raise ServiceError("SHUTTING_DOWN", "The worker is gone.")

    def replace(server: TariffServer) -> None:
        server._law_watch._warm = (fails_now, lasts)

    try:
        with (
            watching(packs, keys, state_dir=state, on_built=replace) as server,
            structlog.testing.capture_logs() as told,
        ):
            drop(pack, packs, PACK)
            until(lambda: quoted(server) == (EXEMPT, NEWER), TIMEOUT / 2)
            assert [one["law"] for one in told if one["event"] == "law not warmed"] == [NEWER]
            drop(following, packs, NEXT)
            until(lambda: quoted(server) == (CHARGED, FOLLOWING), TIMEOUT / 2)
    finally:
        free.set()


def test_a_pack_that_is_written_while_it_is_looked_at_waits_until_it_is_whole(
    packs: Path, pack: bytes, state: Path, keys: Path
) -> None:
    with watching(packs, keys, state_dir=state) as server, structlog.testing.capture_logs() as told:
        with (packs / PACK).open("wb") as file:
            size = len(pack) // 10
            for start in range(0, len(pack), size):
                file.write(pack[start : start + size])
                file.flush()
                time.sleep(STEADY_SECONDS / 2)
        until(lambda: states(server).get(PACK) == SERVED, TIMEOUT)
        assert not [one for one in told if one["event"] == "law refused"]


def checked(
    capfd: pytest.CaptureFixture[str], packs: Path, keys: Path, law_default: str
) -> tuple[int, list[str]]:
    code = serving.check(law_dir=packs, law_keys=keys, law_default=law_default)
    told = capfd.readouterr().out.splitlines()
    return code, [one for one in told if one.startswith(("law ", "pack ", '{"reason": "SETTING'))]


def test_the_check_lists_packs_and_what_would_be_served(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    packs: Path,
    pack: bytes,
    keys: Path,
) -> None:
    monkeypatch.setattr(serving, "warm_up", no_warm_up)
    monkeypatch.setenv("TARIFFS_STATE_DIR", str(tmp_path / "state"))
    own = load_law().version
    drop(pack, packs, PACK)
    dangling(packs / BAD)
    code, told = checked(capfd, packs, keys, "latest")
    assert code == 0
    assert told[:2] == [f"law {NEWER}: served, latest, default  ({PACK})", f"law {own}: served  (built in)"]
    assert told[2].startswith(f"pack {BAD}: refused, LAW_PACK_INVALID: {BAD}: it cannot be read")
    assert not (tmp_path / "state").exists()
    for default in ("latest", f"latest>={NEWER}"):
        code, told = checked(capfd, tmp_path / "nowhere", keys, default)
        assert code == 2
        assert any("nowhere'. Mount the directory TARIFFS_LAW_DIR" in one for one in told), told
    (packs / PACK).unlink()
    code, told = checked(capfd, packs, keys, f"latest>={NEWER}")
    assert code == 2
    assert f"law {own}: served, latest, default  (built in)" in told


def test_a_pack_that_could_not_be_checked_or_stored_is_tried_again_and_forgotten_when_it_is_gone(
    packs: Path, pack: bytes, state: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Path(shutil.copy(keys, tmp_path / "keys.pem"))
    with watching(packs, public, state_dir=state) as server, structlog.testing.capture_logs() as told:
        public.unlink()
        drop(pack, packs, PACK)
        until(lambda: states(server).get(PACK) == REFUSED)
        # The keys are the file that is missing, and the pack is refused for them once.
        assert str(public) in message(server, PACK)
        watch = server.server._law_watch
        generation, looks = watch.generation, watch._looks
        until(lambda: watch._looks > looks + 2)
        assert watch.generation == generation
        assert len([one for one in told if one["event"] == "law refused"]) == 1
        (packs / PACK).unlink()
        until(lambda: PACK not in states(server), TIMEOUT)
        assert watch.counts()["refused"] == 0

        def full(digest: str, data: bytes) -> Path:
            raise ServiceError("STORAGE_UNAVAILABLE", "The server cannot write to its disk.")

        with monkeypatch.context() as patched:
            patched.setattr(server.server._storage.laws, "add", full)
            drop(pack, packs, PACK)
            until(lambda: states(server).get(PACK) == REFUSED)
            shutil.copy(keys, public)
            until(lambda: "its disk" in message(server, PACK))
        until(lambda: states(server).get(PACK) == SERVED)


@pytest.mark.parametrize("broken", ["damaged", "case", "keys"])
def test_a_refusal_names_its_own_file(tmp_path: Path, packs: Path, pack: bytes, broken: str) -> None:
    """Also where the same bytes were checked before under another name, by this server or by another."""
    keys, given = key_pair(tmp_path)[1], {"law_unsigned": True, "state_dir": tmp_path / "state"}
    data = {"damaged": pack[:-1000], "keys": pack}.get(broken) or build_pack(
        law_copy(tmp_path / "law"), golden=golden_case(tmp_path / "golden", assessed="1.00")
    )
    if broken == "keys":
        keys.write_text("no keys")
    drop(data, packs, "one.tar.zst")
    with watching(packs, keys, **given) as server:
        assert message(server, "one.tar.zst").startswith("one.tar.zst: ")
        drop(data, packs, "other.tar.zst")
        until(lambda: states(server).get("other.tar.zst") == REFUSED)
        assert message(server, "other.tar.zst") == message(server, "one.tar.zst").replace("one.", "other.")
        assert (str(keys) in message(server, "one.tar.zst")) == (broken == "keys")
    (packs / "one.tar.zst").rename(packs / "third.tar.zst")
    with watching(packs, keys, **given) as server:
        assert message(server, "third.tar.zst").startswith("third.tar.zst: ")
