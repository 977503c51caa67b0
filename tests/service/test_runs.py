"""Runs: cancelled when the caller goes, bounded in number, never in the way of single lines."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
import pytest

from tariffs.engine.base.chunks import watched
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.runs.refunds.refund import RefundLine, refunds
from tariffs.service.local import stream
from tariffs.service.wire.arrow import read_table
from tariffs.service.wire.identity import Caller
from tariffs.service.workers import task_queue
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.v1 import refund_service_pb2, refund_service_pb2_grpc, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.service.harness import Running, compute_in_process, fails, line, no_warm_up, running, simulating
from tests.service.stored import arrow, bad_rows, rows, until
from tests.service.web_calls import Endless

REQUEST = pb.SimulateRequest()
SECONDS = 30.0
"""Seconds that a test waits for an event; half the deadline of the calls that it waits for."""


def test_cancelling_a_call_stops_its_run_and_so_does_a_deadline() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up) as server:
        call = server.simulation.Simulate(REQUEST, timeout=60)
        assert next(call).progress.stage == "valuing"
        call.cancel()
        assert endless.ended.wait(SECONDS)
        endless.ended.clear()
        with pytest.raises(grpc.RpcError) as caught:
            list(server.simulation.Simulate(REQUEST, timeout=0.3))
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert endless.ended.wait(SECONDS)


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


def test_what_was_asked_is_forgotten_with_the_caller_though_a_thread_comes_to_it_later() -> None:
    forgotten, free = threading.Event(), threading.Event()

    class Payload(bytes):
        def __del__(self) -> None:
            forgotten.set()

    async def leave_early(lane: task_queue.Lane) -> None:
        cancel_token = CancelToken()
        made = task_queue.TaskQueue(lane, lane)
        asyncio.get_running_loop().call_soon(cancel_token.cancel)
        with suppress(ServiceError):
            await anext(made.messages("a", Payload(b"asked"), cancel_token, Caller("ann", "ann")))

    lane = task_queue.Lane("test", compute_in_process, 1, FairLimit("runs", 9, 9))
    lane.threads.submit(free.wait, SECONDS)
    asyncio.run(leave_early(lane))
    # The executor holds the task until a thread is free.
    gc.collect()
    assert forgotten.is_set()
    free.set()
    lane.threads.shutdown()


def test_one_run_too_many_is_refused_at_once_while_single_lines_are_answered() -> None:
    endless = Endless()
    with running(simulating(endless), no_warm_up, workers=2, admitted_runs=3) as server:
        server.duty.CalculateDuty(line(), timeout=30)
        calls = [server.simulation.Simulate(REQUEST, timeout=60) for _ in range(3)]
        until(lambda: len(server.server._task_queue.sweeps.computing) == 2)
        # The third call is admitted when the loop gets to it, which a fourth could overtake.
        until(lambda: server.server._task_queue.sweeps.limit.held == 3)
        fault = fails(lambda: list(server.simulation.Simulate(REQUEST, timeout=60)))
        assert (fault.code, fault.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
        assert fault.retry_after == 2
        # Runs without an end: a line that waited for one would never be answered.
        for _ in range(20):
            server.duty.CalculateDuty(line(), timeout=SECONDS)
        for call in calls:
            call.cancel()
        assert endless.ended.wait(SECONDS)


def test_leaving_a_local_run_early_ends_it() -> None:
    endless = Endless()
    told = stream(lambda emit, cancelled: endless(REQUEST, emit, cancelled), None)
    next(told)
    told.close()
    assert endless.ended.wait(SECONDS)


def test_a_period_and_an_attribution_come_in_their_order(served: Running) -> None:
    scenarios = [{"name": name} for name in ("base", "forced-labor-20-on-china")]
    common: dict[str, Any] = {"response": pb.RESPONSE_MODEL_NONE, "arrow": arrow(bad_rows(rows(20)))}
    period = pb.TimelineRequest(scenarios=scenarios, start="2026-12-01", end="2027-01-31", **common)
    messages = list(served.simulation.Timeline(period, timeout=60))
    kinds = [one.WhichOneof("content") for one in messages if not one.HasField("progress")]
    assert kinds == ["refused", *(["segments", "totals", "averages", "average_total"] * 2), "done"]
    totals = [read_table(one.totals.arrow) for one in messages if one.HasField("totals")]
    assert sum(one["days"].sum() for one in totals) == 2 * 62
    asked = [pb.Point(scenario=one, on="2027-01-11") for one in scenarios]
    request = pb.SimulateRequest(points=asked, attribute=True, **common)
    *_, attribution, done = served.simulation.Simulate(request, timeout=60)
    assert (attribution.attribution.scenario, done.HasField("done")) == (scenarios[1]["name"], True)
    for missing in ("start", "end"):
        period.ClearField(missing)
        assert f"{missing} is missing" in fails(lambda: list(served.simulation.Timeline(period))).message
        setattr(period, missing, "2026-12-31")


def test_refunds_end_between_two_lines_when_nobody_waits_any_more() -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 1000, "2025-05-20"))
    refunds(load_law(), [line])
    left = [None] * 3

    def check() -> None:
        if not left:
            raise ServiceError("CANCELLED", "The caller has gone.")
        left.pop()

    with watched(check), pytest.raises(ServiceError, match="has gone"):
        refunds(load_law(), [line] * 40)


def test_short_calls_are_answered_while_refunds_are_computed_and_a_cancel_ends_those() -> None:
    began, ended = threading.Event(), threading.Event()

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        if task != "refunds":
            return compute_in_process(task, payload, sink, cancel_token)
        began.set()
        cancel_token.add_callback(ended.set)
        ended.wait(SECONDS)
        raise ServiceError("CANCELLED", "Stopped.")

    request = refund_service_pb2.CalculateRefundsRequest(lines=[{"line": line().line}])
    check = scenario_service_pb2.CheckScenarioRequest(scenario={"name": "base"})
    with running(compute, no_warm_up) as server:
        stub: Any = refund_service_pb2_grpc.RefundServiceStub(server.channel)
        call = stub.CalculateRefunds.future(request, timeout=2 * SECONDS)
        assert began.wait(SECONDS)
        assert server.scenarios.CheckScenario(check, timeout=SECONDS).ok
        assert not ended.is_set()
        call.cancel()
        assert ended.wait(SECONDS)
