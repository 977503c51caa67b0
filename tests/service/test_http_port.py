"""The HTTP port gives the answers, errors, limits and log lines of the gRPC port."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest
from google.protobuf import descriptor_pool, json_format

from tariffs.engine.errors import ServiceError
from tariffs.service.server.server import SERVICES
from tariffs.v1 import duty_service_pb2, law_service_pb2, simulation_service_pb2, table_service_pb2
from tests.service.harness import Running, fails, line, no_warm_up, points, running, simulating
from tests.service.stored import until
from tests.service.web_calls import HttpAnswer, call, framed, frames, post, stream

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")

QUOTE = {
    "line": {"hts": "9503.00.0073", "origin": "CN", "entry": "2025-05-14", "customs_value": "10000"},
}


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running(http_port=0) as started:
        yield started


def port_of(server: Running) -> int:
    return server.server.http_port


def test_a_quote_in_json_is_the_quote_of_grpc(web: Running) -> None:
    answer = post(port_of(web), "DutyService/CalculateDuty", QUOTE)
    asked = json_format.ParseDict(QUOTE, duty_service_pb2.CalculateDutyRequest())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == json_format.MessageToDict(web.duty.CalculateDuty(asked))
    assert answer.json["assessed"] == "3000.00"


def test_a_quote_in_binary_is_the_quote_of_grpc(web: Running) -> None:
    asked = line()
    answer = call(
        port_of(web),
        "POST",
        "/tariffs.v1.DutyService/CalculateDuty",
        asked.SerializeToString(),
        content_type="application/proto",
    )
    assert duty_service_pb2.CalculateDutyResponse.FromString(answer.body) == web.duty.CalculateDuty(asked)


def test_names_may_be_those_of_the_proto_files_or_camel_case(web: Running) -> None:
    camel = {"line": {**QUOTE["line"], "customsValue": "10000"}, "readMask": "assessed"}
    del camel["line"]["customs_value"]  # type: ignore[attr-defined] # a dictionary
    assert post(port_of(web), "DutyService/CalculateDuty", camel).json["assessed"] == "3000.00"


def test_a_list_of_measures_large_enough_for_a_thread_is_that_of_grpc(web: Running) -> None:
    answer = post(port_of(web), "LawService/ListMeasures", {})
    request = law_service_pb2.ListMeasuresRequest()
    assert len(answer.body) > 1 << 14
    assert answer.json == json_format.MessageToDict(web.law.ListMeasures(request))


def test_a_run_streams_the_messages_of_grpc(web: Running) -> None:
    request = simulation_service_pb2.SimulateRequest(
        points=points(("base", "2025-05-14")), response=simulation_service_pb2.RESPONSE_MODEL_NONE
    )
    messages, end = stream(port_of(web), "SimulationService/Simulate", json_format.MessageToDict(request))
    found = [message for message in messages if "progress" not in message]
    expected = [json_format.MessageToDict(message) for message in web.simulation.Simulate(request)]
    assert found == [message for message in expected if "progress" not in message]
    assert "done" in found[-1]
    assert "error" not in end


def test_an_error_has_the_reason_and_the_details_of_grpc(web: Running) -> None:
    wrong = {"line": {**QUOTE["line"], "hts": "99"}}
    answer = post(port_of(web), "DutyService/CalculateDuty", wrong, x_request_id="mine")
    fault = fails(lambda: web.duty.CalculateDuty(line(hts="99"), metadata=(("x-request-id", "mine"),)))
    info, request, bad = (detail["debug"] for detail in answer.json["details"])
    assert answer.status == 400
    assert answer.json["code"] == "invalid_argument"
    assert answer.json["message"] == fault.message
    assert info == {"reason": fault.reason, "domain": "tariffs.internal", "metadata": fault.metadata}
    assert request == {"requestId": "mine"}
    assert [violation["field"] for violation in bad["fieldViolations"]] == fault.fields
    assert answer.headers["x-request-id"] == "mine"


def test_an_error_of_a_stream_is_its_end(web: Running) -> None:
    messages, end = stream(port_of(web), "SimulationService/Simulate", {})
    assert messages == []
    assert end["error"]["details"][0]["debug"]["reason"] == "REQUEST_INVALID"


@pytest.mark.parametrize(
    ("message", "reason", "word"),
    [
        ({"line": {"hst": "9503"}}, "FIELD_UNKNOWN", '"hst"'),
        ({"line": {"customs_value": 10000}}, "REQUEST_INVALID", "customs_value"),
        ({"direction": "DIRECTION_UP"}, "REQUEST_INVALID", "DIRECTION_UP"),
        (7, "REQUEST_INVALID", "CalculateDutyRequest"),
        ({"line": 7}, "REQUEST_INVALID", "line"),
        ({"switches": [1]}, "REQUEST_INVALID", "switches"),
    ],
)
def test_json_that_is_not_the_request_is_refused_by_its_place(
    web: Running, message: Any, reason: str, word: str
) -> None:
    answer = post(port_of(web), "DutyService/CalculateDuty", message)
    assert answer.reason == reason
    assert word in answer.json["message"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"line": ' * 2000, b'{"line": {}, "line": {}}', b"NaN"])
def test_malformed_json_is_refused(web: Running, body: bytes) -> None:
    path = "/tariffs.v1.DutyService/CalculateDuty"
    assert call(port_of(web), "POST", path, body, content_type="application/json").reason == "REQUEST_INVALID"


@pytest.mark.parametrize(
    ("verb", "path", "form", "status", "word"),
    [
        ("POST", "/tariffs.v1.DutyService/Nothing", "application/json", 404, "There is no method"),
        ("POST", "/", "application/json", 404, "There is no method"),
        ("GET", "/tariffs.v1.TableService/DeleteTable", "", 405, "does not answer GET"),
        ("POST", "/tariffs.v1.DutyService/CalculateDuty", "text/plain", 415, "application/json"),
        ("POST", "/tariffs.v1.DutyService/CalculateDuty", "application/grpc", 415, "gRPC port"),
        ("POST", "/tariffs.v1.SimulationService/Simulate", "application/json", 415, "streams"),
    ],
)
def test_what_no_method_can_answer_is_refused_with_what_to_do(
    web: Running, verb: str, path: str, form: str, status: int, word: str
) -> None:
    answer = call(port_of(web), verb, path, b"{}", content_type=form)
    assert answer.status == status
    assert word in answer.body.decode()
    assert answer.headers["x-request-id"]


def test_every_method_of_the_contract_is_there(web: Running) -> None:
    methods = {
        f"/{service.full_name}/{name}"
        for service in map(_service, SERVICES)
        for name in service.methods_by_name
    }
    answers = {
        path: call(port_of(web), "POST", path, b"", content_type="application/grpc").status
        for path in sorted(methods)
    }
    # 415 is said of methods that exist.
    assert set(answers.values()) == {415}


def _service(name: str) -> Any:
    return descriptor_pool.Default().FindServiceByName(name)


def test_grpc_web_gets_the_answer_and_its_trailers(web: Running) -> None:
    answer = call(
        port_of(web),
        "POST",
        "/tariffs.v1.DutyService/CalculateDuty",
        framed(line().SerializeToString()),
        content_type="application/grpc-web+proto",
    )
    (_, message), (flags, trailers) = frames(answer.body)
    found = duty_service_pb2.CalculateDutyResponse.FromString(message)
    assert found == web.duty.CalculateDuty(line())
    assert flags == 0x80
    assert b"grpc-status: 0" in trailers


def test_grpc_web_gets_errors_with_their_details(web: Running) -> None:
    answer = call(
        port_of(web),
        "POST",
        "/tariffs.v1.DutyService/CalculateDuty",
        framed(line(hts="99").SerializeToString()),
        content_type="application/grpc-web+proto",
    )
    ((_, trailers),) = frames(answer.body)
    assert b"grpc-status: 3" in trailers
    assert b"grpc-status-details-bin: " in trailers


def test_a_token_is_asked_for_and_names_the_same_caller_on_both_ports(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice secret-a\nbob secret-b\n")
    with running(warm=no_warm_up, http_port=0, tokens_file=tokens) as server:
        port = port_of(server)
        without = post(port, "TableService/ListTables", {})
        alice = post(port, "TableService/ListTables", {}, authorization="Bearer secret-a")
        over_grpc = server.tables.ListTables(
            table_service_pb2.ListTablesRequest(), metadata=(("authorization", "Bearer secret-a"),)
        )
    assert (without.status, without.reason) == (401, "TOKEN_INVALID")
    assert alice.json == json_format.MessageToDict(over_grpc)


def test_calls_of_both_ports_share_the_limits() -> None:
    held, release = threading.Event(), threading.Event()

    def hold(*_: Any) -> None:
        held.set()
        release.wait(30)

    with running(
        compute=simulating(hold), warm=no_warm_up, http_port=0, concurrent_calls=1, caller_share=1.0
    ) as server:
        stream_open = server.simulation.Simulate(simulation_service_pb2.SimulateRequest())
        thread = threading.Thread(target=lambda: _drain(stream_open))
        thread.start()
        held.wait(30)
        refused = post(port_of(server), "DutyService/CalculateDuty", QUOTE)
        release.set()
        thread.join(30)
    assert (refused.status, refused.reason) == (429, "TOO_MANY_STREAMS")
    assert refused.headers["retry-after"] == "2"


def _drain(messages: Any) -> None:
    try:
        list(messages)
    except grpc.RpcError:
        return


class Endless:
    """A run that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self, _request: Any, emit: Any, cancelled: Any) -> None:
        emit(simulation_service_pb2.SimulateResponse(progress={"stage": "valuing", "fraction": 0.1}))
        self.begun.set()
        while not cancelled():
            time.sleep(0.01)
        self.ended.set()
        raise ServiceError("CANCELLED", "The caller cancelled the run.")


@pytest.fixture
def endless() -> Iterator[tuple[Running, Endless]]:
    run = Endless()
    with running(compute=simulating(run), warm=no_warm_up, http_port=0) as server:
        yield server, run


def test_a_run_ends_when_the_browser_goes_away(endless: tuple[Running, Endless]) -> None:
    server, run = endless
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
    headers = {"content-type": "application/connect+json"}
    connection.request("POST", "/tariffs.v1.SimulationService/Simulate", framed(b"{}"), headers)
    assert connection.getresponse().read(5)
    assert run.begun.wait(30)
    connection.close()
    assert run.ended.wait(30)
    until(lambda: server.server._admission.limit.held == 0)


def test_a_run_ends_at_the_deadline_of_the_caller(endless: tuple[Running, Endless]) -> None:
    server, run = endless
    _, end = stream(port_of(server), "SimulationService/Simulate", {}, connect_timeout_ms="300")
    assert end["error"]["code"] == "deadline_exceeded"
    assert run.ended.wait(30)


def test_calls_are_counted_and_logged_as_those_of_grpc(
    web: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    post(port_of(web), "DutyService/CalculateDuty", QUOTE, x_request_id="seen-in-the-log")
    text = capsys.readouterr().out
    assert "seen-in-the-log" in text
    assert "DutyService/CalculateDuty" in text


def test_a_server_that_warms_up_says_so_on_both_ports() -> None:
    ready = threading.Event()

    def check(server: Any) -> None:
        threading.Thread(target=lambda: answers.append(_first(server))).start()

    answers: list[HttpAnswer] = []

    def warm() -> None:
        until(lambda: bool(answers))
        ready.set()

    with running(warm=warm, on_built=check, http_port=0):
        assert ready.is_set()
    assert (answers[0].status, answers[0].reason) == (503, "WARMING_UP")


def _first(server: Any) -> HttpAnswer:
    until(lambda: server.http_port > 0)
    return post(server.http_port, "DutyService/CalculateDuty", QUOTE)


def test_without_the_setting_there_is_no_port() -> None:
    with running(warm=no_warm_up) as server:
        assert server.server.http_port == 0


def test_answers_are_not_kept_by_caches(web: Running) -> None:
    assert post(port_of(web), "DutyService/CalculateDuty", QUOTE).headers["cache-control"] == "no-store"


def test_json_of_the_answers_is_on_one_line_and_in_utf8(web: Running) -> None:
    body = post(port_of(web), "LawService/ListMeasures", {}).body
    assert b"\n" not in body
    assert json.loads(body)


def test_groups_of_a_run_come_as_rows_that_are_those_of_the_tables(web: Running) -> None:
    asked = {
        "points": [{"scenario": {"name": "base"}, "on": day} for day in ("2025-01-15", "2025-05-14")],
        "response": "RESPONSE_MODEL_NONE",
        "by": ["origin"],
    }
    answer = post(port_of(web), "SimulationService/SimulateGroups", asked)
    request = json_format.ParseDict(asked, simulation_service_pb2.SimulateRequest())
    frames: dict[tuple[str, str], pl.DataFrame] = {}
    for message in web.simulation.Simulate(request):
        kind = message.WhichOneof("content")
        if kind in {"groups", "total"}:
            batch = getattr(message, kind)
            frames[batch.on, kind] = pl.read_ipc_stream(batch.arrow)
    assert answer.status == 200
    assert [point["on"] for point in answer.json["scenarios"]] == ["2025-01-15", "2025-05-14"]
    for point in answer.json["scenarios"]:
        assert point["groups"] == frames[point["on"], "groups"].to_dicts()
        assert [point["total"]] == frames[point["on"], "total"].to_dicts()
    assert answer.json["provenance"]["runDigest"]
    assert json_format.MessageToDict(web.simulation.SimulateGroups(request)) == answer.json


def test_groups_that_one_answer_cannot_hold_are_refused_with_the_other_call(web: Running) -> None:
    asked = {"points": [{"scenario": {"name": "base"}}], "response": "RESPONSE_MODEL_NONE", "by": ["hts8"]}
    answer = post(port_of(web), "SimulationService/SimulateGroups", asked)
    assert (answer.status, answer.reason) == (400, "BATCH_TOO_LARGE")
    assert "Simulate" in answer.json["details"][0]["debug"]["metadata"]["fix"]
    lines = post(port_of(web), "SimulationService/SimulateGroups", {**asked, "include_lines": True})
    assert lines.reason == "REQUEST_INVALID"
