"""The HTTP port: the same methods as over gRPC, by the protocols Connect and gRPC-Web and as JSON, and pages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from tariffs.engine.errors import ServiceError
from tariffs.service.server.admission import Admission
from tariffs.service.server.listener import Endpoint
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.settings.settings import Settings

if TYPE_CHECKING:
    from tariffs.service.server.web.http_port import HttpPort

__all__ = ["load_libraries", "make_http_port"]


def make_http_port(
    settings: Settings,
    services: Iterable[str],
    registry: MethodRegistry,
    middleware: Middleware,
    admission: Admission,
    endpoint: Endpoint,
) -> HttpPort:
    """Make the HTTP port of a server; its libraries are imported only here.

    Args:
        admission: admits the calls; twice as many connections are taken as calls may be in flight.

    Raises:
        ServiceError: EXTRA_MISSING without the extra `web`.
    """
    load_libraries()
    from tariffs.service.server.web.application import application
    from tariffs.service.server.web.desk import access_of, desk_of
    from tariffs.service.server.web.http_port import HttpPort
    from tariffs.service.server.web.openapi import pages_of
    from tariffs.service.server.web.tools import ToolPages

    pages = pages_of(services, lambda: admission.admits, described=settings.reflection != "off")
    access = access_of(settings, registry)
    app = application(
        services, registry, middleware, pages, settings.origins, desk_of(access), ToolPages(access)
    )
    return HttpPort(app, settings, 2 * admission.grpc_limit, endpoint)


def load_libraries() -> None:
    """Import what the port needs; raises ServiceError EXTRA_MISSING."""
    try:
        import_module("tariffs.service.server.web.application")
        import_module("tariffs.service.server.web.http_port")
        import_module("tariffs.client.desk.application")
    except ModuleNotFoundError as error:
        raise ServiceError(
            "EXTRA_MISSING",
            f"TARIFFS_HTTP_PORT needs {error.name}.",
            field="http_port",
            fix="Install tariffs[web], or unset TARIFFS_HTTP_PORT.",
        ) from error
