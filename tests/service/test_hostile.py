"""No request, however hostile, stops the server, fills its memory, or gets an answer outside the catalogue."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
LONG = {"SimulationService/CompareTrade", "WatchService/ListWatchEvents"}
"""Calls that may compute for a minute: their deadline ends them."""
HEAVY = LONG | {
    "LawService/ListChanges",
    "ScenarioService/DiffScenarios",
    "TableService/CheckTable",
    *(f"SweepService/{name}" for name in ("Seek", "Sweep")),
    *(f"SimulationService/{name}" for name in ("ReadRun", "StartRun", "Timeline", "CalculateCollections")),
    *(f"SimulationService/{name}" for name in ("Simulate", "SimulateGroups")),
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


@dataclass
class Sender:
    """Sends hostile requests over a channel and judges what comes back."""

    channel: grpc.Channel
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def quote(self) -> str:
        """The duty on a line in good faith."""
        stub: Any = duty_service_pb2_grpc.DutyServiceStub(self.channel)
        return str(stub.CalculateDuty(line(), timeout=TIMEOUT).assessed)

    def send(self, name: str, number: int) -> None:
        """Send request `number` of a method; `faults` takes what the catalogue does not have."""
        method, bodies = METHODS[name], bodies_from(name, choices(number))
        sent = metadata(ByteChoices(choices(-number))) if number % 3 == 0 else ()
        outcome = "OK"
        try:
            self._call(method, bodies, sent)
        except grpc.RpcError as error:
            late = name in HEAVY | WATCHES and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            # Years of changes of the law take a busy machine longer than the deadline, which ends them.
            outcome = "deadline" if late else judged(error)
        with self.lock:
            self.outcomes[outcome] += 1
            if outcome.startswith(UNFORESEEN):
                self.faults.setdefault(f"{name} {outcome}", number)

    def _call(self, method: Any, bodies: Sequence[bytes], metadata: Any) -> None:
        path = f"/{method.containing_service.full_name}/{method.name}"
        sent: Any = iter(bodies) if method.client_streaming else bodies[0]
        come = "stream" if method.client_streaming else "unary"
        go = "stream" if method.server_streaming else "unary"
        is_brief = method.name.startswith("Watch") or path.removeprefix("/tariffs.v1.") in LONG
        answer = getattr(self.channel, f"{come}_{go}")(path, bytes, bytes)(
            sent, timeout=WATCH_SECONDS if is_brief else TIMEOUT, metadata=metadata
        )
        if method.server_streaming:
            for _ in answer:
                pass


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
    sender, wanted = Sender(served.channel), Sender(served.channel).quote()
    names = sorted(set(METHODS) - HEAVY)
    for number in range(FEW * scale):
        sender.send(names[number % len(names)], number)
    assert not sender.faults
    assert sender.quote() == wanted


@pytest.mark.slow
def test_every_call_withstands_hostile_requests_and_memory_stays(tmp_path: Path, scale: int) -> None:
    with (
        processes.served(tmp_path, TARIFFS_PROCESSES="1", TARIFFS_WORKERS="2") as (process, log),
        grpc.insecure_channel(f"127.0.0.1:{log.until('serving')['port']}", OPTIONS) as channel,
    ):
        sender, server = Sender(channel), psutil.Process(process.pid)
        wanted, warm, names = sender.quote(), 0, sorted(METHODS)
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            for first in range(0, MANY * scale, QUOTE_EVERY):
                numbers = range(first, min(first + QUOTE_EVERY, MANY * scale))
                list(threads.map(lambda number: sender.send(names[number % len(names)], number), numbers))
                assert sender.quote() == wanted
                if not warm and first >= MANY * scale * WARM_SHARE:
                    warm = memory_of(server)
        assert sender.quote() == wanted
        assert memory_of(server) - warm < GROWTH_LIMIT
        assert sum(map(memory_of, [server, *server.children(recursive=True)])) < memory_of_a_pod()
        # Requests that are all turned away at the door would prove little.
        assert sender.outcomes["OK"] > MANY * scale // 10
        assert len(sender.outcomes) > 12
    told = [one for one in log.rest() if one["event"] in {"unexpected error", "worker died"}]
    assert (sender.faults, told) == ({}, [])


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
        assert Sender(served.channel).quote()
