"""Share among client methods the backend, the config, and the refusal of what only a server has."""

from __future__ import annotations

from tariffs.client._wire.channel import Backend, RemoteBackend
from tariffs.client.config import Config
from tariffs.client.errors import InvalidRequest

WATCH_SECONDS = 30 * 86_400.0
"""Seconds that a watch lasts without a limit from its caller."""


class RemoteCalls:
    """Backend and config of a client; a base of the classes mixed into `Client`."""

    _backend: Backend
    _config: Config

    def _remote(self) -> RemoteBackend:
        if isinstance(self._backend, RemoteBackend):
            return self._backend
        raise InvalidRequest(
            "REQUEST_INVALID",
            "Tables, long runs and watches need a server, and this client has none.",
            fix="Connect to a server, or call impact and timeline, which take tables of any size in this process.",
        )
