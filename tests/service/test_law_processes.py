"""Law packs of several server processes: who was answered by the newest law can name it at every process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tariffs.engine.errors import LawError, ServiceError
from tariffs.engine.law import load_law
from tariffs.service.handlers.methods import Watchers
from tariffs.service.rpc.laws import Laws, ServedLaw
from tariffs.service.server.server import TariffServer
from tariffs.service.storage.law_store import LawStore
from tariffs.v1 import duty_service_pb2_grpc
from tests.law.packs import CHARGED, EXEMPT, NEWER, drop, key_pair, newer_pack
from tests.service.harness import TIMEOUT, Running, fails, no_warm_up, running
from tests.service.processes import Log, served
from tests.service.stored import until
from tests.service.test_law_versions import PACK, SERVED, quoted, states, toys

CONNECTIONS = 6
APART = (("grpc.use_local_subchannel_pool", 1),)
"""Channels of one program share a connection, and with it a server process, unless they are told not to."""


@pytest.mark.slow
def test_a_version_that_one_process_answers_by_is_known_to_all(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    packs = tmp_path / "packs"
    packs.mkdir()
    given = {
        "TARIFFS_LAW_DIR": str(packs), "TARIFFS_LAW_KEYS": str(public), "TARIFFS_LAW_DEFAULT": "latest",
    }  # fmt: skip
    pack = newer_pack(tmp_path, key=private)
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


def test_a_law_can_be_named_before_it_is_the_newest_and_after_it_is_gone(tmp_path: Path) -> None:
    """As on a port where another process is ahead, or behind."""
    packs = tmp_path / "packs"
    packs.mkdir()
    pack, ahead = newer_pack(tmp_path), threading.Event()

    def hold(server: TariffServer) -> None:
        watch = server._law_watch
        serve_one = watch._serve_one

        def wait(served: ServedLaw) -> None:
            ahead.wait(TIMEOUT)
            serve_one(served)

        watch._serve_one = wait  # type: ignore[method-assign] # the other processes are ahead

    given: dict[str, Any] = {"law_dir": packs, "law_unsigned": True, "law_default": "latest"}
    with running(warm=no_warm_up, on_built=hold, **given) as server:
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


def test_a_stored_copy_of_a_pack_is_no_other_law_than_its_name_says(tmp_path: Path) -> None:
    laws = Laws()
    laws.store = LawStore(tmp_path / "laws")
    pack = newer_pack(tmp_path)
    laws.store.add("0" * 64, pack)
    with pytest.raises(LawError, match="another law") as caught:
        laws.named(f"{NEWER}@{'0' * 64}")
    assert caught.value.reason == "LAW_PACK_INVALID"


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
