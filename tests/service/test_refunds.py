"""Refunds over the wire: ended with their call, and never in the way of short calls."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tariffs.engine.base.chunks import watched
from tariffs.engine.errors import ServiceError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.runs.refunds.refund import RefundLine, refunds
from tariffs.service.workers.tasks import CancelToken, ResultSink
from tariffs.v1 import refund_service_pb2, refund_service_pb2_grpc, scenario_service_pb2
from tests.service.harness import compute_in_process, no_warm_up, running

SECONDS = 60.0
LINES = 40


def test_refunds_end_between_two_lines_when_nobody_waits_any_more() -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 1000, "2025-05-20"))
    refunds(load_law(), [line])
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks > 3:
            raise ServiceError("CANCELLED", "The caller has gone.")

    with watched(check), pytest.raises(ServiceError, match="has gone"):
        refunds(load_law(), [line] * LINES)


def test_short_calls_are_answered_while_refunds_are_computed_and_a_cancel_ends_those() -> None:
    began, ended = threading.Event(), threading.Event()

    def compute(task: str, payload: bytes, sink: ResultSink, cancel_token: CancelToken) -> None:
        if task != "refunds":
            return compute_in_process(task, payload, sink, cancel_token)
        began.set()
        cancel_token.add_callback(ended.set)
        ended.wait(SECONDS)
        raise ServiceError("CANCELLED", "Stopped.")

    entry: Any = {"hts": "9503.00.0073", "origin": "CN", "entry": "2025-05-20", "customs_value": "1000"}
    request = refund_service_pb2.CalculateRefundsRequest(lines=[refund_service_pb2.RefundLine(line=entry)])
    check = scenario_service_pb2.CheckScenarioRequest(scenario={"name": "base"})
    with running(compute, no_warm_up) as server:
        stub: Any = refund_service_pb2_grpc.RefundServiceStub(server.channel)
        call = stub.CalculateRefunds.future(request, timeout=SECONDS)
        assert began.wait(SECONDS)
        assert server.scenarios.CheckScenario(check, timeout=SECONDS / 2).ok
        assert not ended.is_set()
        call.cancel()
        assert ended.wait(SECONDS)
