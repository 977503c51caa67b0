"""No request, however hostile, stops the server, fills its memory, or gets an answer outside the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import yaml

from tariffs.engine.errors import REASONS
from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.v1 import duty_service_pb2_grpc
from tests.service import processes
from tests.service.harness import Running, fault_of, line
from tests.tools.fuzz.choices import ByteChoices
from tests.tools.fuzz.methods import METHODS
from tests.tools.fuzz.requests import bodies_from, choices, metadata

FEW, MANY = 100, 667
"""Requests at scale 1; three times as many at scale 3."""
LONG = {"SimulationService/CompareTrade", "DutyService/ListWatchEvents"}
"""Calls that may compute for a minute: their deadline ends them."""
HEAVY = LONG | {
    "LawService/ListChanges",
    "ScenarioService/DiffScenarios",
    "TableService/CheckTable",
    *(f"SweepService/{name}" for name in ("Seek", "Sweep")),
    *(f"SimulationService/{name}" for name in ("ReadRun", "StartRun", "Timeline", "CalculateCollections")),
    "SimulationService/Simulate",
}
"""Calls that may compute for seconds: left to the long test."""
WATCHES = {"LawService/WatchVersions", "ScenarioService/WatchScenarios"}
"""Calls that end with their deadline."""
WATCH_SECONDS = 0.2
QUOTE_EVERY = 100
AT_A_TIME = 3
"""Requests at a time: one caller may have as many short tasks."""
TIMEOUT = 60.0
WARM_SHARE = 0.25
GROWTH_LIMIT = 64 << 20
"""Bytes that the server itself may grow by; workers fill bounded caches whenever a request reaches them."""
DEPLOYMENT = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base" / "deployment.yaml"
OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]
UNFORESEEN = "!"
UNSEEN = {"INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "UNAVAILABLE"}


def quoted(channel: grpc.Channel) -> str:
    """The duty on a line in good faith."""
    stub: Any = duty_service_pb2_grpc.DutyServiceStub(channel)
    return str(stub.CalculateDuty(line(), timeout=TIMEOUT).assessed)


def outcome(channel: grpc.Channel, names: Sequence[str], number: int) -> str:
    """Send request `number` to one of these methods; return OK, or what its error tells."""
    name = names[number % len(names)]
    method, bodies = METHODS[name], bodies_from(name, choices(number))
    come = "stream" if method.client_streaming else "unary"
    go = "stream" if method.server_streaming else "unary"
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = getattr(channel, f"{come}_{go}")(path, bytes, bytes)
    try:
        answer = call(
            iter(bodies) if method.client_streaming else bodies[0],
            timeout=WATCH_SECONDS if name in LONG | WATCHES else TIMEOUT,
            metadata=metadata(ByteChoices(choices(-number))) if number % 3 == 0 else (),
        )
        if method.server_streaming:
            for _ in answer:
                pass
    except grpc.RpcError as error:
        late = name in HEAVY | WATCHES and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        # Years of changes of the law take a busy machine longer than the deadline, which ends them.
        told = "deadline" if late else judged(error)
        return f"{told} of {name}, request {number}" if told.startswith(UNFORESEEN) else told
    return "OK"


def judged(error: Any) -> str:
    """The reason an error tells, if its code and details are those of the catalogue."""
    code, reason = error.code().name, fault_of(error).reason
    known = REASONS.get(reason)
    if not reason and code == "RESOURCE_EXHAUSTED" and "metadata" in error.details():
        return "metadata too large"
    # A damaged field may become one that the contract does not have.
    if known is None or known.code != code or (code in UNSEEN and reason != "FIELD_UNKNOWN"):
        return f"{UNFORESEEN} {code} {reason}: {error.details()}"
    return reason


def memory_of_a_pod() -> int:
    """Bytes that a pod of the server with two workers asks for."""
    deployment = next(yaml.safe_load_all(DEPLOYMENT.read_text(encoding="utf-8")))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return int(container["resources"]["requests"]["memory"].removesuffix("Gi")) << 30


def memory_of(process: psutil.Process) -> int:
    """Resident bytes of a process without its workers."""
    return int(process.memory_info().rss)


def test_hostile_requests_are_answered_or_refused_by_the_catalogue(served: Running, scale: int) -> None:
    wanted, names = quoted(served.channel), sorted(set(METHODS) - HEAVY)
    outcomes = [outcome(served.channel, names, number) for number in range(FEW * scale)]
    assert [one for one in outcomes if one.startswith(UNFORESEEN)] == []
    assert quoted(served.channel) == wanted


@pytest.mark.slow
def test_every_call_withstands_hostile_requests_and_memory_stays(tmp_path: Path, scale: int) -> None:
    with (
        processes.served(tmp_path, TARIFFS_PROCESSES="1", TARIFFS_WORKERS="2") as (process, log),
        grpc.insecure_channel(f"127.0.0.1:{log.until('serving')['port']}", OPTIONS) as channel,
    ):
        server, outcomes = psutil.Process(process.pid), Counter[str]()
        wanted, warm, names = quoted(channel), 0, sorted(METHODS)
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            for first in range(0, MANY * scale, QUOTE_EVERY):
                numbers = range(first, min(first + QUOTE_EVERY, MANY * scale))
                outcomes.update(threads.map(partial(outcome, channel, names), numbers))
                assert quoted(channel) == wanted
                if not warm and first >= MANY * scale * WARM_SHARE:
                    warm = memory_of(server)
        assert memory_of(server) - warm < GROWTH_LIMIT
        assert sum(map(memory_of, [server, *server.children(recursive=True)])) < memory_of_a_pod()
        # Requests that are all turned away at the door would prove little.
        assert outcomes["OK"] > MANY * scale // 10
        assert len(outcomes) > 12
    told = [one for one in log.rest() if one["event"] in {"unexpected error", "worker died"}]
    assert ([one for one in outcomes if one.startswith(UNFORESEEN)], told) == ([], [])


def test_a_request_or_headers_over_the_limit_end_the_call_alone(served: Running) -> None:
    check = served.channel.unary_unary("/tariffs.v1.ScenarioService/CheckScenario", bytes, bytes)
    many = tuple((f"x-{number}", "y" * 1_000) for number in range(100))
    calls: list[Callable[[], Any]] = [
        lambda: check(b"\x0a" + b"\xff" * (RECEIVE_LIMIT + 1), timeout=TIMEOUT),
        lambda: served.duty.CalculateDuty(line(), timeout=TIMEOUT, metadata=many),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert quoted(served.channel)
