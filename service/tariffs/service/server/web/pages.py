"""Pages of the HTTP port that are no calls: /healthz for probes, /openapi.json for generators of clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from tariffs.service.server.web.openapi import description

HEALTH, DESCRIPTION = "/healthz", "/openapi.json"


class Page(NamedTuple):
    """HTTP status and JSON body of a page."""

    status: int
    body: bytes


Pages = Mapping[str, Callable[[], Page]]


def pages_of(services: Iterable[str], is_serving: Callable[[], bool], *, described: bool) -> Pages:
    """Make the pages by path.

    Args:
        services: full names of the services.
        is_serving: says whether calls are admitted.
        described: True if callers may have the description.
    """
    named = tuple(services)

    def health() -> Page:
        return (
            Page(200, b'{"status": "SERVING"}') if is_serving() else Page(503, b'{"status": "NOT_SERVING"}')
        )

    @cache
    def openapi() -> Page:
        return Page(200, json.dumps(description(named)).encode())

    return {HEALTH: health, **({DESCRIPTION: openapi} if described else {})}
