"""The ledger of long runs: who asked for what, who computes it, how far it is.

A run is claimed for a while, and the claim is renewed while it is computed; a claim that runs out is free for any other
server. Whoever lost its claim changes nothing any more: every write names the claim it stands on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.storage.database import RUNS, Database
from tariffs.service.storage.page_tokens import read_token, write_token
from tariffs.service.storage.run_rows import (
    CANCELLED,
    FAILED,
    OPEN,
    PREFIX,
    RUNNING,
    SUCCEEDED,
    WAITING,
    RunRow,
    not_found,
    run_digest,
    write_error,
)

CRASHES_AT_MOST = 3
# How many leases a run of another version waits for a server of its own before any takes it.
_PATIENCE = 4


class LeaseState(Enum):
    """What a claim is worth."""

    HELD = "held"
    LOST = "lost"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Lease:
    """A run taken by a worker; `worker` is unlike that of any other claim."""

    run: RunRow
    worker: str


class RunStore:
    """All runs. Every method blocks.

    Args:
        database: where they are kept.
        maker: law and engine version of this server; runs go on under the version they began with.
        lease_seconds: how long a claim holds without being renewed.
        keep_seconds: how long an ended run is kept.
        waiting_limit: how many runs may wait.
        waiting_each: of these, how many may be one owner's.
        kept_each: how many runs of one owner are kept in all.
    """

    def __init__(
        self,
        database: Database,
        maker: str,
        lease_seconds: float,
        keep_seconds: float,
        waiting_limit: int,
        waiting_each: int,
        kept_each: int,
    ) -> None:
        self._database = database
        self._maker = maker
        self.lease_seconds = lease_seconds
        self.keep_seconds = keep_seconds
        self._waiting_limit = waiting_limit
        self._waiting_each = waiting_each
        self._kept_each = kept_each

    def start(self, owner: str, kind: str, request: bytes, total_parts: int, request_id: str) -> RunRow:
        """Enter a run; one that the caller entered under the same id before is given back.

        Raises:
            InputError: REQUEST_ID_REUSED if that one asked for something else.
            ServiceError: TOO_MANY_STREAMS if too many wait; ROW_QUOTA if the caller keeps too many.
        """
        before = self._asked_before(owner, kind, request, request_id)
        if before is not None:
            return before
        run_id = uuid.uuid4().hex
        try:
            with self._database.begin() as connection:
                self._check_room(connection, owner)
                connection.execute(
                    RUNS.insert().values(
                        id=run_id,
                        owner=owner,
                        request_id=request_id or None,
                        kind=kind,
                        request=request,
                        maker=self._maker,
                        digest=run_digest(kind, request, self._maker),
                        state=WAITING,
                        total_parts=total_parts,
                        created=self._database.now(connection),
                    )
                )
        except sa.exc.IntegrityError:
            before = self._asked_before(owner, kind, request, request_id)
            if before is None:
                raise
            return before
        return self.get(owner, run_id)

    def get(self, owner: str, run_id: str) -> RunRow:
        """A run of a caller; raises InputError RUN_NOT_FOUND."""
        with self._database.read() as connection:
            found = connection.execute(_mine(owner, run_id)).one_or_none()
        if found is None:
            raise not_found(PREFIX + run_id)
        return _row(found)

    def page(self, owner: str, size: int, token: str) -> tuple[list[RunRow], str]:
        """Some of a caller's runs, the newest first, and where to go on.

        Raises:
            InputError: PAGE_TOKEN_INVALID.
        """
        query = sa.select(RUNS).where(RUNS.c.owner == owner)
        if token:
            query = query.where(sa.tuple_(RUNS.c.created, RUNS.c.id) < sa.tuple_(*read_token(token)))
        query = query.order_by(RUNS.c.created.desc(), RUNS.c.id.desc()).limit(size + 1)
        with self._database.read() as connection:
            found = [_row(row) for row in connection.execute(query)]
        more = len(found) > size
        return found[:size], write_token(found[size - 1].created, found[size - 1].id) if more else ""

    def cancel(self, owner: str, run_id: str) -> RunRow:
        """Ask for the end of a run; one that waits ends at once, one that has ended stays as it is."""
        run = self.get(owner, run_id)
        with self._database.begin() as connection:
            now = self._database.now(connection)
            mine = (RUNS.c.id == run.id, RUNS.c.state.in_(OPEN))
            connection.execute(RUNS.update().where(*mine).values(cancel_asked=True))
            connection.execute(RUNS.update().where(*mine, RUNS.c.lease_until < now).values(**_cancelled(now)))
        return self.get(owner, run_id)

    def delete(self, owner: str, run_id: str) -> None:
        """Forget an ended run.

        Raises:
            InputError: RUN_NOT_FOUND, or RUN_NOT_FINISHED.
        """
        run = self.get(owner, run_id)
        ended = RUNS.delete().where(RUNS.c.id == run.id, RUNS.c.state.not_in(OPEN))
        with self._database.begin() as connection:
            gone = connection.execute(ended).rowcount
        if not gone:
            raise InputError(
                "RUN_NOT_FINISHED", f"The run {run.name} goes on.", field="name", fix="Cancel it first."
            )

    def claim(self) -> Lease | None:
        """Take the oldest run that nobody computes; None if there is none."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            found = connection.execute(self._next(now)).one_or_none()
            if found is None:
                return None
            run, worker = _row(found), uuid.uuid4().hex
            crashes = run.crashes + (run.state == RUNNING)
            if crashes >= CRASHES_AT_MOST:
                connection.execute(RUNS.update().where(RUNS.c.id == run.id).values(**_crashed(now)))
                return None
            values: dict[str, Any] = {
                "state": RUNNING,
                "worker": worker,
                "lease_until": now + self.lease_seconds,
                "attempts": run.attempts + 1,
                "crashes": crashes,
            }
            if run.maker != self._maker:
                digest = run_digest(run.kind, run.request, self._maker)
                values |= {"maker": self._maker, "digest": digest, "finished_parts": 0, "fraction": 0.0}
            connection.execute(RUNS.update().where(RUNS.c.id == run.id).values(values))
            return Lease(_row(connection.execute(sa.select(RUNS).where(RUNS.c.id == run.id)).one()), worker)

    def renew(self, claim: Lease) -> LeaseState:
        """Hold on to a claim."""
        with self._database.begin() as connection:
            until = self._database.now(connection) + self.lease_seconds
            return self._stand(connection, claim, {"lease_until": until})

    def standing(self, claim: Lease) -> LeaseState:
        """What a claim is worth, without renewing it."""
        query = sa.select(RUNS.c.cancel_asked).where(*_held(claim))
        with self._database.read() as connection:
            asked = connection.execute(query).scalar_one_or_none()
        return LeaseState.LOST if asked is None else LeaseState.CANCEL if asked else LeaseState.HELD

    def tell(self, claim: Lease, stage: str, fraction: float) -> None:
        """Note how far a run is."""
        with self._database.begin() as connection:
            self._stand(connection, claim, {"stage": stage[:400], "fraction": fraction})

    def finish_part(self, claim: Lease, finished: int) -> None:
        """Note how many parts can be read; a run that gets on has not crashed."""
        with self._database.begin() as connection:
            self._stand(connection, claim, {"finished_parts": finished, "crashes": 0})

    def succeed(self, claim: Lease, provenance: bytes, message_count: int) -> None:
        """End a run whose result is whole."""
        values = {
            "stage": "done",
            "fraction": 1.0,
            "finished_parts": claim.run.total_parts,
            "provenance": provenance,
            "message_count": message_count,
        }
        self._end(claim, SUCCEEDED, values)

    def fail(self, claim: Lease, error: TariffsError) -> None:
        """End a run that cannot be computed."""
        self._end(claim, FAILED, {"error": write_error(error)})

    def end_cancelled(self, claim: Lease) -> None:
        """End a run whose end was asked for."""
        with self._database.begin() as connection:
            self._stand(connection, claim, _cancelled(self._database.now(connection)))

    def release(self, claim: Lease) -> None:
        """Give a run back, to be taken up by anyone at once."""
        with self._database.begin() as connection:
            # Now, not never: servers of another version wait for those of this one before they take it.
            now = self._database.now(connection)
            self._stand(connection, claim, {"state": WAITING, "lease_until": now, "worker": ""})

    def crash(self, claim: Lease) -> None:
        """Give a run back whose worker died; a few such ends without a part between them end the run."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            self._stand(
                connection, claim, {"state": WAITING, "lease_until": now, "crashes": RUNS.c.crashes + 1}
            )
            often = (RUNS.c.id == claim.run.id, RUNS.c.state == WAITING, RUNS.c.crashes >= CRASHES_AT_MOST)
            connection.execute(RUNS.update().where(*often).values(**_crashed(now)))

    def expire(self) -> set[str]:
        """End cancelled runs that nobody computes and forget old ones; gives the digests still in use."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            idle = (RUNS.c.state.in_(OPEN), RUNS.c.lease_until < now)
            connection.execute(RUNS.update().where(*idle, RUNS.c.cancel_asked).values(**_cancelled(now)))
            connection.execute(RUNS.delete().where(RUNS.c.ended < now - self.keep_seconds))
            return set(connection.execute(sa.select(RUNS.c.digest).distinct()).scalars())

    def _next(self, now: float) -> Any:
        free = sa.and_(RUNS.c.state.in_(OPEN), RUNS.c.lease_until < now, sa.not_(RUNS.c.cancel_asked))
        patience = now - _PATIENCE * self.lease_seconds
        waited = sa.and_(RUNS.c.created < patience, RUNS.c.lease_until < patience)
        ours = sa.or_(RUNS.c.maker == self._maker, waited)
        return (
            sa.select(RUNS)
            .where(free, ours)
            .order_by(RUNS.c.created, RUNS.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    def _asked_before(self, owner: str, kind: str, request: bytes, request_id: str) -> RunRow | None:
        if not request_id:
            return None
        query = sa.select(RUNS).where(RUNS.c.owner == owner, RUNS.c.request_id == request_id)
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return None
        run = _row(found)
        if (run.kind, run.request) != (kind, request):
            raise InputError(
                "REQUEST_ID_REUSED",
                f"The request id {request_id!r} is that of {run.name}, which asked for something else.",
                field="request_id",
                fix="Give each request an id of its own.",
                metadata={"name": run.name},
            )
        return run

    def _check_room(self, connection: sa.Connection, owner: str) -> None:
        kept = sa.select(sa.func.count()).select_from(RUNS).where(RUNS.c.owner == owner)
        if connection.execute(kept).scalar_one() >= self._kept_each:
            raise ServiceError(
                "ROW_QUOTA",
                f"You keep {self._kept_each:,} runs, the limit of an owner.",
                fix="Delete those you do not need: DeleteOperation.",
                metadata={"limit": str(self._kept_each)},
            )
        waiting = sa.select(sa.func.count()).select_from(RUNS).where(RUNS.c.state == WAITING)
        for found, limit, whose in (
            (waiting, self._waiting_limit, "the limit"),
            (waiting.where(RUNS.c.owner == owner), self._waiting_each, "the limit of an owner"),
        ):
            if connection.execute(found).scalar_one() >= limit:
                raise ServiceError(
                    "TOO_MANY_STREAMS",
                    f"{limit:,} runs wait, {whose}.",
                    fix="Try again later.",
                    metadata={"limit": str(limit)},
                )

    def _end(self, claim: Lease, state: str, values: Mapping[str, Any]) -> None:
        with self._database.begin() as connection:
            ended = {"state": state, "lease_until": 0.0, "ended": self._database.now(connection)}
            self._stand(connection, claim, {**values, **ended})

    @staticmethod
    def _stand(connection: sa.Connection, claim: Lease, values: Mapping[str, Any]) -> LeaseState:
        """Write what a claim still allows."""
        changed = RUNS.update().where(*_held(claim)).values(dict(values)).returning(RUNS.c.cancel_asked)
        asked = connection.execute(changed).scalar_one_or_none()
        return LeaseState.LOST if asked is None else LeaseState.CANCEL if asked else LeaseState.HELD


def _cancelled(now: float) -> dict[str, Any]:
    error = ServiceError("CANCELLED", "The run was cancelled.")
    return {"state": CANCELLED, "ended": now, "lease_until": 0.0, "error": write_error(error)}


def _crashed(now: float) -> dict[str, Any]:
    error = ServiceError(
        "ENGINE_INVARIANT",
        f"The run was broken off {CRASHES_AT_MOST} times without getting on.",
        fix="Ask for less at a time; the server's log has the details.",
    )
    return {"state": FAILED, "ended": now, "lease_until": 0.0, "error": write_error(error)}


def _held(claim: Lease) -> tuple[Any, ...]:
    return (RUNS.c.id == claim.run.id, RUNS.c.worker == claim.worker, RUNS.c.state == RUNNING)


def _mine(owner: str, run_id: str) -> Any:
    return sa.select(RUNS).where(RUNS.c.owner == owner, RUNS.c.id == run_id)


def _row(row: Any) -> RunRow:
    return RunRow(**row._mapping)
