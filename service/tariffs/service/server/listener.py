"""The port of a server: its address, encryption and the habits of its connections."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio
import structlog

from tariffs.engine.errors import ServiceError
from tariffs.service.server.tls import server_credentials
from tariffs.service.settings.settings import Settings, is_loopback

RECEIVE_LIMIT = 8 << 20
_PING_SECONDS = 60
_PING_ANSWER_SECONDS = 20
# Clients ping every 30 seconds while a call is silent; gRPC's own limit of five minutes would cut them off.
_LEAST_PING_SECONDS = 10
_log = structlog.get_logger("tariffs.service")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which of the processes on a port a server is: alone on it by default."""

    index: int = 0
    shared: bool = False


def options(place: Endpoint, waiting_calls: int) -> list[tuple[str, int]]:
    """gRPC's options of a server.

    Calls wait in gRPC until the server looks at them. Above so many it turns some away by chance, above twice as many
    all, with the bare status CANCELLED: to say why, the server would need as long as to answer.
    """
    return [
        ("grpc.server.max_pending_requests", waiting_calls),
        ("grpc.server.max_pending_requests_hard_limit", 2 * waiting_calls),
        # Two servers on one port would share its calls in silence: only processes of one server do.
        ("grpc.so_reuseport", int(place.shared)),
        ("grpc.max_receive_message_length", RECEIVE_LIMIT),
        ("grpc.keepalive_time_ms", _PING_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", _PING_ANSWER_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", _LEAST_PING_SECONDS * 1000),
    ]


def open_port(server: grpc.aio.Server, settings: Settings) -> int:
    """Give a server its port, encrypted if the settings say so; gives its number.

    Raises:
        ServiceError: SERVER_UNAVAILABLE if the address cannot be had.
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
    """The error of an address that cannot be had."""
    return ServiceError(
        "SERVER_UNAVAILABLE",
        f"Cannot listen on {settings.address}.",
        fix="Choose another port, or 0 for a free one.",
    )


def _warn(settings: Settings) -> None:
    if is_loopback(settings.host) or settings.tls_certificate is not None:
        return
    if settings.tokens_file is None:
        _log.warning("open to everybody", host=settings.host, setting="TARIFFS_INSECURE_LISTEN")
    else:
        _log.warning("tokens travel in the clear", host=settings.host, setting="TARIFFS_TLS_CERTIFICATE")
