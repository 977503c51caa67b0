"""Settings of the client: target, deadlines, limits, token and TLS."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

DEFAULT_TARGET = "localhost:50051"
TARGET_VARIABLE = "TARIFFS_TARGET"
SYSTEM = "system"
Tls = bool | str | os.PathLike[str]
_YES = frozenset({"1", "true", "yes", "on", SYSTEM})
_NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of calls in seconds, by kind of call; `timeout=` on a call overrides them."""

    duty: float = 5.0
    """One entry line."""
    batch: float = 60.0
    """A batch of up to 1,000 entry lines; a file takes several."""
    impact: float = 240.0
    """A whole run over a trade table."""
    timeline: float = 900.0
    """A whole period over a trade table."""
    sweep: float = 3600.0
    """A sweep or goal seek over a trade table."""
    lists: float = 10.0
    """Measures, scenarios, tables and runs: list, get, check."""
    upload: float = 600.0
    """Sending a table that the server keeps."""
    lines: float = 3600.0
    """Rows as a stream, all of them."""
    runs: float = 86_400.0
    """Waiting for a long run or reading its result, broken connections included."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of a `Client` besides its target."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    """Default deadline of each kind of call."""
    message_limit: int = 1 << 20
    """Largest Arrow message sent, in bytes."""
    receive_limit: int = 64 << 20
    """Largest message taken, in bytes: a bill of 10,000 parts under 35 scenarios has 18 MB, where gRPC's own limit is
    4 MiB."""
    token: str | None = field(default=None, repr=False)
    """Token sent with every call; by default TARIFFS_TOKEN."""
    token_in_clear: bool = False
    """Send the token without TLS beyond loopback too: something else encrypts."""
    tls: str | None = None
    """`system` for the public authorities that gRPC trusts, or the file of those to trust; None does not encrypt. By
    default TARIFFS_TLS."""
    tls_name: str | None = None
    """Name in the server's certificate, where it is not that of the target."""
    client_certificate: str | None = None
    """PEM file of the client's own certificate, where the server asks for one."""
    client_key: str | None = None
    """PEM file of its private key."""
    law_version: str = ""
    """Law of calls that name none: a version, `latest` or `VERSION@DIGEST`; by default TARIFFS_LAW_VERSION, else the
    server chooses."""
    traces: str = "none"
    """Spans of calls by OpenTelemetry: `application` adds them to the traces of the application's own tracer provider,
    `otlp` sends them by OTLP as the variables OTEL_* say; by default TARIFFS_TRACES. Needs `tariffs[telemetry]`."""


def target_from_environment() -> str:
    """Read the server from TARIFFS_TARGET, else localhost:50051."""
    return os.environ.get(TARGET_VARIABLE) or DEFAULT_TARGET


def secured(config: Config, token: str | None, tls: Tls | None, law_version: str = "") -> Config:
    """Complete a config with the arguments for token, TLS and law, else its own values, else the environment."""
    return replace(
        config,
        token=token or config.token or _variable("TARIFFS_TOKEN"),
        token_in_clear=config.token_in_clear or _truth("TARIFFS_TOKEN_IN_CLEAR"),
        tls=_tls(tls) if tls is not None else config.tls or _tls(_variable("TARIFFS_TLS") or False),
        tls_name=config.tls_name or _variable("TARIFFS_TLS_NAME"),
        client_certificate=config.client_certificate or _variable("TARIFFS_CLIENT_CERTIFICATE"),
        client_key=config.client_key or _variable("TARIFFS_CLIENT_KEY"),
        law_version=law_version or config.law_version or _variable("TARIFFS_LAW_VERSION") or "",
        traces=config.traces if config.traces != "none" else _variable("TARIFFS_TRACES") or "none",
    )


def _tls(setting: Tls) -> str | None:
    word = str(setting).lower()
    if word in _NO:
        return None
    return SYSTEM if word in _YES else str(setting)


def _truth(name: str) -> bool:
    return (_variable(name) or "").lower() in _YES


def _variable(name: str) -> str | None:
    return os.environ.get(name) or None
