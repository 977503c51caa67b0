"""Database tables of stored scenarios, and their events, which servers of a database write and their callers watch."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tariffs.service.storage.access import visible
from tariffs.service.storage.database import METADATA, Database
from tariffs.service.storage.scenario_names import StoredVersion
from tariffs.service.wire.identity import Caller

SAVED, SHARED, DELETED, CHECKED = "saved", "shared", "deleted", "checked"
_AT_A_TIME = 100
SCENARIOS = sa.Table(
    "scenarios",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("shared_with", sa.String(200), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)
SCENARIO_VERSIONS = sa.Table(
    "scenario_versions",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("stored", sa.Double, nullable=False),
)
SCENARIO_CHECKS = sa.Table(
    "scenario_checks",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("law_digest", sa.String(64), primary_key=True),
    sa.Column("result", sa.LargeBinary, nullable=False),
    sa.Column("checked", sa.Double, nullable=False),
)
SCENARIO_EVENTS = sa.Table(
    "scenario_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("shared_with", sa.String(200), nullable=False),
    sa.Column("result", sa.LargeBinary),
    sa.Column("happened", sa.Double, nullable=False),
)


def add_event(
    connection: sa.Connection,
    subject: StoredVersion,
    kind: str,
    now: float,
    *,
    shared_with: str | None = None,
    result: bytes | None = None,
) -> None:
    """Add an event in the transaction of what happened."""
    group = subject.shared_with if shared_with is None else shared_with
    row = {"owner": subject.owner, "name": subject.name, "version": subject.version, "kind": kind}
    connection.execute(SCENARIO_EVENTS.insert().values(**row, shared_with=group, result=result, happened=now))


class ScenarioEvents:
    """Reads events. Every method blocks.

    Args:
        keep_seconds: age at which events are deleted.
    """

    def __init__(self, database: Database, keep_seconds: float) -> None:
        self._database = database
        self._keep_seconds = keep_seconds

    def last(self) -> int:
        """Return the number of the last event; 0 without one."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.max(SCENARIO_EVENTS.c.number))).scalar_one() or 0

    def after(self, who: Caller, number: int) -> list[Any]:
        """Return events with higher numbers on scenarios that a caller may see."""
        new = SCENARIO_EVENTS.c.number > number
        query = sa.select(SCENARIO_EVENTS).where(new, visible(SCENARIO_EVENTS, who))
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(SCENARIO_EVENTS.c.number).limit(_AT_A_TIME)))

    def expire(self) -> None:
        """Delete old events, the last one excepted, whose number must not be used again."""
        newest = sa.select(sa.func.max(SCENARIO_EVENTS.c.number)).scalar_subquery()
        with self._database.begin() as connection:
            oldest = self._database.now(connection) - self._keep_seconds
            old = (SCENARIO_EVENTS.c.happened < oldest, SCENARIO_EVENTS.c.number < newest)
            connection.execute(SCENARIO_EVENTS.delete().where(*old))
