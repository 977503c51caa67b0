"""Where the server is and how long to wait for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

DEFAULT_TARGET = "localhost:50051"
TARGET_VARIABLE = "TARIFFS_TARGET"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds each kind of call may take; every call has one, and `timeout=` on a call overrides it."""

    duty: float = 5.0
    """One entry line."""
    batch: float = 60.0
    """A batch of up to 1,000 entry lines; a file takes several."""
    impact: float = 240.0
    """A whole run over a trade table."""
    timeline: float = 900.0
    """A whole period over a trade table."""
    lists: float = 10.0
    """Measures and scenarios: list, get, check."""


@dataclass(frozen=True, slots=True)
class Config:
    """All that a `Client` needs to know besides its target."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    """Default deadline of each kind of call."""
    message_limit: int = 1 << 20
    """Largest Arrow message sent, in bytes."""
    receive_limit: int = 16 << 20
    """Largest message taken, in bytes: a batch with every citation can pass gRPC's own limit of 4 MiB."""


def target_from_environment() -> str:
    """The server named by TARIFFS_TARGET, else localhost:50051."""
    return os.environ.get(TARGET_VARIABLE) or DEFAULT_TARGET


def service_config() -> str:
    """gRPC service config as JSON: retries only.

    Deadlines are passed with each call and never stand here: grpcio fires them early and does not tell the
    server (grpc/grpc issues 34547 and 40633).
    """
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    services = ["DutyService", "SimulationService", "LawService", "RefundService", "ScenarioService"]
    names = [{"service": f"tariffs.v1.{name}"} for name in services]
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": retry}]})
