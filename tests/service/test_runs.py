"""Runs: cancelled when the caller goes, bounded in number, never in the way of single lines."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tariffs.engine.errors import ServiceError
from tariffs.service.local import stream
from tariffs.service.wire.identity import Caller
from tariffs.service.workers import task_queue
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import compute_in_process, fails, line, no_warm_up, points, running, simulating
from tests.service.stored import until

REQUEST = pb.SimulateRequest()
SECONDS = 30.0
"""Seconds that a test waits for an event; half the deadline of the calls that it waits for."""


class Endless:
    """A run that goes on until it is told to stop."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)

    def __call__(
        self, request: pb.SimulateRequest, emit: Callable[[Any], None], cancelled: Callable[[], bool]
    ) -> None:
        self.started.release()
        emit(pb.SimulateResponse(progress=pb.Progress(stage="on and on", fraction=0.5)))
        while not cancelled():
            time.sleep(0.001)
        self.ended.release()
        raise ServiceError("CANCELLED", "Stopped.")


def test_cancelling_a_call_stops_its_run() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up) as server:
        call = server.simulation.Simulate(REQUEST, timeout=60)
        assert next(call).progress.stage == "on and on"
        call.cancel()
        assert endless.ended.acquire(timeout=SECONDS)


def test_a_deadline_stops_the_run_too() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up) as server:
        with pytest.raises(grpc.RpcError) as caught:
            list(server.simulation.Simulate(REQUEST, timeout=0.3))
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert endless.ended.acquire(timeout=SECONDS)


def test_a_reader_that_stops_reading_holds_the_run_and_not_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task_queue, "FILE_LIMIT", 8 << 20)
    sent = 0
    over = threading.Event()

    def flood(request: Any, emit: Callable[[Any], None], cancelled: Callable[[], bool]) -> None:
        nonlocal sent
        try:
            while True:
                emit(pb.SimulateResponse(lines=pb.ResultBatch(arrow=b"x" * (1 << 18))))
                sent += 1
        finally:
            over.set()

    with running(simulating(flood), no_warm_up) as server:
        call = server.simulation.Simulate(REQUEST, timeout=60)
        next(call)
        until(lambda: sent >= 32)
        # Time for a run that nothing holds to go on.
        time.sleep(1.0)
        assert sent < 400
        call.cancel()
        assert over.wait(SECONDS)


def test_a_reader_that_stops_reading_does_not_hold_the_worker() -> None:
    message = pb.SimulateResponse(lines=pb.ResultBatch(arrow=b"x" * (1 << 18)))

    def long(request: Any, emit: Callable[[Any], None], cancelled: Callable[[], bool]) -> None:
        for number in range(120):
            message.lines.on = str(number)
            emit(message)

    with running(simulating(long), no_warm_up, workers=1, admitted_runs=4) as server:
        slow = server.simulation.Simulate(REQUEST, timeout=60)
        assert next(slow).lines.on == "0"
        assert len(list(server.simulation.Simulate(REQUEST, timeout=SECONDS))) == 120
        assert [found.lines.on for found in slow] == [str(number) for number in range(1, 120)]


def test_what_was_asked_is_forgotten_with_the_caller_though_a_thread_comes_to_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, begun = threading.Event(), threading.Event()

    def hold(task: str, payload: bytes, sink: Any, cancel_token: Any) -> None:
        begun.set()
        held.wait(SECONDS)

    relays: list[Any] = []

    class Seen(task_queue._ReaderRelay):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            relays.append(self)

    monkeypatch.setattr(task_queue, "_ReaderRelay", Seen)

    async def leave_early() -> int:
        lane = task_queue.Lane("test", hold, 1, FairLimit("runs", 9, 9))
        made = task_queue.TaskQueue(lane, lane)
        first = made.messages("a", b"", CancelToken(), Caller("ann", "ann"))
        waiting = asyncio.ensure_future(anext(first, None))
        await asyncio.to_thread(begun.wait, SECONDS)
        cancel_token = CancelToken()
        second = asyncio.ensure_future(
            anext(made.messages("b", b"x" * 1000, cancel_token, Caller("ann", "ann")), None)
        )
        await asyncio.to_thread(until, lambda: len(relays) == 2)
        cancel_token.cancel()
        with pytest.raises(ServiceError, match="cancelled"):
            await asyncio.wait_for(second, SECONDS)
        # The executor holds the relay until a thread is free.
        left = len(relays[-1]._payload)
        held.set()
        await waiting
        await asyncio.to_thread(made.close)
        return left

    assert asyncio.run(leave_early()) == 0


def test_one_run_too_many_is_refused_at_once_with_a_time_to_come_back() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up, workers=1, admitted_runs=2) as server:
        calls = [server.simulation.Simulate(REQUEST, timeout=60)]
        next(calls[0])
        calls.append(server.simulation.Simulate(REQUEST, timeout=60))
        # The second call is admitted when the loop gets to it, which a third could overtake.
        until(lambda: server.server._task_queue.sweeps.limit.held == 2)
        fault = fails(lambda: list(server.simulation.Simulate(REQUEST, timeout=60)))
        assert (fault.code, fault.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
        assert fault.retry_after == 2
        for call in calls:
            call.cancel()
        assert endless.ended.acquire(timeout=SECONDS)


def test_single_lines_are_answered_while_runs_compute() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up, workers=2) as server:
        server.duty.CalculateDuty(line(), timeout=30)
        calls = [server.simulation.Simulate(REQUEST, timeout=60) for _ in range(2)]
        assert all(endless.started.acquire(timeout=SECONDS) for _ in calls)
        # Runs without an end: a line that waited for one would never be answered.
        for _ in range(20):
            server.duty.CalculateDuty(line(), timeout=SECONDS)
        for call in calls:
            call.cancel()


def test_leaving_a_local_run_early_ends_it() -> None:
    endless = Endless()
    told = stream(lambda emit, cancelled: endless(REQUEST, emit, cancelled), None)
    next(told)
    told.close()
    assert endless.ended.acquire(timeout=SECONDS)


def test_a_local_run_keeps_its_deadline() -> None:
    endless = Endless()
    told = stream(lambda emit, cancelled: endless(REQUEST, emit, cancelled), 0.1)
    with pytest.raises(ServiceError) as caught:
        list(told)
    assert caught.value.reason == "DEADLINE"


def test_one_call_too_many_of_any_kind_is_refused_with_the_limit() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up, concurrent_calls=1) as server:
        call = server.simulation.Simulate(REQUEST, timeout=60)
        next(call)
        fault = fails(lambda: server.duty.CalculateDuty(line(), timeout=SECONDS))
        assert (fault.reason, fault.metadata["limit"]) == ("TOO_MANY_STREAMS", "1")
        call.cancel()
        assert endless.ended.acquire(timeout=SECONDS)


def test_cancelling_frees_the_worker_from_a_real_run() -> None:
    long = pb.SimulateRequest(points=points(*[("base", f"2025-{month:02}-15") for month in range(1, 13)]))
    ends: list[str] = []

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        try:
            compute_in_process(task, payload, sink, cancel_token)
        except ServiceError as error:
            ends.append(error.reason)
            raise
        ends.append("finished")

    with running(compute, no_warm_up, workers=1) as server:
        call = server.simulation.Simulate(long, timeout=600)
        while next(call).progress.fraction == 0:
            pass
        call.cancel()
        next(server.simulation.Simulate(pb.SimulateRequest(points=points(("base", ""))), timeout=300))
        assert ends[0] == "CANCELLED"
