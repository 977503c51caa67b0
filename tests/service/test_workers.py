"""Worker processes: messages, cancellation, and replacement after a death."""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tariffs.engine.errors import InputError, LawError, ScenarioError, ServiceError
from tariffs.service.observability.task_time import TaskTime
from tariffs.service.server.warmup import QUOTES, RUNS
from tariffs.service.wire.frames import pack
from tariffs.service.workers import tasks, worker_pool
from tariffs.service.workers import worker_main as worker
from tariffs.service.workers.idle_memory import release_free_memory
from tariffs.service.workers.tasks import CancelToken
from tariffs.service.workers.worker_main import UnexpectedError
from tariffs.service.workers.worker_pool import WorkerPool
from tariffs.v1 import common_pb2, duty_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import compute_in_process, points
from tests.service.stored import rows, simulation, until

SECONDS = 120.0
TOYS = duty_service_pb2.EntryLine(hts="9503.00.0073", origin="CN", entry="2025-04-09", customs_value="10000")


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.results: list[bytes] = []
        self.result: Callable[[bytes], None] = self.results.append
        self.told = threading.Event()
        self.cancel_token = CancelToken()
        self.cancelled = self.cancel_token.is_set

    def progress(self, data: bytes) -> None:
        self.told.set()


@contextmanager
def started(count: int = 1, warm_up: str = QUOTES, **options: object) -> Iterator[WorkerPool]:
    workers = WorkerPool(count, warm_up=warm_up, **options)  # type: ignore[arg-type]
    try:
        workers.spawn()
        workers.wait_ready()
        yield workers
    finally:
        workers.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """One worker for the tests that leave it alive."""
    with started() as workers:
        yield workers


def compute(workers: WorkerPool, task: str, payload: bytes, sink: Collected | None = None) -> list[bytes]:
    sink = sink or Collected()
    workers.compute(task, payload, sink, sink.cancel_token)
    return sink.results


def here(task: str, payload: bytes) -> list[bytes]:
    sink = Collected()
    compute_in_process(task, payload, sink, sink.cancel_token)
    return sink.results


def packed(request: Any) -> bytes:
    return pack({}, request.SerializeToString())


def batch(lines: int) -> bytes:
    return packed(duty_service_pb2.BatchCalculateDutiesRequest(lines=[TOYS] * lines))


def test_a_worker_answers_with_the_same_bytes_as_this_process_and_leaves_it_the_processor() -> None:
    request = batch(3)
    seen: list[tuple[str, TaskTime]] = []
    with started(niceness=7, observe=lambda task, spent: seen.append((task, spent))) as workers:
        (found,) = compute(workers, "duties", request)
        (pid,) = workers.processes
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, own + 7)
        # With the autogroups of Linux a priority is one among the processes of the session.
        assert os.getsid(pid) == os.getsid(0)
        # The interrupts of its terminal are for the server.
        assert os.getpgid(pid) != os.getpgid(0)
    (wanted,) = here("duties", request)
    parse = duty_service_pb2.BatchCalculateDutiesResponse.FromString
    assert parse(found) == parse(wanted)
    ((task, spent),) = seen
    assert task == "duties"
    assert spent.seconds > 0


def test_errors_come_back_from_a_worker_as_they_were_raised(pool: WorkerPool) -> None:
    yaml = "schema: tariffs.scenario/v1\nid: odd\ntitle: Odd\nbasis: hypothesis\nchanges:\n  - {op: vanish}\n"
    ref = common_pb2.ScenarioRef(yaml=yaml)
    requests = (
        ("duties", duty_service_pb2.BatchCalculateDutiesRequest(lines=[TOYS], scenario=ref), ScenarioError),
        ("duties", duty_service_pb2.BatchCalculateDutiesRequest(), InputError),
        ("diff", scenario_service_pb2.DiffScenariosRequest(first={"name": "no-such"}), ScenarioError),
    )
    for task, request, kind in requests:
        payload = packed(request)
        with pytest.raises(kind) as far:
            compute(pool, task, payload)
        with pytest.raises(kind) as near:
            here(task, payload)
        assert vars(far.value) == vars(near.value)
        assert str(far.value) == str(near.value)
    with pytest.raises(UnexpectedError, match="DecodeError"):
        compute(pool, "duties", pack({}, b"\xff\xff"))
    assert compute(pool, "duties", batch(1))


def test_a_warm_up_that_dies_or_fails_is_the_error_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ServiceError) as dead, started(warm_up="tariffs.service.server.warmup:no_such"):
        pass
    assert dead.value.reason == "SERVER_UNAVAILABLE"
    assert "no_such" in capfd.readouterr().err
    (tmp_path / "broken_warm_up.py").write_text(
        "from tariffs.engine.errors import LawError\n"
        "def warm_up():\n    raise LawError('LAW_INVALID', 'The law is broken.', fix='Mend it.')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LawError) as failed, started(warm_up="broken_warm_up:warm_up"):
        pass
    assert (failed.value.message, failed.value.fix) == ("The law is broken.", "Mend it.")


LONG = [("base", f"{year}-{month:02}-15") for year in (2025, 2026) for month in range(1, 13)]


@pytest.mark.slow
def test_a_cancelled_run_stops_and_its_worker_takes_the_next() -> None:
    spent: list[TaskTime] = []
    with started(warm_up=RUNS, observe=lambda _, one: spent.append(one)) as workers:
        sink = Collected()
        with ThreadPoolExecutor(1) as pool:
            long = packed(pb.SimulateRequest(points=points(*LONG)))
            run = pool.submit(compute, workers, "simulate", long, sink)
            assert sink.told.wait(SECONDS)
            time.sleep(0.2)
            sink.cancel_token.cancel()
            with pytest.raises(ServiceError) as caught:
                run.result(SECONDS)
        assert caught.value.reason == "CANCELLED"
        assert spent[0].stop is not None
        assert compute(workers, "simulate", packed(pb.SimulateRequest(points=points(("base", "")))))
        assert spent[1].stop is None
        assert spent[1].lines > 300_000
        assert workers.restarts == 0


@pytest.mark.kill
def test_a_run_whose_worker_is_killed_is_computed_by_another_and_nobody_notices() -> None:
    payload = packed(simulation(rows(5), asked=LONG))
    with started() as workers:
        sink = Collected()

        def result(data: bytes) -> None:
            sink.results.append(data)
            if len(sink.results) == 2:
                os.kill(workers.processes[0], signal.SIGKILL)

        sink.result = result
        compute(workers, "simulate", payload, sink)
        assert workers.restarts == 1
    parse = pb.SimulateResponse.FromString
    found, wanted = ([parse(one) for one in all_of] for all_of in (sink.results, here("simulate", payload)))
    assert len(wanted) > 3
    assert found == wanted


@pytest.mark.kill
@pytest.mark.slow
def test_a_run_that_kills_every_worker_is_refused_and_harms_no_other() -> None:
    with started() as workers:
        with ThreadPoolExecutor(1) as pool:
            run, deadline = pool.submit(compute, workers, "duties", batch(1000)), time.monotonic() + SECONDS
            while not run.done() and time.monotonic() < deadline:
                for pid in workers.processes:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.2)
            with pytest.raises(ServiceError) as caught:
                run.result(0)
        assert caught.value.reason == "SERVER_UNAVAILABLE"
        (answer,) = compute(workers, "duties", batch(1))
        assert duty_service_pb2.BatchCalculateDutiesResponse.FromString(answer).quotes
        assert workers.restarts >= 1


def test_what_is_over_is_told_once_and_at_once_to_who_comes_late() -> None:
    token, heard = CancelToken(), []
    token.add_callback(lambda: heard.append("first"))
    token.cancel()
    token.cancel()
    token.add_callback(lambda: heard.append("late"))
    assert heard == ["first", "late"]


def test_a_panic_that_is_no_exception_leaves_the_worker_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def panics(payload: bytes, sink: object) -> None:
        # As Polars has it.
        raise BaseException("out of range")

    monkeypatch.setattr(tasks, "TASKS", {"panics": panics})
    inbox = worker._Inbox(io.BytesIO())
    error, _ = worker._run("panics", b"", inbox, worker._Outbox(io.BytesIO(), inbox))
    assert isinstance(error, UnexpectedError)
    assert "out of range" in str(error)


def test_a_worker_that_waits_gives_free_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    inbox = worker._Inbox(io.BytesIO())

    def release() -> None:
        released.append("free memory")
        threading.Timer(0.2, inbox.jobs.put, [(2, "task", b"later", "")]).start()

    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "release_free_memory", release)
    inbox.jobs.put((1, "task", b"at once", ""))
    assert inbox.next_job() == (1, "task", b"at once", "")
    assert not released
    assert inbox.next_job() == (2, "task", b"later", "")
    assert len(released) == 1


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library has no malloc_trim")
def test_free_memory_between_what_is_kept_is_given_back() -> None:
    block, count = 100_000, 1_000
    blocks = [np.ones(block, dtype=np.int8) for _ in range(count)]
    kept, process = blocks[-1], psutil.Process()
    before = process.memory_info().rss
    del blocks
    release_free_memory()
    assert before - process.memory_info().rss > block * count / 2
    assert kept.sum() == block


def test_the_worker_last_used_computes_the_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = worker_pool._Worker.run, list[int]()

    def noted(self: worker_pool._Worker, *given: Any) -> Any:
        asked.append(self.process.pid)
        return run(self, *given)

    monkeypatch.setattr(worker_pool._Worker, "run", noted)
    with started(2) as workers:
        until(lambda: workers._idle.qsize() == 2, SECONDS)
        for _ in range(4):
            assert compute(workers, "duties", batch(1))
        assert set(asked) < set(workers.processes)
        assert (len(asked), len(set(asked))) == (4, 1)
        workers.compute_in_idle("duties", batch(1), Collected())
        assert sorted(asked[4:]) == sorted(workers.processes)


def test_a_cancel_that_is_read_before_its_job_begins_holds_for_it_alone() -> None:
    sent = io.BytesIO()
    for message in (("run", 5, "task", b""), ("cancel", 5), ("cancel", 3)):
        pickle.dump(message, sent)
    inbox = worker._Inbox(io.BytesIO(sent.getvalue()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker, "_exit", lambda: None)
        inbox.read()
    inbox.begin(5)
    assert inbox.cancelled()
    assert inbox.stopped() is not None
    inbox.begin(6)
    assert not inbox.cancelled()


def test_a_run_nobody_waits_for_is_not_begun(pool: WorkerPool) -> None:
    sink = Collected()
    sink.cancel_token.cancel()
    with pytest.raises(ServiceError, match="cancelled"):
        compute(pool, "duties", b"", sink)
    assert len(compute(pool, "duties", batch(1))) == 1
