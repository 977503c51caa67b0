"""Listening HTTP port: uvicorn on the event loop of the gRPC port, with limits for hostile connections."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import h11
import structlog
import uvicorn
from h11 import LocalProtocolError
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol

from tariffs.engine.errors import ServiceError
from tariffs.service.server.listener import Endpoint, cannot_listen
from tariffs.service.server.tls import CERTIFICATE_KEY, certificate_properties, tls_context
from tariffs.service.server.web.gate import AsgiApp
from tariffs.service.server.web.http_call import error_json
from tariffs.service.settings.settings import Settings
from tariffs.service.wire.status import RETRY_AFTER_SECONDS, status_of
from tariffs.service.workers.fair_limit import FairLimit

HEAD_BYTES = 32 << 10
"""Most bytes of a request's line and headers; a GET holds its message in the line."""
HEAD_SECONDS = 15.0
"""Longest time until the headers of a request are there."""
LINGER_SECONDS = 2.0
"""Longest time that the rest of a body is read and dropped after its request was answered."""
KEEP_SECONDS = 5
STALLED_SECONDS = 120
"""A connection whose peer takes no data for so long is closed."""
_KEEPALIVE = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 60),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 20),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 3),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, STALLED_SECONDS * 1000),
)
_HOST_BITS = 64
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"retry-after: "
    + str(RETRY_AFTER_SECONDS["TOO_MANY_STREAMS"]).encode()
    + b"\r\ncontent-length: %d\r\n\r\n"
)
_log = structlog.get_logger("tariffs.service")
_BARE = re.compile(rb"(?<!\r)\n")
_END = b"\r\n\r\n"


class HttpPort:
    """The port, from `start` to `stop`.

    Args:
        connections: most connections at a time, in all; one caller's share of them is for one network.
    """

    def __init__(self, app: AsgiApp, settings: Settings, connections: int, endpoint: Endpoint) -> None:
        self.port = 0
        self._app = app
        self._settings = settings
        self.connections = FairLimit("connections", connections, settings.share_of(connections))
        self._endpoint = endpoint
        self._server: _Listener | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            ServiceError: SERVER_UNAVAILABLE if the address cannot be used.
            InputError: SETTING_INVALID if the certificate cannot be used.
        """
        sockets = open_sockets(self._settings, self._endpoint)
        self.port = int(sockets[0].getsockname()[1])
        self._server = _Listener(self._config())
        self._serving = asyncio.create_task(self._server.serve(sockets))
        await self._server.listening.wait()
        _log.info("http listening", host=self._settings.host, port=self.port)

    async def stop(self) -> None:
        """Take no new connections, wait for running requests up to `grace_seconds`, then cancel them."""
        if self._server is None or self._serving is None:
            return
        server = self._server
        server.should_exit = True
        await asyncio.wait({self._serving}, timeout=self._settings.grace_seconds)
        # uvicorn would do this too, but log each as an error and not wait for them.
        if left := tuple(server.server_state.tasks):
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=KEEP_SECONDS)
        server.force_exit = True
        for connection in tuple(server.server_state.connections):
            connection.transport.abort()
        await self._serving

    def _config(self) -> uvicorn.Config:
        context = tls_context(self._settings)
        connection: Any = partial(_HttpConnection, self.connections)
        return uvicorn.Config(
            self._app,
            http=connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_SECONDS,
            h11_max_incomplete_event_size=HEAD_BYTES,
            ssl_context_factory=None if context is None else lambda _config, _default: context,
        )


def open_sockets(settings: Settings, endpoint: Endpoint) -> list[socket.socket]:
    """Bind the port on every address of the host; port 0 becomes the same free port on all.

    Raises:
        ServiceError: SERVER_UNAVAILABLE.
    """
    port, sockets = settings.http_port or 0, list[socket.socket]()
    try:
        found = socket.getaddrinfo(settings.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in found:
            sockets.append(_bound(family, (address[0], port), endpoint))
            port = int(sockets[0].getsockname()[1])
    except OSError:
        for one in sockets:
            one.close()
        raise cannot_listen(settings.model_copy(update={"port": settings.http_port})) from None
    return sockets


def network_of(host: str) -> str:
    """Return what connections are counted by: an address of IPv4, the 64 bits of a network of IPv6, or the text."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))


def _bound(family: int, address: tuple[str | int, int], endpoint: Endpoint) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if endpoint.shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for name, level, value in _KEEPALIVE:
            # Connections inherit the options of the listening socket; not every system has all of them.
            if (option := getattr(socket, name, None)) is not None:
                one.setsockopt(level, option, value)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one


class _Listener(uvicorn.Server):
    """Server that leaves signals to the process and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class _HttpConnection(H11Protocol):
    """Connection that is closed if the headers of a request take too long: uvicorn has no such limit.

    Args:
        limit: counts connections, in all and of one network.
    """

    def __init__(self, limit: FairLimit, **given: Any) -> None:
        super().__init__(**given)
        self.conn._receive_buffer = StrictLines()
        self._limit = limit
        self._network: str | None = None
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        network = network_of(self.client[0] if self.client else "")
        try:
            self._limit.enter(network)
        except ServiceError as error:
            self._refuse(error)
            return
        self._network = network
        self.app_state = {CERTIFICATE_KEY: certificate_properties(transport)}
        self._wait_for_head(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._network is not None:
            self._limit.leave(self._network)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Read what has come; stop waiting once a request has begun."""
        super().handle_events()
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._stop_waiting()
        self._wait_for_head(LINGER_SECONDS if self.conn.their_state is h11.SEND_BODY else HEAD_SECONDS)
        super().on_response_complete()

    def _refuse(self, error: ServiceError) -> None:
        """Answer a connection that is one too many without waiting for its request."""
        body = error_json(status_of(error, ""))
        self.transport.write(_BUSY % len(body) + body)
        self.transport.close()

    def _wait_for_head(self, seconds: float) -> None:
        self._head_timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class StrictLines(ReceiveBuffer):
    """Buffer of h11 whose lines end in CR LF; h11 itself takes a bare LF too, which a proxy may not (RFC 9112, 2.2)."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a head or of trailers; None until they are complete.

        Raises:
            LocalProtocolError: a line ends in a bare LF, which h11 reports as an error of the peer.
        """
        end = 0 if self._data.startswith(b"\r\n") else self._data.find(_END)
        if _BARE.search(self._data, 0, len(self._data) if end < 0 else end):
            raise LocalProtocolError("a line ends in a bare line feed")
        lines: list[bytearray] | None = super().maybe_extract_lines()
        return lines
