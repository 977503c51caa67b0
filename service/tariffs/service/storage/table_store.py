"""Tables that callers keep: their files by digest, and whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import sqlalchemy as sa

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.storage import files
from tariffs.service.storage.database import TABLES, Database
from tariffs.service.storage.page_tokens import read_token, write_token

PREFIX = "tables/"
_HANDLE = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
DAY_SECONDS = 86_400.0
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


class TableStore(Protocol):
    """Where the rows of tables are; a digest always means the same rows."""

    def put(self, digest: str, frame: pl.DataFrame) -> int:
        """Keep rows under their digest; gives the bytes they take."""

    def open(self, digest: str) -> Path | None:
        """The rows as a Parquet file, or None if there are none."""

    def sweep(self, wanted: set[str], idle_seconds: float) -> list[str]:
        """Let go of what is not wanted and has not been used for a while."""


@dataclass(frozen=True, slots=True)
class LocalTables:
    """Tables as Parquet files in a directory, which several servers may share."""

    directory: Path

    def put(self, digest: str, frame: pl.DataFrame) -> int:
        """Keep rows under their digest, unless they are there; gives the bytes they take."""
        path = self._path(digest)
        if not files.touch(path):
            files.write_whole(path, frame.write_parquet)
        return path.stat().st_size

    def open(self, digest: str) -> Path | None:
        """The rows as a Parquet file, or None if there are none."""
        path = self._path(digest)
        return path if files.touch(path) else None

    def sweep(self, wanted: set[str], idle_seconds: float) -> list[str]:
        """Remove files that are not wanted and were not used for a while; those in the making count as unwanted."""
        return files.sweep(self.directory, {digest + _SUFFIX for digest in wanted}.__contains__, idle_seconds)

    def _path(self, digest: str) -> Path:
        return self.directory / f"{digest}{_SUFFIX}"


def digest_of(handle: str) -> str:
    """The digest in a handle.

    Raises:
        InputError: TABLE_NOT_FOUND if it is no handle.
    """
    if not _HANDLE.fullmatch(handle):
        raise not_found(handle)
    return handle.removeprefix(PREFIX)


def not_found(handle: str) -> InputError:
    """The error of a handle that the caller keeps no table of."""
    return InputError(
        "TABLE_NOT_FOUND",
        f"You keep no table {handle[:80]!r}.",
        field="handle",
        fix="Upload it; tables not used for a while are forgotten.",
    )


class TableRegister:
    """Whose tables there are. Every method blocks.

    Args:
        database: where it is kept.
        keep_seconds: how long a table is kept after its last use.
        per_owner: how many tables a caller may keep.
    """

    def __init__(self, database: Database, keep_seconds: float, per_owner: int) -> None:
        self._database = database
        self.keep_seconds = keep_seconds
        self._per_owner = per_owner

    def check_room(self, owner: str) -> None:
        """See that a caller is not over the limit, before a table is taken in that may be one of those kept.

        Raises:
            ServiceError: ROW_QUOTA.
        """
        with self._database.read() as connection:
            self._check_room(connection, owner, self._per_owner + 1)

    def add(self, owner: str, digest: str, row_count: int, column_count: int, byte_count: int) -> StoredTable:
        """Note that a caller keeps a table, or used it again.

        Raises:
            ServiceError: ROW_QUOTA at the limit.
        """
        try:
            return self._add(owner, digest, row_count, column_count, byte_count)
        except sa.exc.IntegrityError:
            # The caller uploaded it twice at the same time, and the other was first.
            return self.use(owner, digest)

    def _add(
        self, owner: str, digest: str, row_count: int, column_count: int, byte_count: int
    ) -> StoredTable:
        with self._database.begin() as connection:
            now = self._database.now(connection)
            if not self._use(connection, owner, digest, now):
                self._check_room(connection, owner, self._per_owner)
                connection.execute(
                    TABLES.insert().values(
                        digest=digest,
                        owner=owner,
                        row_count=row_count,
                        column_count=column_count,
                        byte_count=byte_count,
                        created=now,
                        used=now,
                    )
                )
            return _table(connection.execute(_mine(owner, digest)).one())

    def use(self, owner: str, digest: str) -> StoredTable:
        """A table of a caller, used now.

        Raises:
            InputError: TABLE_NOT_FOUND.
        """
        with self._database.begin() as connection:
            if not self._use(connection, owner, digest, self._database.now(connection)):
                raise not_found(PREFIX + digest)
            return _table(connection.execute(_mine(owner, digest)).one())

    def get(self, owner: str, digest: str) -> StoredTable:
        """A table of a caller; raises InputError TABLE_NOT_FOUND."""
        with self._database.read() as connection:
            found = connection.execute(_mine(owner, digest)).one_or_none()
        if found is None:
            raise not_found(PREFIX + digest)
        return _table(found)

    def page(self, owner: str, size: int, token: str) -> tuple[list[StoredTable], str]:
        """Some of a caller's tables, the newest first, and where to go on.

        Raises:
            InputError: PAGE_TOKEN_INVALID.
        """
        query = sa.select(TABLES).where(TABLES.c.owner == owner)
        if token:
            created, digest = read_token(token)
            later = sa.tuple_(TABLES.c.created, TABLES.c.digest) < sa.tuple_(created, digest)
            query = query.where(later)
        query = query.order_by(TABLES.c.created.desc(), TABLES.c.digest.desc()).limit(size + 1)
        with self._database.read() as connection:
            found = [_table(row) for row in connection.execute(query)]
        more = len(found) > size
        return found[:size], write_token(found[size - 1].created, found[size - 1].digest) if more else ""

    def delete(self, owner: str, digest: str) -> None:
        """Forget a table of a caller; raises InputError TABLE_NOT_FOUND."""
        with self._database.begin() as connection:
            gone = connection.execute(
                TABLES.delete().where(TABLES.c.owner == owner, TABLES.c.digest == digest)
            ).rowcount
        if not gone:
            raise not_found(PREFIX + digest)

    def expire(self) -> set[str]:
        """Forget tables not used for long; gives the digests that somebody still keeps."""
        with self._database.begin() as connection:
            oldest = self._database.now(connection) - self.keep_seconds
            connection.execute(TABLES.delete().where(TABLES.c.used < oldest))
            return set(connection.execute(sa.select(TABLES.c.digest).distinct()).scalars())

    def _check_room(self, connection: sa.Connection, owner: str, limit: int) -> None:
        held = connection.execute(
            sa.select(sa.func.count()).select_from(TABLES).where(TABLES.c.owner == owner)
        )
        if held.scalar_one() >= limit:
            raise ServiceError(
                "ROW_QUOTA",
                f"You keep {self._per_owner:,} tables, the limit.",
                fix="Delete one you no longer need.",
                metadata={"limit": str(self._per_owner)},
            )

    @staticmethod
    def _use(connection: sa.Connection, owner: str, digest: str, now: float) -> bool:
        mine = (TABLES.c.owner == owner, TABLES.c.digest == digest)
        return bool(connection.execute(TABLES.update().where(*mine).values(used=now)).rowcount)


def _mine(owner: str, digest: str) -> Any:
    return sa.select(TABLES).where(TABLES.c.owner == owner, TABLES.c.digest == digest)


def _table(row: Any) -> StoredTable:
    return StoredTable(row.digest, row.row_count, row.column_count, row.byte_count, row.created, row.used)
