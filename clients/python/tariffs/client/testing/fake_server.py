"""Serve scripted or recorded answers over gRPC on loopback."""

from __future__ import annotations

import io
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import polars as pl
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from tariffs.client.errors import client_version
from tariffs.client.testing.handlers import ContractHandlers, Method, method_named, served
from tariffs.client.testing.recording import Recording
from tariffs.v1 import duty_service_pb2

_DOMAIN = "tariffs.internal"
_TOTALS = ("assessed", "owed", "min", "max")
_LAYER = ("base", "amount", "min", "max")
Scripted = Message | Mapping[str, object]
"""Answer to a call: a message, or its fields as a mapping."""
Function = Callable[[Any], Scripted | Sequence[Scripted]]
"""Function from a request (a list of them for a call that sends several) to its answers."""


class FakeServer(ContractHandlers):
    """Server that answers what a test puts into it.

    Attributes:
        target: its `host:port`, for `Client`.
        requests: requests that came in, by name of their method, in order.
        keep_requests: False to keep none, in tests of large uploads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.target = ""
        self.requests: dict[str, list[Any]] = {}
        self.keep_requests = True
        self._answers: dict[str, Function] = {}
        self._recording: Recording | None = None
        self._missing: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.answer("GetServerInfo", {"version": client_version(), "law_version": "fake"})

    def answer(self, method: str, *answers: Scripted, function: Function | None = None) -> None:
        """Answer every call of a method.

        Args:
            method: its name, such as CalculateDuty.
            answers: the answer, as a message or its fields; several for a call that streams. A Polars frame as the
                value of a field of bytes is sent as Arrow.
            function: makes the answers of a request, in place of `answers`.

        Raises:
            InvalidRequest: no such method, or an answer that is not its message.
        """
        named = method_named(method)
        messages = [_message(named, one) for one in answers]
        self._answers[method] = function or (lambda _: messages)

    def fail(
        self, method: str, reason: str, message: str = "", *, code: str = "INVALID_ARGUMENT", **metadata: str
    ) -> None:
        """Refuse every call of a method as the service does.

        Args:
            method: its name.
            reason: reason of the catalogue, such as HTS_CODE_UNKNOWN.
            message: text of the error.
            code: code of gRPC, such as NOT_FOUND or UNAVAILABLE.
            metadata: further facts of the error; `fix` and `field` are shown by the client.

        Raises:
            InvalidRequest: no such method.
        """
        method_named(method)
        error = _refusal(code, reason, message or f"The test refuses {method}.", metadata)

        def refuse(_: object) -> Scripted:
            raise error

        self._answers[method] = refuse

    def lack(self, *names: str) -> None:
        """Behave as an older server that does not have these methods; raises InvalidRequest for an unknown one."""
        self._missing |= {method_named(name).path for name in names}

    def replay(self, recording: Recording | str | Path) -> None:
        """Answer calls as a recording does; scripted methods go before it.

        Raises:
            InvalidRequest: the file is no recording.
        """
        self._recording = recording if isinstance(recording, Recording) else Recording.read(recording)

    def responses(self, method: Method, given: Any, context: grpc.ServicerContext) -> Iterable[Message]:
        """Answer a call by the script or the recording."""
        try:
            return self._responses(method, list(given) if method.requests_stream else [given])
        except _RefusedError as error:
            context.abort_with_status(rpc_status.to_status(error.status))
            raise

    def _responses(self, method: Method, requests: list[Message]) -> Iterable[Message]:
        name = method.path.rpartition("/")[2]
        if self.keep_requests:
            with self._lock:
                self.requests.setdefault(name, []).extend(requests)
        if name in self._answers:
            made = self._answers[name](requests if method.requests_stream else requests[0])
            answers = made if isinstance(made, Sequence) else [made]
            return [_message(method, one) for one in answers]
        call = self._recording.find(name, requests) if self._recording is not None else None
        if call is None:
            raise _refusal(
                "UNIMPLEMENTED",
                "METHOD_UNKNOWN",
                f"The test has no answer to this {name}.",
                {"fix": f'Script one with answer("{name}", ...), or record it.'},
            )
        if call.status is not None:
            raise _RefusedError(call.status)
        return call.responses

    def has(self, path: str) -> bool:
        """Test whether a method is there."""
        return path not in self._missing


class _RefusedError(Exception):
    """Error that a call ends with."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


def _refusal(code: str, reason: str, message: str, metadata: Mapping[str, str]) -> _RefusedError:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason, domain=_DOMAIN, metadata=dict(metadata))
    ]
    if "field" in metadata:
        violation = error_details_pb2.BadRequest.FieldViolation(field=metadata["field"], description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    for one in details:
        packed = AnyMessage()
        packed.Pack(one)
        status.details.append(packed)
    return _RefusedError(status)


@contextmanager
def fake_server(recording: Recording | str | Path | None = None) -> Iterator[FakeServer]:
    """Serve on a free port of loopback as long as the block.

    Args:
        recording: answers calls as this recording does, if one is given.
    """
    fake = FakeServer()
    if recording is not None:
        fake.replay(recording)
    with served(fake) as fake.target:
        yield fake


def _message(method: Method, answer: Scripted) -> Message:
    """Convert the fields of an answer to its message; raises InvalidRequest if they do not fit."""
    if isinstance(answer, Message):
        return answer
    message = method.response()
    json_format.ParseDict(_encoded(answer), message)
    if isinstance(message, duty_service_pb2.CalculateDutyResponse):
        _fill_amounts(message)
    return message


def _fill_amounts(quote: duty_service_pb2.CalculateDutyResponse) -> None:
    """Set the amounts that a script leaves out to zero; a client reads all of them."""
    for one, names in ((quote, _TOTALS), *((layer, _LAYER) for layer in quote.layers)):
        for name in names:
            setattr(one, name, getattr(one, name) or "0.00")


def _encoded(value: Any) -> Any:
    """Convert a value to what the JSON form of Protobuf takes: frames and bytes to base64."""
    if isinstance(value, Mapping):
        return {name: _encoded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(one) for one in value]
    if isinstance(value, pl.DataFrame):
        buffer = io.BytesIO()
        value.write_ipc_stream(buffer)
        return _base64(buffer.getvalue())
    return _base64(value) if isinstance(value, bytes) else value


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
