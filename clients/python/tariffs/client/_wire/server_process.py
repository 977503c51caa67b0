"""Start a server on a free port in a process of its own, and end it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tariffs.client.errors import Unavailable

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 15.0
_LOG_TAIL = 400
# The log is read for the port, so its form must not come from the caller's environment.
_LOG_SETTINGS = {"TARIFFS_LOG_FORMAT": "json", "TARIFFS_LOG_LEVEL": "info"}


@contextmanager
def server_process(log: Path, wait: float, say: Callable[[str], None]) -> Iterator[str]:
    """Run a server as long as the block; yields its `host:port` once it serves.

    Args:
        log: file for the server's log.
        wait: seconds until it must be ready.
        say: called with a line of text for each step.

    Raises:
        Unavailable: the server ended or was not ready in time.
    """
    command = [sys.executable, "-m", "tariffs.service", "--host", "127.0.0.1", "--port", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | _LOG_SETTINGS,
        )
    try:
        yield _ready(process, log, time.monotonic() + wait, say)
    finally:
        _end(process)


def _ready(process: subprocess.Popen[bytes], log: Path, deadline: float, say: Callable[[str], None]) -> str:
    say("starting the server")
    target = f"127.0.0.1:{_until(process, log, deadline, lambda: _port(log))}"
    say(f"the server listens at {target}; it compiles its kernels and runs its self-test")
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        _until(process, log, deadline, lambda: _serves(stub))
    return target


def _until(
    process: subprocess.Popen[bytes], log: Path, deadline: float, read: Callable[[], int | None]
) -> int:
    while (value := read()) is None:
        if process.poll() is not None:
            raise _failed(log, f"ended with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise _failed(log, "was not ready in time")
        time.sleep(_POLL_SECONDS)
    return value


def _port(log: Path) -> int | None:
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("event") == "listening":
            return int(record["port"])
    return None


def _serves(stub: health_pb2_grpc.HealthStub) -> int | None:
    try:
        status = stub.Check(health_pb2.HealthCheckRequest(), timeout=2.0).status
    except grpc.RpcError:
        return None
    return int(status) if status == health_pb2.HealthCheckResponse.SERVING else None


def _failed(log: Path, what: str) -> Unavailable:
    tail = log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()
    return Unavailable(
        "SERVER_UNAVAILABLE",
        f"The server {what}. Its log ends: {tail or 'it is empty'}",
        code="UNAVAILABLE",
        fix=f"The whole log is {log}.",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.terminate()
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Also where the wait itself was interrupted: nothing may stay behind.
        if process.poll() is None:
            process.kill()
            process.wait()
