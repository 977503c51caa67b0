"""Start real servers in separate processes, on free ports of the loopback, and stop them whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120.0
STOP_SECONDS, SETTLE_SECONDS = 30.0, 60.0
IDLE_PERCENT = 20
MIB = 1 << 20


@dataclass(frozen=True)
class Server:
    """A started server."""

    process: psutil.Process
    port: int
    metrics_port: int = 0
    worker_count: int = 0

    @property
    def target(self) -> str:
        """Host and port of the server."""
        return f"127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        return self.process.children(recursive=True)

    def cpu_seconds(self) -> float:
        """CPU time of the process that answers calls, workers apart."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Resident bytes of the process that answers calls, workers apart."""
        return int(self.process.memory_info().rss)

    def memory_with_workers(self) -> int:
        """Bytes of all its processes, a page that several share counted once."""
        return sum(int(one.memory_full_info().pss) for one in (self.process, *self.workers))

    def settle(self) -> None:
        """Wait until all workers are there and idle: after a start or a kill, one warms up."""
        wait_until(
            lambda: (
                len(self.workers) >= self.worker_count
                and sum(worker.cpu_percent(0.2) for worker in self.workers) < IDLE_PERCENT
            )
        )


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Server]:
    """A warm and idle server; settings are those of `tariffs.service`, by their names in lower case."""
    with starting(folder, **settings) as warm:
        server = warm()
        server.settle()
        yield server


@contextmanager
def starting(folder: Path, **settings: Any) -> Iterator[Callable[[], Server]]:
    """A server on its way, so that several can start at a time; what is given waits until it is warm."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"port": free_port(), "log_level": "error", "state_dir": folder / "state", **settings}
    variables = {f"TARIFFS_{name.upper()}": str(value) for name, value in given.items()}
    with (folder / "server.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tariffs.service"],
            cwd=ROOT,
            env={**environment(), **variables},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        server = Server(
            psutil.Process(process.pid),
            int(given["port"]),
            int(given.get("metrics_port", 0)),
            int(given["workers"]) + 1,
        )
        yield partial(_warm, server, process)
    finally:
        stop(process)


def environment() -> dict[str, str]:
    """That of the run, without the reader's own settings; kernels are kept where the tests keep them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TARIFFS_")}
    return {"NUMBA_CACHE_DIR": str(ROOT / ".numba_cache"), **kept}


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for something that the server does; raises RuntimeError if it takes too long."""
    limit = time.monotonic() + SETTLE_SECONDS
    while not done():
        if time.monotonic() > limit:
            raise RuntimeError("the server is busy for too long")
        time.sleep(0.1)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _warm(server: Server, process: subprocess.Popen[bytes]) -> Server:
    wait_serving(server.target, process, START_SECONDS)
    return server


def wait_serving(target: str, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until a server answers, as a log of errors alone does not say; raises RuntimeError if it ends or is late."""
    limit = time.monotonic() + seconds
    with grpc.insecure_channel(target, options=[("grpc.max_reconnect_backoff_ms", 200)]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while process.poll() is None and time.monotonic() < limit:
            with suppress(grpc.RpcError):
                found: Any = stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
                if found.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            time.sleep(0.1)
    raise RuntimeError(f"the server at {target} did not start; its exit code is {process.poll()}")


@contextmanager
def echoing(answer: Path) -> Iterator[Server]:
    """A server that gives the bytes of `answer` to every unary call."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tools.load.echo", str(answer)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Server(psutil.Process(process.pid), int(process.stdout.readline()))
    finally:
        stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process that was started here: asked first, then killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
