from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from tariffs.client import (
    Client,
    DeadlineExceeded,
    ExtraMissing,
    InternalError,
    InvalidRequest,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from tariffs.client.cli.__main__ import run
from tariffs.client.cli.option_names import in_options
from tariffs.client.errors import LAW_REASONS, USAGE_REASONS, TariffsError, extra_missing, from_engine_error
from tariffs.engine.errors import REASONS, InputError, ScenarioError
from tests.client.fakes import FakeServer, fake_server, refuse


def call(fake: FakeServer) -> TariffsError:
    with Client(fake.target) as client, pytest.raises(TariffsError) as caught:
        client.duty("9503.00.0073", "CN", value=1)
    return caught.value


def test_every_reason_has_the_exit_code_of_the_catalogue() -> None:
    codes = {name: TariffsError(name, "", code=reason.code).exit_code for name, reason in REASONS.items()}
    assert codes == {name: reason.exit_code for name, reason in REASONS.items()}


def test_no_reason_is_made_up() -> None:
    assert set(REASONS) >= USAGE_REASONS | LAW_REASONS


def test_details_become_attributes() -> None:
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="line.hts", description="unknown")
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse(
            "INVALID_ARGUMENT",
            "HTS_CODE_UNKNOWN",
            "No such code.",
            bad,
            error_details_pb2.RequestInfo(request_id="r1"),
            fix="Try 9503.",
            nearest="9503",
        )
        error = call(fake)
    assert isinstance(error, InvalidRequest)
    assert (error.reason, error.field, error.fix, error.request_id) == (
        "HTS_CODE_UNKNOWN",
        "line.hts",
        "Try 9503.",
        "r1",
    )
    assert error.metadata == {"nearest": "9503"}
    assert str(error) == "No such code. Try 9503."


def test_retry_info_says_when() -> None:
    retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2))
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS", "Full.", retry)
        error = call(fake)
    assert isinstance(error, ResourceExhausted)
    assert (error.retry_after, error.exit_code) == (2.0, 3)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [("NOT_FOUND", "SCENARIO_NOT_FOUND", NotFound), ("INTERNAL", "ENGINE_INVARIANT", InternalError)],
)
def test_the_class_follows_the_code(code: str, reason: str, kind: type[TariffsError]) -> None:
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse(code, reason, "m")
        assert isinstance(call(fake), kind)


def test_unavailable_is_retried_by_the_channel() -> None:
    with fake_server() as fake:
        fake.answers["CalculateDuty"] = refuse("UNAVAILABLE", "WARMING_UP", "Wait.")
        error = call(fake)
        assert len(fake.requests) > 1
    assert isinstance(error, Unavailable)
    assert error.reason == "WARMING_UP"


def test_no_server_says_what_to_do() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(Unavailable) as caught:
        client.measures()
    assert (caught.value.reason, caught.value.exit_code) == ("SERVER_UNAVAILABLE", 3)
    assert "127.0.0.1:1" in caught.value.message
    assert "tariffs serve" in caught.value.fix


def test_every_call_has_a_deadline_that_the_server_sees() -> None:
    left: list[float] = []

    def late(_request: object, context: grpc.ServicerContext) -> None:
        left.append(context.time_remaining())
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "late")

    with fake_server() as fake:
        fake.answers["CalculateDuty"] = late
        error = call(fake)
    assert isinstance(error, DeadlineExceeded)
    assert error.reason == "DEADLINE"
    assert left == [pytest.approx(5.0, abs=1.0)]


def test_engine_errors_are_read_by_their_attributes() -> None:
    error = from_engine_error(
        ScenarioError("SCENARIO_SYNTAX", "Bad.", path="changes[0]", line=3, column=5, fix="Mend.")
    )
    assert isinstance(error, InvalidRequest)
    assert (error.reason, error.field, error.fix, error.exit_code) == (
        "SCENARIO_SYNTAX",
        "changes[0]",
        "Mend.",
        4,
    )
    assert error.metadata == {"path": "changes[0]", "line": "3", "column": "5"}
    plain = from_engine_error(InputError("ORIGIN_UNKNOWN", "Bad.", field="origin", metadata={"origin": "XX"}))
    assert (plain.field, plain.metadata, plain.exit_code) == ("origin", {"origin": "XX"}, 1)


def test_what_nobody_foresaw_is_a_broken_promise() -> None:
    error = from_engine_error(ZeroDivisionError("oops"))
    assert isinstance(error, InternalError)
    assert (error.reason, error.exit_code) == ("ENGINE_INVARIANT", 3)


def test_a_missing_extra_is_one_command() -> None:
    error = extra_missing("server", "numba")
    assert isinstance(error, ExtraMissing)
    assert (error.fix, error.exit_code) == ("pip install 'tariffs[server]'", 3)


def test_the_command_line_names_its_options_where_python_names_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixes = {
        "Use target= or TARIFFS_TARGET, or Client.local().": "Use --target or TARIFFS_TARGET, or --local.",
        'Use mapping="ace".': "Use --mapping ace.",
        "Give points such as cn=20%.": "Give points such as cn=20%.",
        'Day numbers need date_format="excel".': "Day numbers need --date-format excel.",
        'Give vary={"cn": "0%:50%:1%"} or points=.': "Give --vary cn=0%:50%:1% or --points FILE.",
        "Give the call more time with timeout=.": "Ask for less at once; a run goes on by itself with --detach.",
    }
    assert {fix: in_options(fix) for fix in fixes} == fixes
    table = tmp_path / "broker.csv"
    table.write_text("Tariff No.;Country;Value\n9503.00.0073;CN;1\n")
    with pytest.raises(InvalidRequest) as caught:
        Client.local().duties(table)
    assert "--" not in caught.value.fix
    assert run(["duty", "--entries", str(table), "--local", "--json"]) == 2
    said = capsys.readouterr()
    assert "--mapping names the columns" in said.err
    assert "--mapping names the columns" in json.loads(said.out)["error"]["fix"]
