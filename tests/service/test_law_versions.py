"""Law packs on a running server: checked, warmed and served while calls go on; refused ones change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from tariffs.engine.law import load_law
from tariffs.v1 import duty_service_pb2
from tariffs.v1 import law_service_pb2 as pb
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, drop, key_pair, newer_pack
from tests.service.harness import TIMEOUT, Running, fails, line, running
from tests.service.stored import until

PACK = f"law-{NEWER}.tar.zst"
SERVED, LOADING, REFUSED = pb.LAW_STATE_SERVED, pb.LAW_STATE_LOADING, pb.LAW_STATE_REFUSED


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return key_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]) -> bytes:
    return newer_pack(tmp_path_factory.mktemp("law"), key=keys[0])


@pytest.fixture
def watched(tmp_path: Path, keys: tuple[Path, Path]) -> Iterator[tuple[Running, Path]]:
    """A server that watches a directory of packs, which is empty."""
    packs = tmp_path / "packs"
    packs.mkdir()
    with running(law_dir=packs, law_keys=keys[1]) as started:
        yield started, packs


def toys(law_version: str = "") -> duty_service_pb2.CalculateDutyRequest:
    given = {name: value for name, value in TOYS.items() if name != "value"}
    request = line(**given, customs_value=TOYS["value"])
    request.law_version = law_version
    return request


def quoted(server: Running, law_version: str = "") -> tuple[str, str]:
    answer = server.duty.CalculateDuty(toys(law_version), timeout=TIMEOUT)
    return answer.assessed, answer.provenance.law_version


def versions(server: Running) -> list[Any]:
    return list(server.law.ListVersions(pb.ListVersionsRequest(), timeout=TIMEOUT).versions)


def states(server: Running) -> dict[str, int]:
    return {one.pack or "built in": one.state for one in versions(server)}


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
