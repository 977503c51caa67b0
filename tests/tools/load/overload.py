"""Send far more calls than the server can serve: some are served as fast as ever, the rest are refused at once.

Work that takes the server milliseconds is refused by its catalogue of errors. Of quotes, which it answers faster than
it could say why not, gRPC turns away what the server has no time to look at; there the load generator itself needs most
of a small machine, so what it sees of a server that computes nothing, at the same rate, is the measure.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from google.protobuf.json_format import ParseDict

from tariffs.v1 import duty_service_pb2 as pb
from tests.tools.load.k6 import Load, Seen
from tests.tools.load.plan import CALLERS, QUOTE, Plan
from tests.tools.load.quotes import quote, stubbed
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server, echoing, serving

BELOW, ABOVE = 0.8, 3.0
BATCH = {"lines": [{**QUOTE["line"], "entry_id": str(number)} for number in range(50)]}
WAITING = 8
CALLERS_BELOW, CALLERS_ABOVE = 16, 150
CAPACITY_SECONDS = 1.0
"""k6 takes no shorter time."""
IN_A_ROW = 10
RECOVERY_LIMIT = 20.0


def measure(plan: Plan) -> list[Measured]:
    """Rows on overload."""
    with serving(plan.folder / "overload", workers=1, waiting_calls=WAITING) as server:
        return [*_batches(plan, server), *_quotes(plan, server)]


def _batches(plan: Plan, server: Server) -> list[Measured]:
    load = Load(plan.folder, [BATCH], [server.target], method="DutyService/BatchCalculateDuties")
    load.at_once(1, CAPACITY_SECONDS)
    below, above, recovered = [], [], []
    for _ in range(plan.rounds):
        capacity = load.at_once(CALLERS, CAPACITY_SECONDS).rate
        below.append(load.at_rate(BELOW * capacity, plan.seconds, CALLERS_BELOW))
        above.append(load.at_rate(ABOVE * capacity, plan.seconds, CALLERS_ABOVE))
        recovered.append(_recovery(server, below[-1].p99 / 1e3))
    pairs = list(zip(below, above, strict=True))
    return [
        Measured("overload_tail", tuple(over.p99 / under.p99 for under, over in pairs), _told(above[-1])),
        Measured("overload_refusal", tuple(over.refused_median / under.median for under, over in pairs)),
        Measured("overload_failed", (float(sum(over.failed for over in above)),)),
        Measured("overload_recovery", tuple(recovered)),
    ]


def _quotes(plan: Plan, server: Server) -> list[Measured]:
    load = Load(plan.folder, [QUOTE], [server.target])
    canned = plan.folder / "overload.bin"
    canned.write_bytes(quote(server).SerializeToString())
    above, bare = [], []
    with echoing(canned) as echo:
        for _ in range(plan.rounds):
            rate = ABOVE * load.at_once(CALLERS, CAPACITY_SECONDS).rate
            above.append(load.at_rate(rate, plan.seconds, CALLERS_ABOVE))
            bare.append(replace(load, targets=[echo.target]).at_rate(rate, plan.seconds, CALLERS_ABOVE))
    pairs = list(zip(above, bare, strict=True))
    return [
        Measured("flood_tail", tuple(over.p99 / base.p99 for over, base in pairs), _told(above[-1])),
        Measured("flood_failed", (float(sum(over.failed for over in above)),)),
    ]


def _told(above: Seen) -> str:
    return f"{above.served:,} served ({above.rate:,.0f}/s), {above.refused:,} refused, {above.dropped:,} not sent"


def _recovery(server: Server, wanted: float) -> float:
    """Seconds until ten batches in a row take no longer than the slowest in a hundred did below capacity."""
    request: Any = ParseDict(BATCH, pb.BatchCalculateDutiesRequest())
    begun, fast = time.perf_counter(), 0
    with stubbed(server) as stub:
        stub.BatchCalculateDuties(request, timeout=30)
        while fast < IN_A_ROW and time.perf_counter() - begun < RECOVERY_LIMIT:
            sent = time.perf_counter()
            stub.BatchCalculateDuties(request, timeout=30)
            fast = fast + 1 if time.perf_counter() - sent <= wanted else 0
    return time.perf_counter() - begun
