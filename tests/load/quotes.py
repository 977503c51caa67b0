"""Measure the cost of a quote beyond gRPC itself, in CPU and in calls a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict

from tariffs.v1 import duty_service_pb2 as pb
from tariffs.v1 import duty_service_pb2_grpc
from tests.load.k6 import Load, Seen
from tests.load.plan import CALLERS, QUOTE, TOKEN, Plan, tokens_file
from tests.load.rows import Measured
from tests.load.servers import Server, echoing, free_port, starting

BATCH_LINES = 1_000
BATCH_ROUNDS = 5
WARM_SECONDS = 1.0


def measure(plan: Plan) -> list[Measured]:
    """Rows on quotes and batches."""
    folder = plan.folder / "quotes"
    everything = {
        "workers": 1,
        "log_level": "info",
        "metrics_port": free_port(),
        "tokens_file": tokens_file(plan.folder),
    }
    with starting(folder / "bare", workers=1) as one, starting(folder / "all", **everything) as other:
        bare, whole = one(), other()
        answer = quote(bare)
        canned = folder / "answer.bin"
        canned.write_bytes(answer.SerializeToString())
        with echoing(canned) as echo:
            servers = {"echo": (echo, ""), "bare": (bare, ""), "all": (whole, TOKEN)}
            for server, token in servers.values():
                _closed(plan, server, token, WARM_SECONDS)
            rounds = [
                {name: _closed(plan, *server, plan.seconds) for name, server in servers.items()}
                for _ in range(plan.rounds)
            ]
        batches = _batches(bare)
    layers = f"{len(answer.layers)} layers, {answer.ByteSize():,} bytes"
    return [
        Measured("quote_cpu", tuple(_added(one, "bare") for one in rounds), layers),
        Measured("quote_cpu_all", tuple(_added(one, "all") for one in rounds), layers),
        Measured("quote_rate", tuple(_ratio(one, "bare") for one in rounds), _rates(rounds)),
        Measured("quote_rate_all", tuple(_ratio(one, "all") for one in rounds)),
        Measured("batch", batches),
    ]


@contextmanager
def stubbed(server: Server) -> Iterator[Any]:
    """A stub of DutyService that takes large answers."""
    with grpc.insecure_channel(
        server.target, options=[("grpc.max_receive_message_length", 64 << 20)]
    ) as channel:
        yield duty_service_pb2_grpc.DutyServiceStub(channel)


def quote(server: Server) -> Any:
    """The answer to the quote of the run."""
    with stubbed(server) as stub:
        return stub.CalculateDuty(ParseDict(QUOTE, pb.CalculateDutyRequest()), timeout=30)


def _closed(plan: Plan, server: Server, token: str, seconds: float) -> tuple[Seen, float]:
    """Run a closed loop; return its measurements and the server's CPU seconds a call."""
    begun = server.cpu_seconds()
    seen = Load(plan.folder, QUOTE, [server.target], token=token).at_once(CALLERS, seconds)
    if seen.failed or seen.refused:
        raise RuntimeError(f"{seen.failed} quotes failed and {seen.refused} were refused")
    return seen, (server.cpu_seconds() - begun) / seen.served


def _added(one: dict[str, tuple[Seen, float]], name: str) -> float:
    return (one[name][1] - one["echo"][1]) * 1e6


def _ratio(one: dict[str, tuple[Seen, float]], name: str) -> float:
    return one[name][0].rate / one["echo"][0].rate


def _rates(rounds: list[dict[str, tuple[Seen, float]]]) -> str:
    last = rounds[-1]
    return ", ".join(f"{name} {seen.rate:,.0f}/s at {cpu * 1e6:.0f} us" for name, (seen, cpu) in last.items())


def _batches(server: Server) -> tuple[float, ...]:
    line = ParseDict(QUOTE, pb.CalculateDutyRequest()).line
    request = pb.BatchCalculateDutiesRequest(lines=[line] * BATCH_LINES)
    found = []
    with stubbed(server) as stub:
        for _ in range(BATCH_ROUNDS):
            begun = time.perf_counter()
            answer = stub.BatchCalculateDuties(request, timeout=120)
            found.append((time.perf_counter() - begun) * 1e3)
            if len(answer.quotes) != BATCH_LINES:
                raise RuntimeError("lines of a batch were lost")
    return tuple(found[1:])
