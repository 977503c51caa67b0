"""Several servers on one run store: the run of a killed server is finished by another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running
from tests.service.stored import (
    get,
    metadata_of,
    read,
    results,
    rows,
    simulated,
    simulation,
    start,
    until,
    wait,
)

DAYS = [(name, f"2026-{month:02}-15") for month in (4, 9) for name in ("base", "truce-lapses")]
REQUEST = simulation(rows(1), asked=DAYS, embedded=pb.EmbeddedTable(), include_lines=False, by=["origin"])


@dataclass(frozen=True)
class Process:
    """A server in a process of its own, and stubs for it."""

    process: subprocess.Popen[bytes]
    stubs: Running
    log: Path


@contextlib.contextmanager
def process(state: Path, database: str, log: Path) -> Iterator[Callable[[], Any]]:
    """A server on its way, so that several start at a time; what is yielded waits until it serves."""
    environment = {
        **os.environ,
        "TARIFFS_STATE_DIR": str(state),
        "TARIFFS_DATABASE_URL": database,
        # Longer than a server that lives may be held up on a busy machine: its runs must not be taken from it.
        "TARIFFS_LEASE_SECONDS": "4",
        "TARIFFS_WORKERS": "1",
        "TARIFFS_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "tests.service.light_server", "--port", "0"]
    with log.open("wb") as stream:
        started = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment)
    try:
        yield partial(_serving, started, log)
    finally:
        started.kill()
        started.wait()


@contextlib.contextmanager
def _serving(started: subprocess.Popen[bytes], log: Path) -> Iterator[Process]:
    port = until(lambda: _port(log))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        # Of a server elsewhere there are only stubs.
        yield Process(started, Running(port, channel, cast(Any, None), cast(Any, None)), log)


def _port(log: Path) -> int | None:
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("event") == "serving":
            return int(record["port"])
    return None


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.sqlite'}"
    return str(request.getfixturevalue("postgresql")())


@pytest.mark.kill
@pytest.mark.slow
def test_another_server_ends_the_run_of_one_that_was_killed(database: str, tmp_path: Path) -> None:
    with (
        process(tmp_path / "state", database, tmp_path / "0.log") as one,
        process(tmp_path / "state", database, tmp_path / "1.log") as another,
        one() as first,
        another() as second,
    ):
        name = start(first.stubs, REQUEST, "kill-1").name
        until(lambda: metadata_of(get(first.stubs, name)).finished_parts >= 1)
        taken = {
            started: "run leased" in started.log.read_text(encoding="utf-8") for started in (first, second)
        }
        (killed,), (other,) = ([one for one in taken if taken[one] is took] for took in (True, False))
        assert not get(other.stubs, name).done, "the run ended before its server could be killed"
        os.kill(killed.process.pid, signal.SIGKILL)
        whole = results(read(other.stubs, name))
        assert metadata_of(wait(other.stubs, name)).attempts == 2
        assert start(other.stubs, REQUEST, "kill-1").name == name
        assert whole == simulated(other.stubs, REQUEST)
