"""Store of portfolios that callers keep on the server, and of their events, which are the outbox of webhooks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import InputError
from tariffs.service.settings.settings import State
from tariffs.service.storage.access import (
    check_change,
    check_group,
    count_owned,
    listed,
    quota_reached,
    visible,
)
from tariffs.service.storage.database import METADATA, Database
from tariffs.service.wire.identity import ADMIN, Caller
from tariffs.service.wire.roles import check_role

NONE, WAITING, SENT, DEAD = DELIVERIES = "", "waiting", "sent", "dead"
"""States of the delivery of an event to a webhook."""
EVENTS_AT_A_TIME = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
PORTFOLIOS = sa.Table(
    "portfolios",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("shared_with", sa.String(200), nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("line_count", sa.Integer, nullable=False),
    sa.Column("refused_count", sa.Integer, nullable=False),
    sa.Column("since", sa.String(10), nullable=False),
    sa.Column("webhook", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("law", sa.String(200), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("standings", sa.LargeBinary),
    sa.Column("held_law", sa.String(200), nullable=False),
    sa.Column("held_lines", sa.Integer, nullable=False),
    sa.Column("held", sa.LargeBinary),
    sa.Column("created", sa.Double, nullable=False),
)
PORTFOLIO_EVENTS = sa.Table(
    "portfolio_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("id", sa.String(32), nullable=False),
    sa.Column("event", sa.LargeBinary, nullable=False),
    sa.Column("happened", sa.Double, nullable=False),
    sa.Column("delivery", sa.String(8), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.UniqueConstraint("owner", "name", "id"),
    sa.Index("portfolio_events_due", "delivery", "due"),
)


@dataclass(frozen=True, slots=True)
class NewPortfolio:
    """A portfolio as a caller saves it: `request` asks for the events of its lines."""

    name: str
    request: bytes
    line_count: int
    refused_count: int
    since: str
    shared_with: str = ""
    webhook: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """Events found for a portfolio, by id, and the standings of its lines, under a law and up to a day."""

    law: str
    day: str
    events: Mapping[str, bytes]
    standings: bytes


class PortfolioStore:
    """Portfolios and their events. Every method blocks."""

    def __init__(self, database: Database, settings: State) -> None:
        self._database = database
        self._per_owner = settings.portfolios_per_owner

    # -- callers -----------------------------------------------------------------------------------------------

    def save(self, who: Caller, new: NewPortfolio) -> Any:
        """Store a portfolio, or other lines for one of the caller's; its events stay.

        Raises:
            InputError: REQUEST_INVALID for a name that is none.
            ServiceError: ROW_QUOTA, or NOT_ALLOWED for a group that the caller is not in.
        """
        if not _NAME.fullmatch(new.name):
            raise InputError(
                "REQUEST_INVALID", f"{new.name[:40]!r} is no name of a portfolio.", field="name",
                fix="Use lower case letters, digits, dots and dashes, such as spring-goods.",
            )  # fmt: skip
        check_group(who, new.shared_with, "group")
        values = {name: getattr(new, name) for name in NewPortfolio.__slots__}
        fresh = {"law": "", "day": "", "standings": None, "held_law": "", "held_lines": 0, "held": None}
        with self._database.turn() as connection:
            mine = _rows(PORTFOLIOS, who.owner, new.name)
            changed = (
                PORTFOLIOS.update().where(*mine).values(**values, **fresh, changes=PORTFOLIOS.c.changes + 1)
            )
            if not connection.execute(changed).rowcount:
                if count_owned(connection, PORTFOLIOS, who.owner) >= self._per_owner:
                    text = f"You have {self._per_owner:,} portfolios, the limit of an owner."
                    raise quota_reached("portfolios", text, self._per_owner)
                own = {"owner": who.owner, "changes": 1, "created": self._database.now(connection)}
                connection.execute(PORTFOLIOS.insert().values(**values, **fresh, **own))
            if not new.webhook:
                waits = (
                    *_rows(PORTFOLIO_EVENTS, who.owner, new.name),
                    PORTFOLIO_EVENTS.c.delivery == WAITING,
                )
                connection.execute(PORTFOLIO_EVENTS.update().where(*waits).values(delivery=NONE))
            return connection.execute(sa.select(PORTFOLIOS).where(*mine)).one()

    def visible_to(self, who: Caller) -> list[Any]:
        """Return the caller's portfolios and those shared with it, by owner and name."""
        query = (
            sa.select(PORTFOLIOS)
            .where(listed(PORTFOLIOS, who))
            .order_by(PORTFOLIOS.c.owner, PORTFOLIOS.c.name)
        )
        with self._database.read() as connection:
            return list(connection.execute(query.limit(EVENTS_AT_A_TIME)))

    def find(self, who: Caller, name: str) -> Any:
        """Return a portfolio that a caller may see, by `NAME` or `OWNER/NAME`; raises PORTFOLIO_NOT_FOUND."""
        with self._database.read() as connection:
            return self._find(connection, who, name)

    def delete(self, who: Caller, name: str) -> None:
        """Delete a portfolio with its events; raises as `find`, and NOT_ALLOWED if it is only shared."""
        with self._database.begin() as connection:
            found = self._find(connection, who, name)
            check_change(who, found.owner, name)
            for table in (PORTFOLIO_EVENTS, PORTFOLIOS):
                connection.execute(table.delete().where(*_rows(table, found.owner, found.name)))

    def release(self, who: Caller, name: str) -> Any:
        """Let the events of a law that touches many lines go out; raises as `find`, and NOT_ALLOWED for no admin."""
        check_role(who, ADMIN, "releasing the events of a law")
        with self._database.turn() as connection:
            found = self._find(connection, who, name)
            if found.held is not None:
                self._add(connection, found, _unpacked(found))
            return self._find(connection, who, name)

    def events(self, who: Caller, name: str, after: int, delivery: str = "") -> list[Any]:
        """Return the events of a portfolio with higher numbers, if asked those of a state of delivery alone."""
        with self._database.read() as connection:
            found = self._find(connection, who, name)
            asked = [PORTFOLIO_EVENTS.c.delivery == delivery] if delivery else []
            mine = (
                *_rows(PORTFOLIO_EVENTS, found.owner, found.name),
                PORTFOLIO_EVENTS.c.number > after,
                *asked,
            )
            query = sa.select(PORTFOLIO_EVENTS).where(*mine).order_by(PORTFOLIO_EVENTS.c.number)
            return list(connection.execute(query.limit(EVENTS_AT_A_TIME)))

    @staticmethod
    def _find(connection: sa.Connection, who: Caller, text: str) -> Any:
        owner, _, name = text.rpartition("/")
        if text.isprintable():
            mine = _rows(PORTFOLIOS, owner or who.owner, name)
            found = connection.execute(
                sa.select(PORTFOLIOS).where(*mine, visible(PORTFOLIOS, who))
            ).one_or_none()
            if found is not None:
                return found
        raise InputError(
            "PORTFOLIO_NOT_FOUND", f"You have no portfolio {text[:120]!r}, and none is shared with you.", field="name",
            fix="`tariffs watch list` lists those there; the form is NAME or OWNER/NAME.",
        )  # fmt: skip

    # -- the server --------------------------------------------------------------------------------------------

    def behind(self, law: str, day: str) -> list[Any]:
        """Return the portfolios whose events under a law and until a day are not all found; held ones wait."""
        late = sa.or_(PORTFOLIOS.c.law != law, PORTFOLIOS.c.day < day)
        query = sa.select(PORTFOLIOS).where(late, PORTFOLIOS.c.held_law != law).limit(EVENTS_AT_A_TIME)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(PORTFOLIOS.c.owner, PORTFOLIOS.c.name)))

    def known(self, portfolio: Any) -> frozenset[str]:
        """Return the ids of the events of a portfolio."""
        mine = _rows(PORTFOLIO_EVENTS, portfolio.owner, portfolio.name)
        with self._database.read() as connection:
            return frozenset(connection.execute(sa.select(PORTFOLIO_EVENTS.c.id).where(*mine)).scalars())

    def add(self, portfolio: Any, found: FoundEvents) -> bool:
        """Add events, each once; False if the portfolio has changed since it was read."""
        with self._database.turn() as connection:
            if not self._is_same(connection, portfolio):
                return False
            self._add(connection, portfolio, found)
            return True

    def hold(self, portfolio: Any, found: FoundEvents, lines: int) -> bool:
        """Keep events back until an admin releases them; False if the portfolio has changed."""
        values = {"held_law": found.law, "held_lines": lines, "held": _packed(found)}
        with self._database.turn() as connection:
            if not self._is_same(connection, portfolio):
                return False
            connection.execute(
                PORTFOLIOS.update().where(*_rows(PORTFOLIOS, portfolio.owner, portfolio.name)).values(values)
            )
            return True

    @staticmethod
    def _is_same(connection: sa.Connection, portfolio: Any) -> bool:
        columns = ("changes", "law", "day", "held_law", "created")
        mine = _rows(PORTFOLIOS, portfolio.owner, portfolio.name)
        now = connection.execute(
            sa.select(*(PORTFOLIOS.c[name] for name in columns)).where(*mine)
        ).one_or_none()
        return now is not None and tuple(now) == tuple(getattr(portfolio, name) for name in columns)

    def _add(self, connection: sa.Connection, portfolio: Any, found: FoundEvents) -> None:
        mine = _rows(PORTFOLIO_EVENTS, portfolio.owner, portfolio.name)
        known = set(connection.execute(sa.select(PORTFOLIO_EVENTS.c.id).where(*mine)).scalars())
        now = self._database.now(connection)
        own = {"owner": portfolio.owner, "name": portfolio.name, "happened": now, "attempts": 0, "due": now}
        own |= {"delivery": WAITING if portfolio.webhook else NONE, "error": ""}
        rows = [
            own | {"id": name, "event": event} for name, event in found.events.items() if name not in known
        ]
        if rows:
            connection.execute(PORTFOLIO_EVENTS.insert(), rows)
        done = {"law": found.law, "day": found.day, "standings": found.standings}
        values = {**done, "held_law": "", "held_lines": 0, "held": None}
        connection.execute(
            PORTFOLIOS.update().where(*_rows(PORTFOLIOS, portfolio.owner, portfolio.name)).values(values)
        )

    # -- deliveries --------------------------------------------------------------------------------------------

    def lease_due(self, limit: int, seconds: float) -> list[tuple[Any, Any]]:
        """Lease the events that are due for delivery, in order, each with its portfolio: others leave them alone.

        A server that ends before it has recorded the delivery loses nothing: the events are due again after `seconds`.
        """
        waits = (PORTFOLIO_EVENTS.c.delivery == WAITING,)
        with self._database.turn() as connection:
            now = self._database.now(connection)
            query = sa.select(PORTFOLIO_EVENTS).where(*waits, PORTFOLIO_EVENTS.c.due <= now)
            rows = list(connection.execute(query.order_by(PORTFOLIO_EVENTS.c.number).limit(limit)))
            self._set(connection, [row.number for row in rows], due=now + seconds)
            owners = {(row.owner, row.name) for row in rows}
            keys = sa.tuple_(PORTFOLIOS.c.owner, PORTFOLIOS.c.name).in_(sorted(owners))
            found = {
                (one.owner, one.name): one for one in connection.execute(sa.select(PORTFOLIOS).where(keys))
            }
        return [(row, found[row.owner, row.name]) for row in rows if (row.owner, row.name) in found]

    def delivered(self, row: Any) -> None:
        """Record that a receiver has taken an event."""
        with self._database.begin() as connection:
            self._set(connection, [row.number], delivery=SENT, attempts=row.attempts + 1, error="")

    def failed(self, row: Any, error: str, again_after: float | None) -> None:
        """Record a failed delivery: due again after some seconds, or dead for None."""
        with self._database.begin() as connection:
            due = self._database.now(connection) + (again_after or 0.0)
            state = DEAD if again_after is None else WAITING
            self._set(
                connection, [row.number], delivery=state, attempts=row.attempts + 1, due=due, error=error
            )

    @staticmethod
    def _set(connection: sa.Connection, numbers: Iterable[int], **values: Any) -> None:
        chosen = PORTFOLIO_EVENTS.c.number.in_(list(numbers))
        connection.execute(PORTFOLIO_EVENTS.update().where(chosen).values(values))


def _rows(table: sa.Table, owner: str, name: str) -> tuple[Any, ...]:
    return table.c.owner == owner, table.c.name == name


def _packed(found: FoundEvents) -> bytes:
    texts = {name: base64.b85encode(event).decode() for name, event in found.events.items()}
    return json.dumps([found.law, found.day, texts, base64.b85encode(found.standings).decode()]).encode()


def _unpacked(portfolio: Any) -> FoundEvents:
    law, day, texts, standings = json.loads(portfolio.held)
    events = {name: base64.b85decode(text) for name, text in texts.items()}
    return FoundEvents(law, day, events, base64.b85decode(standings))
