"""Record the calls to a server into a file, and find the answers of a request in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status

from tariffs.client._wire.connection import connect
from tariffs.client.config import Config
from tariffs.client.errors import InvalidRequest, client_version
from tariffs.client.testing.handlers import ContractHandlers, Method, kind_of, method_named, served

SCHEMA = "tariffs.recording/v1"
# A client makes a new one for each call.
_OWN_IDS = ("request_id",)


@dataclass(frozen=True, slots=True)
class Call:
    """Recorded call: its requests, and its answers or the status it failed with."""

    method: str
    requests: tuple[Message, ...]
    responses: tuple[Message, ...]
    status: status_pb2.Status | None = None


@dataclass
class Recording:
    """Recorded calls, in order."""

    calls: list[Call] = field(default_factory=list)
    _next: dict[tuple[str, bytes], int] = field(default_factory=dict, repr=False)

    def find(self, method: str, requests: Sequence[Message]) -> Call | None:
        """Find the answer to a request: repeated calls are answered in the order recorded, the last again."""
        key = (method, _key(requests))
        same = [call for call in self.calls if (call.method, _key(call.requests)) == key]
        if not same:
            return None
        place = self._next.get(key, 0)
        self._next[key] = place + 1
        return same[min(place, len(same) - 1)]

    def write(self, path: str | Path) -> None:
        """Write the recording as JSON, with the version of the client that made it."""
        calls = [
            {
                "method": call.method,
                "requests": [_json(one) for one in call.requests],
                "responses": [_json(one) for one in call.responses],
                **({} if call.status is None else {"status": call.status.SerializeToString().hex()}),
            }
            for call in self.calls
        ]
        document = {"schema": SCHEMA, "client_version": client_version(), "calls": calls}
        Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Recording:
        """Read a recording.

        Raises:
            InvalidRequest: REQUEST_INVALID: the file is none, or was made with another contract.
        """
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
            if document["schema"] != SCHEMA:
                raise ValueError(f"its schema is {document['schema']!r}")
            return cls([_call(one) for one in document["calls"]])
        except (OSError, ValueError, KeyError, TypeError, json_format.ParseError) as error:
            raise InvalidRequest(
                "REQUEST_INVALID",
                f"{path} is no recording of this contract: {str(error) or type(error).__name__}.",
                field="recording",
                fix="Record it again with tariffs.client.testing.record.",
            ) from None


@contextmanager
def record(target: str, path: str | Path, *, config: Config | None = None) -> Iterator[str]:
    """Forward calls to a server as long as the block, and write them to a file at its end.

    Args:
        target: the server, `host:port`.
        path: the file.
        config: settings of the connection to the server.

    Yields:
        The `host:port` on loopback to give to `Client`, or to a client in any language.
    """
    recording = Recording()
    channel = connect(target, config or Config())
    try:
        with served(_Forwarding(channel, recording)) as address:
            yield address
    finally:
        channel.close()
        recording.write(path)


class _Forwarding(ContractHandlers):
    """Forwards every call of the contract, and keeps it."""

    def __init__(self, channel: grpc.Channel, recording: Recording) -> None:
        super().__init__()
        self._channel = channel
        self._recording = recording

    def responses(self, method: Method, given: Any, context: grpc.ServicerContext) -> Iterator[Message]:
        """Forward a call, and record what was sent and answered."""
        sent: list[Message] = []
        got: list[Message] = []

        def requests() -> Iterator[Message]:
            for one in given:
                sent.append(one)
                yield one

        if not method.requests_stream:
            sent.append(given)
        ask: Any = getattr(self._channel, kind_of(method))(
            method.path, method.request.SerializeToString, method.response.FromString
        )
        status: status_pb2.Status | None = None
        try:
            answer = ask(requests() if method.requests_stream else given, timeout=context.time_remaining())
            for one in answer if method.responses_stream else [answer]:
                got.append(one)
                yield one
        except grpc.RpcError as error:
            failed: Any = error
            status = rpc_status.from_call(failed) or status_pb2.Status(
                code=failed.code().value[0], message=failed.details() or ""
            )
            context.abort_with_status(rpc_status.to_status(status))
        finally:
            name = method.path.rpartition("/")[2]
            self._recording.calls.append(Call(name, tuple(sent), tuple(got), status))


def _key(requests: Sequence[Message]) -> bytes:
    """Bytes by which requests are compared: without the ids that differ between calls."""
    parts = []
    for request in requests:
        copy = type(request)()
        copy.CopyFrom(request)
        for name in _OWN_IDS:
            if name in copy.DESCRIPTOR.fields_by_name:
                copy.ClearField(name)
        data = copy.SerializeToString(deterministic=True)
        parts.append(len(data).to_bytes(8, "big") + data)
    return b"".join(parts)


def _json(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _call(document: dict[str, Any]) -> Call:
    method = method_named(document["method"])
    status = document.get("status")
    return Call(
        document["method"],
        tuple(json_format.ParseDict(one, method.request()) for one in document["requests"]),
        tuple(json_format.ParseDict(one, method.response()) for one in document["responses"]),
        None if status is None else status_pb2.Status.FromString(bytes.fromhex(status)),
    )
