"""An issuer of JSON Web Tokens: keys made for the test, published in a file or by a server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ISSUER, AUDIENCE = "https://id.example.test/", "tariffs"
KEYS: dict[str, tuple[str, Key]] = {
    "rsa": ("RS256", RSAKey.generate_key(2048, {"kid": "rsa"})),
    "ec": ("ES256", ECKey.generate_key("P-256", {"kid": "ec"})),
    "ed": ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
}
OIDC = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE}


def published(*names: str) -> str:
    """The key set with these public keys."""
    return json.dumps({"keys": [KEYS[name][1].as_dict(private=False) for name in names]})


def token(name: str = "ann", key: str = "rsa", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that is valid for a minute unless its claims say otherwise; None leaves a claim out."""
    now = int(time.time())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "iat": now, "exp": now + 60, **claims}
    algorithm, signer = KEYS[key]
    kept = {claim: value for claim, value in given.items() if value is not None}
    return jwt.encode(
        {"alg": algorithm, "kid": signer.kid, **(header or {})}, kept, signer, algorithms=[algorithm]
    )


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Metadata with a token."""
    return (("authorization", f"Bearer {token}"),)


class KeyServer:
    """Gives one answer, which may be replaced as a whole; counts what was asked."""

    def __init__(self, text: str | None) -> None:
        self.asked = 0
        self.url = ""
        self.answer(text)

    def answer(self, text: str | None, status: int = 200, **headers: str) -> None:
        """Answer with a text from now on, or fail if it is None."""
        self.now = text or "", 503 if text is None else status, headers


@contextmanager
def key_server(text: str | None) -> Iterator[KeyServer]:
    """A key set over http on loopback."""
    source = KeyServer(text)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source.asked += 1
            text, status, headers = source.now
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    source.url = f"http://127.0.0.1:{server.server_port}/keys"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield source
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


CLEAR: Any = SimpleNamespace(peer=lambda: "ipv4:127.0.0.1:1", auth_context=dict)
"""A connection without a certificate."""
