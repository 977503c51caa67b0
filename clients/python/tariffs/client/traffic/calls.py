"""Recorded calls: one JSON object a line, with the method, its request as JSON, and seconds since the first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from tariffs.client.errors import InvalidRequest
from tariffs.client.testing import handlers
from tariffs.client.testing.handlers import Method

_NOT_RECORDED = ("/tariffs.v1.DutyService/ListWatchEvents", "/google.longrunning.Operations/")


@dataclass(frozen=True)
class RecordedCall:
    """Call with one request message.

    Attributes:
        at: seconds since the first call of the recording.
        method: full name, such as `/tariffs.v1.DutyService/CalculateDuty`.
        request: the message.
        is_streamed: whether the answer is a stream.
    """

    at: float
    method: str
    request: Message
    is_streamed: bool

    def to_line(self) -> str:
        """Write the call as a line of a file of calls."""
        request = json_format.MessageToDict(self.request, preserving_proto_field_name=True)
        return json.dumps(
            {"at": round(self.at, 6), "method": self.method, "request": request}, ensure_ascii=False
        )


def methods() -> Mapping[str, Method]:
    """List the methods that can be recorded by full name: all but those on lines that are watched and on long runs."""
    every = handlers.methods().values()
    return {method.path: method for method in every if not method.path.startswith(_NOT_RECORDED)}


def read_calls(path: Path) -> list[RecordedCall]:
    """Read a file of calls.

    Raises:
        InvalidRequest: REQUEST_INVALID with the line that cannot be read; a file without calls.
    """
    known = methods()
    with path.open(encoding="utf-8") as lines:
        calls = list(_read(lines, known, path))
    if not calls:
        raise InvalidRequest(
            "REQUEST_INVALID",
            f"{path} has no calls.",
            field="calls",
            fix="Record some: tariffs record -o FILE.",
        )
    return calls


def _read(lines: Iterable[str], known: Mapping[str, Method], path: Path) -> Iterator[RecordedCall]:
    for number, text in enumerate(lines, 1):
        try:
            item: dict[str, Any] = json.loads(text)
            method = known[item["method"]]
            request = json_format.ParseDict(item["request"], method.request())
            yield RecordedCall(float(item["at"]), item["method"], request, method.responses_stream)
        except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{path}, line {number}: no call can be read: {error}.",
                field="calls",
                fix="Give a file that `tariffs record` wrote.",
            ) from None
