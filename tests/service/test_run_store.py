"""The store of long runs: one lease at a time, without effect once it is lost, on either database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.settings.settings import DAY_SECONDS, State
from tariffs.service.storage.database import RUNS, Database
from tariffs.service.storage.leases import LONGEST_PAUSE, LateLeases
from tariffs.service.storage.run_rows import RunRow
from tariffs.service.storage.run_store import Lease, LeaseState, RunStore
from tariffs.service.storage.table_store import TableRegister
from tariffs.service.wire.identity import RUN, Caller

LEASE = 60.0
"""Longer than a test: only a clock moved by hand ends a lease before its test."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The database's clock, moved by hand."""
    made = SimpleNamespace(now=1_000_000.0)
    monkeypatch.setattr(Database, "now", lambda database, connection: made.now)
    return made


def owner(name: str) -> Caller:
    return Caller(name, name, frozenset({RUN}))


def runs_of(database: Database, maker: str = "this", **given: Any) -> RunStore:
    settings = {"lease_seconds": LEASE, "caller_share": 1, "runs_per_owner": 1000} | given
    return RunStore(database, maker, State.model_construct(**settings))


def leased(runs: RunStore) -> Lease:
    lease = runs.lease_next()
    assert lease is not None
    return lease


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator[Database]:
    found = Database(new_database())
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def runs(database: Database) -> Iterator[RunStore]:
    yield runs_of(database)
    with database.begin() as connection:
        connection.execute(RUNS.delete())


def begun(runs: RunStore, who: str = "ann", request: bytes = b"", parts: int = 1) -> RunRow:
    return runs.start(owner(who), "simulate", request, parts, "")


def test_a_server_that_begins_waits_for_one_that_makes_the_tables(tmp_path: Path) -> None:
    file = tmp_path / "new.sqlite"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE before (x)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO before VALUES (1)")
    database = Database(f"sqlite:///{file}")
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(database.migrate)
        with pytest.raises(TimeoutError):
            begun.result(timeout=0.2)
        other.execute("COMMIT")
        begun.result(timeout=10.0)
    assert not database.schema_state().pending
    database.close()
    other.close()


def test_many_claimants_take_every_run_once(runs: RunStore, database: Database) -> None:
    names = {begun(runs, request=bytes([index])).name for index in range(20)}

    def take(_: int) -> list[str]:
        own, taken = runs_of(database), list[str]()
        while (lease := own.lease_next()) is not None:
            taken.append(lease.run.name)
            own.succeed(lease, b"", 0)
        return taken

    with ThreadPoolExecutor(4) as pool:
        assert sorted(chain.from_iterable(pool.map(take, range(4)))) == sorted(names)


def test_a_request_id_is_that_of_one_owner_and_the_oldest_run_comes_first(runs: RunStore) -> None:
    first, again, other = (
        runs.start(owner(name), "simulate", b"", 1, "mine").id for name in ("ann", "ann", "bob")
    )
    assert first == again != other
    assert [leased(runs).run.id for _ in range(2)] == [first, other]


def test_a_lease_that_expired_is_taken_and_worth_nothing(runs: RunStore, clock: SimpleNamespace) -> None:
    run = begun(runs, parts=3)
    first = leased(runs)
    assert runs.lease_next() is None
    clock.now += LEASE * 1.5
    second = leased(runs)
    assert (second.run.id, second.run.attempts) == (run.id, 2)
    assert runs.renew(first) is runs.lease_state(first) is LeaseState.LOST
    runs.finish_part(first, 3)
    runs.succeed(first, b"", 9)
    runs.fail(first, ServiceError("DEADLINE", "Late."))
    runs.release(first)
    after = runs.get(owner("ann"), run.id)
    assert (after.state, after.finished_parts, after.worker) == ("running", 0, second.worker)


def test_a_renewed_lease_stays_and_hears_of_a_cancel_which_ends_what_nobody_computes(
    runs: RunStore, clock: SimpleNamespace
) -> None:
    run = begun(runs)
    lease = leased(runs)
    for _ in range(4):
        clock.now += LEASE / 2
        assert runs.renew(lease) is LeaseState.HELD
        assert runs.lease_next() is None
    assert runs.cancel(owner("ann"), run.id).state == "running"
    assert runs.renew(lease) is LeaseState.CANCEL
    # Its worker dies before it hears of it: nobody takes it up again.
    clock.now += LEASE * 1.5
    assert runs.lease_next() is None
    runs.expire()
    ended = runs.get(owner("ann"), run.id)
    assert ended.state == "cancelled"
    assert ended.failure is not None
    assert ended.failure.reason == "CANCELLED"


def test_a_run_whose_servers_die_ends_after_three_and_one_that_gets_on_does_not(
    runs: RunStore, clock: SimpleNamespace
) -> None:
    run = begun(runs, parts=9)
    for part in range(4):
        runs.finish_part(leased(runs), part + 1)
        clock.now += LEASE * 1.2
    # The last of these died too, after its part.
    for _ in range(2):
        assert runs.lease_next() is not None
        clock.now += LEASE * 1.2
    assert runs.lease_next() is None
    assert runs.get(owner("ann"), run.id).state == "failed"


def test_a_run_goes_on_under_the_version_it_began_with_while_there_is_one(
    runs: RunStore, database: Database, clock: SimpleNamespace
) -> None:
    run = begun(runs, parts=2)
    runs.finish_part(leased(runs), 1)
    other = runs_of(database, maker="that")
    clock.now += LEASE * 1.5
    assert other.lease_next() is None
    clock.now += LEASE * 4
    again = leased(other)
    assert (again.run.id, again.run.finished_parts) == (run.id, 0)
    assert again.run.digest != run.digest


def test_an_error_is_told_as_it_was(runs: RunStore) -> None:
    run = begun(runs)
    error = InputError("COLUMN_MISSING", "No hts.", field="hts", fix="Add it.", metadata={"column": "hts"})
    runs.fail(leased(runs), error)
    found = runs.get(owner("ann"), run.id).failure
    assert isinstance(found, TariffsError)
    told = (found.reason, found.message, found.field, found.fix, found.metadata)
    assert told == (error.reason, error.message, error.field, error.fix, error.metadata)


def test_no_owner_takes_all_places_of_those_who_wait(runs: RunStore, database: Database) -> None:
    tight = runs_of(database, runs_waiting_limit=3, caller_share=0.5)
    for number in range(2):
        begun(tight, "ann", b"%d" % number)
    with pytest.raises(ServiceError, match="2 long runs are waiting, the limit of an owner") as caught:
        begun(tight, "ann", b"2")
    assert caught.value.reason == "TOO_MANY_STREAMS"
    begun(tight, "bob", b"0")
    with pytest.raises(ServiceError, match="3 long runs are waiting, the limit of the server"):
        begun(tight, "cid", b"0")


def test_a_run_given_back_is_left_to_servers_of_its_version_for_a_while(
    runs: RunStore, database: Database, clock: SimpleNamespace
) -> None:
    old = runs_of(database, lease_seconds=0.2)
    begun(old, "ann", b"0")
    lease = leased(old)
    for _ in range(10):
        clock.now += 0.1
        old.renew(lease)
    old.release(lease)
    clock.now += 0.01
    assert runs_of(database, maker="new", lease_seconds=0.2).lease_next() is None
    assert old.lease_next() is not None


def test_a_run_that_has_ended_survives_its_time_and_then_goes(
    runs: RunStore, database: Database, clock: SimpleNamespace
) -> None:
    runs = runs_of(database, keep_days=100.0 / DAY_SECONDS)
    run = begun(runs, "ann", b"kept")
    clock.now += 1
    runs.succeed(leased(runs), b"", 1)
    open_run = begun(runs, "ann", b"open")
    for passed in (0.0, 50.0, 99.0, 100.0):
        clock.now = 1_000_001.0 + passed
        assert runs.expire() == {run.digest, open_run.digest}, passed
        assert runs.get(owner("ann"), run.id).state == "succeeded"
    clock.now = 1_000_101.5
    assert runs.expire() == {open_run.digest}
    with pytest.raises(InputError) as caught:
        runs.get(owner("ann"), run.id)
    assert caught.value.reason == "RUN_NOT_FOUND"
    assert runs.get(owner("ann"), open_run.id).is_open


def test_three_crashes_end_a_run_and_a_part_between_them_counts_anew(
    runs: RunStore, clock: SimpleNamespace
) -> None:
    run = begun(runs, parts=9)

    def crash(*, after_part: int | None = None) -> str:
        clock.now += 1
        lease = leased(runs)
        if after_part is not None:
            runs.finish_part(lease, after_part)
        runs.crash(lease)
        return runs.get(owner("ann"), run.id).state

    assert [crash(), crash()] == ["waiting", "waiting"]
    assert crash(after_part=1) == "waiting"
    assert crash() == "waiting"
    assert crash() == "failed"
    failure = runs.get(owner("ann"), run.id).failure
    assert failure is not None
    assert "3 times" in failure.message
    clock.now += 1
    assert runs.lease_next() is None


def test_a_paused_run_is_free_after_its_pause_and_its_interruptions_are_no_crashes(
    runs: RunStore, clock: SimpleNamespace
) -> None:
    run = begun(runs, parts=9)
    for _ in range(10):
        clock.now += 1
        runs.pause(leased(runs), 20.0, "waiting for the cluster")
        waiting = runs.get(owner("ann"), run.id)
        assert (waiting.state, waiting.crashes, waiting.stage) == ("waiting", 0, "waiting for the cluster")
        assert runs.lease_next() is None
        clock.now += 20
    clock.now += 1
    runs.pause(leased(runs), 3_600.0, "")
    clock.now += LONGEST_PAUSE + 1
    runs.pause(leased(runs), 20.0, "")
    assert runs.cancel(owner("ann"), run.id).state == "cancelled"


@pytest.mark.parametrize("back", [61.0, 3_600.0, 1e6])
def test_a_lease_given_before_the_clock_was_set_back_ends_after_its_length(
    runs: RunStore, database: Database, clock: SimpleNamespace, back: float
) -> None:
    here = [0.0]
    run = begun(runs, parts=9)
    clock.now += 1
    leased(runs)
    clock.now -= back
    # The server that had the lease was killed; this one is started after the clock was set.
    restarted = runs_of(database)
    restarted._late_leases = LateLeases(LEASE, lambda: here[0])
    assert restarted.lease_next() is None
    here[0] += LEASE - 1
    assert restarted.lease_next() is None
    here[0] += 1
    assert restarted.lease_next() is None
    clock.now += 1
    again = restarted.lease_next()
    assert again is not None
    assert again.run.id == run.id


def test_a_server_that_is_alive_when_the_clock_is_set_back_keeps_its_run(
    runs: RunStore, database: Database, clock: SimpleNamespace
) -> None:
    other, here = runs_of(database), [0.0]
    other._late_leases = LateLeases(LEASE, lambda: here[0])
    begun(runs, parts=9)
    clock.now += 1
    lease = leased(runs)
    for _ in range(5):
        clock.now -= 3_600.0
        assert other.lease_next() is None
        here[0] += LEASE / 3
        assert runs.renew(lease) is LeaseState.HELD
        assert other.lease_next() is None


def test_one_table_uploaded_twice_at_a_time_is_kept_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, digest = TableRegister(database, State.model_construct(tables_per_owner=1)), "f" * 64
    counts = {"row_count": 1, "column_count": 1, "byte_count": 1}
    register.add(owner("twice"), digest, share_with="", **counts)
    # As the second sees it who looked before the first had written.
    monkeypatch.setattr(TableRegister, "_update", staticmethod(lambda *_: False))
    monkeypatch.setattr(TableRegister, "_check_room", lambda *_: None)
    monkeypatch.setattr(register, "use", lambda who, digest: register.get(who, digest))
    assert register.add(owner("twice"), digest, share_with="", **counts).digest == digest
