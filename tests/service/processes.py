"""Run a server with several processes on one port, as a program of its own, and read its log as it comes."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import grpc

from tests.service.harness import Running

SECONDS = 300.0
COMMAND = [sys.executable, "-m", "tests.service.light_server"]


class Log:
    """The lines of a server's log as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process = process
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for text in lines:
                self._lines.put(json.loads(text))
        self._lines.put(None)

    def until(self, event: str) -> dict[str, Any]:
        """The next line of that event."""
        while (line := self._lines.get(timeout=SECONDS)) is not None:
            if line["event"] == event:
                return line
        raise AssertionError(f"the log ended before {event!r}")

    def has(self, event: str) -> bool:
        """Look for that event among the lines that have come since the last look."""
        lines = [self._lines.get() for _ in range(self._lines.qsize())]
        return event in {line["event"] for line in lines if line is not None}

    def rest(self) -> list[dict[str, Any]]:
        """Read the remaining lines up to the end, when all writing processes have exited."""
        self._reader.join(SECONDS)
        assert not self._reader.is_alive(), "somebody still writes"
        found = []
        while not self._lines.empty():
            if (line := self._lines.get()) is not None:
                found.append(line)
        return found


@contextmanager
def served(state: Path, stderr: Any = None, **settings: str) -> Iterator[tuple[subprocess.Popen[str], Log]]:
    """A server of two processes with a worker each, unless the settings, by their variables, say otherwise."""
    given = {
        "TARIFFS_PORT": "0",
        "TARIFFS_PROCESSES": "2",
        "TARIFFS_WORKERS": "1",
        "TARIFFS_GRACE_SECONDS": "5",
    }
    environment = {**os.environ, **given, "TARIFFS_STATE_DIR": str(state), **settings}
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    log = Log(process)
    try:
        yield process, log
    finally:
        stop(process)


@contextmanager
def stubs(port: int) -> Iterator[Running]:
    """Stubs for a server elsewhere; there is nothing else of it here."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Running(port, channel, cast(Any, None), cast(Any, None))


def stop(process: subprocess.Popen[Any]) -> None:
    """End a server that is asked to, or kill it after 30 seconds."""
    process.terminate()
    try:
        process.wait(30)
    finally:
        process.kill()
        process.wait(10)
