"""Version of the server and what it or this client lacks, and the caller as the server knows it."""

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


@dataclass(frozen=True, slots=True)
class CallerQuota:
    """Quota of a caller.

    Attributes:
        name: name of the quota, such as tables.
        limit: the most there may be; None without a limit.
        used: what there is now; None where nothing is counted.
    """

    name: str
    limit: float | None
    used: float | None


@dataclass(frozen=True, slots=True)
class CallerInfo(Plain):
    """Name, roles, groups and quotas of the caller.

    Attributes:
        name: name that owns its tables and runs; anonymous on a server that knows nobody by name.
        roles: roles: read, run and admin, each with the rights of those before it.
        groups: groups with which tables and runs can be shared.
        quotas: quotas, with what is used of them; empty without a server.
    """

    name: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    quotas: tuple[CallerQuota, ...]
