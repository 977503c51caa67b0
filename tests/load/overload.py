"""Far more calls than the server can take: some are served as fast as ever, the rest are refused at once."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf.json_format import ParseDict

from tariffs.v1 import duty_service_pb2 as pb
from tests.load.k6 import Load, Seen
from tests.load.plan import CALLERS, QUOTE, Plan
from tests.load.quotes import stubbed
from tests.load.rows import Measured
from tests.load.servers import Server, serving

BELOW, ABOVE = 0.8, 3.0
CONCURRENT = 16
CALLERS_ABOVE = 150
IN_A_ROW = 10
RECOVERY_LIMIT = 20.0
# One connection of the shipped client stands for many callers here, so the share of one caller is the whole.
LIMITS = {"concurrent_calls": CONCURRENT, "calls_per_caller": CONCURRENT}
# A quote with its explanation keeps the server busy enough for one machine to send three times what it can take.
EXPLAINED = {**QUOTE, "explain": True}


def measure(plan: Plan) -> list[Measured]:
    """Rows on overload."""
    with serving(plan.folder / "overload", workers=1, **LIMITS) as server:
        load = Load(plan.folder, EXPLAINED, [server.target])
        load.at_once(CALLERS, plan.seconds)
        rounds = [_round(load, server, plan.seconds) for _ in range(plan.rounds)]
    below, above = [one[0] for one in rounds], [one[1] for one in rounds]
    pairs = list(zip(below, above, strict=True))
    sent = above[-1].served + above[-1].refused + above[-1].dropped
    seen = (
        f"capacity {rounds[-1][2]:,.0f}/s; above it {above[-1].rate:,.0f}/s served, {above[-1].refused:,} refused and"
        f" {above[-1].dropped:,} not sent of {sent:,}"
    )
    refusals = tuple((over.refused_median or over.median) / under.median for under, over in pairs)
    waited = (
        "" if all(over.refused for over in above) else "nothing was refused: callers waited for their answers"
    )
    return [
        Measured("overload_tail", tuple(over.p99 / under.p99 for under, over in pairs), seen),
        Measured("overload_refusal", refusals, waited),
        Measured("overload_failed", (float(sum(over.failed for over in above)),)),
        Measured("overload_recovery", tuple(one[3] for one in rounds)),
    ]


def _round(load: Load, server: Server, seconds: float) -> tuple[Seen, Seen, float, float]:
    """What was seen below and above capacity, the capacity, and the seconds until the server had recovered."""
    capacity = load.at_once(CALLERS, seconds).rate
    below = load.at_rate(BELOW * capacity, seconds, CONCURRENT)
    above = load.at_rate(ABOVE * capacity, seconds, CALLERS_ABOVE)
    return below, above, capacity, _recovery(server, below.p99 / 1e3)


def _recovery(server: Server, wanted: float) -> float:
    """Seconds until ten quotes in a row take no longer than the slowest in a hundred did below capacity."""
    request: Any = ParseDict(EXPLAINED, pb.CalculateDutyRequest())
    begun, fast = time.perf_counter(), 0
    with stubbed(server) as stub:
        stub.CalculateDuty(request, timeout=30)
        while fast < IN_A_ROW and time.perf_counter() - begun < RECOVERY_LIMIT:
            sent = time.perf_counter()
            stub.CalculateDuty(request, timeout=30)
            fast = fast + 1 if time.perf_counter() - sent <= wanted else 0
    return time.perf_counter() - begun
