"""Measure the cost of a quote beyond gRPC itself, in CPU and in calls a second."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict

from tariffs.v1 import duty_service_pb2 as pb
from tariffs.v1 import duty_service_pb2_grpc
from tests.tools.load.k6 import Load, Seen
from tests.tools.load.plan import CALLERS, QUOTE, TOKEN, Plan, tokens_file
from tests.tools.load.rows import Measured
from tests.tools.load.servers import Server, echoing, free_port, starting
from tests.tools.load.trade_draws import drawn_requests

BATCH_LINES = 1_000
BATCH_ROUNDS = 5
WARM_SECONDS, WARM_LIMIT = 1.0, 120.0
DRAWS_A_SECOND = 3_000
"""More than any server answers, so that no draw of a round is sent twice."""
REFUSED_SHARE = 0.02
"""Share of draws without a rate that can be computed, or with a quantity in another unit; they are refused."""
AGAIN = "_again"
Requests = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Asked:
    """Calls of one kind in the run: the server, its token, and where their requests come from."""

    server: Server
    draws: Iterator[Mapping[str, Any]] | None = None
    token: str = ""
    repeated: Requests = field(default_factory=lambda: [QUOTE])

    def requests(self, count: int) -> Requests:
        """Take requests; new ones at every call where they are drawn."""
        return self.repeated if self.draws is None else list(islice(self.draws, count))


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
        for server in (bare, whole):
            server.settle()
        answers = {name: quote(bare, explain=name == "echo_why") for name in ("echo", "echo_why")}
        for name, answer in answers.items():
            (folder / f"{name}.bin").write_bytes(answer.SerializeToString())
        with echoing(folder / "echo.bin") as echo, echoing(folder / "echo_why.bin") as echo_why:
            kinds = {
                "echo": _Asked(echo),
                "echo_why": _Asked(echo_why),
                "bare": _Asked(bare),
                "all": _Asked(whole, token=TOKEN),
                "mix": _Asked(bare, drawn_requests(1)),
                "why": _Asked(bare, drawn_requests(2, explain=True)),
            }
            for asked in kinds.values():
                _warmed(plan, asked)
            rounds = [_round(plan, kinds) for _ in range(plan.rounds)]
        batches = _batches(bare)
    layers = f"{len(answers['echo'].layers)} layers, {answers['echo'].ByteSize():,} bytes"
    explained = f"{answers['echo_why'].ByteSize():,} bytes"
    return [
        Measured("quote_cpu", tuple(_added(one, "bare") for one in rounds), layers),
        Measured("quote_cpu_all", tuple(_added(one, "all") for one in rounds), layers),
        Measured("quote_mix_cpu", tuple(_added(one, "mix") for one in rounds)),
        Measured("quote_mix_again_cpu", tuple(_added(one, f"mix{AGAIN}") for one in rounds)),
        Measured("quote_why_cpu", tuple(_added(one, "why", "echo_why") for one in rounds), explained),
        Measured(
            "quote_why_again_cpu", tuple(_added(one, f"why{AGAIN}", "echo_why") for one in rounds), explained
        ),
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


def quote(server: Server, *, explain: bool = False) -> Any:
    """The answer to the quote of the run."""
    with stubbed(server) as stub:
        return stub.CalculateDuty(
            ParseDict(QUOTE | {"explain": explain}, pb.CalculateDutyRequest()), timeout=30
        )


def _warmed(plan: Plan, asked: _Asked) -> None:
    """Let a server answer calls that do not count: of goods that are drawn so many that most classes are compiled."""
    load = Load(plan.folder, asked.requests(plan.draws), [asked.server.target], token=asked.token)
    if asked.draws is None:
        load.at_once(CALLERS, WARM_SECONDS)
    else:
        load.count(plan.draws, CALLERS, WARM_LIMIT)


def _round(plan: Plan, kinds: Mapping[str, _Asked]) -> dict[str, tuple[Seen, float]]:
    """Run a closed loop of each kind; requests that are drawn are sent once more."""
    found: dict[str, tuple[Seen, float]] = {}
    for name, asked in kinds.items():
        requests = asked.requests(round(DRAWS_A_SECOND * plan.seconds))
        found[name] = first, _ = _closed(plan, asked, requests)
        if asked.draws is not None:
            found[f"{name}{AGAIN}"] = _closed(plan, asked, requests[: first.served + first.failed])
    return found


def _closed(plan: Plan, asked: _Asked, requests: Requests) -> tuple[Seen, float]:
    """Run a closed loop; return its measurements and the server's CPU seconds a call."""
    load = Load(plan.folder, requests, [asked.server.target], token=asked.token)
    begun = asked.server.cpu_seconds()
    seen = load.at_once(CALLERS, plan.seconds)
    spent = asked.server.cpu_seconds() - begun
    calls = seen.served + seen.failed
    if seen.refused or seen.failed > (REFUSED_SHARE * calls if asked.draws else 0):
        raise RuntimeError(f"{seen.failed} quotes failed and {seen.refused} were refused")
    return seen, spent / calls


def _added(one: Mapping[str, tuple[Seen, float]], name: str, echo: str = "echo") -> float:
    return (one[name][1] - one[echo][1]) * 1e6


def _ratio(one: dict[str, tuple[Seen, float]], name: str) -> float:
    return one[name][0].rate / one["echo"][0].rate


def _rates(rounds: list[dict[str, tuple[Seen, float]]]) -> str:
    last = rounds[-1]
    return ", ".join(f"{name} {seen.rate:,.0f}/s at {cpu * 1e6:.0f} us" for name, (seen, cpu) in last.items())


def _batches(server: Server) -> tuple[float, ...]:
    draws, found = drawn_requests(3), []
    with stubbed(server) as stub:
        for _ in range(BATCH_ROUNDS):
            lines = [one["line"] for one in islice(draws, BATCH_LINES)]
            request = ParseDict({"lines": lines}, pb.BatchCalculateDutiesRequest())
            begun = time.perf_counter()
            answer = stub.BatchCalculateDuties(request, timeout=120)
            found.append((time.perf_counter() - begun) * 1e3)
            if len(answer.quotes) + len(answer.failures) != BATCH_LINES:
                raise RuntimeError("lines of a batch were lost")
    return tuple(found[1:])
