"""Gate before the methods of the HTTP port: refuse what connectrpc would answer without a reason, and slow requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from connectrpc.method import IdempotencyLevel, StreamType
from connectrpc.server import Endpoint

from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.service.observability.call_log import request_id_of
from tariffs.service.server.web.http_call import CERTIFICATE, error_json
from tariffs.service.server.web.https import CERTIFICATE_KEY
from tariffs.service.wire.status import REQUEST_ID_KEY, request_invalid, status_of

BODY_SECONDS = 30.0
"""Longest time until the next part of a request's body: a slow sender must not keep a place."""
_NO_CERTIFICATE: Mapping[str, tuple[bytes, ...]] = {}
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
_GRPC_WEB, _GRPC = "application/grpc-web", "application/grpc"
_UNARY = frozenset({"application/json", "application/proto"})
_STREAM = frozenset({"application/connect+json", "application/connect+proto"})
_WEB = frozenset({_GRPC_WEB, f"{_GRPC_WEB}+proto", f"{_GRPC_WEB}+json"})


class Gate:
    """ASGI application that passes on requests which a method can answer.

    Args:
        app: answers them.
        endpoints: the methods by path.
        origins: origins of pages that may call; others are refused.
    """

    def __init__(
        self, app: AsgiApp, endpoints: Mapping[str, Endpoint[Any, Any]], origins: frozenset[str]
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with an error."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is None:
            CERTIFICATE.set(scope["state"].get(CERTIFICATE_KEY, _NO_CERTIFICATE))
            # A request is cancelled at the end of the server alone; connectrpc has told its caller by then.
            with suppress(asyncio.CancelledError):
                await self._app(scope, _in_time(receive), _uncached(send))
        else:
            await _answer(send, *refused, request_id_of(headers.items()))

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, TariffsError] | None:
        """Return HTTP status and error of a request that no method can answer."""
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            return 403, _refused_origin(origin)
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            return 404, _unknown_method(scope["path"])
        if scope["method"] == "GET" and endpoint.method.idempotency_level is IdempotencyLevel.NO_SIDE_EFFECTS:
            return None
        if scope["method"] != "POST":
            return 405, request_invalid(
                f"{scope['path']} does not answer {scope['method']}.", "", "Send a POST with a JSON body."
            )
        return _refused_form(headers.get("content-type", ""), endpoint.method.stream_type)


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


def _refused_form(content_type: str, kind: StreamType) -> tuple[int, TariffsError] | None:
    """Return HTTP status and error for a content type that the method does not take."""
    form = content_type.partition(";")[0].strip().lower()
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


def _in_time(receive: Receive) -> Receive:
    """Return the receiver of a request whose body may not pause for long; one that does counts as disconnected."""
    ended = False

    async def receive_in_time() -> Any:
        nonlocal ended
        if ended:
            return await receive()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        ended = not message.get("more_body", False)
        return message

    return receive_in_time


def _uncached(send: Send) -> Send:
    """Return a sender of answers that no cache keeps: an answer depends on the law of the server."""

    async def send_uncached(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
        await send(message)

    return send_uncached


async def _answer(send: Send, http_status: int, error: TariffsError, request_id: str) -> None:
    """Send an error as the Connect protocol does."""
    status = status_of(error, request_id)
    body = error_json(status)
    start = {
        "type": "http.response.start",
        "status": http_status,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (REQUEST_ID_KEY.encode(), request_id.encode()),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
