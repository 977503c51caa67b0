"""Make calls of the contract in this process, through the functions that the server calls, and judge their outcome."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tariffs.engine.errors import REASONS, TariffsError
from tariffs.service.local import LocalServices
from tariffs.service.wire.requests import read_request
from tests.tools.fuzz.methods import METHODS

DEADLINE = 2.0
OVERRUN = 8.0
"""Seconds that a call may take beyond its deadline, or without one, on a busy machine."""
CALLS = 20_000
"""Hostile calls of all methods in a test at scale 1."""
SLOW = {
    **dict.fromkeys(("LawService/ListChanges", "SimulationService/SolveWorld"), 25),
    "SimulationService/CalculateCollections": 75,
    "SimulationService/CompareTrade": 5,
    "DutyService/ListWatchEvents": 40,
    "DutyService/CalculateBom": 100,
    **dict.fromkeys(("SimulationService/Simulate", "SweepService/Seek", "TableService/CheckTable"), 150),
    **dict.fromkeys(("SimulationService/Timeline", "SimulationService/SimulateLines"), 300),
    "SweepService/Sweep": 300,
    "ScenarioService/DiffScenarios": 300,
}
"""Of these, calls of methods that compute for milliseconds; the others share the rest."""
UNSEEN = {"INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "UNAVAILABLE"}


@cache
def _services() -> dict[str, Any]:
    local = LocalServices()
    return {name: getattr(local, name) for name in dir(local) if name[0].isupper()}


def names() -> list[str]:
    """Methods that can be called without a server."""
    return sorted(name for name in METHODS if name.split("/")[1] in _services())


def outcome(name: str, bodies: Sequence[bytes]) -> str:
    """OK, or the reason of the refusal.

    Raises:
        AssertionError: the reason is not one that a caller may get, or the call took too long.
        Exception: whatever else the call raised, which is a fault.
    """
    method, begun = METHODS[name], time.process_time()
    refused: TariffsError | None = None
    found = "OK"
    try:
        messages = [_decoded(method, body) for body in bodies]
        call = _services()[name.split("/")[1]]
        answer = call(iter(messages) if method.client_streaming else messages[0], timeout=DEADLINE)
        _read(answer)
    except TariffsError as error:
        refused, found = error, error.reason
    if refused is not None:
        known = REASONS.get(found)
        assert known is not None, f"{found} is not in the catalogue"
        assert known.code not in UNSEEN or found == "FIELD_UNKNOWN", f"{found}: {refused}"
    took = time.process_time() - begun
    assert took < DEADLINE + OVERRUN, f"{name} took {took:.1f} s"
    return found


def _decoded(method: Any, body: bytes) -> Message:
    return read_request(body, GetMessageClass(method.input_type).FromString)


def _read(answer: Message | Iterable[Message]) -> None:
    """Read an answer, and encode it as the server would."""
    for message in [answer] if isinstance(answer, Message) else answer:
        message.SerializeToString()
