"""The channel to a server: addresses, token, encryption, deadlines, what is tried again, and errors as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2

from tariffs.client import (
    Client,
    Config,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    NotFound,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from tariffs.client._wire import retry
from tariffs.client._wire.connection import connect
from tariffs.client.config import secured
from tariffs.client.errors import LAW_REASONS, USAGE_REASONS, TariffsError, from_engine_error
from tariffs.engine.errors import REASONS, InputError, ScenarioError
from tariffs.v1 import duty_service_pb2, simulation_service_pb2
from tests.client.conftest import refuses
from tests.client.fakes import fake_server, refuse

PUSHBACK = "grpc-retry-pushback-ms"
Answer = Callable[[Any, grpc.ServicerContext], Any]


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
        with Client(fake.target, token="secret") as client:
            client.impact()
            duty(client)
        for token in (None, "of-environment"):
            if token:
                monkeypatch.setenv("TARIFFS_TOKEN", token)
            with Client(fake.target) as client:
                duty(client)
        with Client(fake.target.replace("127.0.0.1", "localhost"), token="secret") as client:
            duty(client)
    assert seen == ["Bearer secret", "Bearer secret", None, "Bearer of-environment", "Bearer secret"]


ELSEWHERE = "10.0.0.1:1 [2001:db8::1]:1 localhost.example.org:1 127.0.0.1:1,10.0.0.1:1 dns:///localhost:1"


@pytest.mark.parametrize("target", ELSEWHERE.split())
def test_a_token_never_travels_in_the_clear_beyond_loopback(target: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        connect(target, Config(token="secret"))
    assert "secret" not in str(caught.value)
    if "," not in target:
        connect(target, Config(token="secret", token_in_clear=True)).close()
        connect(target, Config(token="secret", tls="system")).close()
    connect(target, Config()).close()

    for here in ("localhost:1", "127.0.0.1:1", "[::1]:1", "127.0.0.1:1,127.0.0.1:2", "unix:/x"):
        connect(here, Config(token="secret")).close()


def test_arguments_beat_the_config_and_that_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
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
    for off in ("0", "false", "off", ""):
        monkeypatch.setenv("TARIFFS_TLS", off)
        assert secured(Config(), None, None).tls is None


def test_a_stream_is_tried_again_until_its_first_message(monkeypatch: pytest.MonkeyPatch) -> None:
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
    with fake_server() as fake, connect(fake.target, Config()) as channel:
        for method in (
            "tariffs.v1.TableService/DeleteTable",
            "google.longrunning.Operations/DeleteOperation",
        ):
            fake.answers[method.partition("/")[2]] = failing(9, grpc.StatusCode.UNAVAILABLE, None, quote)
            with pytest.raises(grpc.RpcError, match="not now"):
                channel.unary_unary(f"/{method}", None, None)(b"", timeout=10)
        assert len(fake.requests) == 2


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


def test_no_server_says_what_to_do() -> None:
    with Client("127.0.0.1:1") as client, refuses("SERVER_UNAVAILABLE", kind=Unavailable) as caught:
        client.measures()
    assert "127.0.0.1:1" in caught.value.message
    assert "tariffs serve" in caught.value.fix


def test_every_call_has_a_deadline_that_the_server_sees() -> None:
    left: list[float] = []

    def late(_request: object, context: grpc.ServicerContext) -> None:
        left.append(context.time_remaining())
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "late")

    error = call(late)
    assert isinstance(error, DeadlineExceeded)
    assert error.reason == "DEADLINE"
    assert left == [pytest.approx(5.0, abs=1.0)]


def call(answer: Answer) -> TariffsError:
    """The error of a duty that a server answers so."""
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = answer
        with pytest.raises(TariffsError) as caught:
            duty(client, timeout=5.0)
    return caught.value


@pytest.mark.parametrize(
    ("times", "code", "pushback", "asked"),
    [
        (3, "UNAVAILABLE", "10", 4),
        (3, "RESOURCE_EXHAUSTED", "10", 4),
        (9, "UNAVAILABLE", "10", 4),
        (9, "RESOURCE_EXHAUSTED", "-1", 1),  # a limit that time does not mend
    ],
)
def test_a_call_is_made_four_times_at_most(times: int, code: str, pushback: str, asked: int) -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = failing(times, grpc.StatusCode[code], pushback, quote)
        if times < asked:
            duty(client)
        else:
            with pytest.raises((Unavailable, ResourceExhausted)):
                duty(client)
        assert len(fake.requests) == asked


def test_reasons_have_the_exit_codes_of_the_catalogue() -> None:
    codes = {name: TariffsError(name, "", code=reason.code).exit_code for name, reason in REASONS.items()}
    assert codes == {name: reason.exit_code for name, reason in REASONS.items()}
    assert set(REASONS) >= USAGE_REASONS | LAW_REASONS


def test_details_of_a_refusal_become_attributes() -> None:
    bad, retry_info = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    bad.field_violations.add(field="line.hts", description="unknown")
    retry_info.retry_delay.seconds = 2
    request_info = error_details_pb2.RequestInfo(request_id="r1")
    details: list[Any] = [bad, retry_info, request_info]
    named = {"fix": "Try 9503.", "nearest": "9503"}
    error = call(refuse("INVALID_ARGUMENT", "HTS_CODE_UNKNOWN", "No such code.", *details, **named))
    assert isinstance(error, InvalidRequest)
    found = (error.reason, error.field, error.fix, error.request_id, error.retry_after)
    assert found == ("HTS_CODE_UNKNOWN", "line.hts", "Try 9503.", "r1", 2.0)
    assert error.metadata == {"nearest": "9503"}
    assert str(error) == "No such code. Try 9503."


@pytest.mark.parametrize(
    ("code", "reason", "kind", "exit_code"),
    [
        ("NOT_FOUND", "SCENARIO_NOT_FOUND", NotFound, 4),
        ("INTERNAL", "ENGINE_INVARIANT", InternalError, 3),
        ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS", ResourceExhausted, 3),
        ("UNAUTHENTICATED", "TOKEN_INVALID", Unauthenticated, 3),
    ],
)
def test_the_class_follows_the_code(code: str, reason: str, kind: type[TariffsError], exit_code: int) -> None:
    error = call(refuse(code, reason, "m"))
    assert (type(error), error.reason, error.exit_code) == (kind, reason, exit_code)


def test_engine_errors_are_read_by_their_attributes() -> None:
    place: dict[str, Any] = {"path": "changes[0]", "line": 3, "column": 5}
    error = from_engine_error(ScenarioError("SCENARIO_SYNTAX", "Bad.", **place, fix="Mend."))
    assert isinstance(error, InvalidRequest)
    found = (error.reason, error.field, error.fix, error.exit_code)
    assert found == ("SCENARIO_SYNTAX", "changes[0]", "Mend.", 4)
    assert error.metadata == {name: str(value) for name, value in place.items()}
    plain = from_engine_error(InputError("ORIGIN_UNKNOWN", "Bad.", field="origin", metadata={"origin": "XX"}))
    assert (plain.field, plain.metadata, plain.exit_code) == ("origin", {"origin": "XX"}, 1)
    unforeseen = from_engine_error(ZeroDivisionError("oops"))
    assert isinstance(unforeseen, InternalError)
    assert (unforeseen.reason, unforeseen.exit_code) == ("ENGINE_INVARIANT", 3)
