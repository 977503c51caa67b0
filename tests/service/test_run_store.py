"""The store of long runs: one lease at a time, without effect once it is lost, on either database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tariffs.engine.errors import InputError, ServiceError, TariffsError
from tariffs.service.settings.settings import DAY_SECONDS
from tariffs.service.storage.database import RUNS, Database
from tariffs.service.storage.leases import LONGEST_PAUSE, LateLeases
from tariffs.service.storage.run_store import LeaseState, RunStore
from tariffs.service.storage.table_store import TableRegister
from tests.service.run_stores import LEASE, Clock, leased, owner, register_of, runs_of

COUNTS = {"row_count": 1, "column_count": 1, "byte_count": 1}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path_factory.mktemp('database') / 'runs.sqlite'}")
    else:
        found = Database(request.getfixturevalue("postgresql")())
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def runs(database: Database) -> Iterator[RunStore]:
    yield runs_of(database)
    with database.begin() as connection:
        connection.execute(RUNS.delete())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


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
    names = {runs.start(owner("ann"), "simulate", bytes([index]), 1, "").name for index in range(20)}
    taken: list[str] = []
    lock = threading.Lock()

    def take(_: int) -> None:
        own = runs_of(database, lease_seconds=60.0)
        while (lease := own.lease_next()) is not None:
            with lock:
                taken.append(lease.run.name)
            own.succeed(lease, b"", 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(4)))
    assert sorted(taken) == sorted(names)


def test_a_request_id_is_that_of_one_owner(runs: RunStore) -> None:
    first, again, other = (
        runs.start(owner(name), "simulate", b"", 1, "mine").id for name in ("ann", "ann", "bob")
    )
    assert first == again != other


def test_the_oldest_run_comes_first(runs: RunStore) -> None:
    names = [runs.start(owner("ann"), "simulate", bytes([index]), 1, "").name for index in range(3)]
    assert [leased(runs).run.name for _ in names] == names


def test_a_lease_that_expired_is_taken_and_worth_nothing(runs: RunStore, clock: Clock) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 3, "")
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


def test_a_lease_that_is_renewed_stays(runs: RunStore, clock: Clock) -> None:
    runs.start(owner("ann"), "simulate", b"", 1, "")
    lease = leased(runs)
    for _ in range(4):
        clock.now += LEASE / 2
        assert runs.renew(lease) is LeaseState.HELD
        assert runs.lease_next() is None


def test_a_cancel_reaches_who_computes_and_ends_what_nobody_computes(runs: RunStore, clock: Clock) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 1, "")
    lease = leased(runs)
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
    runs: RunStore, clock: Clock
) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 9, "")
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
    runs: RunStore, database: Database, clock: Clock
) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 2, "")
    runs.finish_part(leased(runs), 1)
    other = runs_of(database, maker="that")
    clock.now += LEASE * 1.5
    assert other.lease_next() is None
    clock.now += LEASE * 4
    again = leased(other)
    assert (again.run.id, again.run.finished_parts) == (run.id, 0)
    assert again.run.digest != run.digest


def test_an_error_is_told_as_it_was(runs: RunStore) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 1, "")
    error = InputError("COLUMN_MISSING", "No hts.", field="hts", fix="Add it.", metadata={"column": "hts"})
    runs.fail(leased(runs), error)
    found = runs.get(owner("ann"), run.id).failure
    assert isinstance(found, TariffsError)
    told = (found.reason, found.message, found.field, found.fix, found.metadata)
    assert told == (error.reason, error.message, error.field, error.fix, error.metadata)


def test_no_owner_takes_all_places_of_those_who_wait(runs: RunStore, database: Database) -> None:
    tight = runs_of(database, runs_waiting_limit=3, caller_share=0.5)
    for number in range(2):
        tight.start(owner("ann"), "simulate", b"%d" % number, 1, "")
    with pytest.raises(ServiceError, match="2 long runs are waiting, the limit of an owner") as caught:
        tight.start(owner("ann"), "simulate", b"2", 1, "")
    assert caught.value.reason == "TOO_MANY_STREAMS"
    tight.start(owner("bob"), "simulate", b"0", 1, "")
    with pytest.raises(ServiceError, match="3 long runs are waiting, the limit of the server"):
        tight.start(owner("cid"), "simulate", b"0", 1, "")


def test_an_owner_keeps_so_many_runs_and_no_more(runs: RunStore, database: Database) -> None:
    tight = runs_of(database, runs_per_owner=1)
    first = tight.start(owner("ann"), "simulate", b"0", 1, "")
    tight.cancel(owner("ann"), first.id)
    with pytest.raises(ServiceError) as caught:
        tight.start(owner("ann"), "simulate", b"1", 1, "")
    assert caught.value.reason == "ROW_QUOTA"
    tight.start(owner("bob"), "simulate", b"1", 1, "")
    tight.delete(owner("ann"), first.id)
    tight.start(owner("ann"), "simulate", b"1", 1, "")


def test_a_run_given_back_is_left_to_servers_of_its_version_for_a_while(
    runs: RunStore, database: Database, clock: Clock
) -> None:
    old = runs_of(database, lease_seconds=0.2)
    old.start(owner("ann"), "simulate", b"0", 1, "")
    lease = leased(old)
    for _ in range(10):
        clock.now += 0.1
        old.renew(lease)
    old.release(lease)
    clock.now += 0.01
    assert runs_of(database, maker="new", lease_seconds=0.2).lease_next() is None
    assert old.lease_next() is not None


def test_a_table_that_is_kept_can_be_sent_again_at_the_limit(database: Database) -> None:
    register = register_of(database, 1)
    register.add(owner("full"), "e" * 64, share_with="", **COUNTS)
    register.check_room(owner("full"))
    register.add(owner("full"), "e" * 64, share_with="", **COUNTS)
    with pytest.raises(ServiceError, match="1 tables, the limit"):
        register.add(owner("full"), "d" * 64, share_with="", **COUNTS)


def test_a_run_that_has_ended_survives_its_time_and_then_goes(
    runs: RunStore, database: Database, clock: Clock
) -> None:
    runs = runs_of(database, keep_days=100.0 / DAY_SECONDS)
    run = runs.start(owner("ann"), "simulate", b"kept", 1, "")
    clock.now += 1
    runs.succeed(leased(runs), b"", 1)
    open_run = runs.start(owner("ann"), "simulate", b"open", 1, "")
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


def test_three_crashes_end_a_run_and_a_part_between_them_counts_anew(runs: RunStore, clock: Clock) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 9, "")

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
    runs: RunStore, clock: Clock
) -> None:
    run = runs.start(owner("ann"), "simulate", b"", 9, "")
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
    runs: RunStore, database: Database, clock: Clock, back: float
) -> None:
    here = [0.0]
    run = runs.start(owner("ann"), "simulate", b"", 9, "")
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
    runs: RunStore, database: Database, clock: Clock
) -> None:
    other, here = runs_of(database), [0.0]
    other._late_leases = LateLeases(LEASE, lambda: here[0])
    runs.start(owner("ann"), "simulate", b"", 9, "")
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
    register, digest = register_of(database, 1), "f" * 64
    register.add(owner("twice"), digest, share_with="", **COUNTS)
    # As the second sees it who looked before the first had written.
    monkeypatch.setattr(TableRegister, "_update", staticmethod(lambda *_: False))
    monkeypatch.setattr(TableRegister, "_check_room", lambda *_: None)
    monkeypatch.setattr(register, "use", lambda who, digest: register.get(who, digest))
    assert register.add(owner("twice"), digest, share_with="", **COUNTS).digest == digest
