"""Law packs of several server processes: who was answered by the newest law can name it at every process."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from tariffs.engine.errors import LawError, ServiceError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.pack.read import read_pack
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.service.handlers.methods import Watchers
from tariffs.service.rpc import laws
from tariffs.service.rpc.laws import Laws, ServedLaw
from tariffs.service.server.server import TariffServer
from tariffs.service.storage.law_store import LawStore
from tariffs.v1 import duty_service_pb2_grpc
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, drop, newer_pack
from tests.service.harness import TIMEOUT, Running, fails
from tests.service.law_packs import PACK, SERVED, quoted, states, toys, watching
from tests.service.processes import Log, served
from tests.service.stored import until

CONNECTIONS = 6
APART = (("grpc.use_local_subchannel_pool", 1),)
"""Channels of one program share a connection, and with it a server process, unless they are told not to."""


@pytest.mark.slow
def test_a_version_that_one_process_answers_by_is_known_to_all(
    tmp_path: Path, packs: Path, keys: Path, pack: bytes
) -> None:
    given = {
        "TARIFFS_LAW_DIR": str(packs), "TARIFFS_LAW_KEYS": str(keys), "TARIFFS_LAW_DEFAULT": "latest",
    }  # fmt: skip
    with served(tmp_path / "state", **given) as (_, log), connections(_port(log)) as stubs:
        drop(pack, packs, PACK)
        until(lambda: all_know_what_each_answers(stubs) == {NEWER})
        assert log.until("law served")["pid"] != log.until("law served")["pid"]
        assert {_assessed(stub, NEWER) for stub in stubs} == {EXEMPT}
        # One that comes back needs no check, by which the processes could wait for each other.
        (packs / PACK).unlink()
        until(lambda: all_know_what_each_answers(stubs) == {load_law().version})
        drop(pack, packs, PACK)
        until(lambda: all_know_what_each_answers(stubs) == {NEWER})


def _port(log: Log) -> int:
    first, second = log.until("serving"), log.until("serving")
    assert first["pid"] != second["pid"]
    return int(first["port"])


@contextmanager
def connections(port: int) -> Iterator[list[Any]]:
    with ExitStack() as stack:
        channels = [
            stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}", options=APART))
            for _ in range(CONNECTIONS)
        ]
        yield [duty_service_pb2_grpc.DutyServiceStub(channel) for channel in channels]


def all_know_what_each_answers(stubs: list[Any]) -> set[str]:
    """Name at each connection the version of each answer without a name; return these versions."""
    found = {stub.CalculateDuty(toys(), timeout=TIMEOUT).provenance.law_version for stub in stubs}
    for version in found:
        for stub in stubs:
            assert _assessed(stub, version)
    return found


def _assessed(stub: Any, law_version: str) -> str:
    return str(stub.CalculateDuty(toys(law_version), timeout=TIMEOUT).assessed)


def test_a_law_can_be_named_before_it_is_the_newest_and_after_it_is_gone(
    packs: Path, keys: Path, pack: bytes, state: Path
) -> None:
    """As on a port where another process is ahead, or behind."""
    ahead = threading.Event()

    def hold(server: TariffServer) -> None:
        watch = server._law_watch
        serve_one = watch._serve_one

        def wait(served: ServedLaw) -> None:
            ahead.wait(TIMEOUT)
            serve_one(served)

        watch._serve_one = wait  # type: ignore[method-assign] # the other processes are ahead

    with watching(packs, keys, on_built=hold, state_dir=state) as server:
        drop(pack, packs, PACK)
        until(lambda: _named(server))
        assert (quoted(server)[0], states(server)[PACK] == SERVED) == (CHARGED, False)
        ahead.set()
        until(lambda: quoted(server) == (EXEMPT, NEWER))
        watch = server.server._law_watch
        watch._settle_seconds = 600.0
        (packs / PACK).unlink()
        until(lambda: PACK not in states(server))
        assert quoted(server)[0] == CHARGED
        assert quoted(server, NEWER) == (EXEMPT, NEWER)
        # One that is put back while it can still be named is served again, and stays when the time is over.
        watch._settle_seconds = 0.0
        drop(pack, packs, PACK)
        until(lambda: quoted(server) == (EXEMPT, NEWER))
        watch._leaving = dict.fromkeys(watch._leaving, 0.0)
        until(lambda: not watch._leaving)
        assert quoted(server) == (EXEMPT, NEWER)
        watch._settle_seconds = 600.0
        (packs / PACK).unlink()
        until(lambda: PACK not in states(server))
        watch._leaving = dict.fromkeys(watch._leaving, 0.0)
        until(lambda: not _named(server))
        assert fails(lambda: quoted(server, NEWER)).reason == "LAW_VERSION_NOT_FOUND"


def test_a_stored_copy_of_a_pack_is_no_other_law_than_its_name_says(tmp_path: Path, pack: bytes) -> None:
    own = Laws()
    own.store = LawStore(tmp_path / "laws")
    own.store.add("0" * 64, pack)
    with pytest.raises(LawError, match="another law") as caught:
        own.named(f"{NEWER}@{'0' * 64}")
    assert caught.value.reason == "LAW_PACK_INVALID"


@pytest.mark.slow
def test_a_law_that_nobody_has_any_more_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: bytes, following: bytes
) -> None:
    monkeypatch.setattr(laws, "_LOADED", 1)
    packs = (pack, following, newer_pack(tmp_path, "2026.12.09.1", origin="DE"))
    served, seen = Laws(), list[weakref.ref[Law]]()
    found = [served_law(tmp_path / f"{number}.tar.zst", data) for number, data in enumerate(packs)]
    served.serve(found[0])
    held = served.named(found[0].version)
    use(held)
    seen.append(weakref.ref(held))
    for before, one in pairwise(found):
        served.serve(one)
        served.withdraw({before.digest})
        seen.append(weakref.ref(served.named(one.version)))
        use(served.named(one.version))
    # A run that has the first goes on with it, and whoever names it for good gets the same and not another copy.
    assert served.named(f"{found[0].version}@{found[0].digest}") is held
    del held
    served.withdraw({found[2].digest})
    # What the engine keeps of a run is that of the table used last.
    use(served.default)
    gc.collect()
    assert [one() is not None for one in seen] == [False, False, True]


def served_law(path: Path, pack: bytes) -> ServedLaw:
    path.write_bytes(pack)
    manifest = read_pack(pack, path.name).manifest
    return ServedLaw(manifest.version, manifest.digest, path=path)


def use(law: Law) -> None:
    """Have what a server has of a law: its quotes, and a run over the embedded table."""
    quote_line(law, EntryLine(TOYS["hts"], TOYS["origin"], TOYS["value"], TOYS["entry"]))
    impact(None, [Point(library()["base"], "")], law=law, options=Options(by=("origin",), response="none"))


def test_a_caller_has_half_of_the_watches() -> None:
    watchers = Watchers("watchers")
    with ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(watchers.place("ann"))
        with pytest.raises(ServiceError) as caught:
            stack.enter_context(watchers.place("ann"))
        stack.enter_context(watchers.place("bob"))
    assert caught.value.reason == "TOO_MANY_STREAMS"


def _named(server: Running) -> bool:
    try:
        return quoted(server, NEWER) == (EXEMPT, NEWER)
    except grpc.RpcError:
        return False
