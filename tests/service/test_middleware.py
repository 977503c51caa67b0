"""Middleware around each of the four kinds of RPC, over a real port with a service made for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tariffs.engine.errors import InputError
from tariffs.service.observability.logs import add_call
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.health import WATCHERS, Health
from tariffs.service.server.identities import Identities, Tokens
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.wire.identity import ADMIN, READ, caller
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.v1.table_service_pb2 import GetTableRequest as Ask
from tariffs.v1.table_service_pb2 import Table as Answer
from tests.service.harness import TIMEOUT, Fault, fault_of
from tests.service.stored import until

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SERVICE, OPERATIONS, OTHER = "tariffs.v1.Toy", "google.longrunning.Toy", "grpc.other.Toy"
GUARDED, UNDECLARED = "guarded.Toy", "undeclared.Toy"
FAIL, BREAK, WAIT = "fail", "break", "wait"


def answer(name: str) -> Answer:
    if name == FAIL:
        raise InputError("PARAMETER_INVALID", "It was to fail.", field="name", fix="Ask otherwise.")
    if name == BREAK:
        raise RuntimeError("secret")
    return Answer(name=f"{caller().owner}:{name}")


async def stream_stream(requests: AsyncIterator[Ask], _context: Any) -> AsyncIterator[Answer]:
    async for request in requests:
        yield answer(request.name)
        if request.name == WAIT:
            await asyncio.sleep(600)


async def stream_unary(requests: AsyncIterator[Ask], context: Any) -> Answer:
    return [one async for one in stream_stream(requests, context)][-1]


async def unary_stream(request: Ask, context: Any) -> AsyncIterator[Answer]:
    async for one in stream_stream(alone(request), context):
        yield one


async def unary_unary(request: Ask, context: Any) -> Answer:
    return await stream_unary(alone(request), context)


async def alone(request: Ask) -> AsyncIterator[Ask]:
    yield request


def generic(service: str) -> Any:
    made = {}
    for kind in KINDS:
        handler = getattr(grpc, f"{kind}_rpc_method_handler")
        made[kind] = handler(globals()[kind], Ask.FromString, Answer.SerializeToString)
    return grpc.method_handlers_generic_handler(service, made)


class Toy:
    """A server of all four kinds, with the middleware around its calls, in a loop of its own."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.admission = Admission(FairLimit("calls", 4, 2), warm=True)
        self.metrics = Metrics()
        roles = {f"/{service}/{kind}": READ for service in (SERVICE, OPERATIONS, OTHER) for kind in KINDS}
        guarded = {f"/{GUARDED}/{kind}": ADMIN for kind in KINDS}
        self.middleware = Middleware(self.admission, self.metrics, Identities(tokens), roles | guarded)
        self.channel: Any = None

    @contextmanager
    def serving(self) -> Iterator[Toy]:
        """Serve until the end, by when all calls are counted."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> tuple[grpc.aio.Server, int]:
            server = grpc.aio.server()
            registry: Any = MethodRegistry(self.middleware)
            services = (SERVICE, OPERATIONS, OTHER, GUARDED, UNDECLARED)
            registry.add_generic_rpc_handlers([generic(name) for name in services])
            health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
            server.add_generic_rpc_handlers((registry,))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return server, port

        server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(TIMEOUT)
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as self.channel:
                yield self
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(TIMEOUT)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(TIMEOUT)
            loop.close()

    def counted(self, code: str, rpc: str) -> float | None:
        labels = {"rpc": rpc, "code": code}
        return self.metrics.registry.get_sample_value("tariffs_call_seconds_count", labels)

    def begin(self, kind: str, sent: bytes, service: str = SERVICE, **metadata: str) -> Any:
        """A call that goes on while the test does."""
        method = getattr(self.channel, kind)(f"/{service}/{kind}")
        named = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        content = iter([sent]) if kind.startswith("stream") else sent
        call = method if kind.endswith("stream") else method.future
        return call(content, timeout=TIMEOUT, metadata=named)

    def answers(self, kind: str, sent: bytes, service: str = SERVICE, **metadata: str) -> list[str]:
        """The names in the answers to a request."""
        call = self.begin(kind, sent, service, **metadata)
        found = list(call) if kind.endswith("stream") else [call.result()]
        return [Answer.FromString(data).name for data in found]

    def ask(self, kind: str, name: str = "a", service: str = SERVICE, **metadata: str) -> list[str]:
        return self.answers(kind, ask(name), service, **metadata)


def failure(call: Callable[[], Any]) -> tuple[Fault, dict[str, str]]:
    """Details of the error of a call that must fail, and what is sent after it."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return fault_of(error), dict(error.trailing_metadata())


def ask(name: str) -> bytes:
    return Ask(name=name).SerializeToString()


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    path = tmp_path / "tokens"
    path.write_text("alice secret-of-alice\n")
    return Tokens(path)


@pytest.mark.parametrize("service", [SERVICE, OPERATIONS])
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_of_any_kind_is_answered_logged_and_counted_once(kind: str, service: str) -> None:
    toy = Toy()
    with structlog.testing.capture_logs(processors=[add_call]) as logged, toy.serving():
        assert toy.ask(kind, service=service, x_request_id="r-1") == ["anonymous:a"]
    (line,) = [entry for entry in logged if entry["event"] == "call"]
    assert line["rpc"] == (f"Toy/{kind}" if service == SERVICE else f"{service}/{kind}")
    assert (line["code"], line["request_id"], line["owner"]) == ("OK", "r-1", "anonymous")
    assert toy.counted("OK", line["rpc"]) == 1
    assert toy.admission.limit.held == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_any_kind_of_call_has_its_reason_and_the_unforeseen_keeps_its_secret(kind: str) -> None:
    toy = Toy()
    with structlog.testing.capture_logs() as logged, toy.serving():
        fault, trailing = failure(lambda: toy.ask(kind, FAIL, x_request_id="r-2"))
        assert (fault.code.name, fault.reason) == ("INVALID_ARGUMENT", "PARAMETER_INVALID")
        assert fault.metadata["fix"] == "Ask otherwise."
        assert trailing["x-request-id"] == "r-2"
        fault, _ = failure(lambda: toy.ask(kind, BREAK, x_request_id="r-3"))
        assert (fault.code.name, fault.reason) == ("INTERNAL", "ENGINE_INVARIANT")
        assert fault.metadata == {"request_id": "r-3"}
        assert "secret" not in fault.message
        fault, _ = failure(lambda: toy.answers(kind, b"\xff\xff\xff"))
        assert (fault.code.name, fault.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")
    assert "unexpected error" in {entry["event"] for entry in logged}
    assert toy.counted("INVALID_ARGUMENT", f"Toy/{kind}") == 2
    failed = {"reason": "PARAMETER_INVALID"}
    assert toy.metrics.registry.get_sample_value("tariffs_calls_failed_total", failed) == 1
    assert toy.admission.limit.held == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_asked_for_and_names_the_owner_whose_role_counts(kind: str, tokens: Tokens) -> None:
    known, unknown = ({"authorization": f"Bearer secret-of-{name}"} for name in ("alice", "bob"))
    with Toy(tokens).serving() as toy:
        for service, given in ((SERVICE, {}), (SERVICE, unknown), (OTHER, {})):
            fault, _ = failure(partial(toy.ask, kind, service=service, **given))
            assert (fault.code.name, fault.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
            assert "TARIFFS_TOKEN" in fault.metadata["fix"]
        for service in (GUARDED, UNDECLARED):
            fault, _ = failure(partial(toy.ask, kind, service=service, **known))
            assert (fault.code.name, fault.reason) == ("PERMISSION_DENIED", "NOT_ALLOWED")
            assert fault.metadata["role"] == ADMIN
        for service in (SERVICE, OTHER):
            assert toy.ask(kind, service=service, **known) == ["alice:a"]
    with Toy().serving() as toy:
        assert toy.ask(kind, service=GUARDED) == ["anonymous:a"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_call_of_any_kind_leaves_its_place(kind: str) -> None:
    with Toy().serving() as toy:
        call = toy.begin(kind, ask(WAIT))
        if kind.endswith("stream"):
            next(call)
        until(lambda: toy.admission.limit.held)
        call.cancel()
        until(lambda: not toy.admission.limit.held)
    assert toy.counted("CANCELLED", f"Toy/{kind}") == 1


def test_a_caller_beyond_its_share_is_told_when_to_come_again() -> None:
    with Toy().serving() as toy:
        held = [toy.begin("unary_stream", ask(WAIT)) for _ in range(2)]
        for call in held:
            next(call)
        fault, trailing = failure(lambda: toy.ask("unary_unary"))
        for call in held:
            call.cancel()
    assert (fault.code.name, fault.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
    assert (fault.metadata["limit"], trailing["grpc-retry-pushback-ms"]) == ("2", "2000")


def test_health_is_open_and_who_watches_it_shuts_nobody_out(tokens: Tokens) -> None:
    with Toy(tokens).serving() as toy:
        stub: Any = health_pb2_grpc.HealthStub(toy.channel)
        request = health_pb2.HealthCheckRequest()
        watching = [stub.Watch(request) for _ in range(WATCHERS // 2)]
        for one in watching:
            next(one)
        with pytest.raises(grpc.RpcError) as refused:
            next(stub.Watch(request))
        code: Any = refused.value
        # gRPC's clients would not call a server that refuses otherwise.
        assert code.code() is grpc.StatusCode.UNIMPLEMENTED
        assert stub.Check(request, timeout=TIMEOUT).status == health_pb2.HealthCheckResponse.SERVING
        for one in watching:
            one.cancel()
