"""The HTTP port keeps pages of other origins out, and is not held by slow or large requests."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tariffs.engine.errors import InputError, ServiceError
from tariffs.service.server.listener import Endpoint
from tariffs.service.server.web import make_http_port
from tariffs.service.settings.settings import Settings, load_settings
from tariffs.v1 import simulation_service_pb2
from tests.service.harness import Running, no_warm_up, running, simulating
from tests.service.stored import until
from tests.service.test_http_port import QUOTE, Endless, port_of
from tests.service.web_calls import call, framed, frames, post

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.service.server.web import bodies, http_port

DESK, OTHER = "https://desk.example.com", "https://other.example.com"
CALCULATE = "/tariffs.v1.DutyService/CalculateDuty"


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running(warm=no_warm_up, http_port=0, http_origins=f"{DESK}, http://localhost:8000") as started:
        yield started


def preflight(server: Running, origin: str) -> Any:
    asked: dict[str, Any] = {
        "access_control_request_method": "POST",
        "access_control_request_headers": "content-type",
    }
    return call(port_of(server), "OPTIONS", CALCULATE, origin=origin, **asked)


def test_pages_of_an_allowed_origin_may_call(web: Running) -> None:
    before, answer = preflight(web, DESK), post(port_of(web), "DutyService/CalculateDuty", QUOTE, origin=DESK)
    assert before.status == 200
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert answer.status == 200
    for found in (before, answer):
        assert found.headers["access-control-allow-origin"] == DESK
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [OTHER, "null", "http://localhost", "https://desk.example.com.evil.test"])
def test_pages_of_other_origins_are_refused_before_their_request_is_read(web: Running, origin: str) -> None:
    before = preflight(web, origin)
    answer = post(port_of(web), "DutyService/CalculateDuty", QUOTE, origin=origin)
    read = call(port_of(web), "GET", f"{CALCULATE}?encoding=json&message=%7B%7D", origin=origin)
    assert before.status == 400
    assert (answer.status, answer.reason) == (403, "ORIGIN_REFUSED")
    assert (read.status, read.reason) == (403, "ORIGIN_REFUSED")
    assert all("access-control-allow-origin" not in found.headers for found in (before, answer, read))


def test_without_the_setting_no_page_may_call() -> None:
    with running(warm=no_warm_up, http_port=0) as server:
        assert post(port_of(server), "DutyService/CalculateDuty", QUOTE, origin=DESK).status == 403
        assert preflight(server, DESK).status == 403


@pytest.mark.parametrize("origins", ["*", "desk.example.com", "https://a.example/path", f"{DESK},x"])
def test_what_is_no_origin_is_an_invalid_setting(origins: str) -> None:
    with pytest.raises(InputError, match="TARIFFS_HTTP_ORIGINS"):
        load_settings(http_origins=origins)


def test_a_call_without_side_effects_is_answered_to_get(web: Running) -> None:
    message = quote(json.dumps(QUOTE))
    answer = call(port_of(web), "GET", f"{CALCULATE}?connect=v1&encoding=json&message={message}")
    assert answer.status == 200
    assert answer.json["assessed"] == "3000.00"
    assert answer.headers["cache-control"] == "no-store"
    for method in ("TableService/ListTables", "SimulationService/StartRun", "RefundService/CalculateRefunds"):
        assert call(port_of(web), "GET", f"/tariffs.v1.{method}?encoding=json&message=%7B%7D").status == 405


def test_a_compressed_request_is_refused_not_unpacked(web: Running) -> None:
    body = gzip.compress(json.dumps(QUOTE).encode())
    answer = call(
        port_of(web), "POST", CALCULATE, body, content_type="application/json", content_encoding="gzip"
    )
    assert (answer.status, answer.json["code"]) == (501, "unimplemented")


def test_headers_over_the_limit_are_refused(web: Running) -> None:
    with socket.create_connection(("127.0.0.1", port_of(web)), 30) as connection:
        head = f"POST {CALCULATE} HTTP/1.1\r\nhost: x\r\n".encode()
        connection.sendall(head + b"x-filler: " + b"y" * http_port.HEAD_BYTES)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 400")


def test_a_connection_that_sends_no_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "HEAD_SECONDS", 0.3)
    with (
        running(warm=no_warm_up, http_port=0) as server,
        socket.create_connection(("127.0.0.1", port_of(server)), 30) as silent,
        socket.create_connection(("127.0.0.1", port_of(server)), 30) as slow,
    ):
        slow.sendall(b"POST / HTTP/1.1\r\nhost")
        assert read_to_the_end(silent) == read_to_the_end(slow) == b""


@pytest.mark.parametrize(
    ("form", "part", "found"),
    [
        ("application/json", b"{", b"REQUEST_INVALID"),
        ("application/proto", b"", b"REQUEST_INVALID"),
        ("application/grpc-web+proto", b"", b"grpc-status: 3"),
        ("application/grpc-web+proto", b"\0\0", b"grpc-status: 3"),
        ("application/grpc-web+proto", b"\0\0\0\0\7ab", b"grpc-status: 1"),
    ],
)
def test_a_body_that_pauses_for_long_is_refused_for_that_reason(
    form: str, part: bytes, found: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(http_port, "LINGER_SECONDS", 0.3)
    with (
        running(warm=no_warm_up, http_port=0) as server,
        socket.create_connection(("127.0.0.1", port_of(server)), 30) as connection,
    ):
        head = f"POST {CALCULATE} HTTP/1.1\r\nhost: x\r\ncontent-type: {form}\r\ncontent-length: 19\r\n\r\n"
        connection.sendall(head.encode() + part)
        answer = read_to_the_end(connection)
        assert server.server._admission.limit.held == 0
    assert found in answer.replace(b"grpc-status:", b"grpc-status: ").replace(b":  ", b": "), answer
    logged = [line for line in capsys.readouterr().out.splitlines() if "DutyService/CalculateDuty" in line]
    # A frame cut within is ended before its call.
    assert len(logged) == (found != b"grpc-status: 1")
    assert all("REQUEST_INVALID" in line for line in logged)


def read_to_the_end(connection: socket.socket) -> bytes:
    found = b""
    try:
        while data := connection.recv(1 << 16):
            found += data
    except ConnectionResetError:
        return found
    return found


def test_connections_beyond_the_limit_are_answered_busy() -> None:
    with running(warm=no_warm_up, http_port=0) as server:
        connections = server.server._http.connections  # type: ignore[union-attr] # it is on
        connections.total = 3
        held = [socket.create_connection(("127.0.0.1", port_of(server)), 30) for _ in range(3)]
        try:
            until(lambda: connections.held == 3)
            busy = call(port_of(server), "GET", "/healthz")
            assert (busy.status, busy.reason) == (503, "TOO_MANY_STREAMS")
        finally:
            for one in held:
                one.close()
        until(lambda: not connections.held)
        assert post(port_of(server), "DutyService/CalculateDuty", QUOTE).status == 200


class Flood(Endless):
    """A run that sends as much as is taken until it is cancelled."""

    def __call__(self, _request: Any, emit: Any, cancelled: Any) -> None:
        message = simulation_service_pb2.SimulateResponse()
        message.lines.arrow = bytes(1 << 20)
        self.begun.set()
        try:
            while not cancelled():
                emit(message)
        finally:
            self.ended.set()


def test_a_reader_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        http_port,
        "_KEEPALIVE",
        (("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, 1000),),
    )
    run = Flood()
    with running(compute=simulating(run), warm=no_warm_up, http_port=0) as server:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
        headers = {"content-type": "application/connect+json"}
        connection.request("POST", "/tariffs.v1.SimulationService/Simulate", framed(b"{}"), headers)
        assert run.begun.wait(30)
        until(lambda: server.server._admission.limit.held == 0, 45)
        assert run.ended.wait(30)
        connection.close()


def test_a_port_in_use_is_an_error_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(http_port=taken.getsockname()[1])
        with pytest.raises(ServiceError, match=f"Cannot listen on 127.0.0.1:{settings.http_port}"):
            http_port.open_sockets(settings, Endpoint())


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tariffs.service.server.web.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "connectrpc.server", None)
    with pytest.raises(ServiceError, match="TARIFFS_HTTP_PORT needs connectrpc") as caught:
        make_http_port(Settings(http_port=0), (), None, None, 1, Endpoint())  # type: ignore[arg-type] # not reached
    assert caught.value.reason == "EXTRA_MISSING"


def test_stopping_waits_for_requests_and_then_cancels_them_without_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = Endless()
    with running(compute=simulating(run), warm=no_warm_up, http_port=0, grace_seconds=1.0) as server:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
        headers = {"content-type": "application/connect+json"}
        connection.request("POST", "/tariffs.v1.SimulationService/Simulate", framed(b"{}"), headers)
        answer = connection.getresponse()
        assert run.begun.wait(30)
        body = list[bytes]()
        reading = threading.Thread(target=lambda: body.append(answer.read()))
        reading.start()
        server.stop_soon().result(60)
        reading.join(30)
        assert run.ended.is_set()
        assert json.loads(frames(body[0])[-1][1])["error"]["code"] == "canceled"
        connection.close()
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
