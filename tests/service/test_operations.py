"""Long runs: started once, read from any server, complete after a server or worker dies."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import polars as pl
import pytest
from google.rpc import code_pb2

from tariffs.engine.errors import ServiceError
from tariffs.engine.tables import atoms as atoms_module
from tariffs.service.server import run_scheduler
from tariffs.service.server.run_scheduler import RunScheduler
from tariffs.service.storage.run_store import LeaseState
from tariffs.service.wire.arrow import read_table
from tariffs.service.wire.identity import Caller
from tariffs.service.workers.dask_tasks import unavailable
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.callers import ask, pages, refused
from tests.service.harness import TIMEOUT, Running, caller_files, fails, no_warm_up, points, running
from tests.service.stored import (
    POINTS,
    Failing,
    Held,
    bad_rows,
    get,
    metadata_of,
    read,
    result_of,
    results,
    rows,
    simulated,
    simulation,
    start,
    until,
    wait,
)


def test_a_run_has_the_messages_of_the_call(server: Running) -> None:
    request = simulation(bad_rows(rows(300)))
    operation = wait(server, start(server, request).name)
    assert operation.done
    whole = results(read(server, operation.name))
    assert whole == simulated(server, request)
    result, metadata = result_of(operation), metadata_of(operation)
    assert result.message_count == len(whole)
    assert (metadata.state, metadata.finished_parts, metadata.total_parts) == (pb.RUN_STATE_SUCCEEDED, 4, 4)
    assert metadata.expire_time > metadata.end_time >= metadata.create_time


def test_rows_that_only_valuing_shows_to_be_unusable_come_before_the_end(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atoms_module, "ATOMS_AT_MOST", 1)
    request = simulation(bad_rows(rows(200)))
    messages = read(server, start(server, request).name)
    called = list(server.simulation.Simulate(request, timeout=TIMEOUT))
    assert [m.WhichOneof("content") for m in messages][-2:] == ["refused", "done"]
    told = [refused_of(found) for found in (messages, called)]
    assert told[0].equals(told[1])
    assert set(told[0]["reason"]) == {"HTS_CODE_MALFORMED", "TOO_MANY_ATOMS"}
    rest = [results([m for m in found if not m.HasField("refused")]) for found in (messages, called)]
    assert rest[0] == rest[1]


def refused_of(messages: Any) -> pl.DataFrame:
    frames = [read_table(m.refused.arrow) for m in messages if m.HasField("refused")]
    return pl.concat(frames).sort("row", maintain_order=True)


def test_a_reader_goes_on_where_it_was_cut_off(server: Running) -> None:
    name = start(server, simulation(rows(300))).name
    whole = results(read(server, name))
    for offset in (1, 2, len(whole) - 1, len(whole)):
        assert results(read(server, name, offset)) == whole[offset:]
    fault = fails(lambda: read(server, name, len(whole) + 1))
    assert (fault.code, fault.reason) == (grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END")


def test_a_request_id_begins_one_run_and_no_other(server: Running) -> None:
    request = simulation(rows(10))
    first = start(server, request, "mine-1")
    assert start(server, request, "mine-1").name == first.name
    fault = fails(lambda: start(server, simulation(rows(11)), "mine-1"))
    assert (fault.code, fault.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert fault.metadata["name"] == first.name
    assert fails(lambda: start(server, request, "not an id")).reason == "REQUEST_INVALID"


def test_what_cannot_run_is_refused_at_once(server: Running) -> None:
    frame = rows(10)
    asks = {
        "BATCH_TOO_LARGE": simulation(frame, arrow=b"x" * ((1 << 20) + 1)),
        "BASELINE_REQUIRED": pb.SimulateRequest(points=points(("base", "")), arrow=b"x"),
        "REQUEST_INVALID": simulation(frame, asked=()),
        "SCENARIO_NOT_FOUND": simulation(frame, asked=[("no-such-scenario", "")]),
        "TABLE_NOT_FOUND": simulation(frame, handle="tables/" + "0" * 64),
    }
    for reason, request in asks.items():
        assert fails(partial(start, server, request)).reason == reason
    assert refused(server, "StartRun").reason == "REQUEST_INVALID"


def test_what_fails_while_it_runs_tells_its_reason(server: Running) -> None:
    name = start(server, simulation(rows(10).drop("origin"))).name
    operation = wait(server, name)
    assert (operation.done, operation.error.code) == (True, code_pb2.INVALID_ARGUMENT)
    assert metadata_of(operation).state == pb.RUN_STATE_FAILED
    assert fails(lambda: read(server, name)).reason == "COLUMN_MISSING"


def test_so_many_runs_are_kept_listed_page_by_page_and_forgotten(tmp_path: Path) -> None:
    with running(warm=no_warm_up, runs_per_owner=3, **caller_files(tmp_path)) as server:
        requests = [simulation(rows(5, seed), asked=POINTS[:1]) for seed in range(4)]
        names = [ask(server, "StartRun", "ann", simulate=request).name for request in requests[:3]]
        until(lambda: all(ask(server, "GetOperation", "ann", name=name).done for name in names))
        assert refused(server, "StartRun", "ann", simulate=requests[3]).reason == "ROW_QUOTA"
        assert ask(server, "StartRun", "bob", simulate=requests[3]).name
        listed = pages(server, "ListOperations", "ann", size=2)
        assert [[one.name for one in page.operations] for page in listed] == [names[:0:-1], names[:1]]
        ask(server, "DeleteOperation", "ann", name=names[0])
        assert refused(server, "GetOperation", "ann", name=names[0]).reason == "RUN_NOT_FOUND"
        ask(server, "StartRun", "ann", simulate=requests[3])


def test_a_cancelled_run_stops_and_says_so() -> None:
    with running(Held("run"), no_warm_up) as server:
        name = start(server, simulation(rows(50))).name
        until(lambda: metadata_of(get(server, name)).finished_parts == 1)
        fault = refused(server, "DeleteOperation", name=name)
        assert (fault.code, fault.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_NOT_FINISHED")
        ask(server, "CancelOperation", name=name)
        operation = wait(server, name)
        assert operation.error.code == code_pb2.CANCELLED
        assert metadata_of(operation).state == pb.RUN_STATE_CANCELLED
        assert fails(lambda: read(server, name)).reason == "CANCELLED"


def test_so_many_runs_wait_and_are_cancelled_at_once() -> None:
    with running(Held("run"), no_warm_up, workers=1, runs_waiting_limit=1) as server:
        first = start(server, simulation(rows(50))).name
        until(lambda: metadata_of(get(server, first)).finished_parts == 1)
        second = start(server, simulation(rows(51))).name
        assert fails(lambda: start(server, simulation(rows(52)))).reason == "TOO_MANY_STREAMS"
        ask(server, "CancelOperation", name=second)
        assert metadata_of(get(server, second)).state == pb.RUN_STATE_CANCELLED
        ask(server, "CancelOperation", name=first)
        assert wait(server, first).done


def test_parts_can_be_read_before_the_run_is_done() -> None:
    held = Held("run", 2)
    with running(held, no_warm_up) as server:
        request = simulation(rows(50))
        name = start(server, request).name
        call = server.simulation.ReadRun(pb.ReadRunRequest(name=name), timeout=TIMEOUT)
        seen = [next(call).simulate for _ in range(6)]
        assert not get(server, name).done
        held.free.set()
        seen += [message.simulate for message in call]
        assert results(seen) == simulated(server, request)


def test_a_run_outlives_its_server(tmp_path: Path) -> None:
    request = simulation(rows(80))
    with running(Held("run", 2), no_warm_up, state_dir=tmp_path) as server:
        name = start(server, request).name
        until(lambda: metadata_of(get(server, name)).finished_parts == 2)
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        operation = wait(server, name)
        assert metadata_of(operation).attempts == 2
        assert results(read(server, name)) == simulated(server, request)


def test_a_part_that_is_there_is_not_computed_again(tmp_path: Path) -> None:
    days = [("base", "2026-11-24"), *(("rates-by-country", day) for day in ("2026-11-24", "2027-01-11"))]
    request = simulation(bad_rows(rows(80)), asked=days, scenario_parameters={"cn": "31%"})
    with running(warm=no_warm_up, state_dir=tmp_path) as server:
        name = start(server, request).name
        whole = results(read(server, name))
        assert whole == simulated(server, request)
        (directory,) = (tmp_path / "runs").iterdir()
        kept = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
        # What is missing is made anew: the end alone, or also the second of a day, for which the first is valued again.
        for lost in (set[str](), {"tail.parquet"}, {"00002.parquet", "tail.parquet"}):
            for name in lost:
                (directory / name).unlink()
            assert results(read(server, start(server, request).name)) == whole
            now = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
            assert {name for name in now if now[name] != kept[name]} == lost
            kept = now


@pytest.mark.parametrize(
    ("attempts", "deaths", "state"), [(2, 2, pb.RUN_STATE_SUCCEEDED), (9, 3, pb.RUN_STATE_FAILED)]
)
def test_a_run_goes_on_when_its_workers_die_and_ends_when_it_kills_them(
    attempts: int, deaths: int, state: Any
) -> None:
    dying = Failing("run", ServiceError("SERVER_UNAVAILABLE", "The workers died on this run."), attempts)
    with running(dying, no_warm_up) as server:
        operation = wait(server, start(server, simulation(rows(5))).name)
        assert metadata_of(operation).state == state
        assert dying.failures == deaths


class FailingRunStore:
    """Fails in several ways, then says that the run shall be cancelled."""

    lease_seconds = 0.003

    def __init__(self) -> None:
        self.errors = [ServiceError("SERVER_UNAVAILABLE", "Away."), OSError("disk"), RuntimeError("driver")]

    def renew(self, lease: Any) -> LeaseState:
        if self.errors:
            raise self.errors.pop()
        return LeaseState.CANCEL

    lease_state = renew


@pytest.mark.asyncio
async def test_a_watch_that_meets_any_error_goes_on_and_hears_of_the_cancel() -> None:
    runs: Any = FailingRunStore()
    leased = run_scheduler._LeasedRun(runs, lease=None)  # type: ignore[arg-type]
    await asyncio.wait_for(leased.watch(), 10)
    assert not runs.errors
    assert leased.state is LeaseState.CANCEL
    assert leased.cancel_token.is_set()


@pytest.mark.asyncio
async def test_a_lost_cluster_pauses_a_run_for_longer_each_time_and_a_task_that_ends_workers_is_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_scheduler, "_JITTER", SimpleNamespace(uniform=lambda low, high: 1.0))
    ends: list[Any] = []
    runs: Any = SimpleNamespace(
        lease_seconds=60.0,
        pause=lambda lease, seconds, stage: ends.append(seconds),
        crash=lambda lease: ends.append("crash"),
    )
    queue, storage = None, SimpleNamespace(runs=runs)
    scheduler = RunScheduler(queue, storage, 1, "tcp://cluster", Caller)  # type: ignore[arg-type] # not used
    lease: Any = SimpleNamespace(run=SimpleNamespace(name="operations/1"))
    leased: Any = SimpleNamespace(lease=lease, state=LeaseState.HELD)
    for _ in range(7):
        await scheduler._interrupt(leased, unavailable("tcp://cluster", "the scheduler was lost"))
    for error in (
        unavailable("tcp://cluster", "a task ended 3 workers", worker="tcp://worker"),
        ServiceError("SERVER_UNAVAILABLE", "The worker process died."),
    ):
        await scheduler._interrupt(leased, error)
    assert ends == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0, "crash", "crash"]
