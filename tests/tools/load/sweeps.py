"""Measure quotes while sweeps run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.k6 import Load, Seen
from tests.tools.load.plan import QUOTE, RATE, Plan
from tests.tools.load.quotes import quote
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server, echoing
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
    """Rows on quotes beside sweeps.

    k6 itself drops calls when it gets no processor time. So the echo server, which computes nothing, is asked at the
    same rate in the same rounds, and only what is dropped beyond its number counts as lost by the server.
    """
    canned = plan.folder / "sweeps.bin"
    canned.write_bytes(quote(server).SerializeToString())
    with echoing(canned) as echo:
        _open(plan, server, echo, 0)
        rounds = [
            {count: _open(plan, server, echo, count) for count in (0, 1, 2)}
            for _ in range(max(plan.rounds, ROUNDS_AT_LEAST))
        ]
    tails = [{count: seen.p99 for count, (seen, _) in one.items()} for one in rounds]
    idle = f"idle p99 {min(one[0] for one in tails):.2f} to {max(one[0] for one in tails):.2f} ms"
    return [
        Measured("quote_tail_one_sweep", tuple(one[1] / one[0] for one in tails), idle),
        Measured("quote_tail_two_sweeps", tuple(one[2] / one[0] for one in tails), idle),
        _lost([pair for one in rounds for pair in one.values()]),
    ]


def _lost(pairs: list[tuple[Seen, Seen]]) -> Measured:
    served, bare = ([pair[place] for pair in pairs] for place in (0, 1))
    dropped, refused, failed = (
        sum(getattr(one, name) for one in served) for name in ("dropped", "refused", "failed")
    )
    own = sum(one.dropped for one in bare)
    notes = f"{dropped} dropped ({own} at the echo), {refused} refused, {failed} failed"
    return Measured("quotes_lost", (float(max(0, dropped - own) + refused + failed),), notes)


def _open(plan: Plan, server: Server, echo: Server, count: int) -> tuple[Seen, Seen]:
    """Calls at a rate to the server, then to the echo, while so many sweeps run."""
    with running(server, count):
        served, bare = (
            Load(plan.folder, [QUOTE], [one.target]).at_rate(RATE, plan.seconds) for one in (server, echo)
        )
    return served, bare
