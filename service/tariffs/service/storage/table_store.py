"""Stored tables: their Parquet files by digest, and the register of their owners."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.settings.settings import State
from tariffs.service.storage import files
from tariffs.service.storage.database import TABLES, Database
from tariffs.service.storage.page_tokens import read_page

PREFIX = "tables/"
_HANDLE = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of a caller; times are seconds since 1970."""

    digest: str
    row_count: int
    column_count: int
    byte_count: int
    created: float
    used: float

    @property
    def name(self) -> str:
        """The table's handle."""
        return PREFIX + self.digest


@dataclass(frozen=True, slots=True)
class TableFiles:
    """Parquet files in a directory that several servers may share; a digest always names the same rows."""

    directory: Path

    def write(self, digest: str, frame: pl.DataFrame) -> int:
        """Write rows unless they are stored already; return the size of the file in bytes."""
        path = self._path(digest)
        if not files.touch(path):
            files.write_whole(path, frame.write_parquet)
        return path.stat().st_size

    def find(self, digest: str) -> Path | None:
        """Return the file of a digest and mark it as used; None if there is none."""
        path = self._path(digest)
        return path if files.touch(path) else None

    def sweep(self, wanted: set[str], idle_seconds: float) -> list[str]:
        """Remove files that are not wanted and were not used recently, unfinished ones included."""
        return files.sweep(self.directory, {digest + _SUFFIX for digest in wanted}.__contains__, idle_seconds)

    def _path(self, digest: str) -> Path:
        return self.directory / f"{digest}{_SUFFIX}"


def digest_of(handle: str) -> str:
    """Return the digest in a handle; raises InputError TABLE_NOT_FOUND for any other text."""
    if not _HANDLE.fullmatch(handle):
        raise not_found(handle)
    return handle.removeprefix(PREFIX)


def not_found(handle: str) -> InputError:
    """Make the error for a handle that is not one of the caller's tables."""
    return InputError(
        "TABLE_NOT_FOUND",
        f"You have no table {handle[:80]!r}.",
        field="handle",
        fix="Upload it; tables not used for TARIFFS_KEEP_DAYS are deleted.",
    )


class TableRegister:
    """Register of stored tables and their owners. Every method blocks.

    Args:
        database: the database of the register.
        settings: how long tables are kept and how many an owner may have.
    """

    def __init__(self, database: Database, settings: State) -> None:
        self._database = database
        self.keep_seconds = settings.keep_seconds
        self._per_owner = settings.tables_per_owner

    def check_room(self, owner: str) -> None:
        """Refuse an upload early if its owner is over the limit; at the limit the table may be a stored one.

        Raises:
            ServiceError: ROW_QUOTA.
        """
        with self._database.read() as connection:
            self._check_room(connection, owner, self._per_owner + 1)

    def add(self, owner: str, digest: str, **counts: int) -> StoredTable:
        """Register a table of an owner, or mark it as used if it is registered.

        Args:
            owner: the owner.
            digest: the table's digest.
            counts: row_count, column_count and byte_count.

        Raises:
            ServiceError: ROW_QUOTA at the limit.
        """
        try:
            with self._database.begin() as connection:
                now = self._database.now(connection)
                if not self._use(connection, owner, digest, now):
                    self._check_room(connection, owner, self._per_owner)
                    row = {"digest": digest, "owner": owner, "created": now, "used": now, **counts}
                    connection.execute(TABLES.insert().values(row))
                return _table(connection.execute(_select(owner, digest)).one())
        except sa.exc.IntegrityError:
            # The owner uploaded it twice at the same time, and the other upload was first.
            return self.use(owner, digest)

    def use(self, owner: str, digest: str) -> StoredTable:
        """Return a table of an owner and mark it as used.

        Raises:
            InputError: TABLE_NOT_FOUND.
        """
        with self._database.begin() as connection:
            self._use(connection, owner, digest, self._database.now(connection))
            return _found(connection, owner, digest)

    def get(self, owner: str, digest: str) -> StoredTable:
        """Return a table of an owner; raises InputError TABLE_NOT_FOUND."""
        with self._database.read() as connection:
            return _found(connection, owner, digest)

    def page(self, owner: str, size: int, token: str) -> tuple[list[StoredTable], str]:
        """Return one page of an owner's tables, newest first, and the token of the next page.

        Raises:
            InputError: PAGE_TOKEN_INVALID.
        """
        with self._database.read() as connection:
            rows, following = read_page(connection, TABLES, TABLES.c.digest, owner, size, token)
        return [_table(row) for row in rows], following

    def delete(self, owner: str, digest: str) -> None:
        """Delete a table of an owner; raises InputError TABLE_NOT_FOUND."""
        mine = (TABLES.c.owner == owner, TABLES.c.digest == digest)
        with self._database.begin() as connection:
            if not connection.execute(TABLES.delete().where(*mine)).rowcount:
                raise not_found(PREFIX + digest)

    def expire(self) -> set[str]:
        """Delete tables not used for `keep_seconds`; return the digests still registered."""
        with self._database.begin() as connection:
            oldest = self._database.now(connection) - self.keep_seconds
            connection.execute(TABLES.delete().where(TABLES.c.used < oldest))
            return set(connection.execute(sa.select(TABLES.c.digest).distinct()).scalars())

    def _check_room(self, connection: sa.Connection, owner: str, limit: int) -> None:
        count = sa.select(sa.func.count()).select_from(TABLES).where(TABLES.c.owner == owner)
        if connection.execute(count).scalar_one() >= limit:
            raise ServiceError(
                "ROW_QUOTA",
                f"You have {self._per_owner:,} tables, the limit of an owner.",
                fix="Delete a table you no longer need.",
                metadata={"limit": str(self._per_owner)},
            )

    @staticmethod
    def _use(connection: sa.Connection, owner: str, digest: str, now: float) -> bool:
        mine = (TABLES.c.owner == owner, TABLES.c.digest == digest)
        return bool(connection.execute(TABLES.update().where(*mine).values(used=now)).rowcount)


def _found(connection: sa.Connection, owner: str, digest: str) -> StoredTable:
    row = connection.execute(_select(owner, digest)).one_or_none()
    if row is None:
        raise not_found(PREFIX + digest)
    return _table(row)


def _select(owner: str, digest: str) -> Any:
    return sa.select(TABLES).where(TABLES.c.owner == owner, TABLES.c.digest == digest)


def _table(row: Any) -> StoredTable:
    return StoredTable(row.digest, row.row_count, row.column_count, row.byte_count, row.created, row.used)
