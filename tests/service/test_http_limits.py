"""The HTTP port is not held by slow, large or doubtful requests, nor by readers that take nothing."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tariffs.engine.errors import ServiceError
from tariffs.service.server.listener import RECEIVE_LIMIT, Endpoint
from tariffs.service.server.web import make_http_port
from tariffs.service.settings.settings import Settings
from tariffs.v1 import scenario_service_pb2, simulation_service_pb2
from tests.service.harness import Running, caller_files, simulating
from tests.service.stored import until
from tests.service.web_calls import (
    CALCULATE,
    JSON,
    QUOTE,
    SIMULATE,
    STREAM,
    WEB,
    Endless,
    begin,
    call,
    framed,
    frames,
    post,
    web_server,
)

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.service.server.web import bodies, http_port
from tariffs.service.server.web.http_port import network_of

REFUNDS = "/tariffs.v1.RefundService/CalculateRefunds"
UPLOAD = "/tariffs.v1.TableService/UploadTable"
WATCH = "/tariffs.v1.ScenarioService/WatchScenarios"
BODY = json.dumps(QUOTE).encode()
Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks for tokens; `reader` has no right to run anything."""
    given = caller_files(tmp_path_factory.mktemp("tokens"), "reader", "callers: {reader: {roles: [read]}}")
    with web_server(**given) as started:
        yield started


def connected(server: Running, own: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.http_port), 30, (own, 0))


def head(path: str, *lines: str, form: str = JSON) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: x", f"content-type: {form}", *lines, "", ""]).encode()


def read_to_the_end(connection: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            found += data
    return found


def answer_to(server: Running, request: bytes) -> bytes:
    """Send these bytes; return all that comes until the server closes the connection."""
    with connected(server) as connection:
        connection.sendall(request)
        return read_to_the_end(connection)


def test_a_compressed_request_is_refused_not_unpacked(web: Running) -> None:
    body = gzip.compress(BODY)
    answer = call(web.http_port, "POST", CALCULATE, body, content_type=JSON, content_encoding="gzip")
    assert (answer.status, answer.json["code"]) == (501, "unimplemented")


BEFORE_ITS_BODY = ("content-length: 9000", "x-request-id: refused-early")


@pytest.mark.parametrize(
    ("path", "form", "authorization", "wanted"),
    [
        (CALCULATE, JSON, "x: y", b"HTTP/1.1 401"),
        (CALCULATE, JSON, "authorization: Bearer secret-z", b"HTTP/1.1 401"),
        (CALCULATE, "application/proto", "authorization: Basic x", b"HTTP/1.1 401"),
        (CALCULATE, WEB, "authorization: Bearer secret-z", b"grpc-status: 16"),
        (SIMULATE, STREAM, "authorization: Bearer nobody", b"TOKEN_INVALID"),
        (UPLOAD, STREAM, "authorization: Bearer nobody", b"TOKEN_INVALID"),
        (SIMULATE, WEB, "authorization: Bearer nobody", b"grpc-status: 16"),
        (REFUNDS, JSON, "authorization: Bearer token-of-reader", b"HTTP/1.1 403"),
    ],
)
def test_who_may_not_call_is_refused_before_the_body_comes_and_logged(
    closed: Running, path: str, form: str, authorization: str, wanted: bytes, monkeypatch: Patch, capsys: Any
) -> None:
    monkeypatch.setattr(http_port, "LINGER_SECONDS", 0.1)
    assert wanted in answer_to(closed, head(path, *BEFORE_ITS_BODY, authorization, form=form))
    (logged,) = until(
        lambda: [text for text in capsys.readouterr().out.splitlines() if "refused-early" in text]
    )
    assert ("NOT_ALLOWED" if b"403" in wanted else "TOKEN_INVALID") in logged
    assert path.removeprefix("/tariffs.v1.") in logged


def test_a_refused_caller_cannot_keep_its_connection_by_sending_on(
    closed: Running, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(http_port, "LINGER_SECONDS", 0.5)
    with connected(closed) as connection:
        connection.sendall(head(CALCULATE, "content-length: 9000"))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 401")
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 10:
                connection.sendall(b" ")
                time.sleep(0.1)
        assert time.monotonic() - began < 3
    with connected(closed) as connection:
        for _ in range(2):  # a client that sends its body at once may go on
            connection.sendall(head(CALCULATE, f"content-length: {len(BODY)}") + BODY)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 401")


def test_headers_over_the_limit_are_refused_and_who_sends_none_is_closed_out(monkeypatch: Patch) -> None:
    monkeypatch.setattr(http_port, "HEAD_SECONDS", 0.3)
    with web_server() as server:
        with connected(server) as silent, connected(server) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nhost")
            assert read_to_the_end(silent) == read_to_the_end(slow) == b""
        large = head(CALCULATE)[:-2] + b"x-filler: " + b"y" * http_port.HEAD_BYTES
        assert answer_to(server, large).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("form", "part", "found"),
    [
        (JSON, b"{", b"REQUEST_INVALID"),
        ("application/proto", b"", b"REQUEST_INVALID"),
        (WEB, b"", b"grpc-status: 3"),
        (WEB, b"\0\0", b"grpc-status: 3"),
        (WEB, b"\0\0\0\0\7ab", b"grpc-status: 1"),
    ],
)
def test_a_body_that_pauses_for_long_is_refused_for_that_reason(
    web: Running, form: str, part: bytes, found: bytes, monkeypatch: Patch, capsys: Any
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(http_port, "LINGER_SECONDS", 0.3)
    answer = answer_to(web, head(CALCULATE, "content-length: 19", form=form) + part)
    assert web.server._admission.limit.held == 0
    assert found in answer.replace(b"grpc-status:", b"grpc-status: ").replace(b":  ", b": "), answer
    logged = [line for line in capsys.readouterr().out.splitlines() if "DutyService/CalculateDuty" in line]
    # A frame cut within is ended before its call.
    assert len(logged) == (found != b"grpc-status: 1")
    assert all("REQUEST_INVALID" in line for line in logged)


def test_a_body_that_trickles_is_ended_though_no_part_is_late_and_a_large_one_gets_more_time(
    web: Running, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    with connected(web) as connection:
        connection.sendall(head(CALCULATE, "content-length: 9000"))
        began = time.monotonic()
        connection.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - began < 5:
            connection.sendall(b" ")
            with suppress(TimeoutError):
                answer = connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 400")
    filler = b" " * (bodies.LEAST_BYTES_PER_SECOND // 2)
    with connected(web) as connection:
        connection.sendall(head(CALCULATE, f"content-length: {len(BODY) + 4 * len(filler)}") + BODY)
        for _ in range(4):
            time.sleep(0.3)
            connection.sendall(filler)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_connections_of_one_address_are_limited_and_leave_room_for_others_and_so_are_all() -> None:
    limits: dict[str, Any] = {"concurrent_calls": 1, "caller_share": 0.02}
    with web_server(**limits) as server, ExitStack() as held:
        connections = server.server._http.connections
        most = connections.per_caller
        assert 0 < most < connections.total
        for _ in range(most):
            held.enter_context(connected(server))
        until(lambda: connections.held == most)
        with connected(server) as one_more:
            assert read_to_the_end(one_more).startswith(b"HTTP/1.1 503")

        def from_elsewhere() -> bytes:
            with connected(server, "127.0.0.2") as other:
                other.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                return other.recv(1 << 16)

        assert from_elsewhere().startswith(b"HTTP/1.1 200")
        until(lambda: connections.held == most)
        connections.total = most
        busy = from_elsewhere()
        assert busy.startswith(b"HTTP/1.1 503")
        assert b"TOO_MANY_STREAMS" in busy
        held.close()
        until(lambda: not connections.held)
        assert post(server.http_port, "DutyService/CalculateDuty", QUOTE).status == 200


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_addresses_of_one_network_of_ipv6_count_together(host: str, network: str) -> None:
    assert network_of(host) == network


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SMUGGLED = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
LENGTH, CHUNKS = f"content-length: {len(BODY)}", "transfer-encoding: chunked"
WHOLE = head(CALCULATE, LENGTH) + BODY
DOUBTFUL = {
    "both lengths": head(CALCULATE, f"content-length: {len(CHUNKED)}", CHUNKS) + CHUNKED,
    "both, otherwise": head("/nothing", CHUNKS, f"content-length: {len(CHUNKED)}") + CHUNKED,
    "both, one 0": head("/healthz", "Transfer-Encoding: Chunked", "Content-Length: 0") + CHUNKED,
    "line feed in the request line": WHOLE.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1),
    "line feed in a header": WHOLE.replace(b"host: x\r\n", b"host: x\n", 1),
    "hiding a header": WHOLE.replace(b"host: x\r\n", b"host: x\r\nx-a: b\ncontent-length: 0\r\n", 1),
    "before the body": WHOLE.replace(b"\r\n\r\n", b"\r\n\n", 1),
    "twice": WHOLE.replace(b"\r\n\r\n", b"\n\n", 1),
    "first": b"\n" + WHOLE,
    "in a header, never ended": head(CALCULATE)[:-4] + b"\nx: y",
    "in trailers": head(CALCULATE, CHUNKS) + CHUNKED[:-2] + b"x: y\n\r\n",
    "after a chunk's size": head(CALCULATE, CHUNKS) + CHUNKED.replace(b"\r\n", b"\n", 1),
}


@pytest.mark.parametrize("form", DOUBTFUL)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_its_connection_closed(
    web: Running, form: str, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 1.0)
    answer = answer_to(web, DOUBTFUL[form] + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"200 OK" not in answer


def test_line_feeds_of_a_body_and_pipelined_requests_are_as_before(web: Running) -> None:
    body = json.dumps(QUOTE, indent=1).encode() + b"\n\n"
    length = f"content-length: {len(body)}"
    one, last = head(CALCULATE, length) + body, head(CALCULATE, "connection: close", length) + body
    assert answer_to(web, one + one + last).count(b"HTTP/1.1 200") == 3


LARGE = b'{"known_on": "' + b"1" * RECEIVE_LIMIT + b'"}'


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("path", [CALCULATE, SIMULATE, UPLOAD])
def test_a_message_over_the_limit_has_its_reason_however_it_is_sent(
    web: Running, path: str, whole: bool
) -> None:
    is_unary = path == CALCULATE
    body = LARGE if is_unary else framed(LARGE)
    chunks: Any = (body[at : at + (1 << 20)] for at in range(0, len(body), 1 << 20))
    answer = call(
        web.http_port, "POST", path, body if whole else chunks, content_type=JSON if is_unary else STREAM
    )
    error = answer.json if is_unary else json.loads(frames(answer.body)[-1][1])["error"]
    info = error["details"][0]["debug"]
    assert (error["code"], info["reason"]) == ("invalid_argument", "BATCH_TOO_LARGE")
    assert str(RECEIVE_LIMIT) in json.dumps(info)


def test_a_message_at_the_limit_is_read(web: Running) -> None:
    filler = b" " * (RECEIVE_LIMIT - len(BODY))
    assert call(web.http_port, "POST", CALCULATE, BODY + filler, content_type=JSON).status == 200


def test_watching_sends_its_headers_at_once_and_a_refusal_after_them_at_the_end(tmp_path: Path) -> None:
    body = framed(b"{}")
    request = head(WATCH, f"content-length: {len(body)}", "x-request-id: w1", form=STREAM) + body
    with web_server(state_dir=tmp_path) as server, connected(server) as connection:
        connection.settimeout(5)
        connection.sendall(request)
        answer = connection.recv(1 << 16).lower()
        assert answer.startswith(b"http/1.1 200")
        assert b"content-type: application/connect+json" in answer
        assert b"x-request-id: w1" in answer
        watch = server.scenarios.WatchScenarios(scenario_service_pb2.WatchScenariosRequest(), timeout=30)
        assert dict(watch.initial_metadata()) == {}
        watch.cancel()
        stopping = server.stop_soon()
        connection.settimeout(30)
        assert b"SHUTTING_DOWN" in read_to_the_end(connection)
        stopping.result(60)


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


def test_a_reader_that_takes_nothing_is_dropped(monkeypatch: Patch) -> None:
    monkeypatch.setattr(http_port, "_KEEPALIVE", (("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, 1000),))
    run = Flood()
    with web_server(compute=simulating(run)) as server:
        connection = begin(server.http_port, run)
        until(lambda: server.server._admission.limit.held == 0, 45)
        assert run.ended.wait(30)
        connection.close()


def test_a_port_in_use_or_a_missing_extra_is_an_error_of_its_own(monkeypatch: Patch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(http_port=taken.getsockname()[1])
        with pytest.raises(ServiceError, match=f"Cannot listen on 127.0.0.1:{settings.http_port}"):
            http_port.open_sockets(settings, Endpoint())
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
    with web_server(compute=simulating(run), grace_seconds=1.0) as server:
        connection = begin(server.http_port, run)
        answer, body = connection.getresponse(), list[bytes]()
        reading = threading.Thread(target=lambda: body.append(answer.read()))
        reading.start()
        server.stop_soon().result(60)
        reading.join(30)
        assert run.ended.is_set()
        assert json.loads(frames(body[0])[-1][1])["error"]["code"] == "canceled"
        connection.close()
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
