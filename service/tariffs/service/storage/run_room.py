"""Room for one more long run: of an owner, by its quota, and in the queue."""

from __future__ import annotations

import sqlalchemy as sa

from tariffs.engine.errors import ServiceError
from tariffs.service.settings.settings import State
from tariffs.service.storage.access import count_owned, quota_reached
from tariffs.service.storage.database import RUNS
from tariffs.service.storage.run_rows import WAITING
from tariffs.service.wire.identity import Caller


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
