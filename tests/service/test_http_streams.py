"""Streams of the caller over the HTTP port, and bodies that no caller in good faith sends."""

from __future__ import annotations

import io
import json
import random

import polars as pl
import pytest
from google.protobuf import json_format

from tariffs.engine.errors import TariffsError
from tariffs.v1 import duty_service_pb2, simulation_service_pb2, table_service_pb2
from tests.service.harness import Running
from tests.service.test_http_port import QUOTE, port_of
from tests.service.web_calls import call, framed, frames

pytest.importorskip("connectrpc", reason="the extra `web` is not installed")
from tariffs.service.server.web.bodies import read_json

PROTO = "application/connect+proto"
ROWS = pl.DataFrame({"hts": ["9503.00.0073"] * 2, "origin": ["CN", "VN"], "customs_value": [100.0, 200.0]})


def arrow(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc_stream(out)
    return out.getvalue()


def test_a_table_is_uploaded_in_parts_and_is_that_of_both_ports(web: Running) -> None:
    parts = [table_service_pb2.UploadTableRequest(arrow=arrow(ROWS)) for _ in range(2)]
    body = b"".join(framed(part.SerializeToString()) for part in parts)
    answer = call(port_of(web), "POST", "/tariffs.v1.TableService/UploadTable", body, content_type=PROTO)
    (_, message), (flags, end) = frames(answer.body)
    table = table_service_pb2.Table.FromString(message)
    assert (flags, json.loads(end)) == (2, {})
    assert table.row_count == 4
    assert web.tables.UploadTable(iter(parts)).name == table.name


def test_a_part_that_is_no_table_ends_the_upload_with_its_reason(web: Running) -> None:
    body = framed(table_service_pb2.UploadTableRequest(arrow=b"no table").SerializeToString())
    answer = call(port_of(web), "POST", "/tariffs.v1.TableService/UploadTable", body, content_type=PROTO)
    ((_, end),) = frames(answer.body)
    assert json.loads(end)["error"]["details"][0]["debug"]["reason"] == "ARROW_MALFORMED"


@pytest.mark.parametrize(
    "body", [b"\x00\x00\x00\x00\x09half", b"\x00", b"\x40\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01x"]
)
def test_an_upload_whose_frames_are_broken_is_refused_and_keeps_nothing(web: Running, body: bytes) -> None:
    before = web.tables.ListTables(table_service_pb2.ListTablesRequest())
    answer = call(port_of(web), "POST", "/tariffs.v1.TableService/UploadTable", body, content_type=PROTO)
    error = json.loads(frames(answer.body)[-1][1])["error"]
    assert error["details"][0]["debug"]["reason"] == "REQUEST_INVALID"
    assert web.tables.ListTables(table_service_pb2.ListTablesRequest()) == before


def test_rows_as_a_stream_are_answered_when_they_are_sent_whole(web: Running) -> None:
    config = simulation_service_pb2.LinesConfig(points=[{"scenario": {"name": "base"}, "on": "2025-05-14"}])
    sent = [
        simulation_service_pb2.SimulateLinesRequest(config=config),
        simulation_service_pb2.SimulateLinesRequest(arrow=arrow(ROWS)),
    ]
    body = b"".join(framed(one.SerializeToString()) for one in sent)
    path = "/tariffs.v1.SimulationService/SimulateLines"
    *messages, (_, end) = frames(call(port_of(web), "POST", path, body, content_type=PROTO).body)
    found = [simulation_service_pb2.SimulateLinesResponse.FromString(data) for _, data in messages]
    assert json.loads(end) == {}
    assert found == list(web.simulation.SimulateLines(iter(sent)))


def test_damaged_json_is_read_or_refused_by_the_catalogue(scale: int) -> None:
    good = json.dumps({**QUOTE, "switches": {"a": "b"}, "read_mask": "assessed", "explain": True}).encode()
    dice, refused = random.Random(7), list[TariffsError]()
    for _ in range(500 * scale):
        body = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(body))
            body[at : at + dice.randint(0, 3)] = dice.choice(
                [
                    b"",
                    b"{",
                    b"]",
                    b'"',
                    b"null",
                    b"1e400",
                    b"NaN",
                    b"\xff",
                    b"\\ud800",
                    b"[[",
                    b"-0",
                    b"@type",
                ]
            )
        try:
            read = read_json(bytes(body), duty_service_pb2.CalculateDutyRequest)
        except TariffsError as error:
            refused.append(error)
        else:
            assert json_format.MessageToDict(read) is not None
    assert 0 < len(refused) < 500 * scale
    assert {error.reason for error in refused} <= {"REQUEST_INVALID", "FIELD_UNKNOWN"}
    assert max(len(str(error)) for error in refused) < 1200
