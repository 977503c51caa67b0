"""Tables that a server keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableHandle:
    """A table that a server keeps for the caller; give it wherever a trade table is taken.

    Attributes:
        name: `tables/` and the digest of what it holds.
        row_count: rows.
        column_count: columns.
        byte_count: bytes it takes on the server.
        create_time: when it was uploaded first, RFC 3339.
        expire_time: when it is forgotten unless it is used before, RFC 3339.
    """

    name: str
    row_count: int
    column_count: int
    byte_count: int
    create_time: str
    expire_time: str

    def to_json_dict(self) -> dict[str, object]:
        """The table as plain data."""
        return {
            "name": self.name,
            "rows": self.row_count,
            "columns": self.column_count,
            "bytes": self.byte_count,
            "created": self.create_time,
            "expires": self.expire_time,
        }
