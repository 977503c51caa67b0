"""Migrate a database forward, revision by revision, and read which revision it has.

The revisions are the files of `versions/`, one after the other without branches. A database without a revision is empty
or was made by version 0.1.0, which kept none: its schema is that of the first revision.

Alembic takes a quarter of a second to import, with highlighters of code: it is imported where a database is opened, so
that a server starts its workers before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tariffs.engine.errors import ServiceError

if TYPE_CHECKING:
    from alembic.config import Config

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
    from alembic.runtime.migration import MigrationContext

    number = MigrationContext.configure(connection).get_current_revision()
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


def upgrade(connection: Connection) -> list[Revision]:
    """Apply the revisions that a database lacks, within the transaction of the connection; return them.

    Raises:
        ServiceError: as `current`.
    """
    from alembic import command

    lock(connection)
    number = current(connection)
    config = _config()
    config.attributes["connection"] = connection
    if number == FIRST:
        # Version 0.1.0 wrote down no revision.
        command.stamp(config, FIRST)
    command.upgrade(config, "head")
    return pending(number)


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
    from alembic.script import ScriptDirectory

    scripts = list(ScriptDirectory.from_config(_config()).walk_revisions())
    return tuple(Revision(script.revision, script.doc) for script in reversed(scripts))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
