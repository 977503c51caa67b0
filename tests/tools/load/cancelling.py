"""A cancelled run stops within a few chunks of its kernel, according to the server's metrics."""

from __future__ import annotations

import random
import re
import time
import urllib.request
from typing import Any

import grpc

from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.plan import Plan
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server
from tests.tools.load.sweeps import OPTIONS, request

POINTS = 64
SETTLE_SECONDS = 20.0
_NUMBER = re.compile(r"^(tariffs_\w+)\{([^}]*)\} ([0-9.e+-]+)$", re.MULTILINE)
_LE = re.compile(r'le="([^"]+)"')
_BUCKET = re.compile(r"tariffs_stop_chunks_bucket (.+)")


def measure(plan: Plan, server: Server) -> list[Measured]:
    """The row on cancelling: one round for each way a run ends early."""
    _finish(server)
    rounds = [_round(server, plan.cancels, deadline) for deadline in (False, True)]
    stops = ", ".join(
        f"{way} {ms:.1f} ms to the end of the run"
        for way, (_, ms) in zip(("cancel", "deadline"), rounds, strict=True)
    )
    return [Measured("cancel_stop", tuple(chunks for chunks, _ in rounds), stops)]


def _round(server: Server, count: int, deadline: bool) -> tuple[float, float]:
    """The most kernel ranges that ended after a run was over, and the milliseconds until it had ended, on average."""
    before = numbers(server)
    chance = random.Random(count)
    for _ in range(count):
        _interrupt(server, chance.uniform(0.1, 0.6), deadline)
    after = _settled(server, before["tariffs_stop_seconds_count"] + count)
    gone = {name: after[name] - before.get(name, 0.0) for name in after}
    milliseconds = gone["tariffs_stop_seconds_sum"] / gone["tariffs_stop_seconds_count"] * 1e3
    return _most(gone), milliseconds


def _most(gone: dict[str, float]) -> float:
    """The least bound below which all stops are."""
    bounds = [
        (float(found[1]), value)
        for name, value in gone.items()
        if (found := _BUCKET.fullmatch(name)) is not None
    ]
    return min(bound for bound, stops in bounds if stops == gone["tariffs_stop_chunks_count"])


def _interrupt(server: Server, seconds: float, deadline: bool) -> None:
    """Begin a run and end it after a while, from this side or by its deadline."""
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel:
        stub = simulation_service_pb2_grpc.SimulationServiceStub(channel)
        call: Any = stub.Simulate(request(POINTS), timeout=seconds if deadline else 600)
        try:
            begun = time.perf_counter()
            for _ in call:
                if not deadline and time.perf_counter() - begun > seconds:
                    call.cancel()
        except grpc.RpcError as error:
            wanted = grpc.StatusCode.DEADLINE_EXCEEDED if deadline else grpc.StatusCode.CANCELLED
            if error.code() is not wanted:
                raise


def _finish(server: Server) -> None:
    """Let a small run end, so that every number exists."""
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel:
        for _ in simulation_service_pb2_grpc.SimulationServiceStub(channel).Simulate(request(2), timeout=120):
            pass
    stopped = numbers(server).get("tariffs_stop_seconds_count", 0.0)
    _interrupt(server, 0.2, deadline=False)
    _settled(server, stopped + 1)


def _settled(server: Server, stops: float) -> dict[str, float]:
    """The numbers once so many runs were stopped."""
    limit = time.monotonic() + SETTLE_SECONDS
    while (found := numbers(server)).get("tariffs_stop_seconds_count", 0.0) < stops:
        if time.monotonic() > limit:
            raise RuntimeError("a cancelled run goes on")
        time.sleep(0.1)
    return found


def numbers(server: Server) -> dict[str, float]:
    """The server's metrics, summed over their labels but for the bound of a bucket, which joins the name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for name, labels, value in _NUMBER.findall(text):
        name = " ".join([name, *_LE.findall(labels)])
        found[name] = found.get(name, 0.0) + float(value)
    return found
