"""Migrate a database forward, revision by revision, and read which revision it has.

The revisions are the files of `versions/`, one after the other without branches. A database without a revision is empty
or was made by version 0.1.0, which kept none: its schema is that of the first revision.

Alembic takes a quarter of a second to import, with SQL of all databases: it is imported where a
revision is applied. Tables of a new database are created as the code has them, which is what all revisions give.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tariffs.engine.errors import ServiceError

_HERE = Path(__file__).parent
EMPTY = ""
FIRST = "0001"
FIRST_COLUMNS = {
    "tables": frozenset({"digest", "owner", "row_count", "column_count", "byte_count", "created", "used"}),
    "runs": frozenset(
        (
            "id", "owner", "request_id", "kind", "request", "maker", "digest", "state", "stage", "fraction",
            "finished_parts", "total_parts", "attempts", "crashes", "worker", "lease_until", "cancel_asked", "error",
            "provenance", "message_count", "created", "ended",
        )
    ),
}  # fmt: skip
# The table in which alembic keeps the revision.
_VERSION = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
# The same number for all servers of a database, and of no other program.
_LOCK = 0x7461_7269_6666_7301
_POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the schema: its number and what it does."""

    number: str
    text: str


def newest() -> str:
    """Return the number of the newest revision that this version knows."""
    return _revisions()[-1].number


def lock(connection: Connection) -> None:
    """Wait until no other server migrates the database, and keep others out until the transaction ends.

    SQLite needs nothing more than a transaction that writes: there is one at a time.
    """
    if connection.dialect.name == _POSTGRESQL:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def current(connection: Connection) -> str:
    """Return the revision of a database; EMPTY if it has no tables yet.

    Raises:
        ServiceError: DATABASE_VERSION if a newer version of the server made it, or another program.
    """
    known = sa.inspect(connection).has_table(_VERSION.name)
    number: str | None = connection.execute(sa.select(_VERSION.c.version_num)).scalar() if known else None
    if number is None:
        return _unnumbered(connection)
    if number not in {revision.number for revision in _revisions()}:
        raise ServiceError(
            "DATABASE_VERSION",
            f"The database has the schema revision {number}; this version of the server knows those up to {newest()}.",
            fix="Start the version that migrated the database, or a later one; revisions are never undone.",
            metadata={"found": number, "known": newest()},
        )
    return number


def pending(number: str) -> list[Revision]:
    """List the revisions that a database of this revision lacks, in the order in which they are applied."""
    return [revision for revision in _revisions() if revision.number > number]


def upgrade(connection: Connection, tables: sa.MetaData) -> list[Revision]:
    """Create the tables of an empty database, or apply the revisions that it lacks; return those it lacked.

    Everything is within the transaction of the connection.

    Raises:
        ServiceError: as `current`.
    """
    lock(connection)
    number = current(connection)
    lacking = pending(number)
    if number == EMPTY:
        tables.create_all(connection)
        _VERSION.create(connection, checkfirst=True)
        connection.execute(sa.insert(_VERSION).values(version_num=newest()))
    elif lacking:
        apply_revisions(connection, number)
    return lacking


def apply_revisions(connection: Connection, number: str) -> None:
    """Apply the revisions after one, within the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    if number == FIRST:
        # Version 0.1.0 wrote down no revision.
        command.stamp(config, FIRST)
    command.upgrade(config, "head")


def _unnumbered(connection: Connection) -> str:
    found = sa.inspect(connection)
    names = set(found.get_table_names()) & FIRST_COLUMNS.keys()
    if not names:
        return EMPTY
    columns = {name: frozenset(column["name"] for column in found.get_columns(name)) for name in names}
    if columns != FIRST_COLUMNS:
        raise ServiceError(
            "DATABASE_VERSION",
            f"The database has tables named {' and '.join(sorted(names))} that are not those of version 0.1.0.",
            fix="Set TARIFFS_DATABASE_URL to a database of this server's own.",
        )
    return FIRST


@cache
def _revisions() -> tuple[Revision, ...]:
    """Read number and first line of the files of revisions, in their order."""
    texts = {path.name[1:5]: path.read_text(encoding="utf-8") for path in (_HERE / "versions").glob("r*.py")}
    return tuple(
        Revision(number, ast.get_docstring(ast.parse(texts[number])) or "") for number in sorted(texts)
    )
