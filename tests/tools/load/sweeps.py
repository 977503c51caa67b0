"""Measure quotes while sweeps run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.plan import Plan
from tests.tools.load.replay import Sent, quotes_at_rate
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server
from tests.tools.load.threads import beside

POINTS = 60
BEGIN_SECONDS = 60.0
ROUNDS_AT_LEAST = 3
"""A tail is a handful of calls, so one pause of the machine decides a round; it takes two to decide the median."""
OPTIONS = [("grpc.max_receive_message_length", 16 << 20)]


def request(points: int, **given: Any) -> pb.SimulateRequest:
    """A run over the embedded table: a scenario on many days."""
    days = [f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}" for number in range(points)]
    return pb.SimulateRequest(points=[pb.Point(scenario={"name": "base"}, on=day) for day in days], **given)


@contextmanager
def running(server: Server, count: int) -> Iterator[None]:
    """So many sweeps at a time, each begun anew when it ends."""
    over = threading.Event()
    begun = [threading.Event() for _ in range(count)]
    threads = [threading.Thread(target=_sweep, args=(server, over, one)) for one in begun]
    with beside(threads, over, BEGIN_SECONDS):
        for one in begun:
            if not one.wait(BEGIN_SECONDS):
                raise RuntimeError("a sweep did not begin")
        yield


def _sweep(server: Server, over: threading.Event, begun: threading.Event) -> None:
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel:
        stub = simulation_service_pb2_grpc.SimulationServiceStub(channel)
        while not over.is_set():
            call: Any = stub.Simulate(request(POINTS), timeout=600)
            with suppress(grpc.RpcError):
                for _ in call:
                    begun.set()
                    if over.is_set():
                        call.cancel()


def measure(plan: Plan, server: Server) -> list[Measured]:
    """Rows on quotes beside sweeps."""
    _open(plan, server, 0)
    rounds = [
        {count: _open(plan, server, count) for count in (0, 1, 2)}
        for _ in range(max(plan.rounds, ROUNDS_AT_LEAST))
    ]
    idle = f"idle p99 {min(one[0].p99 for one in rounds):.2f} to {max(one[0].p99 for one in rounds):.2f} ms"
    failed = sum(sent.failed for one in rounds for sent in one.values())
    return [
        Measured("quote_tail_one_sweep", tuple(one[1].p99 / one[0].p99 for one in rounds), idle),
        Measured("quote_tail_two_sweeps", tuple(one[2].p99 / one[0].p99 for one in rounds), idle),
        Measured("quotes_lost", (float(failed),)),
    ]


def _open(plan: Plan, server: Server, count: int) -> Sent:
    """Send quotes at a rate while so many sweeps run."""
    with running(server, count):
        return quotes_at_rate(plan.folder, server, plan.seconds)
