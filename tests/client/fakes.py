"""A server on loopback that answers what a test puts into it, over a real channel."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import polars as pl
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2_grpc
from grpc_status import rpc_status

from tariffs.client.testing.handlers import ContractHandlers, Method
from tariffs.v1 import duty_service_pb2 as duty_pb
from tariffs.v1 import scenario_service_pb2 as scenario_pb
from tariffs.v1 import simulation_service_pb2 as simulation_pb

Answer = Callable[[Any, grpc.ServicerContext], Any]


class FakeServer(ContractHandlers):
    """Answers by the name of a method, and the requests that came in."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer] = {}
        self.requests: list[Any] = []
        self.target, self.health = "", health.HealthServicer()

    def responses(self, method: Method, given: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(given)
        answer = self.answers[method.path.rpartition("/")[2]](given, context)
        return answer if method.responses_stream else [answer]


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    fake = FakeServer()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[fake])
    health_pb2_grpc.add_HealthServicer_to_server(fake.health, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield fake
    finally:
        server.stop(None).wait()


def refuse(code: str, reason: str, message: str, *details: Message, **metadata: str) -> Answer:
    """An answer that fails as the service does."""

    def answer(_request: Any, context: grpc.ServicerContext) -> Any:
        parts = [
            error_details_pb2.ErrorInfo(reason=reason, domain="tariffs.internal", metadata=metadata),
            *details,
        ]
        status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
        for part in parts:
            packed = AnyMessage()
            packed.Pack(part)
            status.details.append(packed)
        context.abort_with_status(rpc_status.to_status(status))

    return answer


def toy_answer(request: Any, _context: grpc.ServicerContext) -> duty_pb.CalculateDutyResponse:
    amounts: Any = dict.fromkeys(("min", "max"), "1000.00")
    named: Any = {"measure": "fent_cn", "authority": "ieepa.fentanyl", "heading": "9903.01.24"}
    layer = duty_pb.Layer(
        **named,
        **amounts,
        state=duty_pb.LAYER_STATE_APPLIED,
        rate="0.10",
        base="10000.00",
        amount="1000.00",
        citations=["an act"],
    )
    landed = {"total": "11034.64"}
    return duty_pb.CalculateDutyResponse(
        **amounts, assessed="1000.00", owed="0.00", landed=landed, layers=[layer]
    )


def stream(*messages: simulation_pb.SimulateResponse) -> Answer:
    return lambda _request, _context: iter(messages)


def batch(kind: str, scenario: str, on: str, frame: pl.DataFrame) -> simulation_pb.SimulateResponse:
    rows = simulation_pb.ResultBatch(scenario=scenario, on=on, arrow=arrow(frame))
    message = simulation_pb.SimulateResponse()
    getattr(message, kind).CopyFrom(rows)
    return message


def arrow(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()


def check_answer(*problems: scenario_pb.Problem) -> Answer:
    ok = all(problem.severity == scenario_pb.SEVERITY_WARNING for problem in problems)
    return lambda _request, _context: scenario_pb.CheckScenarioResponse(ok=ok, problems=problems)
