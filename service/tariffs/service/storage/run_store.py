"""Database store of long runs: owner, request, lease of the computing server, progress.

A run is leased to one server, which renews the lease while it computes; after the lease expires any server may take the
run. Every write is conditional on the lease, so a server that lost it changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from tariffs.engine.errors import InputError, TariffsError
from tariffs.service.settings.settings import State
from tariffs.service.storage.access import OwnedRows, check_change, check_group, visible
from tariffs.service.storage.database import RUNS, Database
from tariffs.service.storage.leases import LONGEST_PAUSE, LateLeases, check_room, next_free, without_lease
from tariffs.service.storage.run_rows import (
    CRASH_LIMIT,
    FAILED,
    OPEN,
    PREFIX,
    RUNNING,
    STATES,
    SUCCEEDED,
    WAITING,
    RunRow,
    cancelled_values,
    crashed_values,
    not_found,
    run_digest,
    write_error,
)
from tariffs.service.wire.identity import Caller
from tariffs.service.wire.trace_context import current_traceparent


class LeaseState(Enum):
    """State of a lease: held, lost to another server, or held by a run whose cancellation was requested."""

    HELD = "held"
    LOST = "lost"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Lease:
    """A run leased to this server; `worker` is unique to the lease."""

    run: RunRow
    worker: str


class RunStore(OwnedRows[RunRow]):
    """All long runs. Every method blocks.

    Args:
        maker: digest of this server's law and engine version; a run continues under the version it started with.
        on_end: called with each run that this store ended; None if nobody needs to know.
    """

    def __init__(
        self, database: Database, maker: str, settings: State, on_end: Callable[[RunRow], None] | None = None
    ) -> None:
        super().__init__(database, RUNS, RUNS.c.id, RunRow)
        self._maker = maker
        self._settings = settings
        self._on_end = on_end
        self.lease_seconds = settings.lease_seconds
        self.keep_seconds = settings.keep_seconds
        self._late_leases = LateLeases(settings.lease_seconds)

    def start(
        self, who: Caller, kind: str, request: bytes, total_parts: int, request_id: str, share_with: str = ""
    ) -> RunRow:
        """Store a new run; a run that the caller started under the same request id is returned instead.

        Raises:
            InputError: REQUEST_ID_REUSED if that run has another request.
            ServiceError: TOO_MANY_STREAMS if too many runs wait; ROW_QUOTA if the owner has too many; NOT_ALLOWED to
                share it with that group.
        """
        check_group(who, share_with, "share_with")
        earlier = self._started_before(who.owner, kind, request, request_id)
        if earlier is not None:
            return earlier
        run_id = uuid.uuid4().hex
        try:
            with self._database.begin() as connection:
                check_room(connection, who, self._settings)
                connection.execute(
                    RUNS.insert().values(
                        id=run_id,
                        owner=who.owner,
                        shared_with=share_with,
                        started_by=current_traceparent(),
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
            earlier = self._started_before(who.owner, kind, request, request_id)
            if earlier is None:
                raise
            return earlier
        return self.get(who, run_id)

    def get(self, who: Caller, run_id: str) -> RunRow:
        """Return a run that a caller may see; raises InputError RUN_NOT_FOUND."""
        query = sa.select(RUNS).where(visible(RUNS, who), RUNS.c.id == run_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise not_found(PREFIX + run_id)
        return _run(row)

    def find(self, owner: str, request_id: str) -> RunRow | None:
        """Return the run that an owner started under a request id; None without one."""
        if not request_id:
            return None
        query = sa.select(RUNS).where(RUNS.c.owner == owner, RUNS.c.request_id == request_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _run(row)

    def open_requests(self) -> list[bytes]:
        """Return the requests of the runs that have not ended."""
        with self._database.read() as connection:
            return list(connection.execute(sa.select(RUNS.c.request).where(RUNS.c.state.in_(OPEN))).scalars())

    def share(self, who: Caller, run_id: str, group: str) -> RunRow:
        """Share a run with a group, or with nobody if it is empty; raises as `cancel`."""
        check_group(who, group, "group")
        run = self._changeable(who, run_id)
        with self._database.begin() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id == run.id).values(shared_with=group))
        return self.get(who, run_id)

    def counts(self) -> dict[str, int]:
        """Count the runs of all owners by state; a state without runs is 0."""
        query = sa.select(RUNS.c.state, sa.func.count()).group_by(RUNS.c.state)
        with self._database.read() as connection:
            found = {str(row[0]): int(row[1]) for row in connection.execute(query)}
        return dict.fromkeys(STATES, 0) | found

    def cancel(self, who: Caller, run_id: str) -> RunRow:
        """Request the cancellation of a run; a waiting run ends at once, an ended run is left unchanged.

        Raises:
            InputError: RUN_NOT_FOUND.
            ServiceError: NOT_ALLOWED for a run that is only shared with the caller.
        """
        run = self._changeable(who, run_id)
        with self._database.begin() as connection:
            now = self._database.now(connection)
            mine = (RUNS.c.id == run.id, RUNS.c.state.in_(OPEN))
            connection.execute(RUNS.update().where(*mine).values(cancel_asked=True))
            idle = (
                RUNS.update().where(RUNS.c.id == run.id, without_lease(now)).values(**cancelled_values(now))
            )
            ended = connection.execute(idle).rowcount
        self._tell([run.id] if ended else [])
        return self.get(who, run_id)

    def delete(self, who: Caller, run_id: str) -> None:
        """Delete an ended run.

        Raises:
            InputError: RUN_NOT_FOUND, or RUN_NOT_FINISHED.
            ServiceError: as `cancel`.
        """
        run = self._changeable(who, run_id)
        ended = RUNS.delete().where(RUNS.c.id == run.id, RUNS.c.state.not_in(OPEN))
        with self._database.begin() as connection:
            deleted = connection.execute(ended).rowcount
        if not deleted:
            raise InputError(
                "RUN_NOT_FINISHED",
                f"The run {run.name} has not ended yet.",
                field="name",
                fix="Cancel it first.",
            )

    def lease_next(self) -> Lease | None:
        """Lease the oldest run that no server computes; None if there is none."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            self._late_leases.end(connection, now)
            row = connection.execute(next_free(now, self._maker, self.lease_seconds)).one_or_none()
            if row is None:
                return None
            run = _run(row)
            crashes = run.crashes + (run.state == RUNNING)
            if crashes < CRASH_LIMIT:
                return self._leased(connection, run, crashes, now)
            connection.execute(RUNS.update().where(RUNS.c.id == run.id).values(**crashed_values(now)))
        self._tell([run.id])
        return None

    def _leased(self, connection: sa.Connection, run: RunRow, crashes: int, now: float) -> Lease:
        worker = uuid.uuid4().hex
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
        return Lease(_run(connection.execute(sa.select(RUNS).where(RUNS.c.id == run.id)).one()), worker)

    def renew(self, lease: Lease) -> LeaseState:
        """Extend a lease by `lease_seconds`."""
        with self._database.begin() as connection:
            until = self._database.now(connection) + self.lease_seconds
            return self._write(connection, lease, {"lease_until": until})

    def lease_state(self, lease: Lease) -> LeaseState:
        """Return the state of a lease without renewing it."""
        query = sa.select(RUNS.c.cancel_asked).where(*_held(lease))
        with self._database.read() as connection:
            return _state(connection.execute(query).scalar_one_or_none())

    def report_progress(self, lease: Lease, stage: str, fraction: float) -> None:
        """Store the progress of a run."""
        with self._database.begin() as connection:
            self._write(connection, lease, {"stage": stage[:400], "fraction": fraction})

    def finish_part(self, lease: Lease, finished: int) -> None:
        """Store the number of finished parts; a new part resets the count of crashes."""
        with self._database.begin() as connection:
            self._write(connection, lease, {"finished_parts": finished, "crashes": 0})

    def succeed(self, lease: Lease, provenance: bytes, message_count: int) -> None:
        """End a run whose result is complete."""
        values = {
            "stage": "done",
            "fraction": 1.0,
            "finished_parts": lease.run.total_parts,
            "provenance": provenance,
            "message_count": message_count,
        }
        self._end(lease, SUCCEEDED, values)

    def fail(self, lease: Lease, error: TariffsError) -> None:
        """End a run with an error."""
        self._end(lease, FAILED, {"error": write_error(error)})

    def end_cancelled(self, lease: Lease) -> None:
        """End a run whose cancellation was requested."""
        with self._database.begin() as connection:
            state = self._write(connection, lease, cancelled_values(self._database.now(connection)))
        self._tell([] if state is LeaseState.LOST else [lease.run.id])

    def release(self, lease: Lease) -> None:
        """Give up a lease, so that any server may take the run at once."""
        with self._database.begin() as connection:
            # The time counts: servers of another version wait for one of this version first.
            now = self._database.now(connection)
            self._write(connection, lease, {"state": WAITING, "lease_until": now, "worker": ""})

    def pause(self, lease: Lease, seconds: float, stage: str) -> None:
        """Give up a lease; the run is free again after so many seconds, at most LONGEST_PAUSE."""
        with self._database.begin() as connection:
            until = self._database.now(connection) + min(seconds, LONGEST_PAUSE)
            values = {"state": WAITING, "lease_until": until, "worker": "", "stage": stage}
            self._write(connection, lease, values)

    def crash(self, lease: Lease) -> None:
        """Give up the lease of a run whose worker died; CRASH_LIMIT crashes without a new part end the run."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            self._write(
                connection, lease, {"state": WAITING, "lease_until": now, "crashes": RUNS.c.crashes + 1}
            )
            often = (RUNS.c.id == lease.run.id, RUNS.c.state == WAITING, RUNS.c.crashes >= CRASH_LIMIT)
            ended = connection.execute(RUNS.update().where(*often).values(**crashed_values(now))).rowcount
        self._tell([lease.run.id] if ended else [])

    def expire(self) -> set[str]:
        """End cancelled runs without a lease, delete old runs, and return the digests still in use."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            cancelled = (
                RUNS.update().where(without_lease(now), RUNS.c.cancel_asked).values(**cancelled_values(now))
            )
            ended = connection.execute(cancelled.returning(RUNS.c.id)).scalars().all()
            connection.execute(RUNS.delete().where(RUNS.c.ended < now - self.keep_seconds))
            digests = set(connection.execute(sa.select(RUNS.c.digest).distinct()).scalars())
        self._tell(ended)
        return digests

    def _started_before(self, owner: str, kind: str, request: bytes, request_id: str) -> RunRow | None:
        run = self.find(owner, request_id)
        if run is None:
            return None
        if (run.kind, run.request) != (kind, request):
            raise InputError(
                "REQUEST_ID_REUSED",
                f"The request id {request_id!r} was used for {run.name}, which has another request.",
                field="request_id",
                fix="Use a new id for each request.",
                metadata={"name": run.name},
            )
        return run

    def _changeable(self, who: Caller, run_id: str) -> RunRow:
        run = self.get(who, run_id)
        check_change(who, run.owner, run.name)
        return run

    def _end(self, lease: Lease, state: str, values: Mapping[str, Any]) -> None:
        with self._database.begin() as connection:
            ended = {"state": state, "lease_until": 0.0, "ended": self._database.now(connection)}
            lease_state = self._write(connection, lease, {**values, **ended})
        self._tell([] if lease_state is LeaseState.LOST else [lease.run.id])

    def _tell(self, ended: Sequence[str]) -> None:
        """Pass runs that have ended to `on_end`."""
        if self._on_end is None or not ended:
            return
        with self._database.read() as connection:
            runs = [_run(row) for row in connection.execute(sa.select(RUNS).where(RUNS.c.id.in_(ended)))]
        for run in runs:
            self._on_end(run)

    @staticmethod
    def _write(connection: sa.Connection, lease: Lease, values: Mapping[str, Any]) -> LeaseState:
        """Write values if the lease still holds."""
        changed = RUNS.update().where(*_held(lease)).values(dict(values)).returning(RUNS.c.cancel_asked)
        return _state(connection.execute(changed).scalar_one_or_none())


def _state(cancel_asked: bool | None) -> LeaseState:
    """The state of a lease from the flag of its row; None if no row has the lease."""
    if cancel_asked is None:
        return LeaseState.LOST
    return LeaseState.CANCEL if cancel_asked else LeaseState.HELD


def _held(lease: Lease) -> tuple[Any, ...]:
    return (RUNS.c.id == lease.run.id, RUNS.c.worker == lease.worker, RUNS.c.state == RUNNING)


def _run(row: Any) -> RunRow:
    return RunRow(**row._mapping)
