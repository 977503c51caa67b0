"""Ask for pages of a server without a browser."""

from __future__ import annotations

from tests.service.harness import Running
from tests.service.web_calls import HttpAnswer, call


def get(served: Running, path: str, **headers: str) -> HttpAnswer:
    """Get an address."""
    return call(served.server.http_port, "GET", path, b"", **headers)


def sent(served: Running, path: str, body: bytes, page: str, **headers: str) -> HttpAnswer:
    """Send a form or a file from a page, with the cookie and the proof that it has."""
    shown = get(served, page)
    proof = shown.body.decode().split('data-proof="')[1].split('"')[0]
    cookie = shown.headers["set-cookie"].partition(";")[0]
    own = f"proof={proof}&".encode() if body.startswith(b"name=") else b""
    return call(served.server.http_port, "POST", path, own + body, cookie=cookie, x_proof=proof, **headers)
