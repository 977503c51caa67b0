"""Requests on the HTTP port are identified at their headers, framed in one way only, and received in bounded time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tariffs.service.server.listener import RECEIVE_LIMIT
from tariffs.v1 import scenario_service_pb2
from tests.service.harness import Running, no_warm_up, running
from tests.service.stored import until
from tests.service.test_http_limits import read_to_the_end
from tests.service.test_http_port import QUOTE, port_of
from tests.service.web_calls import call, framed, frames, post

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.service.server.web import bodies, http_port
from tariffs.service.server.web.http_port import network_of

CALCULATE = "/tariffs.v1.DutyService/CalculateDuty"
SIMULATE = "/tariffs.v1.SimulationService/Simulate"
UPLOAD = "/tariffs.v1.TableService/UploadTable"
BODY = json.dumps(QUOTE).encode()
JSON, STREAM, WEB = "application/json", "application/connect+json", "application/grpc-web+proto"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks for tokens; `reader` has no right to run anything."""
    folder = tmp_path_factory.mktemp("tokens")
    tokens, callers = folder / "tokens", folder / "callers.yaml"
    tokens.write_text("alice secret-a\nreader secret-r\n")
    callers.write_text("callers:\n  alice: {roles: [run]}\n  reader: {roles: [read]}\n")
    with running(warm=no_warm_up, http_port=0, tokens_file=tokens, callers_file=callers) as started:
        yield started


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(server)), 30)


def head(path: str, *lines: str, verb: str = "POST") -> bytes:
    return "\r\n".join([f"{verb} {path} HTTP/1.1", "host: x", *lines, "", ""]).encode()


def wait_for(server: Running, request: bytes, wanted: bytes) -> None:
    """Read the answer to the headers of a request until it has these bytes."""
    with connected(server) as connection:
        connection.sendall(request)
        answer = b""
        while wanted not in answer:
            part = connection.recv(1 << 16)
            assert part, answer
            answer += part


def answered(server: Running, request: bytes) -> bytes:
    """The first part of the answer to bytes that are sent as they are."""
    with connected(server) as connection:
        connection.sendall(request)
        return connection.recv(1 << 16)


@pytest.mark.parametrize("form", [JSON, "application/proto", WEB])
@pytest.mark.parametrize("authorization", ["", "Bearer secret-z", "Basic x"])
def test_a_call_without_a_valid_token_is_refused_before_its_body_comes(
    closed: Running, form: str, authorization: str
) -> None:
    given = [f"authorization: {authorization}"] if authorization else []
    request = head(CALCULATE, f"content-type: {form}", "content-length: 9000", *given)
    wait_for(closed, request, b"grpc-status: 16" if form == WEB else b"HTTP/1.1 401")


@pytest.mark.parametrize(("path", "form"), [(SIMULATE, STREAM), (UPLOAD, STREAM), (SIMULATE, WEB)])
def test_streams_too_are_refused_at_their_headers_with_the_reason(
    closed: Running, path: str, form: str
) -> None:
    lines = (f"content-type: {form}", "transfer-encoding: chunked", "authorization: Bearer nobody")
    wait_for(closed, head(path, *lines), b"grpc-status: 16" if form == WEB else b"TOKEN_INVALID")


def test_a_caller_without_the_role_is_refused_before_its_body_comes(closed: Running) -> None:
    lines = ("content-type: application/json", "content-length: 9000", "authorization: Bearer secret-r")
    answer = answered(closed, head("/tariffs.v1.RefundService/CalculateRefunds", *lines))
    assert answer.startswith(b"HTTP/1.1 403")
    allowed = post(port_of(closed), "DutyService/CalculateDuty", QUOTE, authorization="Bearer secret-r")
    assert allowed.status == 200


def test_a_call_refused_at_its_headers_has_its_log_line(
    closed: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("content-type: application/json", "content-length: 9000", "x-request-id: refused-early")
    assert b"TOKEN_INVALID" in answered(closed, head(CALCULATE, *lines))
    (logged,) = (text for text in capsys.readouterr().out.splitlines() if "refused-early" in text)
    assert "TOKEN_INVALID" in logged
    assert "DutyService/CalculateDuty" in logged


def test_a_refused_caller_cannot_keep_its_connection_by_sending_on(
    closed: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_port, "LINGER_SECONDS", 0.5)
    with connected(closed) as connection:
        connection.sendall(head(CALCULATE, "content-type: application/json", "content-length: 9000"))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 401")
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 10:
                connection.sendall(b" ")
                time.sleep(0.1)
        assert time.monotonic() - began < 3
    with connected(closed) as connection:
        request = head(CALCULATE, "content-type: application/json", f"content-length: {len(BODY)}")
        for _ in range(2):  # a client that sends its body at once may go on
            connection.sendall(request + BODY)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 401")


def test_a_body_that_trickles_is_ended_though_no_part_is_late(
    web: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.6)
    stopped = threading.Event()

    def trickle(connection: socket.socket) -> None:
        while not stopped.wait(0.1):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    with connected(web) as connection:
        connection.sendall(head(CALCULATE, "content-type: application/json", "content-length: 9000"))
        sender = threading.Thread(target=trickle, args=(connection,))
        sender.start()
        began = time.monotonic()
        answer = connection.recv(1 << 16)
        stopped.set()
        sender.join()
    assert answer.startswith(b"HTTP/1.1 400")
    assert time.monotonic() - began < 5


def test_a_large_body_gets_more_time(web: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    filler = b" " * (bodies.LEAST_BYTES_PER_SECOND // 2)
    size = len(BODY) + 4 * len(filler)
    with connected(web) as connection:
        connection.sendall(
            head(CALCULATE, "content-type: application/json", f"content-length: {size}") + BODY
        )
        for _ in range(4):
            time.sleep(0.3)
            connection.sendall(filler)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_connections_of_one_address_are_limited_and_leave_room_for_others() -> None:
    with (
        running(warm=no_warm_up, http_port=0, concurrent_calls=1, caller_share=0.02) as server,
        ExitStack() as held,
    ):
        connections = server.server._http.connections  # type: ignore[union-attr] # it is on
        most = connections.per_caller
        assert 0 < most < connections.total
        for _ in range(most):
            held.enter_context(connected(server))
        until(lambda: connections.held == most)
        with connected(server) as one_more:
            assert read_to_the_end(one_more).startswith(b"HTTP/1.1 503")
        with socket.create_connection(("127.0.0.1", port_of(server)), 30, ("127.0.0.2", 0)) as other:
            other.sendall(head("/healthz", verb="GET"))
            assert other.recv(1 << 16).startswith(b"HTTP/1.1 200")
        held.close()
        until(lambda: not connections.held)
        assert post(port_of(server), "DutyService/CalculateDuty", QUOTE).status == 200


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


@pytest.mark.parametrize(
    "lines",
    [
        (f"content-length: {len(CHUNKED)}", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", f"content-length: {len(CHUNKED)}"),
        ("Transfer-Encoding: Chunked", "Content-Length: 0"),
    ],
)
@pytest.mark.parametrize("path", [CALCULATE, "/healthz", "/nothing"])
def test_a_request_with_both_lengths_is_refused_and_its_connection_closed(
    web: Running, lines: tuple[str, ...], path: str
) -> None:
    with connected(web) as connection:
        connection.sendall(head(path, "content-type: application/json", *lines) + CHUNKED + SMUGGLED)
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


WHOLE = head(CALCULATE, "content-type: application/json", f"content-length: {len(BODY)}") + BODY
BARE = {
    "in the request line": WHOLE.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1),
    "in a header": WHOLE.replace(b"host: x\r\n", b"host: x\n", 1),
    "hiding a header": WHOLE.replace(b"host: x\r\n", b"host: x\r\nx-a: b\ncontent-length: 0\r\n", 1),
    "before the body": WHOLE.replace(b"\r\n\r\n", b"\r\n\n", 1),
    "twice": WHOLE.replace(b"\r\n\r\n", b"\n\n", 1),
    "first": b"\n" + WHOLE,
    "in a header, never ended": head(CALCULATE)[:-4] + b"\nx: y",
    "in trailers": head(CALCULATE, "content-type: application/json", "transfer-encoding: chunked")
    + CHUNKED[:-2]
    + b"x: y\n\r\n",
    "after a chunk's size": head(CALCULATE, "content-type: application/json", "transfer-encoding: chunked")
    + CHUNKED.replace(b"\r\n", b"\n", 1),
}


@pytest.mark.parametrize("place", BARE)
def test_a_line_that_ends_in_a_bare_line_feed_is_refused_and_its_connection_closed(
    web: Running, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 1.0)
    with connected(web) as connection:
        connection.sendall(BARE[place] + SMUGGLED)
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"200 OK" not in answer


def test_line_feeds_of_a_body_and_pipelined_requests_are_as_before(web: Running) -> None:
    body = json.dumps(QUOTE, indent=1).encode() + b"\n\n"
    one = head(CALCULATE, "content-type: application/json", f"content-length: {len(body)}") + body
    last = head(
        CALCULATE, "content-type: application/json", "connection: close", f"content-length: {len(body)}"
    )
    with connected(web) as connection:
        connection.sendall(one + one + last + body)
        answer = read_to_the_end(connection)
    assert answer.count(b"HTTP/1.1 200") == 3


LARGE = b'{"known_on": "' + b"1" * RECEIVE_LIMIT + b'"}'


def chunks(body: bytes) -> Iterator[bytes]:
    yield from (body[at : at + (1 << 20)] for at in range(0, len(body), 1 << 20))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("path", [CALCULATE, SIMULATE, UPLOAD])
def test_a_message_over_the_limit_has_its_reason_however_it_is_sent(
    web: Running, path: str, whole: bool
) -> None:
    is_unary = path == CALCULATE
    body = LARGE if is_unary else framed(LARGE)
    sent: Any = body if whole else chunks(body)
    answer = call(port_of(web), "POST", path, sent, content_type=JSON if is_unary else STREAM)
    error = answer.json if is_unary else json.loads(frames(answer.body)[-1][1])["error"]
    assert error["code"] == "invalid_argument"
    info = error["details"][0]["debug"]
    assert info["reason"] == "BATCH_TOO_LARGE"
    assert str(RECEIVE_LIMIT) in json.dumps(info)


def test_a_message_at_the_limit_is_read(web: Running) -> None:
    filler = b" " * (RECEIVE_LIMIT - len(BODY))
    assert call(port_of(web), "POST", CALCULATE, BODY + filler, content_type=JSON).status == 200


def test_watching_scenarios_sends_its_headers_at_once(web: Running) -> None:
    body = framed(b"{}")
    lines = (f"content-type: {STREAM}", f"content-length: {len(body)}", "x-request-id: w1")
    with connected(web) as connection:
        connection.settimeout(5)
        connection.sendall(head("/tariffs.v1.ScenarioService/WatchScenarios", *lines) + body)
        answer = connection.recv(1 << 16).lower()
    assert answer.startswith(b"http/1.1 200")
    assert b"content-type: application/connect+json" in answer
    assert b"x-request-id: w1" in answer
    watch = web.scenarios.WatchScenarios(scenario_service_pb2.WatchScenariosRequest(), timeout=30)
    assert dict(watch.initial_metadata()) == {}
    watch.cancel()


def test_a_watch_that_is_refused_after_its_headers_ends_with_its_reason(tmp_path: Path) -> None:
    with running(warm=no_warm_up, http_port=0, state_dir=tmp_path / "s") as server:
        body = framed(b"{}")
        lines = (f"content-type: {STREAM}", f"content-length: {len(body)}")
        with connected(server) as connection:
            connection.sendall(head("/tariffs.v1.ScenarioService/WatchScenarios", *lines) + body)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
            stopping = server.stop_soon()
            assert b"SHUTTING_DOWN" in read_to_the_end(connection)
            stopping.result(60)
