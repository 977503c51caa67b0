"""Requests of declared questions, made of the first of their examples."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from google.protobuf.json_format import MessageToDict

from tariffs.client._wire.channel import LocalBackend
from tariffs.client.cli.app import run
from tariffs.questions.index import INDEX


def of_questions() -> dict[str, dict[str, Any]]:
    """Make the request of each question by its method, as JSON of the contract."""
    found: dict[str, dict[str, Any]] = {}

    def kept(self: object, method: str, request: Any, timeout: float) -> Any:
        (service,) = (one.service for one in INDEX.values() if one.method == method)
        found[f"{service}/{method}"] = MessageToDict(request)
        raise KeyboardInterrupt

    for one in INDEX.values():
        with patch.object(LocalBackend, "unary", kept), suppress(KeyboardInterrupt):
            run(shlex.split(one.question.examples[0])[1:])
    return found
