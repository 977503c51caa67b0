"""ASGI application of the HTTP port: pages of other origins, the gate, and the methods behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectrpc.server import ConnectASGIApplication
from starlette.middleware.cors import CORSMiddleware

from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.server.web.bodies import CODECS
from tariffs.service.server.web.connect_methods import endpoints_of
from tariffs.service.server.web.gate import AsgiApp, Desk, Gate, one_length
from tariffs.service.server.web.http_call import RETRY_AFTER
from tariffs.service.server.web.openapi import Pages
from tariffs.service.server.web.tools import ToolPages
from tariffs.service.wire.status import DETAILS_KEY, REQUEST_ID_KEY

_SENT = (
    "authorization",
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-type",
    "grpc-timeout",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-user-agent",
    REQUEST_ID_KEY,
)
_SHOWN = ("grpc-message", "grpc-status", DETAILS_KEY, REQUEST_ID_KEY, RETRY_AFTER)
_PREFLIGHT_SECONDS = 7200


class _Application(ConnectASGIApplication[None]):
    """All methods of all services; paths are absolute."""

    @property
    def path(self) -> str:
        """Return the path that the application is mounted at."""
        return "/"


def application(
    services: Iterable[str],
    registry: MethodRegistry,
    middleware: Middleware,
    pages: Pages,
    origins: frozenset[str],
    desk: Desk,
    tools: ToolPages,
) -> AsgiApp:
    """Make the application.

    Args:
        origins: origins of the web pages that may call.
    """
    endpoints: Any = endpoints_of(services, registry, middleware)
    methods: Any = _Application(
        service=None,
        endpoints=lambda _service: endpoints,
        read_max_bytes=RECEIVE_LIMIT,
        # Compressing on the event loop would hold up quotes; a proxy can do it.
        compressions=(),
        codecs=CODECS,
    )
    gate = Gate(methods, endpoints, pages, origins, middleware.identify, desk, tools)
    if not origins:
        return one_length(gate)
    cross_origin: Any = CORSMiddleware(
        gate,
        allow_origins=sorted(origins),
        allow_methods=("GET", "POST"),
        allow_headers=_SENT,
        expose_headers=_SHOWN,
        max_age=_PREFLIGHT_SECONDS,
    )
    return one_length(cross_origin)
