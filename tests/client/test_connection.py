"""The channel: addresses of one server and of several, the token, encryption, and what is tried again."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from tariffs.client import Client, Config, InvalidRequest, ResourceExhausted, Unauthenticated, Unavailable
from tariffs.client._wire import retry
from tariffs.client._wire.connection import _joined, connect, is_loopback, places_of, service_config
from tariffs.client.config import secured
from tariffs.v1 import duty_service_pb2, simulation_service_pb2
from tests.client.fakes import fake_server, refuse

VARIABLES = ("TOKEN", "TOKEN_IN_CLEAR", "TLS", "TLS_NAME", "CLIENT_CERTIFICATE", "CLIENT_KEY")
DELETE = "/tariffs.v1.TableService/DeleteTable"
PUSHBACK = "grpc-retry-pushback-ms"
Answer = Callable[[Any, grpc.ServicerContext], Any]


@pytest.fixture(autouse=True)
def _no_settings_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"TARIFFS_{name}", raising=False)


def duty(client: Client, timeout: float = 10.0) -> object:
    return client.duty("9503.00.0073", origin="CN", value=1, timeout=timeout)


def quote(_request: Any, _context: Any) -> duty_service_pb2.CalculateDutyResponse:
    return duty_service_pb2.CalculateDutyResponse(assessed="1.00", owed="1.00", min="1.00", max="1.00")


def failing(times: int, code: grpc.StatusCode, pushback: str | None, then: Answer) -> Answer:
    """Fails so often before it answers."""
    left = [times]

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if left[0]:
            left[0] -= 1
            context.set_trailing_metadata(() if pushback is None else ((PUSHBACK, pushback),))
            context.abort(code, "not now")
        return then(request, context)

    return answer


def test_the_token_goes_with_calls_and_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def note(_request: Any, context: grpc.ServicerContext) -> Any:
        seen.append(dict(context.invocation_metadata()).get("authorization"))
        return quote(None, None)

    def stream(_request: Any, context: grpc.ServicerContext) -> Any:
        note(None, context)
        yield simulation_service_pb2.SimulateResponse(done=simulation_service_pb2.Done())

    with fake_server() as fake:
        fake.answers = {"CalculateDuty": note, "Simulate": stream}
        with connect(fake.target, Config(token="secret")) as channel:
            call = channel.unary_stream(
                "/tariffs.v1.SimulationService/Simulate",
                simulation_service_pb2.SimulateRequest.SerializeToString,
                simulation_service_pb2.SimulateResponse.FromString,
            )
            assert list(call(simulation_service_pb2.SimulateRequest(), timeout=10))
        with Client(fake.target, token="secret") as client:
            duty(client)
        with Client(fake.target) as client:
            duty(client)
        monkeypatch.setenv("TARIFFS_TOKEN", "of-environment")
        with Client(fake.target) as client:
            duty(client)
    assert seen == ["Bearer secret", "Bearer secret", None, "Bearer of-environment"]


def test_a_refused_token_is_an_error_of_its_own() -> None:
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse("UNAUTHENTICATED", "TOKEN_INVALID", "No.", fix="Send one.")
        with Client(fake.target, token="wrong") as client, pytest.raises(Unauthenticated) as caught:
            duty(client)
    assert (caught.value.reason, caught.value.exit_code, caught.value.fix) == (
        "TOKEN_INVALID",
        3,
        "Send one.",
    )


@pytest.mark.parametrize(
    "target",
    [
        "10.0.0.1:1",
        "example.org:1",
        "localhost.example.org:1",
        "127.0.0.1:1,10.0.0.1:1",
        "dns:///localhost:1",
    ],
)
def test_a_token_never_travels_in_the_clear_beyond_loopback(target: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        connect(target, Config(token="secret"))
    assert "secret" not in str(caught.value)
    if "," not in target:
        connect(target, Config(token="secret", token_in_clear=True)).close()
        connect(target, Config(token="secret", tls="system")).close()
    connect(target, Config()).close()


@pytest.mark.parametrize(
    "target", ["localhost:1", "127.0.0.1:1", "[::1]:1", "127.0.0.1:1,127.0.0.1:2", "unix:/x"]
)
def test_on_loopback_the_token_needs_no_encryption(target: str) -> None:
    connect(target, Config(token="secret")).close()
    beyond = target
    for here, there in {
        "localhost": "example.org",
        "127.0.0.1": "10.0.0.1",
        "[::1]": "[2001:db8::1]",
    }.items():
        beyond = beyond.replace(here, there)
    if beyond != target:
        with pytest.raises(InvalidRequest):
            connect(beyond, Config(token="secret"))


@pytest.mark.parametrize("form", ["localhost:{}", "127.0.0.1:{}", "127.0.0.1:{},127.0.0.1:{}"])
def test_the_token_arrives_over_loopback_in_the_clear(form: str) -> None:
    seen: list[Any] = []

    def note(_request: Any, context: grpc.ServicerContext) -> Any:
        seen.append(dict(context.invocation_metadata()).get("authorization"))
        return quote(None, None)

    with fake_server() as fake:
        fake.answers["CalculateDuty"] = note
        port = fake.target.rpartition(":")[2]
        with Client(form.replace("{}", port), token="secret") as client:
            duty(client)
    assert seen == ["Bearer secret"]


def test_what_is_given_stands_above_the_config_and_that_above_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert secured(Config(), None, None) == Config()
    monkeypatch.setenv("TARIFFS_TOKEN", "of-environment")
    monkeypatch.setenv("TARIFFS_TLS", "system")
    monkeypatch.setenv("TARIFFS_TOKEN_IN_CLEAR", "true")
    assert secured(Config(), None, None) == Config(token="of-environment", tls="system", token_in_clear=True)
    mine = secured(Config(token="mine", tls="ca.pem"), None, None)
    assert (mine.token, mine.tls) == ("mine", "ca.pem")
    given = secured(Config(token="mine", tls="ca.pem"), "given", False)
    assert (given.token, given.tls) == ("given", None)
    assert secured(Config(), None, True).tls == "system"
    assert "of-environment" not in repr(secured(Config(), None, None))


@pytest.mark.parametrize("value", ["0", "false", "off", ""])
def test_encryption_can_be_switched_off_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TARIFFS_TLS", value)
    assert secured(Config(), None, None).tls is None


def test_targets_are_read_as_servers() -> None:
    assert places_of("a:1, 10.0.0.1:2,[::1]:3") == [("a", "1"), ("10.0.0.1", "2"), ("::1", "3")]
    assert places_of("dns:///a:1") == [("dns:///a:1", "")]
    assert _joined([("127.0.0.1", "1"), ("127.0.0.2", "2")]) == "ipv4:127.0.0.1:1,127.0.0.2:2"
    assert _joined([("::1", "1"), ("::2", "2")]) == "ipv6:[::1]:1,[::2]:2"
    with pytest.raises(Unavailable):
        _joined([("127.0.0.1", "1"), ("::1", "2")])
    assert [is_loopback(host) for host in ("localhost", "127.1.1.1", "::1", "0.0.0.0", "a")] == [True] * 3 + [
        False
    ] * 2


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_call_that_finds_no_room_or_nobody_is_tried_again(code: grpc.StatusCode) -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = failing(3, code, "10", quote)
        duty(client)
        assert len(fake.requests) == 4


def test_four_times_is_enough() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = failing(9, grpc.StatusCode.UNAVAILABLE, "10", quote)
        with pytest.raises(Unavailable):
            duty(client)
        assert len(fake.requests) == 4


def test_a_limit_that_time_does_not_mend_is_not_tried_again() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = failing(9, grpc.StatusCode.RESOURCE_EXHAUSTED, "-1", quote)
        with pytest.raises(ResourceExhausted):
            duty(client)
        assert len(fake.requests) == 1


def test_a_stream_is_tried_again_by_grpc_until_its_first_message_and_not_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "RETRY_PAUSES", ())

    def broken(_request: Any, context: grpc.ServicerContext) -> Any:
        yield simulation_service_pb2.SimulateResponse(progress=simulation_service_pb2.Progress(stage="x"))
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = failing(2, grpc.StatusCode.UNAVAILABLE, "10", broken)
        with pytest.raises(Unavailable):
            client.impact(scenarios=["base"], timeout=10)
        assert len(fake.requests) == 3


def test_a_call_that_does_not_do_the_same_twice_is_made_once() -> None:
    seen: Counter[str] = Counter()

    class Refusing(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs alone
        def service(self, details: grpc.HandlerCallDetails) -> Any:
            def call(_request: bytes, context: grpc.ServicerContext) -> bytes:
                seen[details.method] += 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
                raise AssertionError

            return grpc.unary_unary_rpc_method_handler(call)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with connect(f"127.0.0.1:{port}", Config()) as channel:
        for method in (DELETE, "/google.longrunning.Operations/DeleteOperation", "/tariffs.v1.New/Call"):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(method, None, None)(b"", timeout=10)
    server.stop(None).wait()
    assert [seen[method] for method in seen] == [1, 1, 4]


def test_calls_go_round_several_servers_and_a_dead_one_is_left_out() -> None:
    with fake_server() as first:
        first.answers["CalculateDuty"] = quote
        with fake_server() as second:
            second.answers["CalculateDuty"] = quote
            client = Client(f"{first.target},{second.target}")
            for _ in range(40):
                duty(client)
            counts = [len(first.requests), len(second.requests)]
        for _ in range(20):
            duty(client)
        client.close()
        assert min(counts) >= 5, "both were asked"
        assert len(first.requests) == counts[0] + 20


def test_the_service_config_holds_no_deadline_and_says_how_to_balance() -> None:
    one, several = json.loads(service_config()), json.loads(service_config(round_robin=True))
    assert list(one["loadBalancingConfig"][0]) == ["pick_first"]
    assert list(several["loadBalancingConfig"][0]) == ["round_robin"]
    assert "timeout" not in service_config()


def test_a_server_that_is_not_ready_gets_no_calls() -> None:
    with fake_server() as first, fake_server() as second:
        first.answers["CalculateDuty"] = second.answers["CalculateDuty"] = quote
        second.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        client = Client(f"{first.target},{second.target}")
        for _ in range(20):
            duty(client)
        assert (len(first.requests), len(second.requests)) == (20, 0)
        second.health.set("", health_pb2.HealthCheckResponse.SERVING)
        until = time.monotonic() + 60
        while not second.requests and time.monotonic() < until:
            duty(client)
        client.close()
        assert second.requests, "it is called once it is ready"
