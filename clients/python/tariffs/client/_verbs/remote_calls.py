"""Share among client methods the backend, the config, and the refusal of what only a server has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tariffs.client import _arguments as arguments
from tariffs.client._wire.channel import Backend, RemoteBackend
from tariffs.client.config import Config
from tariffs.client.errors import InvalidRequest

_WATCH_SECONDS = 30 * 86_400.0


class RemoteCalls:
    """Backend and config of a client; a base of the classes mixed into `Client`."""

    _backend: Backend
    _config: Config

    def _lookup(self, method: str, request: object, timeout: float | None) -> Any:
        """Make a call that looks something up, to a server or in this process."""
        return self._backend.unary(method, request, arguments.seconds(timeout, self._config.deadlines.lists))

    def _ask(self, method: str, request: object, timeout: float | None) -> Any:
        """Make a call about what a server keeps."""
        return self._remote().unary(method, request, arguments.seconds(timeout, self._config.deadlines.lists))

    def _watch(self, method: str, request: object, timeout: float | None) -> Iterator[Any]:
        """Make a call that goes on until the server ends, by default for a month."""
        return self._remote().stream(method, request, arguments.seconds(timeout, _WATCH_SECONDS))

    def _remote(self) -> RemoteBackend:
        if isinstance(self._backend, RemoteBackend):
            return self._backend
        raise InvalidRequest(
            "REQUEST_INVALID",
            "Tables, long runs and watches need a server, and this client has none.",
            fix="Connect to a server, or call impact and timeline, which take tables of any size in this process.",
        )
