"""Readers that stop reading cost the server little, and others nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc

from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.plan import Plan
from tests.tools.load.rows import Measured
from tests.tools.load.servers import MIB, Server
from tests.tools.load.sweeps import OPTIONS, request

SETTLE_SECONDS = 2.0
READ_SECONDS = 60.0


def measure(plan: Plan, server: Server) -> list[Measured]:
    """The row on slow readers."""
    with stalled(server):
        pass
    before = server.memory()
    with ExitStack() as stack:
        found = []
        for count in range(1, plan.readers + 1):
            stack.enter_context(stalled(server))
            found.append((server.memory() - before) / MIB / count)
    workers = max(int(worker.memory_info().rss) for worker in server.workers) / MIB
    return [
        Measured("slow_reader", (max(found),), f"{plan.readers} readers; largest worker {workers:.0f} MiB")
    ]


@contextmanager
def stalled(server: Server) -> Iterator[None]:
    """A reader of a million lines who stops at the first batch of them, and some time to see what it costs."""
    wanted = request(3, include_lines=True, response=pb.RESPONSE_MODEL_NONE)
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel:
        call: Any = simulation_service_pb2_grpc.SimulationServiceStub(channel).Simulate(wanted, timeout=600)
        read_to_lines(call)
        time.sleep(SETTLE_SECONDS)
        yield
        call.cancel()


def read_to_lines(call: Any) -> None:
    """Read up to the first batch of lines; a run that waits for a worker has only begun."""
    limit = time.monotonic() + READ_SECONDS
    for message in call:
        if message.WhichOneof("content") != "progress" or time.monotonic() > limit:
            return
