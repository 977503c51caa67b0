"""Handle of a table on a server."""

from __future__ import annotations

from dataclasses import dataclass

from tariffs.client.results.json_values import Plain


@dataclass(frozen=True, slots=True)
class TableHandle(Plain):
    """Table stored on a server; can be given wherever a trade table is expected.

    Attributes:
        name: `tables/` and the digest of its content.
        row_count: rows.
        column_count: columns.
        byte_count: bytes it takes on the server.
        create_time: time of its first upload, RFC 3339.
        expire_time: time of its deletion unless it is used before, RFC 3339.
        owner: name of its owner; empty from a server that does not say.
        shared_with: group whose members see and use it; empty if it is not shared.
    """

    name: str
    row_count: int
    column_count: int
    byte_count: int
    create_time: str
    expire_time: str
    owner: str = ""
    shared_with: str = ""
