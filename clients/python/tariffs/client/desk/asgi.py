"""Serve the page with uvicorn, to this machine alone unless a token is set."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import marimo
import uvicorn

PAGE = Path(__file__).with_name("page.py")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine."""
_STOP_SECONDS = 2
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class SameSite:
    """Refuse requests that pages of other sites make through the reader's browser.

    Args:
        app: the page.
        hosts: names by which the page may be called; empty for any.
    """

    def __init__(self, app: AsgiApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 403."""
        if scope["type"] == "lifespan" or self._allowed(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Refused: the page is for its own address.\n"})

    def _allowed(self, scope: Scope) -> bool:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return False
        return not self._hosts or urlsplit(f"//{host}").hostname in self._hosts


class DeskServer(uvicorn.Server):
    """Server of the page that ends its sessions when it stops: their threads would keep the process alive."""

    def __init__(self, host: str, token: str) -> None:
        self._sessions: Any = None
        hosts = LOOPBACK if host in LOOPBACK else frozenset()

        def guarded(app: Any) -> SameSite:
            self._sessions = app.state.session_manager
            return SameSite(app, hosts)

        builder = marimo.create_asgi_app(quiet=True, token=token or None)
        page = builder.with_app(path="", root=str(PAGE), middleware=[guarded]).build()
        super().__init__(uvicorn.Config(page, log_level="warning", timeout_graceful_shutdown=_STOP_SECONDS))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, then end the sessions."""
        await super().shutdown(sockets)
        await self._sessions.shutdown()


def server(host: str, token: str = "") -> uvicorn.Server:
    """Make the server of the page; `run` starts it on sockets that are open already.

    Args:
        host: address that the sockets are bound to.
        token: asked of every reader if set.
    """
    return DeskServer(host, token)
