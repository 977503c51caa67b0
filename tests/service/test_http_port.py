"""The HTTP port gives the answers, errors, limits and log lines of the gRPC port, and pages for probes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from google.protobuf import descriptor_pool, json_format

from tariffs.engine.errors import TariffsError
from tariffs.service.server.server import SERVICES
from tariffs.v1 import duty_service_pb2, law_service_pb2, simulation_service_pb2, table_service_pb2
from tests.service.callers import ask
from tests.service.harness import Running, as_caller, caller_files, fails, line, points, simulating
from tests.service.stored import arrow, until
from tests.service.web_calls import (
    CALCULATE,
    JSON,
    QUOTE,
    WEB,
    Endless,
    begin,
    call,
    framed,
    frames,
    post,
    stream,
    web_server,
)

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.service.server.web.bodies import read_json

PROTO = "application/connect+proto"
UPLOAD = "/tariffs.v1.TableService/UploadTable"
ROWS = pl.DataFrame({"hts": ["9503.00.0073"] * 2, "origin": ["CN", "VN"], "customs_value": [100.0, 200.0]})


def test_a_quote_in_json_or_binary_is_the_quote_of_grpc(web: Running) -> None:
    asked = json_format.ParseDict(QUOTE, duty_service_pb2.CalculateDutyRequest())
    wanted, answer = web.duty.CalculateDuty(asked), post(web.http_port, "DutyService/CalculateDuty", QUOTE)
    assert (answer.status, answer.json) == (200, json_format.MessageToDict(wanted))
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (JSON, "no-store")
    binary = call(
        web.http_port, "POST", CALCULATE, asked.SerializeToString(), content_type="application/proto"
    )
    assert duty_service_pb2.CalculateDutyResponse.FromString(binary.body) == wanted
    camel = {"line": {**QUOTE["line"], "customsValue": "10000"}, "readMask": "assessed"}
    del camel["line"]["customs_value"]  # type: ignore[attr-defined] # a dictionary
    assert post(web.http_port, "DutyService/CalculateDuty", camel).json["assessed"] == "3000.00"


def test_a_list_of_measures_large_enough_for_a_thread_is_that_of_grpc(web: Running) -> None:
    answer = post(web.http_port, "LawService/ListMeasures", {})
    assert len(answer.body) > 1 << 14
    assert b"\n" not in answer.body
    listed = web.law.ListMeasures(law_service_pb2.ListMeasuresRequest())
    assert answer.json == json_format.MessageToDict(listed)
    assert [one.id for one in listed.measures] == sorted(one.id for one in listed.measures)


def test_a_run_streams_the_messages_of_grpc_and_an_error_is_its_end(web: Running) -> None:
    request = simulation_service_pb2.SimulateRequest(
        points=points(("base", "2025-05-14")), response=simulation_service_pb2.RESPONSE_MODEL_NONE
    )
    messages, end = stream(web.http_port, "SimulationService/Simulate", json_format.MessageToDict(request))
    found = [message for message in messages if "progress" not in message]
    expected = [json_format.MessageToDict(message) for message in web.simulation.Simulate(request)]
    assert found == [message for message in expected if "progress" not in message]
    assert "done" in found[-1]
    assert "error" not in end
    messages, end = stream(web.http_port, "SimulationService/Simulate", {})
    assert messages == []
    assert end["error"]["details"][0]["debug"]["reason"] == "REQUEST_INVALID"


def test_an_error_has_the_reason_and_the_details_of_grpc_and_is_logged(web: Running, capsys: Any) -> None:
    wrong = {"line": {**QUOTE["line"], "hts": "99"}}
    answer = post(web.http_port, "DutyService/CalculateDuty", wrong, x_request_id="of-both-ports")
    fault = fails(
        lambda: web.duty.CalculateDuty(line(hts="99"), metadata=(("x-request-id", "of-both-ports"),))
    )
    info, request, bad = (detail["debug"] for detail in answer.json["details"])
    assert (answer.status, answer.json["code"]) == (400, "invalid_argument")
    assert answer.json["message"] == fault.message
    assert info == {"reason": fault.reason, "domain": "tariffs.internal", "metadata": fault.metadata}
    assert request == {"requestId": "of-both-ports"}
    assert [violation["field"] for violation in bad["fieldViolations"]] == fault.fields
    assert answer.headers["x-request-id"] == "of-both-ports"
    logged = [text for text in capsys.readouterr().out.splitlines() if "of-both-ports" in text]
    assert ["DutyService/CalculateDuty" in text for text in logged] == [True, True]


@pytest.mark.parametrize(
    ("body", "reason", "word"),
    [
        (b'{"line": {"hst": "9503"}}', "FIELD_UNKNOWN", '"hst"'),
        (b'{"line": {"customs_value": 10000}}', "REQUEST_INVALID", "customs_value"),
        (b'{"direction": "DIRECTION_UP"}', "REQUEST_INVALID", "DIRECTION_UP"),
        (b"7", "REQUEST_INVALID", "CalculateDutyRequest"),
        (b'{"line": 7}', "REQUEST_INVALID", "line"),
        (b'{"switches": [1]}', "REQUEST_INVALID", "switches"),
        *(
            (body, "REQUEST_INVALID", "")
            for body in (b"{", b"\xff", b'{"line": ' * 2000, b'{"line": {}, "line": {}}', b"NaN")
        ),
    ],
)
def test_json_that_is_not_the_request_is_refused_by_its_place(
    web: Running, body: bytes, reason: str, word: str
) -> None:
    answer = call(web.http_port, "POST", CALCULATE, body, content_type=JSON)
    assert answer.reason == reason
    assert word in answer.json["message"]


def test_damaged_json_is_read_or_refused_by_the_catalogue(scale: int) -> None:
    good = json.dumps({**QUOTE, "switches": {"a": "b"}, "read_mask": "assessed", "explain": True}).encode()
    pieces = b'|{|]|"|null|1e400|NaN|\xff|\\ud800|[[|-0|@type'.split(b"|")
    dice, refused = random.Random(7), list[TariffsError]()
    for _ in range(500 * scale):
        body = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(body))
            body[at : at + dice.randint(0, 3)] = dice.choice(pieces)
        try:
            read = read_json(bytes(body), duty_service_pb2.CalculateDutyRequest)
        except TariffsError as error:
            refused.append(error)
        else:
            assert json_format.MessageToDict(read) is not None
    assert 0 < len(refused) < 500 * scale
    assert {error.reason for error in refused} <= {"REQUEST_INVALID", "FIELD_UNKNOWN"}
    assert max(len(str(error)) for error in refused) < 1200


@pytest.mark.parametrize(
    ("verb", "path", "form", "status", "word"),
    [
        ("POST", "/tariffs.v1.DutyService/Nothing", JSON, 404, "There is no method"),
        ("POST", "/", JSON, 404, "There is no method"),
        ("GET", "/tariffs.v1.TableService/DeleteTable", "", 405, "does not answer GET"),
        ("POST", CALCULATE, "text/plain", 415, "application/json"),
        ("POST", CALCULATE, "application/grpc", 415, "gRPC port"),
        ("POST", "/tariffs.v1.SimulationService/Simulate", JSON, 415, "streams"),
    ],
)
def test_what_no_method_can_answer_is_refused_with_what_to_do(
    web: Running, verb: str, path: str, form: str, status: int, word: str
) -> None:
    answer = call(web.http_port, verb, path, b"{}", content_type=form)
    assert answer.status == status
    assert word in answer.body.decode()
    assert answer.headers["x-request-id"]


def test_every_method_of_the_contract_is_there(web: Running) -> None:
    pool: Any = descriptor_pool.Default()
    for service in map(pool.FindServiceByName, SERVICES):
        for name in service.methods_by_name:
            path = f"/{service.full_name}/{name}"
            # 415 is said of methods that exist.
            assert call(web.http_port, "POST", path, content_type="application/grpc").status == 415, path


def test_grpc_web_gets_the_answer_with_its_trailers_and_errors_with_their_details(web: Running) -> None:
    def asked(hts: str) -> list[tuple[int, bytes]]:
        body = framed(line(hts=hts).SerializeToString())
        return frames(call(web.http_port, "POST", CALCULATE, body, content_type=WEB).body)

    (_, message), (flags, trailers) = asked("9503.00.0073")
    assert duty_service_pb2.CalculateDutyResponse.FromString(message) == web.duty.CalculateDuty(line())
    assert flags == 0x80
    assert b"grpc-status: 0" in trailers
    ((_, trailers),) = asked("99")
    assert b"grpc-status: 3" in trailers
    assert b"grpc-status-details-bin: " in trailers


def test_a_table_is_uploaded_in_parts_and_is_that_of_both_ports(web: Running) -> None:
    parts = [table_service_pb2.UploadTableRequest(arrow=arrow(ROWS)) for _ in range(2)]
    body = b"".join(framed(part.SerializeToString()) for part in parts)
    (_, message), (flags, end) = frames(call(web.http_port, "POST", UPLOAD, body, content_type=PROTO).body)
    table = table_service_pb2.Table.FromString(message)
    assert (flags, json.loads(end)) == (2, {})
    assert table.row_count == 4
    assert web.tables.UploadTable(iter(parts)).name == table.name
    ask(web, "DeleteTable", name=table.name)


NO_TABLE = framed(table_service_pb2.UploadTableRequest(arrow=b"no table").SerializeToString())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (NO_TABLE, "ARROW_MALFORMED"),
        (b"\x00\x00\x00\x00\x09half", "REQUEST_INVALID"),
        (b"\x00", "REQUEST_INVALID"),
        (b"\x40\x00\x00\x00\x00", "REQUEST_INVALID"),
        (b"\x01\x00\x00\x00\x01x", "REQUEST_INVALID"),
    ],
)
def test_an_upload_whose_parts_are_broken_is_refused_and_keeps_nothing(
    web: Running, body: bytes, reason: str
) -> None:
    before = web.tables.ListTables(table_service_pb2.ListTablesRequest())
    answer = call(web.http_port, "POST", UPLOAD, body, content_type=PROTO)
    assert json.loads(frames(answer.body)[-1][1])["error"]["details"][0]["debug"]["reason"] == reason
    assert web.tables.ListTables(table_service_pb2.ListTablesRequest()) == before


def test_rows_as_a_stream_are_answered_when_they_are_sent_whole(web: Running) -> None:
    config = simulation_service_pb2.LinesConfig(points=[{"scenario": {"name": "base"}, "on": "2025-05-14"}])
    sent = [
        simulation_service_pb2.SimulateLinesRequest(config=config),
        simulation_service_pb2.SimulateLinesRequest(arrow=arrow(ROWS)),
    ]
    body = b"".join(framed(one.SerializeToString()) for one in sent)
    path = "/tariffs.v1.SimulationService/SimulateLines"
    *messages, (_, end) = frames(call(web.http_port, "POST", path, body, content_type=PROTO).body)
    found = [simulation_service_pb2.SimulateLinesResponse.FromString(data) for _, data in messages]
    assert json.loads(end) == {}
    assert found == list(web.simulation.SimulateLines(iter(sent)))


def test_calls_of_both_ports_share_callers_and_limits(tmp_path: Path) -> None:
    run, ann = Endless(), as_caller("ann")
    given = {**caller_files(tmp_path), "concurrent_calls": 1, "caller_share": 1.0}
    with web_server(compute=simulating(run), **given) as server:
        port = server.http_port
        without = post(port, "TableService/ListTables", {})
        known = post(port, "TableService/ListTables", {}, authorization="Bearer token-of-ann")
        listed = server.tables.ListTables(table_service_pb2.ListTablesRequest(), **ann)
        opened = server.simulation.Simulate(simulation_service_pb2.SimulateRequest(), **ann)
        assert run.begun.wait(30)
        refused = post(port, "DutyService/CalculateDuty", QUOTE, authorization="Bearer token-of-bob")
        opened.cancel()
    assert (without.status, without.reason) == (401, "TOKEN_INVALID")
    assert known.json == json_format.MessageToDict(listed)
    assert (refused.status, refused.reason) == (429, "TOO_MANY_STREAMS")
    assert refused.headers["retry-after"] == "2"


def test_a_run_ends_when_the_browser_goes_away_and_at_the_deadline_of_the_caller() -> None:
    run = Endless()
    with web_server(compute=simulating(run)) as server:
        connection = begin(server.http_port, run)
        assert connection.getresponse().read(5)
        connection.close()
        assert run.ended.wait(30)
        until(lambda: server.server._admission.limit.held == 0)
        run.ended.clear()
        _, end = stream(server.http_port, "SimulationService/Simulate", {}, connect_timeout_ms="300")
        assert end["error"]["code"] == "deadline_exceeded"
        assert run.ended.wait(30)


def test_probes_need_no_token_and_the_description_has_the_rights_of_reflection(tmp_path: Path) -> None:
    with web_server(**caller_files(tmp_path)) as server:
        healthy, head, posted = (call(server.http_port, verb, "/healthz") for verb in ("GET", "HEAD", "POST"))
        assert (healthy.status, healthy.json) == (200, {"status": "SERVING"})
        assert healthy.headers["cache-control"] == "no-store"
        assert (head.status, head.body, posted.status) == (200, b"", 405)
        assert call(server.http_port, "GET", "/openapi.json").reason == "TOKEN_INVALID"
        named = call(server.http_port, "GET", "/openapi.json", authorization="Bearer token-of-ann")
        assert named.status == 200
    with web_server(reflection="off") as server:
        assert call(server.http_port, "GET", "/openapi.json").status == 404


def test_the_description_has_every_call_with_one_answer_and_fits_them(web: Running) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    answer = call(web.http_port, "GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, JSON)
    described = answer.json
    paths, schemas = described["paths"], described["components"]["schemas"]
    assert described["openapi"].startswith("3.1")
    assert "/google.longrunning.Operations/GetOperation" in paths
    assert "/tariffs.v1.SimulationService/Simulate" not in paths
    assert {verb for path in paths.values() for verb in path} == {"post"}
    named = {part.partition('"')[0] for part in answer.body.decode().split('"#/components/schemas/')[1:]}
    assert named <= schemas.keys()

    def check(document: Any, content: Any) -> None:
        schema = {**content["content"][JSON]["schema"], "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(document)

    operation = paths[CALCULATE]["post"]
    check(QUOTE, operation["requestBody"])
    check(post(web.http_port, "DutyService/CalculateDuty", QUOTE).json, operation["responses"]["200"])
    failed = post(web.http_port, "DutyService/CalculateDuty", {"line": {"hts": "0"}})
    check(failed.json, operation["responses"]["default"])
    with pytest.raises(jsonschema.ValidationError):
        check({"line": {"no_such_field": 1}}, operation["requestBody"])
