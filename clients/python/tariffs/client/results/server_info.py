"""Version of the server, and what it or this client lacks."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.client.results.json_values import Plain


@dataclass(frozen=True, slots=True)
class ServerVersion(Plain):
    """Version of the server, beside that of this client.

    Attributes:
        version: version of the server.
        client_version: version of this client.
        law_version: version of the law data of the server.
        missing_on_server: calls (`TableService/CheckTable`) and fields of requests (`SimulateRequest.points`) that this
            client has and the server lacks. Using one is an `Unsupported` error.
        missing_in_client: those that the server has and this client lacks.
    """

    version: str
    client_version: str
    law_version: str
    missing_on_server: tuple[str, ...]
    missing_in_client: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """True if neither lacks anything."""
        return not (self.missing_on_server or self.missing_in_client)
