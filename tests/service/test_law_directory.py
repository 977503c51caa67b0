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
from tests.service.scraped import scraped, value
from tests.service.stored import until
from tests.service.test_lifecycle import NOT_SERVING, health

BAD = "bad.tar.zst"
STOP_SECONDS = 20.0
FAILING = "tariffs_law_directory_failing"


@contextmanager
def waiting(
    packs: Path, keys: Path, then: Callable[[TariffServer], None], **settings: Any
) -> Iterator[Running]:
    """A server that waits for its packs, which `then` brings; it must have said so before."""
    seen: list[Any] = []

    def look(server: TariffServer) -> None:
        until(lambda: server.metrics_port and scraped(server.metrics_port)[FAILING].samples[0].value)
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = Running(server.port, channel, server, server._law_watch)  # type: ignore[arg-type] # no loop needed
            seen.extend((health(channel), fails(lambda: quoted(stub)).reason))
        then(server)

    def begin(server: TariffServer) -> None:
        threading.Thread(target=look, args=(server,)).start()

    with watching(packs, keys, on_built=begin, metrics_port=0, **settings) as server:
        assert seen == [NOT_SERVING, "WARMING_UP"]
        assert value(scraped(server.server.metrics_port), FAILING) == 0
        yield server


def test_a_server_whose_packs_cannot_be_listed_waits_for_them(
    tmp_path: Path, state: Path, pack: bytes, keys: Path
) -> None:
    place = tmp_path / "mounted"

    def mount(server: TariffServer) -> None:
        watch = server._law_watch
        until(lambda: "No such file" in watch.fault)
        place.write_text("no directory")
        until(lambda: "Not a directory" in watch.fault)
        place.unlink()
        place.symlink_to(place)
        until(lambda: "symbolic links" in watch.fault)
        place.unlink()
        drop(pack, tmp_path / "new", PACK)
        (tmp_path / "new").rename(place)

    with waiting(place, keys, mount, state_dir=state) as server:
        assert quoted(server) == (EXEMPT, NEWER)


def test_a_server_waits_for_the_least_version_of_its_default(
    packs: Path, state: Path, pack: bytes, following: bytes, keys: Path
) -> None:
    def bring(_: TariffServer) -> None:
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


def a_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        # A long path does not fit into an address.
        here = Path.cwd()
        os.chdir(place.parent)
        try:
            one.bind(place.name)
        finally:
            os.chdir(here)


SPOILT: dict[str, Callable[[Path], Any]] = {
    "dangling.tar.zst": lambda place: place.symlink_to("not there"),
    "loop.tar.zst": lambda place: place.symlink_to(place.name),
    "pipe.tar.zst": os.mkfifo,
    "link to a pipe.tar.zst": lambda place: place.symlink_to("pipe.tar.zst"),
    "folder.tar.zst": Path.mkdir,
    "socket.tar.zst": a_socket,
}


def test_bad_entries_stop_neither_the_start_nor_updates_nor_rollbacks_nor_the_end(
    packs: Path, state: Path, pack: bytes, following: bytes, keys: Path
) -> None:
    drop(pack, packs, PACK)
    at_start = list(SPOILT)[:3]
    for name in at_start:
        SPOILT[name](packs / name)
    with watching(packs, keys, state_dir=state) as server:
        assert quoted(server) == (EXEMPT, NEWER)
        assert {name: states(server)[name] for name in at_start} == dict.fromkeys(at_start, REFUSED)
        for name in SPOILT.keys() - {*at_start}:
            SPOILT[name](packs / name)
        until(lambda: all(states(server).get(name) == REFUSED for name in SPOILT), TIMEOUT)
        refused = [one for one in versions(server) if one.pack in SPOILT]
        assert {(one.reason, one.pack in one.message) for one in refused} == {("LAW_PACK_INVALID", True)}
        drop(following, packs, NEXT)
        until(lambda: quoted(server) == (CHARGED, FOLLOWING), TIMEOUT)
        (packs / NEXT).unlink()
        until(lambda: quoted(server) == (EXEMPT, NEWER), TIMEOUT)
        assert states(server).keys() == {"built in", PACK, *SPOILT}
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


def test_the_check_lists_packs_and_what_would_be_served(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Any, packs: Path, pack: bytes, keys: Path
) -> None:
    monkeypatch.setattr(serving, "warm_up", no_warm_up)
    monkeypatch.setenv("TARIFFS_STATE_DIR", str(tmp_path / "state"))

    def told(code: int, packs: Path, law_default: str) -> list[str]:
        assert serving.check(law_dir=packs, law_keys=keys, law_default=law_default) == code
        lines = capfd.readouterr().out.splitlines()
        return [one for one in lines if one.startswith(("law ", "pack ", '{"reason": "SETTING'))]

    own = load_law().version
    drop(pack, packs, PACK)
    (packs / BAD).symlink_to("not there")
    served, built_in, refused = told(0, packs, "latest")[:3]
    assert served == f"law {NEWER}: served, latest, default  ({PACK})"
    assert built_in == f"law {own}: served  (built in)"
    assert refused.startswith(f"pack {BAD}: refused, LAW_PACK_INVALID: {BAD}: it cannot be read")
    assert not (tmp_path / "state").exists()
    for default in ("latest", f"latest>={NEWER}"):
        lines = told(2, tmp_path / "nowhere", default)
        assert any("nowhere'. Mount the directory TARIFFS_LAW_DIR" in one for one in lines), lines
    (packs / PACK).unlink()
    assert f"law {own}: served, latest, default  (built in)" in told(2, packs, f"latest>={NEWER}")


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


@pytest.mark.parametrize("broken", ["packs", "keys"])
def test_a_refusal_names_its_own_file(tmp_path: Path, packs: Path, pack: bytes, broken: str) -> None:
    """Also where the same bytes were checked before under another name, by this server or by another."""
    keys, given = key_pair(tmp_path)[1], {"law_unsigned": True, "state_dir": tmp_path / "state"}
    data = {"damaged": pack[:-1000]}
    if broken == "keys":
        keys.write_text("no keys")
        data = {"whole": pack}
    else:
        golden = golden_case(tmp_path / "golden", assessed="1.00")
        data["case"] = build_pack(law_copy(tmp_path / "law"), golden=golden)

    def put(where: str) -> None:
        for name, one in data.items():
            drop(one, packs, f"{name}-{where}.tar.zst")

    put("one")
    with watching(packs, keys, **given) as server:
        put("other")
        until(lambda: list(states(server).values()).count(REFUSED) == 2 * len(data))
        for name in data:
            said, other = (message(server, f"{name}-{where}.tar.zst") for where in ("one", "other"))
            assert said.startswith(f"{name}-one.tar.zst: ")
            assert other == said.replace("-one.", "-other.")
            assert (str(keys) in said) == (broken == "keys")
            (packs / f"{name}-one.tar.zst").rename(packs / f"{name}-third.tar.zst")
    with watching(packs, keys, **given) as server:
        for name in data:
            assert message(server, f"{name}-third.tar.zst").startswith(f"{name}-third.tar.zst: ")
