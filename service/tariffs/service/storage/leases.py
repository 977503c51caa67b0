"""Leases of long runs: which runs are free, room for one more, and leases whose end a clock set back moved away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import ServiceError
from tariffs.service.settings.settings import State
from tariffs.service.storage.access import count_owned, quota_reached
from tariffs.service.storage.database import RUNS
from tariffs.service.storage.run_rows import OPEN, RUNNING, WAITING
from tariffs.service.wire.identity import Caller

LONGEST_PAUSE = 60.0
"""Seconds that a run waits at most until it is tried again."""
# A run of another version waits this many lease times for a server of its own version.
_VERSION_LEASES = 4


def next_free(now: float, maker: str, lease_seconds: float) -> Any:
    """Make the query for the oldest run that a server of this version may lease."""
    free = sa.and_(RUNS.c.state.in_(OPEN), RUNS.c.lease_until < now, sa.not_(RUNS.c.cancel_asked))
    since = now - _VERSION_LEASES * lease_seconds
    waited = sa.and_(RUNS.c.created < since, RUNS.c.lease_until < since)
    return (
        sa.select(RUNS)
        .where(free, sa.or_(RUNS.c.maker == maker, waited))
        .order_by(RUNS.c.created, RUNS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def without_lease(now: float) -> Any:
    """Make the condition of an open run that no server computes."""
    return sa.and_(RUNS.c.state.in_(OPEN), sa.or_(RUNS.c.state == WAITING, RUNS.c.lease_until < now))


class LateLeases:
    """Ends leases and pauses that end later than any that is given now, once nobody renews them.

    They were given before the clock was set back. A server that is alive renews its lease by the new clock.

    Args:
        monotonic: returns the seconds of a clock that is never set.
    """

    def __init__(self, lease_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lease_seconds = lease_seconds
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str, float], float] = {}

    def end(self, connection: sa.Connection, now: float) -> None:
        """End those that have been as they are for the length of a lease."""
        longest = sa.case((RUNS.c.state == RUNNING, self._lease_seconds), else_=LONGEST_PAUSE)
        late = (RUNS.c.state.in_(OPEN), RUNS.c.lease_until > now + longest)
        here = self._monotonic()
        found = [tuple(row) for row in connection.execute(sa.select(*_KEY).where(*late))]
        self._seen = {key: self._seen.get(key, here) for key in found}
        for key, since in self._seen.items():
            if here - since >= self._lease_seconds:
                same = [column == value for column, value in zip(_KEY, key, strict=True)]
                connection.execute(RUNS.update().where(*same).values(lease_until=now))


_KEY = (RUNS.c.id, RUNS.c.worker, RUNS.c.lease_until)


def check_room(connection: sa.Connection, who: Caller, settings: State) -> None:
    """Refuse a run beyond the limits of its owner and of the server.

    Raises:
        ServiceError: ROW_QUOTA if the owner has too many runs, TOO_MANY_STREAMS if too many wait.
    """
    # Two requirements: results of one owner must not fill the disk, and the queue must stay short and fair.
    stored, own = count_owned(connection, RUNS, who.owner), who.quotas.runs_kept
    limit = settings.runs_per_owner if own is None else own
    if stored >= limit:
        raise quota_reached("runs_kept", f"You have {stored:,} long runs, the limit of an owner.", limit)
    count = sa.select(sa.func.count()).select_from(RUNS)
    waiting = count.where(RUNS.c.state == WAITING)
    total = settings.runs_waiting_limit
    for query, limit, whose in (
        (waiting, total, "of the server"),
        (waiting.where(RUNS.c.owner == who.owner), settings.share_of(total), "of an owner"),
    ):
        if connection.execute(query).scalar_one() >= limit:
            raise ServiceError(
                "TOO_MANY_STREAMS",
                f"Server busy: {limit:,} long runs are waiting, the limit {whose}.",
                fix="Try again later.",
                metadata={"limit": str(limit)},
            )
