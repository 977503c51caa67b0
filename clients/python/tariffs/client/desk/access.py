"""Access of readers to the pages: who they are, and what seals their sign-in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from tariffs.client.client import Client

COOKIE = "tariffs_desk"
IDLE_SECONDS, LONGEST_SECONDS, RENEW_SECONDS = 3600, 12 * 3600, 300
"""A sign-in ends an hour after the last page and twelve after its begin; its cookie is renewed every five minutes."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Access(Protocol):
    """Facts about the server that the pages are part of.

    Attributes:
        client: makes the calls of all readers.
        hosts: names that the pages may be called by; empty for any.
        has_sign_in: whether readers can sign in with a token.
    """

    client: Client
    hosts: frozenset[str]
    has_sign_in: bool

    def reading(self, scope: Any, token: str) -> AbstractContextManager[object]:
        """Make calls within the block those of a reader, given the ASGI scope of its request and its token."""

    def seal(self, data: bytes) -> str:
        """Seal data, so that its holder can neither read nor change it."""

    def unseal(self, text: str) -> bytes | None:
        """Open what was sealed; None if it was not sealed here."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign-in of a reader, kept in its cookie.

    Attributes:
        nonce: names the sign-in.
        token: its token; empty without one.
        began: time of the sign-in.
        used: time at which the cookie was made.
    """

    nonce: str
    token: str
    began: float
    used: float

    @classmethod
    def new(cls, token: str = "") -> SignIn:
        """Begin a sign-in."""
        now = time.time()
        return cls(secrets.token_urlsafe(16), token, now, now)

    @classmethod
    def of(cls, access: Access, cookie: str) -> SignIn | None:
        """Read a cookie; None if it is not one of these pages, or has expired."""
        data = access.unseal(cookie) if cookie else None
        if data is None:
            return None
        found, now = cls(**json.loads(data)), time.time()
        is_over = now > found.used + IDLE_SECONDS or now > found.began + LONGEST_SECONDS
        return None if is_over else found

    def cookie(self, access: Access, *, is_secure: bool) -> str:
        """Write the header that sets the cookie, used now."""
        fields = {"nonce": self.nonce, "token": self.token, "began": self.began, "used": time.time()}
        sealed = access.seal(json.dumps(fields).encode())
        secure = "; Secure" if is_secure else ""
        return f"{COOKIE}={sealed}; Path=/; HttpOnly; SameSite=Lax; Max-Age={IDLE_SECONDS}{secure}"

    @property
    def is_old(self) -> bool:
        """True if its cookie is to be renewed."""
        return time.time() > self.used + RENEW_SECONDS

    @property
    def proof(self) -> str:
        """Proof that a form that writes comes from a page of this sign-in; others cannot read the cookie."""
        return hashlib.sha256(f"form {self.nonce}".encode()).hexdigest()

    def is_proof(self, given: str) -> bool:
        """Test a proof in constant time."""
        return hmac.compare_digest(self.proof.encode(), given.encode())


class LoopbackAccess:
    """Access of whoever sits at this machine, with the client of one user."""

    has_sign_in = False

    def __init__(self, client: Client) -> None:
        self.client = client
        self.hosts = LOOPBACK
        self._key = secrets.token_bytes(32)

    def reading(self, scope: Any, token: str) -> AbstractContextManager[object]:
        """Do nothing: all readers are the user."""
        return nullcontext()

    def seal(self, data: bytes) -> str:
        """Sign data, which has no secret here."""
        return f"{base64.urlsafe_b64encode(data).decode()}.{self._signature(data)}"

    def unseal(self, text: str) -> bytes | None:
        """Open what was signed; None if it was not."""
        encoded, _, signature = text.partition(".")
        try:
            data = base64.urlsafe_b64decode(encoded)
        except (binascii.Error, ValueError):
            return None
        return data if hmac.compare_digest(self._signature(data).encode(), signature.encode()) else None

    def _signature(self, data: bytes) -> str:
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()
