"""Law packs on the servers of tests: what a server answers by and says of its packs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tariffs.v1 import duty_service_pb2
from tariffs.v1 import law_service_pb2 as pb
from tests.law.packs import NEWER, TOYS
from tests.service.harness import TIMEOUT, Running, line, no_warm_up, running

FOLLOWING = "2026.12.05.1"
"""Version of a pack that exempts toys from another origin."""
PACK, NEXT = (f"law-{version}.tar.zst" for version in (NEWER, FOLLOWING))
SERVED, REFUSED = pb.LAW_STATE_SERVED, pb.LAW_STATE_REFUSED


@contextmanager
def watching(packs: Path, keys: Path, **settings: Any) -> Iterator[Running]:
    """A server whose calls without a name get the newest law of a directory of signed packs."""
    given = {"law_dir": packs, "law_keys": keys, "law_default": "latest", **settings}
    with running(warm=no_warm_up, **given) as server:
        yield server


def toys(law_version: str = "") -> duty_service_pb2.CalculateDutyRequest:
    given = {name: value for name, value in TOYS.items() if name != "value"}
    request = line(**given, customs_value=TOYS["value"])
    request.law_version = law_version
    return request


def quoted(server: Running, law_version: str = "") -> tuple[str, str]:
    """The duty on the toys and the version of the law that it is under."""
    answer = server.duty.CalculateDuty(toys(law_version), timeout=TIMEOUT)
    return answer.assessed, answer.provenance.law_version


def versions(server: Running) -> list[Any]:
    return list(server.law.ListVersions(pb.ListVersionsRequest(), timeout=TIMEOUT).versions)


def states(server: Running) -> dict[str, int]:
    """The state of each law by its pack."""
    return {one.pack or "built in": one.state for one in versions(server)}


def message(server: Running, name: str) -> str:
    """Why a pack is refused."""
    return str(next(one.message for one in versions(server) if one.pack == name))
