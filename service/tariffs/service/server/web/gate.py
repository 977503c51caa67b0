"""Gate before the methods of the HTTP port: pages, and requests refused at their headers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from connectrpc.method import IdempotencyLevel, StreamType
from connectrpc.server import Endpoint

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.observability.call_log import request_id_of
from tariffs.service.server.identities import Connection
from tariffs.service.server.tls import CERTIFICATE_KEY
from tariffs.service.server.web.bodies import REFUSAL, Receive, Refusal, RequestBody
from tariffs.service.server.web.http_call import CERTIFICATE, START, HttpPeer, error_json
from tariffs.service.server.web.openapi import DESCRIPTION, Pages
from tariffs.service.server.web.tools import ToolPages
from tariffs.service.wire.identity import Metadata
from tariffs.service.wire.roles import REFLECTION_METHODS
from tariffs.service.wire.status import REQUEST_ID_KEY, request_invalid, status_of

_NO_CERTIFICATE: Mapping[str, tuple[bytes, ...]] = {}
Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[str, Metadata, Connection], Awaitable[None]]
_STATUSES = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}
_GRPC_WEB, _GRPC = "application/grpc-web", "application/grpc"
_UNARY = frozenset({"application/json", "application/proto"})
_STREAM = frozenset({"application/connect+json", "application/connect+proto"})
_SINGLE = frozenset({StreamType.UNARY, StreamType.SERVER_STREAM})
_WEB = frozenset({_GRPC_WEB, f"{_GRPC_WEB}+proto", f"{_GRPC_WEB}+json"})
# An answer depends on the law of the server.
_UNCACHED = (b"cache-control", b"no-store")


class Desk(Protocol):
    """Pages for readers."""

    def answers(self, method: str, path: str) -> bool:
        """Test whether a request is one for these pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""


class Gate:
    """ASGI application that passes on requests which a method can answer, and answers pages.

    Args:
        origins: origins of web pages that may call; others are refused.
        identify: refuses callers by method, headers and connection.
        desk: pages for readers, which refuse other origins themselves.
    """

    def __init__(
        self,
        app: AsgiApp,
        endpoints: Mapping[str, Endpoint[Any, Any]],
        pages: Pages,
        origins: frozenset[str],
        identify: Identify,
        desk: Desk,
        tools: ToolPages,
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._pages = pages
        self._origins = origins
        self._identify = identify
        self._desk = desk
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a page or an error."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        CERTIFICATE.set(scope["state"].get(CERTIFICATE_KEY, _NO_CERTIFICATE))
        if self._desk.answers(scope["method"], scope["path"]):
            return await self._desk(scope, _read_in_time(receive, headers), send)
        if self._tools.answers(scope["path"]):
            return await self._answer_tools(scope, headers, receive, send)
        is_page = scope["path"] in self._pages
        refused = self._refused_origin(headers) or (
            _refused_verb(scope) if is_page else self._refused(scope, headers)
        )
        if refused is not None:
            await _answer_error(send, *refused, headers)
        elif is_page:
            await self._answer_page(scope, headers, send)
        else:
            await self._pass_on(scope, headers, receive, send)

    async def _pass_on(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        path, form = scope["path"], _form_of(headers)
        refusal = Refusal(await self._refusal(path, scope, headers))
        body = RequestBody(
            receive,
            refusal,
            declared=int(headers.get("content-length", 0)),
            is_framed=form not in _UNARY,
            is_single=self._endpoints[path].method.stream_type in _SINGLE,
        )
        sender = AnswerSender(send, form if "+" in form else f"{form}+proto")
        REFUSAL.set(refusal)
        START.set(sender.start)
        # A request is cancelled at the end of the server alone; connectrpc has told its caller by then.
        with suppress(asyncio.CancelledError):
            await self._app(scope, body, sender)

    async def _answer_tools(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        if (refused := self._refused_origin(headers)) is not None:
            return await _answer_error(send, *refused, headers)
        try:
            await self._identify(self._tools.method, headers.items(), HttpPeer(scope["client"]))
            await self._tools.load()
        except TariffsError as error:
            return await _answer_error(send, _STATUSES.get(error.code, 503), error, headers)
        await self._tools(scope, _read_in_time(receive, headers), send)

    async def _answer_page(self, scope: Scope, headers: Mapping[str, str], send: Send) -> None:
        path = scope["path"]
        # Who may not ask for the services by reflection is not told them here.
        error = await self._refusal(REFLECTION_METHODS[0], scope, headers) if path == DESCRIPTION else None
        if error is not None:
            await _answer_error(send, _STATUSES.get(error.code, 503), error, headers)
        else:
            await _answer(send, *self._pages[path](), request_id_of(headers.items()))

    async def _refusal(self, method: str, scope: Scope, headers: Mapping[str, str]) -> TariffsError | None:
        """Return what a caller may not call a method for; None if it may."""
        try:
            await self._identify(method, headers.items(), HttpPeer(scope["client"]))
        except TariffsError as error:
            return error
        return None

    def _refused_origin(self, headers: Mapping[str, str]) -> tuple[int, TariffsError] | None:
        origin = headers.get("origin")
        return None if origin is None or origin in self._origins else (403, _refused_origin(origin))

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, TariffsError] | None:
        """Return HTTP status and error of a request that no method can answer."""
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            return 404, _unknown_method(scope["path"])
        if scope["method"] == "GET" and endpoint.method.idempotency_level is IdempotencyLevel.NO_SIDE_EFFECTS:
            return None
        if scope["method"] != "POST":
            return _wrong_verb(scope, "Send a POST with a JSON body.")
        return _refused_form(_form_of(headers), endpoint.method.stream_type)


def one_length(app: AsgiApp) -> AsgiApp:
    """Return an application that refuses requests with two lengths and closes their connections."""

    async def refuse_or_pass(scope: Scope, receive: Receive, send: Send) -> None:
        if not has_two_lengths(scope["headers"]):
            return await app(scope, receive, send)
        error = request_invalid(
            "The request has both Content-Length and Transfer-Encoding.", "", "Send one of them."
        )
        body = error_json(status_of(error, ""))
        headers = [*_headers(body, ""), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return refuse_or_pass


def has_two_lengths(headers: Any) -> bool:
    """Test whether a request declares its length in both ways (RFC 9112, 6.1); h11 would take the chunks alone."""
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}


def _read_in_time(receive: Receive, headers: Mapping[str, str]) -> Receive:
    """Return the receiver of a body that ends as disconnected if its sender is too slow."""
    declared = int(headers.get("content-length", 0))
    return RequestBody(receive, Refusal(), declared=declared, is_framed=False, is_single=False)


def _form_of(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _refused_verb(scope: Scope) -> tuple[int, TariffsError] | None:
    return None if scope["method"] in ("GET", "HEAD") else _wrong_verb(scope, "Send a GET.")


def _wrong_verb(scope: Scope, fix: str) -> tuple[int, TariffsError]:
    return 405, request_invalid(f"{scope['path']} does not answer {scope['method']}.", "", fix)


def _refused_origin(origin: str) -> ServiceError:
    return ServiceError(
        "ORIGIN_REFUSED",
        f"Pages of {origin[:200]} may not call this server.",
        fix="List the origin in TARIFFS_HTTP_ORIGINS.",
    )


def _unknown_method(path: str) -> ServiceError:
    return ServiceError(
        "METHOD_UNKNOWN",
        f"There is no method at {path[:200]}.",
        fix="Post to /tariffs.v1.SERVICE/METHOD, such as /tariffs.v1.DutyService/CalculateDuty.",
    )


def _refused_form(form: str, kind: StreamType) -> tuple[int, TariffsError] | None:
    """Return HTTP status and error for a content type that the method does not take."""
    forms = _UNARY if kind is StreamType.UNARY else _STREAM
    if form in forms or form in _WEB:
        return None
    fix = f"Send the header content-type: {min(forms)}."
    if kind is not StreamType.UNARY:
        fix = f"The method streams: use a client of Connect or gRPC-Web ({min(forms)})."
    if form == _GRPC or form.startswith(f"{_GRPC}+"):
        fix = "Use the server's gRPC port; this one takes gRPC-Web, Connect and JSON."
    return 415, request_invalid(
        f"The content type {form[:100]!r} is not one of this method.", "content-type", fix
    )


async def _answer_error(
    send: Send, http_status: int, error: TariffsError, headers: Mapping[str, str]
) -> None:
    request_id = request_id_of(headers.items())
    await _answer(send, http_status, error_json(status_of(error, request_id)), request_id)


async def _answer(send: Send, http_status: int, body: bytes, request_id: str) -> None:
    await send({"type": "http.response.start", "status": http_status, "headers": _headers(body, request_id)})
    await send({"type": "http.response.body", "body": body})


def _headers(body: bytes, request_id: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (REQUEST_ID_KEY.encode(), request_id.encode()),
    ]


class AnswerSender:
    """ASGI sender of an answer that no cache keeps, and whose start is sent once.

    Args:
        form: content type of a streamed answer.
    """

    def __init__(self, send: Send, form: str) -> None:
        self._send = send
        self._form = form
        self._is_started = False

    async def __call__(self, message: Any) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            if self._is_started:
                return
            self._is_started = True
            message["headers"] = [*message["headers"], _UNCACHED]
        await self._send(message)

    async def start(self, headers: Iterable[tuple[str, str]]) -> None:
        """Send the start of a streamed answer; what comes later in its headers is left out."""
        named = [(name.encode(), value.encode()) for name, value in headers]
        form = (b"content-type", self._form.encode())
        await self({"type": "http.response.start", "status": 200, "headers": [form, *named]})
