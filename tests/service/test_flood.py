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

METHOD = "/flood.Service/Slow"
WAITING, CALLS, SECONDS = 4, 60, 0.01


async def _slow(_request: bytes, _context: Any) -> bytes:
    # On purpose on the event loop: as long as it sleeps, nobody looks at the calls that wait.
    time.sleep(SECONDS)
    return b"answer"


class Slow(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return grpc.unary_unary_rpc_method_handler(_slow)


@contextmanager
def busy_server() -> Iterator[str]:
    """A server whose every call holds its event loop up; gives where it listens."""
    loop = uvloop.new_event_loop()

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(options=options(Endpoint(), WAITING))
        servicer = health.aio.HealthServicer()  # type: ignore[attr-defined] # the stubs lack it
        await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        server.add_generic_rpc_handlers((Slow(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def flood(channel: grpc.Channel) -> list[Any]:
    """The calls of a flood, all of them ended."""
    call: Any = channel.unary_unary(METHOD, None, None)
    begun = [call.future(b"", timeout=30) for _ in range(CALLS)]
    for one in begun:
        one.exception()
    return begun


def test_calls_beyond_those_that_may_wait_are_turned_away_and_the_others_answered() -> None:
    with busy_server() as target, grpc.insecure_channel(target) as channel:
        codes = Counter(one.code() for one in flood(channel))
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}
    assert codes[grpc.StatusCode.OK] >= WAITING


def test_the_shipped_client_tries_again_until_it_is_answered() -> None:
    with busy_server() as target:
        with grpc.insecure_channel(target) as channel:
            once = Counter(one.code() for one in flood(channel))
        with connect(target, Config()) as channel:
            codes = Counter(one.code() for one in flood(channel))
    # How many calls a flood gets through depends on the machine, so both floods meet the same server.
    assert codes[grpc.StatusCode.OK] > 2 * once[grpc.StatusCode.OK]


def test_health_is_told_while_calls_are_turned_away() -> None:
    with busy_server() as target, grpc.insecure_channel(target) as channel:
        other = threading.Thread(target=lambda: [flood(channel) for _ in range(5)])
        other.start()
        with grpc.insecure_channel(target) as probe:
            stub = health_pb2_grpc.HealthStub(probe)
            for _ in range(20):
                found = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
                assert found.status == health_pb2.HealthCheckResponse.SERVING
        other.join()


def test_who_is_turned_away_in_the_end_hears_why() -> None:
    with busy_server() as target, grpc.insecure_channel(target) as channel:
        failed = next(one for one in flood(channel) if one.code() == grpc.StatusCode.CANCELLED)
        error = from_rpc_error(failed.exception(), target)
    assert isinstance(error, Unavailable)
    assert (error.reason, error.exit_code) == ("SERVER_UNAVAILABLE", 3)
    assert "fewer calls" in error.fix


@pytest.mark.parametrize(("reason", "pushback"), [("CANCELLED", "-1"), ("TOO_MANY_STREAMS", "2000")])
def test_a_cancel_that_the_server_tells_of_is_not_tried_again(reason: str, pushback: str) -> None:
    status = status_of(ServiceError(reason, "It ended."), "r-1")
    assert dict(trailers_of(status, "r-1"))["grpc-retry-pushback-ms"] == pushback
