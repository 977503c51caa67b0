"""Listening port of a server: address, encryption and gRPC channel options."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio
import structlog

from tariffs.engine.errors import ServiceError
from tariffs.service.server.tls import server_credentials
from tariffs.service.settings.group import is_loopback
from tariffs.service.settings.settings import Settings

RECEIVE_LIMIT = 8 << 20
_PING_SECONDS = 60
_PING_ANSWER_SECONDS = 20
# Clients ping every 30 seconds during a silent call; gRPC's default limit of five minutes would disconnect them.
_LEAST_PING_SECONDS = 10
_log = structlog.get_logger("tariffs.service")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Position of a server process among those that share a port; alone by default."""

    index: int = 0
    shared: bool = False


def options(endpoint: Endpoint, waiting_calls: int) -> list[tuple[str, int]]:
    """Return the gRPC options of a server.

    Calls are queued in gRPC until the event loop reads them. Above `waiting_calls` gRPC refuses some at random, above
    twice as many all, with the bare status CANCELLED: a reason would take the server as long as an answer. The limit
    bounds the delay under overload; it must exceed the calls that arrive while the event loop gets no processor time
    (at 400 a second 64 were too few on a busy machine).
    """
    return [
        ("grpc.server.max_pending_requests", waiting_calls),
        ("grpc.server.max_pending_requests_hard_limit", 2 * waiting_calls),
        # Only processes of one server share a port: two servers would each get some of the calls unnoticed.
        ("grpc.so_reuseport", int(endpoint.shared)),
        ("grpc.max_receive_message_length", RECEIVE_LIMIT),
        ("grpc.keepalive_time_ms", _PING_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", _PING_ANSWER_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", _LEAST_PING_SECONDS * 1000),
    ]


def open_port(server: grpc.aio.Server, settings: Settings) -> int:
    """Add the listening port, encrypted if the settings say so, and return its number.

    Raises:
        ServiceError: SERVER_UNAVAILABLE if the address cannot be used.
        InputError: SETTING_INVALID if the certificate cannot be used.
    """
    credentials = server_credentials(settings)
    try:
        if credentials is None:
            port = server.add_insecure_port(settings.address)
        else:
            port = server.add_secure_port(settings.address, credentials)
    except RuntimeError:
        raise cannot_listen(settings) from None
    _warn(settings)
    return int(port)


def cannot_listen(settings: Settings) -> ServiceError:
    """Make the error for an address that cannot be used."""
    return ServiceError(
        "SERVER_UNAVAILABLE",
        f"Cannot listen on {settings.address}.",
        fix="Choose another port, or 0 for a free one.",
    )


def _warn(settings: Settings) -> None:
    if is_loopback(settings.host) or settings.tls_certificate is not None:
        return
    if not settings.identifies:
        _log.warning("no authentication", host=settings.host, setting="TARIFFS_INSECURE_LISTEN")
    else:
        _log.warning("tokens not encrypted", host=settings.host, setting="TARIFFS_TLS_CERTIFICATE")
