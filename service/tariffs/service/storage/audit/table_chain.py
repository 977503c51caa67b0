"""Chain of audit entries in the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tariffs.service.storage.audit.chain import Head, append
from tariffs.service.storage.database import METADATA, Database

AUDIT_CHAINS = sa.Table(
    "audit_chains",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)
AUDIT_ENTRIES = sa.Table(
    "audit_entries",
    METADATA,
    sa.Column("chain", sa.String(200), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Index("audit_entries_by_time", "time"),
)


class TableChain:
    """Appends entries to a chain in the database; processes that share a name take turns."""

    def __init__(self, database: Database, name: str) -> None:
        self.name = name
        self._database = database

    def append(self, pending: deque[Mapping[str, Any]]) -> None:
        """Append entries in one transaction, and remove them from `pending`.

        Raises:
            ServiceError: STORAGE_UNAVAILABLE if the database cannot be reached.
            sqlalchemy.exc.SQLAlchemyError: the database refuses the entries.
        """
        with self._database.begin() as connection:
            head, rows = self._head(connection), []
            for facts in pending:
                line, head = append(self.name, head, facts)
                row = {"chain": self.name, "seq": head.seq, "time": facts["time"], "line": line.decode()}
                rows.append(row)
            connection.execute(AUDIT_ENTRIES.insert(), rows)
            mine = AUDIT_CHAINS.c.name == self.name
            connection.execute(AUDIT_CHAINS.update().where(mine).values(seq=head.seq, digest=head.digest))
        pending.clear()

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()

    def _head(self, connection: sa.Connection) -> Head:
        query = sa.select(AUDIT_CHAINS).where(AUDIT_CHAINS.c.name == self.name).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            try:
                with connection.begin_nested():
                    new = AUDIT_CHAINS.insert().values(name=self.name, seq=0, digest=Head().digest)
                    connection.execute(new)
            except sa.exc.IntegrityError:
                # Another process began the chain meanwhile.
                pass
            row = connection.execute(query).one()
        return Head(row.seq, row.digest)
