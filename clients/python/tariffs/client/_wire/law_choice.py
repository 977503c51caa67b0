"""Name the law of a client in requests that name none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FIELD = "law_version"


def name_law(request: Any, law_version: str) -> None:
    """Write a law into a request that depends on the law and names none."""
    if not law_version:
        return
    fields = request.DESCRIPTOR.fields_by_name
    if FIELD in fields:
        request.law_version = request.law_version or law_version
    elif request.DESCRIPTOR.name == "StartRunRequest" and (kind := request.WhichOneof("request")) is not None:
        name_law(getattr(request, kind), law_version)


def with_law(requests: Iterator[Any], law_version: str) -> Iterator[Any]:
    """Yield the messages of a stream of rows, the first with the law."""
    for request in requests:
        if request.HasField("config"):
            name_law(request.config, law_version)
        yield request
