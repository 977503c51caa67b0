"""Recorded calls: one JSON object a line, with the method, its request as JSON, and seconds since the first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from tariffs.client.errors import InvalidRequest
from tariffs.v1 import contract

_NOT_RECORDED = "WatchService"


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


def methods() -> Mapping[str, MethodDescriptor]:
    """List the methods that can be recorded by full name: those of all services but that of portfolios."""
    return {
        f"/{service.full_name}/{method.name}": method
        for service in contract.services()
        for method in service.methods
        if service.name != _NOT_RECORDED
    }


def request_of(method: MethodDescriptor, data: bytes) -> Message:
    """Read the request of a method."""
    kind = message_factory.GetMessageClass(method.input_type)
    return kind.FromString(data)


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


def _read(lines: Iterable[str], known: Mapping[str, MethodDescriptor], path: Path) -> Iterator[RecordedCall]:
    for number, text in enumerate(lines, 1):
        try:
            item: dict[str, Any] = json.loads(text)
            method = known[item["method"]]
            request = json_format.ParseDict(item["request"], request_of(method, b""))
            yield RecordedCall(float(item["at"]), item["method"], request, method.server_streaming)
        except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{path}, line {number}: no call can be read: {error}.",
                field="calls",
                fix="Give a file that `tariffs record` wrote.",
            ) from None
