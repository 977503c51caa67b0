"""Database of tables and runs: SQLite on one machine, PostgreSQL for several."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, make_url

from tariffs.engine.errors import ServiceError
from tariffs.service.storage.migrations.migrate import EMPTY, Revision, current, pending, upgrade

BUSY_SECONDS = 10
_BUSY_PAUSE = 0.02
_SQLITE = "sqlite"
_READS = "tariffs_reads"
_TURNS = 0x7461_7269_6666_7302
METADATA = sa.MetaData()
_log = structlog.get_logger("tariffs.service")

TABLES = sa.Table(
    "tables",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("column_count", sa.Integer, nullable=False),
    sa.Column("byte_count", sa.BigInteger, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("used", sa.Double, nullable=False),
    sa.Column("shared_with", sa.String(200), nullable=False, server_default=""),
)
RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("request_id", sa.String(64)),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("maker", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(400), nullable=False, default=""),
    sa.Column("fraction", sa.Double, nullable=False, default=0.0),
    sa.Column("finished_parts", sa.Integer, nullable=False, default=0),
    sa.Column("total_parts", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("crashes", sa.Integer, nullable=False, default=0),
    sa.Column("worker", sa.String(64), nullable=False, default=""),
    sa.Column("lease_until", sa.Double, nullable=False, default=0.0),
    sa.Column("cancel_asked", sa.Boolean, nullable=False, default=False),
    sa.Column("error", sa.Text),
    sa.Column("provenance", sa.LargeBinary),
    sa.Column("message_count", sa.BigInteger, nullable=False, default=0),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Column("shared_with", sa.String(200), nullable=False, server_default=""),
    sa.Column("started_by", sa.String(64), nullable=False, server_default=""),
    sa.UniqueConstraint("owner", "request_id"),
    sa.Index("runs_by_state", "state", "created"),
    sa.Index("runs_by_owner", "owner", "created"),
)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revision of a database's schema, and the revisions of this version that it lacks."""

    revision: str
    pending: Sequence[Revision]

    @property
    def text(self) -> str:
        """The state in words, on one line."""
        if not self.pending:
            return f"revision {self.revision}, up to date"
        last = f"to {self.pending[-1].number}"
        if self.revision == EMPTY:
            return f"no tables yet; they would be created, {last}"
        steps = "; ".join(f"{one.number} {one.text}" for one in self.pending)
        return f"revision {self.revision}; would be migrated {last}: {steps}"


class Database:
    """Connections to one database.

    Args:
        url: `sqlite:///FILE` or `postgresql+psycopg://...`.
    """

    def __init__(self, url: str) -> None:
        self._sqlite = make_url(url).get_backend_name() == _SQLITE
        self._engine = sa.create_engine(url, pool_pre_ping=True)
        if self._sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    def migrate(self) -> None:
        """Create or migrate the tables; several servers may do so at the same time.

        Raises:
            ServiceError: STORAGE_UNAVAILABLE if the database cannot be reached, DATABASE_VERSION if a newer version of
                the server migrated it.
        """
        file = self._engine.url.database
        if self._sqlite and file is not None:
            Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.begin() as connection:
            applied = upgrade(connection, METADATA)
        if applied:
            _log.info("database migrated", revision=applied[-1].number)

    def schema_state(self) -> SchemaState:
        """Read the revision of the database, and change nothing; raises as `migrate`."""
        if self._is_absent():
            return SchemaState(EMPTY, pending(EMPTY))
        with self.read() as connection:
            number = current(connection)
        return SchemaState(number, pending(number))

    def require_current(self) -> None:
        """Check that the database has all tables of this version.

        Raises:
            ServiceError: STORAGE_UNAVAILABLE if it cannot be reached; DATABASE_VERSION if its revision is another one.
        """
        state = self.schema_state()
        if state.pending:
            raise ServiceError(
                "DATABASE_VERSION",
                f"The database has {state.text}.",
                fix="Start a server of this version on it, which migrates it.",
            )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, committed at the end of the block and rolled back if it fails.

        Raises:
            ServiceError: STORAGE_UNAVAILABLE if the database cannot be reached.
        """
        with _connection_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction that takes no write lock; raises as `begin`."""
        with (
            _connection_errors(),
            self._engine.connect().execution_options(**{_READS: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Open a transaction as `begin`, once no other turn is open, so that their rows are seen in order."""
        with self.begin() as connection:
            if not self._sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURNS)))
            yield connection

    def now(self, connection: Connection) -> float:
        """Return seconds since 1970 on the clock shared by all servers of the database."""
        if self._sqlite:
            return time.time()
        return float(
            connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one()
        )

    def _is_absent(self) -> bool:
        """Return True for a file that does not exist: opening it would create it."""
        file = self._engine.url.database
        return self._sqlite and file is not None and not Path(file).exists()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise ServiceError(
            "STORAGE_UNAVAILABLE", "The server's database is not reachable.", fix="Try again shortly."
        ) from error


def _prepare_sqlite(connection: Any, record: Any) -> None:
    # The driver would begin transactions itself, and too late: see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    # Servers that begin at once on a new file: this change alone does not wait as `busy_timeout` says.
    limit = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
        time.sleep(_BUSY_PAUSE)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails when another one wrote in between.
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
