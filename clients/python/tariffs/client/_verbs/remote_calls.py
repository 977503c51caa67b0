"""Share among client methods the backend, the config, and the refusal of what only a server has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from tariffs.client import _arguments as arguments
from tariffs.client._wire.channel import Backend, RemoteBackend
from tariffs.client._wire.requests import lookup_request, method_of
from tariffs.client.config import Config
from tariffs.client.errors import InvalidRequest

_WATCH_SECONDS = 30 * 86_400.0


class RemoteCalls:
    """Backend and config of a client; a base of the classes mixed into `Client`."""

    _backend: Backend
    _config: Config

    def _call(self, request: Message, timeout: float | None, deadline: str = "lists") -> Any:
        """Make the call of a request, to a server or in this process, by default within a deadline of the config."""
        seconds = arguments.seconds(timeout, getattr(self._config.deadlines, deadline))
        return self._backend.unary(method_of(request), request, seconds)

    def _lookup(self, message: type[Message], timeout: float | None, /, **given: object) -> Any:
        """Make a call that looks something up, with a request of these values."""
        return self._call(lookup_request(message, **given), timeout)

    def _ask(self, message: type[Message], timeout: float | None, /, **given: object) -> Any:
        """Make a call about what a server keeps, with a request of these values."""
        self._remote()
        return self._lookup(message, timeout, **given)

    def _watch(self, message: type[Message], timeout: float | None, /, **given: object) -> Iterator[Any]:
        """Make a call that goes on until the server ends, by default for a month."""
        request, remote = lookup_request(message, **given), self._remote()
        return remote.stream(method_of(request), request, arguments.seconds(timeout, _WATCH_SECONDS))

    def _remote(self) -> RemoteBackend:
        if isinstance(self._backend, RemoteBackend):
            return self._backend
        raise InvalidRequest(
            "REQUEST_INVALID",
            "Tables, long runs and watches need a server, and this client has none.",
            fix="Connect to a server, or call impact and timeline, which take tables of any size in this process.",
        )
