"""Stored tables: their uploads, their Parquet files by digest, and the register of their owners."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import sqlalchemy as sa

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import State
from tariffs.service.storage import files
from tariffs.service.storage.access import (
    OwnedRows,
    check_change,
    check_group,
    count_owned,
    quota_reached,
    visible,
)
from tariffs.service.storage.database import TABLES, Database
from tariffs.service.storage.files import disk_errors
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.status import request_invalid

PREFIX = "tables/"
_HANDLE = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
_SUFFIX = ".parquet"
_OWNERS_SHOWN = 10
_UPLOAD = ".upload"


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of an owner; times are seconds since 1970."""

    digest: str
    row_count: int
    column_count: int
    byte_count: int
    created: float
    used: float
    owner: str
    shared_with: str

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
    """Make the error for a handle of no table that the caller may use."""
    return InputError(
        "TABLE_NOT_FOUND",
        f"You have no table {handle[:80]!r}.",
        field="handle",
        fix="Upload it; tables not used for TARIFFS_KEEP_DAYS are deleted.",
    )


class TableRegister(OwnedRows[StoredTable]):
    """Register of stored tables and their owners. Every method blocks."""

    def __init__(self, database: Database, settings: State) -> None:
        super().__init__(database, TABLES, TABLES.c.digest, StoredTable)
        self.keep_seconds = settings.keep_seconds
        self._per_owner = settings.tables_per_owner

    def check_room(self, who: Caller) -> None:
        """Refuse an upload early if the caller is over its limit; at the limit the table may be a stored one.

        Raises:
            ServiceError: ROW_QUOTA.
        """
        with self._database.read() as connection:
            self._check_room(connection, who, 1)

    def add(self, who: Caller, digest: str, share_with: str = "", **counts: int) -> StoredTable:
        """Register a table of a caller, or mark it as used if it is registered.

        Args:
            share_with: a group to share it with; empty leaves it as it is.
            counts: row_count, column_count and byte_count.

        Raises:
            ServiceError: ROW_QUOTA at the limit.
        """
        try:
            with self._database.begin() as connection:
                now, own = self._database.now(connection), _row(who.owner, digest)
                shared = {"shared_with": share_with} if share_with else {}
                if not self._update(connection, own, {"used": now, **shared}):
                    self._check_room(connection, who, 0)
                    row = {"digest": digest, "owner": who.owner, "created": now, "used": now}
                    connection.execute(TABLES.insert().values({**row, **shared, **counts}))
                return _table(connection.execute(sa.select(TABLES).where(own)).one())
        except sa.exc.IntegrityError:
            # The owner uploaded it twice at the same time, and the other upload was first.
            table = self.use(who, digest)
            return self.share(who, digest, share_with) if share_with else table

    def use(self, who: Caller, digest: str) -> StoredTable:
        """Return a table that a caller may use and mark it as used; raises InputError TABLE_NOT_FOUND."""
        with self._database.begin() as connection:
            now, table = self._database.now(connection), _visible(connection, who, digest)[0]
            connection.execute(TABLES.update().where(_row(table.owner, digest)).values(used=now))
            return replace(table, used=now)

    def use_any(self, digest: str) -> None:
        """Mark a table as used whose user was checked before, whoever owns it.

        Raises:
            InputError: TABLE_NOT_FOUND if all its owners have deleted it.
        """
        with self._database.begin() as connection:
            used = (
                TABLES.update().where(TABLES.c.digest == digest).values(used=self._database.now(connection))
            )
            if not connection.execute(used).rowcount:
                raise not_found(PREFIX + digest)

    def get(self, who: Caller, digest: str) -> StoredTable:
        """Return a table that a caller may use; raises InputError TABLE_NOT_FOUND."""
        with self._database.read() as connection:
            return _visible(connection, who, digest)[0]

    def delete(self, who: Caller, digest: str, owner: str = "") -> None:
        """Delete a table, for an admin that of another owner.

        Raises:
            InputError: TABLE_NOT_FOUND; REQUEST_INVALID if several owners have it and none is named.
            ServiceError: NOT_ALLOWED for a table that is only shared with the caller.
        """
        with self._database.begin() as connection:
            table = _changeable(connection, who, digest, owner)
            connection.execute(TABLES.delete().where(_row(table.owner, digest)))

    def share(self, who: Caller, digest: str, group: str, owner: str = "") -> StoredTable:
        """Share a table with a group, or with nobody if it is empty; raises as `delete`."""
        check_group(who, group, "group")
        with self._database.begin() as connection:
            table = _changeable(connection, who, digest, owner)
            connection.execute(TABLES.update().where(_row(table.owner, digest)).values(shared_with=group))
            return replace(table, shared_with=group)

    def expire(self) -> set[str]:
        """Delete tables not used for `keep_seconds`; return the digests still registered."""
        with self._database.begin() as connection:
            oldest = self._database.now(connection) - self.keep_seconds
            connection.execute(TABLES.delete().where(TABLES.c.used < oldest))
            return set(connection.execute(sa.select(TABLES.c.digest).distinct()).scalars())

    @staticmethod
    def _update(connection: sa.Connection, row: Any, values: Mapping[str, Any]) -> bool:
        return bool(connection.execute(TABLES.update().where(row).values(dict(values))).rowcount)

    def _check_room(self, connection: sa.Connection, who: Caller, beyond: int) -> None:
        limit = self._per_owner if who.quotas.tables is None else who.quotas.tables
        if count_owned(connection, TABLES, who.owner) >= limit + beyond:
            raise quota_reached("tables", f"You have {limit:,} tables, the limit of an owner.", limit)


def _row(owner: str, digest: str) -> Any:
    return sa.and_(TABLES.c.owner == owner, TABLES.c.digest == digest)


def _visible(connection: sa.Connection, who: Caller, digest: str) -> list[StoredTable]:
    """Read the tables of a digest that a caller may use, its own first; raises InputError TABLE_NOT_FOUND."""
    query = sa.select(TABLES).where(TABLES.c.digest == digest, visible(TABLES, who))
    tables = [_table(row) for row in connection.execute(query.order_by(TABLES.c.owner))]
    if not tables:
        raise not_found(PREFIX + digest)
    return sorted(tables, key=lambda table: table.owner != who.owner)


def _changeable(connection: sa.Connection, who: Caller, digest: str, owner: str) -> StoredTable:
    tables = [table for table in _visible(connection, who, digest) if owner in ("", table.owner)]
    if not tables:
        raise not_found(PREFIX + digest)
    table = tables[0]
    check_change(who, table.owner, table.name)
    if table.owner != who.owner and len(tables) > 1:
        names = ", ".join(repr(one.owner) for one in tables[:_OWNERS_SHOWN])
        raise request_invalid(f"Several owners have {table.name}: {names}.", "owner", "Name one of them.")
    return table


def _table(row: Any) -> StoredTable:
    return StoredTable(**row._mapping)


class UploadFile:
    """File of the parts of one upload, opened by the first part. Every method blocks.

    A cancelled call leaves its last write running in a thread; the lock makes `remove` wait for it, and a write after
    `remove` is dropped, so no handle and no file stays behind.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{uuid.uuid4().hex}{_UPLOAD}"
        self._file: BinaryIO | None = None
        self._removed = False
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append data; raises ServiceError STORAGE_UNAVAILABLE if the disk is full."""
        with self._lock, disk_errors():
            if not self._removed:
                self._append(data)

    def flush(self) -> None:
        """Write what is left in memory, so that the file can be read; raises as `write`."""
        with self._lock, disk_errors():
            if self._file is not None:
                self._file.flush()

    def remove(self) -> None:
        """Delete and close the file."""
        with self._lock:
            self._removed = True
            self.path.unlink(missing_ok=True)
            if self._file is not None:
                with suppress(OSError):
                    self._file.close()
                self._file = None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = _open_locked(self.path)
        self._file.write(data)


def sweep_uploads(directory: Path) -> list[str]:
    """Remove uploads whose process has ended; return their names."""
    removed = []
    for path in sorted(directory.glob(f"*{_UPLOAD}")):
        # A file in use, one that is gone by now, or a file system without locks.
        with suppress(OSError), path.open("rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            path.unlink()
            removed.append(path.name)
    return removed


def _open_locked(path: Path) -> BinaryIO:
    """Make a file that has its name only once it is locked."""
    draft = path.with_suffix("")
    file = draft.open("wb")
    try:
        with suppress(OSError):
            flock(file, LOCK_EX)
        draft.rename(path)
    except BaseException:
        file.close()
        draft.unlink(missing_ok=True)
        raise
    return file
