"""Call of the HTTP port, in the form of gRPC's context that middleware and handlers expect."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NoReturn

import grpc
import grpc.aio
from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from connectrpc.request import RequestContext
from google.protobuf import any_pb2
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from protobuf import message_from_json_value
from protobuf.wkt import Any as ConnectAny
from protobuf.wkt import Struct

from tariffs.service.wire.status import DETAILS_KEY, REQUEST_ID_KEY, detail_in, grpc_code

RETRY_AFTER = "retry-after"
_CODES = {"cancelled": Code.CANCELED}
CERTIFICATE: ContextVar[Mapping[str, Iterable[bytes]]] = ContextVar(
    "certificate", default=MappingProxyType({})
)
"""Properties of the certificate on the connection of the current request; connectrpc does not pass them on."""
START: ContextVar[Callable[[Iterable[tuple[str, str]]], Awaitable[None]]] = ContextVar("start")
"""Begins the answer to the current request with headers."""
Trailers = Iterable[tuple[str, str | bytes]]


class HttpPeer:
    """Connection of a caller whose call has not begun: it is identified by this and its headers."""

    def __init__(self, client: tuple[str, int] | None) -> None:
        self._client = client

    def peer(self) -> str:
        """Return the address of the caller as gRPC writes it."""
        return peer_of(None if self._client is None else f"{self._client[0]}:{self._client[1]}")

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return the properties of the caller's verified certificate, by gRPC's names."""
        return CERTIFICATE.get()


class CallEnd:
    """Record the end of a call, and call those who wait for it."""

    def __init__(self) -> None:
        self._ended: list[Callable[[Any], None]] = []
        self._cancelled = False
        self._done = False

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` at the end of the call."""
        self._ended.append(callback)

    def cancelled(self) -> bool:
        """Return True once the caller has gone or its deadline has passed."""
        return self._cancelled

    def done(self) -> bool:
        """Return True once the call has ended."""
        return self._done

    def cancel(self) -> None:
        """Record that the caller has gone, or its deadline has passed."""
        self._cancelled = True

    def end(self) -> None:
        """Record the end of the call and run its callbacks."""
        self._done = True
        for callback in self._ended:
            callback(self)


class HttpCall(CallEnd):
    """One call: its metadata, its end, and the error that ended it."""

    def __init__(self, request: RequestContext[Any, Any]) -> None:
        super().__init__()
        self._request = request
        self._error: ConnectError | None = None

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of the request."""
        return tuple(self._request.request_headers.allitems())

    def peer(self) -> str:
        """Return the address of the caller as gRPC writes it, so that a caller has one key on both ports."""
        return peer_of(self._request.client_address)

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return the properties of the caller's verified certificate, by gRPC's names."""
        return CERTIFICATE.get()

    async def send_initial_metadata(self, _metadata: Trailers) -> None:
        """Send the headers of the answer now: connectrpc sends them with the first message."""
        await START.get()(self._request.response_headers.allitems())

    def set_trailing_metadata(self, trailers: Trailers) -> None:
        """Return the request id as a header: browsers read no trailers."""
        for key, value in trailers:
            if key == REQUEST_ID_KEY:
                self._request.response_headers[REQUEST_ID_KEY] = str(value)

    def time_remaining(self) -> float | None:
        """Return the seconds until the deadline; None without one."""
        left = self._request.timeout_ms
        return None if left is None else left / 1e3

    async def abort(self, code: grpc.StatusCode, message: str = "", trailers: Trailers = ()) -> NoReturn:
        """End the call with an error; raises AbortError, after which `error` has it for connectrpc."""
        status = Status.FromString(dict(trailers)[DETAILS_KEY])
        self._error = ConnectError(connect_code(code), message, map(_StatusDetail, status.details))
        if (seconds := _retry_seconds(status)) is not None:
            self._request.response_headers[RETRY_AFTER] = str(seconds)
        raise grpc.aio.AbortError

    @property
    def error(self) -> ConnectError:
        """Error that `abort` ended the call with."""
        assert self._error is not None
        return self._error


def peer_of(client: str | None) -> str:
    """Return an address with its port as gRPC writes it."""
    host, _, port = (client or "unknown:0").rpartition(":")
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"


def connect_code(code: grpc.StatusCode) -> Code:
    """Return the code of the Connect protocol for one of gRPC."""
    name = code.name.lower()
    return _CODES.get(name) or Code(name)


def error_json(status: Status) -> bytes:
    """Return a status as the body of an error of the Connect protocol."""
    code = connect_code(grpc_code(status))
    details = [
        {
            "type": packed.TypeName(),
            "value": base64.b64encode(packed.value).decode().rstrip("="),
            "debug": _fields_of(packed),
        }
        for packed in status.details
    ]
    return json.dumps({"code": code.value, "message": status.message, "details": details}).encode()


class _StatusDetail(ErrorDetail):
    """Detail that the Connect protocol shows as JSON too, under `debug`: the bytes alone say nothing to a reader."""

    def __init__(self, packed: any_pb2.Any) -> None:
        super().__init__(ConnectAny(type_url=packed.type_url, value=packed.value))
        self._packed = packed

    def value(self, *_: Any) -> Any:
        """Return the fields of the detail; `debug` takes a message, and a Struct is shown as its fields."""
        return message_from_json_value(Struct, _fields_of(self._packed))


def _fields_of(packed: any_pb2.Any) -> dict[str, Any]:
    """Return the fields of a detail; none if its type is not one of google.rpc."""
    kind = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2], None)
    return {} if kind is None else MessageToDict(kind.FromString(packed.value))


def _retry_seconds(status: Status) -> int | None:
    """Return the seconds of RetryInfo, at least one; None without it."""
    retry = detail_in(status, RetryInfo)
    return None if retry is None else max(1, int(retry.retry_delay.seconds))
