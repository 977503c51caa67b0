"""Memory after a few calls, and after very many."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1 import simulation_service_pb2_grpc
from tests.tools.load.k6 import Load
from tests.tools.load.plan import CALLERS, QUOTE, Plan
from tests.tools.load.rows import Measured
from tests.tools.load.servers import MIB, Server
from tests.tools.load.sweeps import OPTIONS, request

WARM_QUOTES, WARM_SWEEPS = 2_000, 6
QUOTE_SECONDS = 150.0
SCENARIO = """\
schema: tariffs.scenario/v1
id: mine
title: Mine
basis: hypothesis
changes:
  - {{op: set_rate, measures: {{authority: s301}}, from: 2026-01-02T00:{minute:02}-05:00, rate: 20%}}
"""
SETTLE_SECONDS = 1.0


def measure(plan: Plan, server: Server) -> list[Measured]:
    """Rows on memory."""
    _work(plan, server, WARM_QUOTES, WARM_SWEEPS)
    before = server.memory_with_workers()
    _work(plan, server, plan.quotes, plan.sweeps)
    after = server.memory_with_workers()
    seen = f"{plan.quotes:,} quotes, {plan.sweeps} sweeps; {before / MIB:.0f} to {after / MIB:.0f} MiB"
    return [Measured("memory_warm", (before / MIB,), ""), Measured("memory", (after / before,), seen)]


def _work(plan: Plan, server: Server, quotes: int, sweeps: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_sweep, server, number) for number in range(sweeps)]
        seen = Load(plan.folder, [QUOTE], [server.target]).count(quotes, CALLERS, QUOTE_SECONDS)
        for one in running:
            one.result()
    if seen.served != quotes:
        raise RuntimeError(f"{seen.served} of {quotes} quotes were served")
    time.sleep(SETTLE_SECONDS)


def _sweep(server: Server, number: int) -> None:
    with grpc.insecure_channel(server.target, options=OPTIONS) as channel:
        stub = simulation_service_pb2_grpc.SimulationServiceStub(channel)
        # Of the static runs, which are soon done, every sixth is one with response.
        response = pb.RESPONSE_MODEL_ARMINGTON if number % 6 == 0 else pb.RESPONSE_MODEL_NONE
        asked = request(1, response=response)
        # Neither a day nor a scenario that comes again would show what is kept of each.
        asked.points[0].on = f"2026-{1 + number % 12:02}-{1 + number // 12:02}"
        if number % 5 == 0:
            asked.points[0].scenario.yaml = SCENARIO.format(minute=number % 60)
        call: Any = stub.Simulate(asked, timeout=120)
        for _ in call:
            pass
