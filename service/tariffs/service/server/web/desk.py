"""Pages of the desk on the HTTP port: whose calls theirs are, and what seals their sign-in."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from tariffs.service.server.middleware import MethodRegistry
from tariffs.service.server.tls import CERTIFICATE_KEY
from tariffs.service.server.web.http_call import HttpPeer
from tariffs.service.server.web.page_channel import READER, PageChannel, Reader
from tariffs.service.settings.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ServerAccess:
    """Access of readers to the pages of a server: each reads with its own token or certificate."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self.client = client
        # A name that leads to this machine from elsewhere must not read what has no token.
        self.hosts = _LOOPBACK if settings.host in _LOOPBACK and not settings.identifies else frozenset()
        self.has_sign_in = settings.identifies
        key = settings.desk_key.get_secret_value() if settings.desk_key else secrets.token_hex(32)
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))

    @contextmanager
    def reading(self, scope: Any, token: str) -> Iterator[None]:
        """Make calls within the block those of a reader."""
        certificate = scope["state"].get(CERTIFICATE_KEY, {})
        reset = READER.set(Reader(HttpPeer(scope["client"]), token, certificate))
        try:
            yield
        finally:
            READER.reset(reset)

    def seal(self, data: bytes) -> str:
        """Encrypt and sign data."""
        return self._seal.encrypt(data).decode()

    def unseal(self, text: str) -> bytes | None:
        """Open what was sealed; None if it was not sealed with this key."""
        try:
            return self._seal.decrypt(text.encode())
        except InvalidToken:
            return None


def access_of(settings: Settings, registry: MethodRegistry) -> ServerAccess:
    """Make the access of readers, within the event loop of the server; the client is loaded by name."""
    client = import_module("tariffs.client").Client
    return ServerAccess(client.over(PageChannel(registry, asyncio.get_running_loop())), settings)


def desk_of(access: ServerAccess) -> Any:
    """Make the pages of the desk.

    They are loaded by name: the service does not depend on its clients, only these pages do.
    """
    return import_module("tariffs.client.desk.application").Desk(access)
