"""No request, however hostile, stops the server, fills its memory, or gets an answer outside the catalogue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import yaml
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tariffs.engine.errors import REASONS
from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.v1 import duty_service_pb2_grpc
from tests.service.harness import Running, line
from tests.service.processes import stop
from tests.tools.fuzz.choices import ByteChoices
from tests.tools.fuzz.methods import METHODS
from tests.tools.fuzz.requests import bodies_from, choices, metadata

FEW, MANY = 100, 667
"""Requests at scale 1; three times as many at scale 3."""
HEAVY = {
    "LawService/ListChanges",
    "ScenarioService/DiffScenarios",
    "SimulationService/ReadRun",
    "SimulationService/CalculateCollections",
    "SimulationService/CompareTrade",
    "SimulationService/Simulate",
    "SimulationService/SimulateGroups",
    "SimulationService/StartRun",
    "SimulationService/Timeline",
    "SweepService/Seek",
    "SweepService/Sweep",
    "TableService/CheckTable",
    "WatchService/ListWatchEvents",
}
"""Calls that may compute for seconds: left to the long test."""
LONG = {"SimulationService/CompareTrade", "WatchService/ListWatchEvents"}
"""Calls that may compute for a minute: their deadline ends them."""
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
    trailers = dict(error.trailing_metadata() or ())
    status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info = ErrorInfo()
    for detail in status.details:
        detail.Unpack(info)
    code = error.code().name
    known = REASONS.get(info.reason)
    if not info.reason and code == "RESOURCE_EXHAUSTED" and "metadata" in error.details():
        return "metadata too large"
    # A damaged field may become one that the contract does not have.
    if known is None or known.code != code or (code in UNSEEN and info.reason != "FIELD_UNKNOWN"):
        return f"{UNFORESEEN} {code} {info.reason}: {error.details()}"
    return str(info.reason)


@dataclass(frozen=True)
class Process:
    """A server in a process of its own."""

    process: psutil.Process
    port: int
    log: Path

    def memory(self) -> int:
        """Resident bytes of the server itself."""
        return int(self.process.memory_info().rss)

    def memory_with_workers(self) -> int:
        """Resident bytes of the server and its workers."""
        return self.memory() + sum(one.memory_info().rss for one in self.process.children(recursive=True))


@contextmanager
def started(folder: Path) -> Iterator[Process]:
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tariffs.service", "--port", "0"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TARIFFS_STATE_DIR": str(folder / "state")},
        )
    try:
        yield Process(psutil.Process(process.pid), wait_until_serving(process, log), log)
    finally:
        stop(process)


def wait_until_serving(process: subprocess.Popen[bytes], log: Path) -> int:
    limit = time.monotonic() + 300
    while time.monotonic() < limit and process.poll() is None:
        for text in log.read_text(encoding="utf-8").splitlines():
            if '"serving"' in text:
                return int(json.loads(text)["port"])
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-2_000:]}")


def memory_of_a_pod() -> int:
    """Bytes that a pod of the server with two workers asks for."""
    deployment = next(yaml.safe_load_all(DEPLOYMENT.read_text(encoding="utf-8")))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return int(container["resources"]["requests"]["memory"].removesuffix("Gi")) << 30


def unforeseen(log: Path) -> str:
    """The last error that nobody foresaw, as the log has it."""
    found = [text for text in log.read_text(encoding="utf-8").splitlines() if '"unexpected error"' in text]
    return found[-1][-2_000:] if found else ""


def test_hostile_requests_are_answered_or_refused_by_the_catalogue(served: Running, scale: int) -> None:
    sender, wanted = Sender(served.channel), Sender(served.channel).quote()
    names = sorted(set(METHODS) - HEAVY)
    for number in range(FEW * scale):
        sender.send(names[number % len(names)], number)
    assert not sender.faults
    assert sender.quote() == wanted


@pytest.mark.slow
def test_every_call_withstands_hostile_requests_and_memory_stays(tmp_path: Path, scale: int) -> None:
    with started(tmp_path) as server, grpc.insecure_channel(f"127.0.0.1:{server.port}", OPTIONS) as channel:
        sender = Sender(channel)
        wanted, warm, names = sender.quote(), 0, sorted(METHODS)
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            for first in range(0, MANY * scale, QUOTE_EVERY):
                numbers = range(first, min(first + QUOTE_EVERY, MANY * scale))
                list(threads.map(lambda number: sender.send(names[number % len(names)], number), numbers))
                assert sender.quote() == wanted
                if not warm and first >= MANY * scale * WARM_SHARE:
                    warm = server.memory()
        assert not sender.faults, unforeseen(server.log)
        assert sender.quote() == wanted
        assert server.memory() - warm < GROWTH_LIMIT
        assert server.memory_with_workers() < memory_of_a_pod()
        assert "worker died" not in server.log.read_text(encoding="utf-8")
        # Requests that are all turned away at the door would prove little.
        assert sender.outcomes["OK"] > MANY * scale // 10
        assert len(sender.outcomes) > 12


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
