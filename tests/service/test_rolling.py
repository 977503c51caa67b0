"""A rolling upgrade: servers are stopped and started one after the other, and no call that may be repeated fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client
from tests.service.processes import Log
from tests.tools.load.threads import beside

COMMAND = [sys.executable, "-m", "tests.service.light_server"]
LINES = pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [1000.0]})


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


class Server:
    """One server of two, in a process of its own."""

    def __init__(self, port: int, state: Path) -> None:
        self._environment = {
            **os.environ,
            "TARIFFS_PORT": str(port),
            "TARIFFS_WORKERS": "1",
            "TARIFFS_GRACE_SECONDS": "20",
            "TARIFFS_STATE_DIR": str(state),
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=self._environment)
        Log(self._process).until("serving")

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(300)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


class Callers:
    """Threads that call again and again, and count what they get."""

    def __init__(self, target: str) -> None:
        self.answers: Counter[str] = Counter()
        self.errors: list[BaseException] = []
        self._client = Client(target)
        self._stop = threading.Event()

    @contextmanager
    def calling(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._loop, args=one) for one in self._calls().items()]
        try:
            with beside(threads, self._stop, 120):
                yield
        finally:
            self._client.close()

    def _calls(self) -> dict[str, Callable[[], object]]:
        return {"quote": self._quote, "impact": self._impact, "measures": self._client.measures}

    def _quote(self) -> object:
        quote = self._client.duty(
            "9503.00.0073", origin="CN", value=1000, entry_date="2025-10-01", timeout=30
        )
        assert str(quote.assessed) == "300.00"
        return quote

    def _impact(self) -> object:
        return self._client.impact(LINES, ["base"], on="2026-01-15", response="none", timeout=120)

    def _loop(self, name: str, call: Callable[[], object]) -> None:
        # As fast as they can, they would take the processors from the servers that start.
        while not self._stop.wait(0.01):
            try:
                call()
            except BaseException as error:
                self.errors.append(error)
                return
            self.answers[name] += 1


@pytest.mark.kill
def test_two_servers_are_replaced_in_turn_without_a_failed_call(tmp_path: Path) -> None:
    ports = free_ports(2)
    servers = [Server(port, tmp_path) for port in ports]
    try:
        for server in servers:
            server.start()
        callers = Callers(",".join(f"127.0.0.1:{port}" for port in ports))
        with callers.calling():
            for server in servers:
                before = dict(callers.answers)
                assert server.stop() == 0
                server.start()
                assert not callers.errors
                assert callers.answers["quote"] > before.get("quote", 0)
        assert not callers.errors
        assert min(callers.answers[name] for name in ("quote", "impact", "measures")) >= 1
    finally:
        for server in servers:
            server.kill()
