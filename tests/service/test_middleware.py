"""Middleware around each of the four kinds of RPC, over a real port with a service made for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from tariffs.engine.errors import InputError
from tariffs.service.observability.logs import add_call
from tariffs.service.observability.metrics import Metrics
from tariffs.service.server.admission import Admission
from tariffs.service.server.health import WATCHERS, Health
from tariffs.service.server.identities import Identities, Tokens
from tariffs.service.server.middleware import MethodRegistry, Middleware
from tariffs.service.wire.identity import ADMIN, READ, caller
from tariffs.service.workers.fair_limit import FairLimit
from tariffs.v1 import common_pb2, duty_service_pb2
from tariffs.v1.table_service_pb2 import GetTableRequest as Ask
from tariffs.v1.table_service_pb2 import Table as Answer

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SERVICE, OPERATIONS, OTHER = "tariffs.v1.Toy", "google.longrunning.Toy", "grpc.other.Toy"
GUARDED, UNDECLARED = "guarded.Toy", "undeclared.Toy"
FAIL, BREAK, WAIT = "fail", "break", "wait"
TIMEOUT = 60.0


def answer(name: str) -> Answer:
    if name == FAIL:
        raise InputError("PARAMETER_INVALID", "It was to fail.", field="name", fix="Ask otherwise.")
    if name == BREAK:
        raise RuntimeError("secret")
    return Answer(name=f"{caller().owner}:{name}")


async def unary_unary(request: Ask, _context: Any) -> Answer:
    if request.name == WAIT:
        await asyncio.sleep(600)
    return answer(request.name)


async def unary_stream(request: Ask, _context: Any) -> AsyncIterator[Answer]:
    yield answer(request.name)
    if request.name == WAIT:
        await asyncio.sleep(600)


async def stream_unary(requests: AsyncIterator[Ask], _context: Any) -> Answer:
    names = [request.name async for request in requests]
    if WAIT in names:
        await asyncio.sleep(600)
    return answer(names[-1])


async def stream_stream(requests: AsyncIterator[Ask], _context: Any) -> AsyncIterator[Answer]:
    async for request in requests:
        yield answer(request.name)
        if request.name == WAIT:
            await asyncio.sleep(600)


HANDLERS = {kind: globals()[kind] for kind in KINDS}


def generic(service: str) -> Any:
    made = {
        kind: getattr(grpc, f"{kind}_rpc_method_handler")(
            HANDLERS[kind], Ask.FromString, Answer.SerializeToString
        )
        for kind in KINDS
    }
    return grpc.method_handlers_generic_handler(service, made)


class Toy:
    """A server of all four kinds, with the middleware around its calls."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.admission = Admission(FairLimit("calls", 4, 2), warm=True)
        self.metrics = Metrics()
        roles = {f"/{service}/{kind}": READ for service in (SERVICE, OPERATIONS, OTHER) for kind in KINDS}
        self.middleware = Middleware(
            self.admission,
            self.metrics,
            Identities(tokens),
            roles | {f"/{GUARDED}/{k}": ADMIN for k in KINDS},
        )
        self.channel: Any = None
        self.blocking: Any = None

    def counted(self, code: str, rpc: str) -> float:
        found = self.metrics.registry.get_sample_value(
            "tariffs_call_seconds_count", {"rpc": f"Toy/{rpc}", "code": code}
        )
        return found or 0.0

    async def ask(
        self, kind: str, *sent: bytes, service: str = SERVICE, token: str = "", request_id: str = ""
    ) -> list[str]:
        """The names in the answers to the bytes sent.

        Asked over a blocking channel, as the shipped client does: where a stream is refused before its first message is
        written, grpc.aio may tell its own failure to write instead of the refusal.
        """
        metadata = []
        if token:
            metadata.append(("authorization", f"Bearer {token}"))
        if request_id:
            metadata.append(("x-request-id", request_id))
        method = getattr(self.blocking, kind)(f"/{service}/{kind}")

        def answers() -> list[bytes]:
            found = method(_content(kind, sent), timeout=TIMEOUT, metadata=metadata)
            return list(found) if kind.endswith("stream") else [found]

        return [Answer.FromString(data).name for data in await asyncio.to_thread(answers)]

    def begin(self, kind: str, *sent: bytes) -> Any:
        """A call that goes on while the test does."""
        return getattr(self.channel, kind)(f"/{SERVICE}/{kind}")(_content(kind, sent), timeout=TIMEOUT)


def _content(kind: str, sent: tuple[bytes, ...]) -> Any:
    return iter(sent) if kind.startswith("stream") else sent[0]


@asynccontextmanager
async def serving(toy: Toy) -> AsyncIterator[Toy]:
    server = grpc.aio.server()
    registry: Any = MethodRegistry(toy.middleware)
    registry.add_generic_rpc_handlers(
        [generic(name) for name in (SERVICE, OPERATIONS, OTHER, GUARDED, UNDECLARED)]
    )
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    server.add_generic_rpc_handlers((registry,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        target = f"127.0.0.1:{port}"
        with grpc.insecure_channel(target) as toy.blocking:
            async with grpc.aio.insecure_channel(target) as toy.channel:
                yield toy
    finally:
        await server.stop(0)


def over(toy: Toy, test: Callable[[Toy], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with serving(toy):
            return await test(toy)

    return asyncio.run(run())


async def failure(call: Awaitable[Any]) -> tuple[str, error_details_pb2.ErrorInfo, Any]:
    """Code, details and error of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        await call
    error: Any = caught.value
    status: Any = rpc_status.from_call(error)
    assert status is not None, error.details()
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return error.code().name, info, error


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
    with structlog.testing.capture_logs(processors=[add_call]) as logged:
        names = over(toy, lambda t: t.ask(kind, ask("a"), service=service, request_id="r-1"))
    assert names == ["anonymous:a"]
    (line,) = [entry for entry in logged if entry["event"] == "call"]
    rpc = kind if service == SERVICE else f"{service}/{kind}"
    assert line["rpc"].endswith(rpc)
    assert (line["code"], line["request_id"], line["owner"]) == ("OK", "r-1", "anonymous")
    assert (
        sum(
            s.value
            for f in toy.metrics.registry.collect()
            for s in f.samples
            if s.name.endswith("call_seconds_count")
        )
        == 1
    )
    assert toy.admission.limit.held == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_any_kind_of_call_has_its_reason(kind: str) -> None:
    toy = Toy()
    code, info, error = over(toy, lambda t: failure(t.ask(kind, ask(FAIL), request_id="r-2")))
    assert (code, info.reason, info.metadata["fix"]) == (
        "INVALID_ARGUMENT",
        "PARAMETER_INVALID",
        "Ask otherwise.",
    )
    assert dict(error.trailing_metadata())["x-request-id"] == "r-2"
    assert toy.counted("INVALID_ARGUMENT", kind) == 1
    failed = {"reason": "PARAMETER_INVALID"}
    assert toy.metrics.registry.get_sample_value("tariffs_calls_failed_total", failed) == 1
    assert toy.admission.limit.held == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_unforeseen_of_any_kind_of_call_keeps_its_secret(kind: str) -> None:
    with structlog.testing.capture_logs() as logged:
        code, info, error = over(Toy(), lambda t: failure(t.ask(kind, ask(BREAK))))
    assert (code, info.reason) == ("INTERNAL", "ENGINE_INVARIANT")
    assert "secret" not in str(error.details())
    assert "unexpected error" in {entry["event"] for entry in logged}


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_no_message_are_a_wrong_request(kind: str) -> None:
    code, info, _ = over(Toy(), lambda t: failure(t.ask(kind, b"\xff\xff\xff")))
    assert (code, info.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_asked_for_and_names_the_owner(kind: str, tokens: Tokens) -> None:
    async def both(toy: Toy) -> Any:
        without = await failure(toy.ask(kind, ask("a")))
        wrong = await failure(toy.ask(kind, ask("a"), token="secret-of-bob"))
        return without, wrong, await toy.ask(kind, ask("a"), token="secret-of-alice")

    without, wrong, names = over(Toy(tokens), both)
    assert without[0] == wrong[0] == "UNAUTHENTICATED"
    assert without[1].reason == wrong[1].reason == "TOKEN_INVALID"
    assert "TARIFFS_TOKEN" in without[1].metadata["fix"]
    assert names == ["alice:a"]


@pytest.mark.parametrize("kind", KINDS)
def test_other_services_need_the_token_too(kind: str, tokens: Tokens) -> None:
    async def both(toy: Toy) -> Any:
        without = await failure(toy.ask(kind, ask("a"), service=OTHER))
        return without, await toy.ask(kind, ask("a"), service=OTHER, token="secret-of-alice")

    (code, info, _), names = over(Toy(tokens), both)
    assert (code, info.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert names == ["alice:a"]


@pytest.mark.parametrize("service", [GUARDED, UNDECLARED])
@pytest.mark.parametrize("kind", KINDS)
def test_a_method_for_another_role_or_without_a_declared_one_is_denied(
    kind: str, service: str, tokens: Tokens
) -> None:
    code, info, _ = over(
        Toy(tokens), lambda t: failure(t.ask(kind, ask("a"), service=service, token="secret-of-alice"))
    )
    assert (code, info.reason) == ("PERMISSION_DENIED", "NOT_ALLOWED")
    assert info.metadata["role"] == ADMIN
    assert over(Toy(), lambda t: t.ask(kind, ask("a"), service=service)) == ["anonymous:a"]


def test_health_is_open(tokens: Tokens) -> None:
    async def check(toy: Toy) -> Any:
        stub = health_pb2_grpc.HealthStub(toy.channel)
        return await stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)

    assert over(Toy(tokens), check).status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_call_of_any_kind_leaves_its_place(kind: str) -> None:
    async def cancelled(toy: Toy) -> None:
        call = toy.begin(kind, ask(WAIT))
        if kind.endswith("stream"):
            await call.read()
        while not toy.admission.limit.held:
            await asyncio.sleep(0.01)
        call.cancel()
        for _ in range(500):
            if not toy.admission.limit.held:
                return
            await asyncio.sleep(0.01)

    toy = Toy()
    over(toy, cancelled)
    assert toy.admission.limit.held == 0
    assert toy.counted("CANCELLED", kind) == 1


def test_a_caller_beyond_its_share_is_told_when_to_come_again() -> None:
    async def crowd(toy: Toy) -> Any:
        held = [toy.begin("unary_stream", ask(WAIT)) for _ in range(2)]
        for call in held:
            await call.read()
        found = await failure(toy.ask("unary_unary", ask("a")))
        for call in held:
            call.cancel()
        return found

    code, info, error = over(Toy(), crowd)
    assert (code, info.reason, info.metadata["limit"]) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS", "2")
    assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "2000"


def test_the_run_digest_of_any_answer_is_logged() -> None:
    provenance = common_pb2.Provenance(run_digest="abc")

    async def digest(_request: Ask, _context: Any) -> Any:
        return duty_service_pb2.CalculateDutyResponse(provenance=provenance)

    handler = grpc.unary_unary_rpc_method_handler(
        digest, Ask.FromString, duty_service_pb2.CalculateDutyResponse.SerializeToString
    )

    async def run() -> None:
        server = grpc.aio.server()
        registry = MethodRegistry(Toy().middleware)
        registry.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, {"digest": handler})]
        )
        server.add_generic_rpc_handlers((registry,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await channel.unary_unary(f"/{SERVICE}/digest", None, None)(ask("a"), timeout=TIMEOUT)
        await server.stop(0)

    with structlog.testing.capture_logs() as logged:
        asyncio.run(run())
    assert [entry["run_digest"] for entry in logged if entry["event"] == "call"] == ["abc"]


def test_who_watches_health_shuts_nobody_out() -> None:
    async def watch(toy: Toy) -> Any:
        stub = health_pb2_grpc.HealthStub(toy.channel)
        watching = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(WATCHERS // 2)]
        for one in watching:
            await one.read()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Watch(health_pb2.HealthCheckRequest()).read()
        found = await stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
        for one in watching:
            one.cancel()
        return refused.value.code(), found.status

    code, status = over(Toy(), watch)
    assert code is grpc.StatusCode.UNIMPLEMENTED, (
        "gRPC's clients would not call a server that refuses otherwise"
    )
    assert status == health_pb2.HealthCheckResponse.SERVING
