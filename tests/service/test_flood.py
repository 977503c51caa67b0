"""More calls than a server can read: some are refused, retries are answered, health always answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tariffs.client._wire.connection import connect
from tariffs.client.config import Config
from tariffs.client.errors import Unavailable, from_rpc_error
from tariffs.engine.errors import ServiceError
from tariffs.service.server.listener import Endpoint, options
from tariffs.service.wire.status import status_of, trailers_of
from tests.service.harness import TIMEOUT
from tests.service.stored import until

METHOD = "/flood.Service/Slow"
WAITING, FEW, CALLS = 4, 12, 60


class Slow(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
    """Answers after so many seconds, and nothing before it is let go."""

    def __init__(self, seconds: float) -> None:
        self.free = threading.Event()
        self._seconds = seconds

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, _request: bytes, _context: Any) -> bytes:
        # On purpose on the event loop: as long as it waits, nobody looks at the calls that wait.
        self.free.wait(TIMEOUT)
        time.sleep(self._seconds)
        return b"answer"


@contextmanager
def busy_server(seconds: float = 0.0) -> Iterator[tuple[str, threading.Event]]:
    """A server whose every call holds its event loop up; gives where it listens and what lets it go."""
    loop, slow = uvloop.new_event_loop(), Slow(seconds)

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(options=options(Endpoint(), WAITING))
        servicer = health.aio.HealthServicer()  # type: ignore[attr-defined] # the stubs lack it
        await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        server.add_generic_rpc_handlers((slow,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield f"127.0.0.1:{port}", slow.free
    finally:
        slow.free.set()
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def begun(channel: grpc.Channel, count: int = CALLS) -> list[Any]:
    """The calls of a flood."""
    call: Any = channel.unary_unary(METHOD, None, None)
    return [call.future(b"", timeout=TIMEOUT) for _ in range(count)]


def ended(calls: list[Any]) -> list[Any]:
    for one in calls:
        one.exception()
    return calls


def flood(target: str, free: threading.Event) -> list[Any]:
    """The calls of a flood over a server that is let go once it has turned some of them away; all of them ended."""
    with grpc.insecure_channel(target) as channel:
        calls = begun(channel)
        until(lambda: any(one.done() for one in calls))
        free.set()
        return ended(calls)


def test_calls_beyond_those_that_may_wait_are_turned_away_and_the_others_answered() -> None:
    with busy_server() as (target, free):
        codes = Counter(one.code() for one in flood(target, free))
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}
    assert codes[grpc.StatusCode.OK] >= WAITING


def test_the_shipped_client_tries_again_until_it_is_answered() -> None:
    with (
        busy_server() as (target, free),
        grpc.insecure_channel(target) as other,
        connect(target, Config()) as channel,
    ):
        grpc.channel_ready_future(channel).result(TIMEOUT)
        crowd = begun(other)
        until(lambda: any(one.done() for one in crowd))
        # The server has as many calls as may wait: these few are turned away at first, as are those after them.
        calls = begun(channel, FEW)
        later = begun(other)
        until(lambda: any(one.done() for one in later))
        free.set()
        codes = Counter(one.code() for one in ended(calls))
        ended(crowd + later)
    assert codes[grpc.StatusCode.OK] > FEW / 2


def test_health_is_told_while_calls_are_turned_away() -> None:
    with busy_server(0.01) as (target, free), grpc.insecure_channel(target) as channel:
        free.set()
        other = threading.Thread(target=lambda: [ended(begun(channel)) for _ in range(5)])
        other.start()
        with grpc.insecure_channel(target) as probe:
            stub = health_pb2_grpc.HealthStub(probe)
            for _ in range(20):
                found = stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
                assert found.status == health_pb2.HealthCheckResponse.SERVING
        other.join()


def test_who_is_turned_away_in_the_end_hears_why() -> None:
    with busy_server() as (target, free):
        failed = next(one for one in flood(target, free) if one.code() == grpc.StatusCode.CANCELLED)
        error = from_rpc_error(failed.exception(), target)
    assert isinstance(error, Unavailable)
    assert (error.reason, error.exit_code) == ("SERVER_UNAVAILABLE", 3)
    assert "fewer calls" in error.fix


@pytest.mark.parametrize(("reason", "pushback"), [("CANCELLED", "-1"), ("TOO_MANY_STREAMS", "2000")])
def test_a_cancel_that_the_server_tells_of_is_not_tried_again(reason: str, pushback: str) -> None:
    status = status_of(ServiceError(reason, "It ended."), "r-1")
    assert dict(trailers_of(status, "r-1"))["grpc-retry-pushback-ms"] == pushback
