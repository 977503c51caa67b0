"""No request, however hostile, stops the server, fills its memory, or gets an answer outside the catalogue."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import grpc
import psutil
import pytest
from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

import tariffs.v1
from tariffs.engine.errors import REASONS
from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.v1 import duty_service_pb2_grpc
from tests.service.harness import Running, line
from tests.service.hostile import Forge, good_table, stream_of

FEW, MANY = 200, 667
"""Requests at scale 1; three times as many at scale 3."""
HEAVY = {
    "LawService/ListChanges",
    "ScenarioService/DiffScenarios",
    "SimulationService/ReadRun",
    "SimulationService/Simulate",
    "SimulationService/StartRun",
    "SimulationService/Timeline",
    "SweepService/Seek",
    "SweepService/Sweep",
    "TableService/CheckTable",
}
"""Calls that may compute for seconds: left to the long test."""
QUOTE_EVERY = 100
AT_A_TIME = 3
"""Requests at a time: one caller may have as many short tasks."""
TIMEOUT = 60.0
WARM_SHARE = 0.25
GROWTH_LIMIT = 256 << 20
OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]
UNFORESEEN = "!"
UNSEEN = {"INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "UNAVAILABLE"}
VALID: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "compat" / "v1_0" / "calls.json").read_text(encoding="utf-8")
)

POINT = {"scenario": {"name": "base"}, "on": "2026-07-01"}
VALID |= {
    "SimulationService/StartRun": {
        "simulate": {"points": [POINT], "response": "RESPONSE_MODEL_NONE"},
        "requestId": "hostile-1",
    },
    "SimulationService/SimulateLines": {"config": {"points": [POINT]}},
    "SweepService/Sweep": {
        "scenario": {"name": "base"},
        "on": "2026-07-01",
        "grid": {"axes": [{"name": "elasticity.sigma", "values": ["x0.5:x1:x0.5"]}]},
        "response": "RESPONSE_MODEL_NONE",
    },
    "SweepService/Seek": {
        "scenario": {"name": "rates-by-country"},
        "parameter": "start",
        "low": "2027-01-01",
        "high": "2027-01-02",
        "column": "duty",
        "target": 1e9,
        "response": "RESPONSE_MODEL_NONE",
    },
    "LawService/CalculatePortFee": {"on": "2025-10-20"},
    "TableService/CheckTable": {},
    "Operations/ListOperations": {"pageSize": 10},
    "Operations/WaitOperation": {"name": "operations/none", "timeout": "0.1s"},
}


def methods() -> Iterator[Any]:
    """Every method of every service that the contract has."""
    names = [module.name for module in iter_modules(tariffs.v1.__path__) if module.name.endswith("_pb2")]
    modules = [import_module(f"tariffs.v1.{name}") for name in sorted(set(names))]
    for module in (*modules, operations_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


METHODS = {f"{method.containing_service.name}/{method.name}": method for method in methods()}


@dataclass
class Sender:
    """Sends hostile requests over a channel and judges what comes back."""

    channel: grpc.Channel
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def quote(self) -> str:
        """The duty on a line in good faith."""
        answer: Any = duty_service_pb2_grpc.DutyServiceStub(self.channel).CalculateDuty(line(), timeout=10)
        return str(answer.assessed)

    def send(self, name: str, number: int) -> None:
        """Send request `number` of a method; `faults` takes what the catalogue does not have."""
        method, forge = METHODS[name], Forge(random.Random(number))
        parts = 3 if method.client_streaming else 1
        bodies = [forge.body(method.input_type, valid(method, place)) for place in range(parts)]
        outcome = "OK"
        try:
            self._call(method, bodies)
        except grpc.RpcError as error:
            outcome = judged(error)
        with self.lock:
            self.outcomes[outcome] += 1
            if outcome.startswith(UNFORESEEN):
                self.faults.setdefault(f"{name} {outcome}", number)

    def _call(self, method: Any, bodies: list[bytes]) -> None:
        path = f"/{method.containing_service.full_name}/{method.name}"
        sent: Any = iter(bodies) if method.client_streaming else bodies[0]
        come = "stream" if method.client_streaming else "unary"
        go = "stream" if method.server_streaming else "unary"
        answer = getattr(self.channel, f"{come}_{go}")(path, bytes, bytes)(sent, timeout=TIMEOUT)
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
        """Resident bytes of the server and its workers."""
        return sum(one.memory_info().rss for one in (self.process, *self.process.children(recursive=True)))


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
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()


def wait_until_serving(process: subprocess.Popen[bytes], log: Path) -> int:
    limit = time.monotonic() + 120
    while time.monotonic() < limit and process.poll() is None:
        for text in log.read_text(encoding="utf-8").splitlines():
            if '"serving"' in text:
                return int(json.loads(text)["port"])
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-2_000:]}")


def valid(method: Any, place: int) -> Any:
    """A request in good faith, where one is known, and the messages of a stream by their place in it."""
    name = f"{method.containing_service.name}/{method.name}"
    message: Any = ParseDict(VALID.get(name, {}), GetMessageClass(method.input_type)())
    if "arrow" in message.DESCRIPTOR.fields_by_name and (place or not VALID.get(name, {}).get("config")):
        message.arrow = stream_of(good_table())
    return message


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
        # Requests that are all turned away at the door would prove little.
        assert sender.outcomes["OK"] > MANY * scale // 10
        assert len(sender.outcomes) > 12


def test_a_request_over_the_limit_of_a_message_ends_the_call_alone(served: Running) -> None:
    path = "/tariffs.v1.ScenarioService/CheckScenario"
    body = b"\x0a" + b"\xff" * (RECEIVE_LIMIT + 1)
    with pytest.raises(grpc.RpcError) as caught:
        served.channel.unary_unary(path, bytes, bytes)(body, timeout=TIMEOUT)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert Sender(served.channel).quote()
