"""Requests to the HTTP port as programs without a library of RPC make them, and a run that they leave."""

from __future__ import annotations

import http.client
import json
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tariffs.engine.errors import ServiceError
from tariffs.v1 import simulation_service_pb2
from tests.service.harness import no_warm_up, running

TIMEOUT = 60.0
JSON, STREAM, WEB = "application/json", "application/connect+json", "application/grpc-web+proto"
CALCULATE = "/tariffs.v1.DutyService/CalculateDuty"
SIMULATE = "/tariffs.v1.SimulationService/Simulate"
QUOTE = {"line": {"hts": "9503.00.0073", "origin": "CN", "entry": "2025-05-14", "customs_value": "10000"}}


def web_server(**settings: Any) -> Any:
    """A server with an HTTP port."""
    return running(warm=no_warm_up, http_port=0, **settings)


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers with names in small letters, and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The reason of an error."""
        return str(self.json["details"][0]["debug"]["reason"])


def call(port: int, verb: str, path: str, body: bytes = b"", **headers: str) -> HttpAnswer:
    """Make one request on a connection of its own; `_` in the names of headers stands for `-`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(verb, path, body, named)
        found = connection.getresponse()
        return HttpAnswer(
            found.status, {name.lower(): value for name, value in found.getheaders()}, found.read()
        )
    finally:
        connection.close()


def post(port: int, method: str, message: Any, **headers: str) -> HttpAnswer:
    """Post a message as JSON to a method such as `DutyService/CalculateDuty`."""
    given = {"content_type": JSON, **headers}
    return call(port, "POST", f"/tariffs.v1.{method}", json.dumps(message).encode(), **given)


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """The flags and bytes of each message of a stream."""
    found, at = [], 0
    while at < len(body):
        flags, length = struct.unpack_from(">BI", body, at)
        found.append((flags, body[at + 5 : at + 5 + length]))
        at += 5 + length
    return found


def framed(message: bytes) -> bytes:
    """A message as a stream sends it."""
    return struct.pack(">BI", 0, len(message)) + message


def stream(port: int, method: str, message: Any, **headers: str) -> tuple[list[Any], Any]:
    """Post the one request of a stream as JSON; return the messages, and the end."""
    given = {"content_type": STREAM, **headers}
    body = framed(json.dumps(message).encode())
    *messages, (flags, end) = frames(call(port, "POST", f"/tariffs.v1.{method}", body, **given).body)
    assert flags == 2
    return [json.loads(data) for _, data in messages], json.loads(end)


class Endless:
    """A run that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self, _request: Any, emit: Any, cancelled: Any) -> None:
        emit(simulation_service_pb2.SimulateResponse(progress={"stage": "valuing", "fraction": 0.1}))
        self.begun.set()
        while not cancelled():
            time.sleep(0.01)
        self.ended.set()
        raise ServiceError("CANCELLED", "The caller cancelled the run.")


def begin(port: int, run: Endless) -> http.client.HTTPConnection:
    """Post the request of a run whose answer is left to be read, and wait until it computes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("POST", SIMULATE, framed(b"{}"), {"content-type": STREAM})
    assert run.begun.wait(TIMEOUT)
    return connection
