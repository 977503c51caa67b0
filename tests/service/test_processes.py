"""Several servers or processes of one: dead ones are replaced, their runs ended by others, all drain on SIGTERM."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.client import Client
from tariffs.engine.errors import ServiceError
from tariffs.service.server import supervisor
from tariffs.service.settings.settings import Settings
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import no_warm_up, running
from tests.service.processes import SECONDS, served, stubs
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
from tests.service.web_calls import post

TOKEN = "token-of-alice"
TOYS = {"hts": "9503.00.0073", "origin": "CN", "customs_value": "1000", "entry": "2025-10-01"}
DAYS = [(name, f"2026-{month:02}-15") for month in (4, 9) for name in ("base", "truce-lapses")]
RUN = simulation(rows(1), asked=DAYS, embedded=pb.EmbeddedTable(), include_lines=False, by=["origin"])


def quote(port: int) -> str:
    with Client(f"127.0.0.1:{port}", token=TOKEN) as client:
        return str(
            client.duty(TOYS["hts"], origin="CN", entry_date=TOYS["entry"], value=1000, timeout=30).assessed
        )


def quote_in_json(port: int) -> str:
    known = {"authorization": f"Bearer {TOKEN}"}
    return str(post(port, "DutyService/CalculateDuty", {"line": TOYS}, **known).json["assessed"])


@pytest.mark.kill
def test_a_killed_process_is_replaced_and_all_drain_together(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"alice {TOKEN}\n")
    given = {"TARIFFS_TOKENS_FILE": str(tokens), "TARIFFS_HTTP_PORT": "0"}
    with served(tmp_path, **given) as (process, log):
        started = log.until("supervisor started")
        port, http_port = started["port"], started["http_port"]
        first, second = log.until("serving"), log.until("serving")
        assert first["port"] == second["port"] == port
        assert len({first["pid"], second["pid"], process.pid}) == 3
        os.kill(first["pid"], signal.SIGKILL)
        ended = log.until("process ended")
        assert (ended["process"], ended["exit_code"]) == (first["pid"], -signal.SIGKILL)
        assert {quote(port) for _ in range(5)} == {"300.00"}
        assert log.until("serving")["pid"] not in {first["pid"], second["pid"]}
        assert {quote_in_json(http_port) for _ in range(10)} == {"300.00"}
        process.send_signal(signal.SIGHUP)
        assert log.until("tokens read")["pid"] != log.until("tokens read")["pid"]
        assert quote(port) == "300.00"
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        events = [line["event"] for line in log.rest()]
        assert events.count("stopped") == 2
        assert events[-1] == "supervisor stopped"


@pytest.mark.kill
def test_servers_leave_when_the_one_who_started_them_is_killed(tmp_path: Path) -> None:
    with served(tmp_path) as (process, log):
        port = log.until("supervisor started")["port"]
        for _ in range(2):
            log.until("serving")
        process.kill()
        process.wait(10)
        log.rest()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.kill
def test_what_no_new_start_mends_ends_all(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("only-a-name\n")
    with served(tmp_path, TARIFFS_TOKENS_FILE=str(tokens)) as (process, log):
        assert process.wait(SECONDS) == 2
        failed = [line for line in log.rest() if line["event"] == "failed"]
        assert "SETTING_INVALID" in {line["reason"] for line in failed}


@pytest.mark.kill
@pytest.mark.slow
def test_another_server_ends_the_run_of_one_that_was_killed(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    # A lease longer than a server that lives may be held up on a busy machine: its runs must not be taken from it.
    settings = {"TARIFFS_PROCESSES": "1", "TARIFFS_LEASE_SECONDS": "4"}
    settings["TARIFFS_DATABASE_URL"] = new_database()
    with ExitStack() as stack:
        both = [stack.enter_context(served(tmp_path / "state", **settings)) for _ in range(2)]
        first, second = (stack.enter_context(stubs(log.until("serving")["port"])) for _, log in both)
        name = start(first, RUN, "kill-1").name
        until(lambda: metadata_of(get(first, name)).finished_parts >= 1)
        (killed,) = until(lambda: [process for process, log in both if log.has("run leased")])
        other = second if killed is both[0][0] else first
        assert not get(other, name).done, "the run ended before its server could be killed"
        killed.kill()
        whole = results(read(other, name))
        assert metadata_of(wait(other, name)).attempts == 2
        assert start(other, RUN, "kill-1").name == name
        assert whole == simulated(other, RUN)


def test_a_port_that_is_taken_is_never_shared_and_lets_its_own_in() -> None:
    settings = Settings(port=0, processes=2)
    held = supervisor._reserve(settings)
    port = int(held[0].getsockname()[1])
    taken = settings.model_copy(update={"port": port})
    try:
        with pytest.raises(ServiceError) as caught:
            supervisor.Supervisor(taken, never).run()
        assert caught.value.reason == "SERVER_UNAVAILABLE"
        with pytest.raises(ServiceError) as caught, running(warm=no_warm_up, port=port):
            pass
        assert caught.value.reason == "SERVER_UNAVAILABLE"
        own = supervisor._bind(held[0].family, ("127.0.0.1", port), socket.SO_REUSEPORT)
        own.listen()
        own.close()
    finally:
        for one in held:
            one.close()


def test_who_dies_again_and_again_waits_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    dead: Any = SimpleNamespace(pid=1, close=lambda: None)
    now = time.monotonic()
    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: now))
    watched = supervisor.Supervisor(Settings(processes=2), never)
    slot = watched._slots[0]
    slot.served = True
    waits = []
    for _ in range(8):
        slot.started = now
        watched._clear(slot, dead, 1)
        waits.append(slot.due - now)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.5, 30.0)
    assert watched._failed == 0
    slot.started = now - 3600
    watched._clear(slot, dead, 1)
    assert slot.due - now == 0.5


def never(*_: object) -> int:
    raise AssertionError("nothing is to be served")


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("tariffs.service.server.server", ("numba", "llvmlite", "alembic")),
        ("tariffs.service.server.warmup", ("numba", "llvmlite", "sqlalchemy", "alembic")),
        ("tariffs.service.rpc.runs", ("sqlalchemy", "alembic")),
    ],
)
def test_a_process_does_not_load_libraries_for_the_work_of_others(
    module: str, absent: tuple[str, ...]
) -> None:
    # A compiler takes 55 MB in a server, a database 28 MB in each worker.
    program = f"import sys, {module}; print(*sorted({set(absent)!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not done.stdout.strip()
