"""The fake server for applications: scripted and recorded answers over real gRPC, and an older server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, NotFound, Unavailable, Unsupported
from tariffs.client.testing import FakeServer, Recording, fake_server, record
from tariffs.client.testing.plugin import tariffs_server
from tariffs.v1 import duty_service_pb2

TOY = ("9503.00.0073", "CN", "2025-05-14", 10000)
__all__ = ["tariffs_server"]


def test_a_scripted_quote_is_a_quote(tariffs_server: FakeServer) -> None:
    tariffs_server.answer(
        "CalculateDuty",
        {
            "assessed": "3000.00",
            "owed": "0.00",
            "min": "3000.00",
            "max": "3000.00",
            "layers": [
                {"measure": "fent_cn", "state": "LAYER_STATE_APPLIED", "rate": "0.2", "amount": "2000.00"}
            ],
        },
    )
    with Client(tariffs_server.target) as client:
        quote = client.duty(*TOY)
    assert (str(quote.assessed), quote.layers[0].measure) == ("3000.00", "fent_cn")
    (request,) = tariffs_server.requests["CalculateDuty"]
    assert (request.line.origin, request.line.customs_value) == ("CN", "10000")


def test_an_answer_may_depend_on_the_request(tariffs_server: FakeServer) -> None:
    def rated(request: duty_service_pb2.CalculateDutyRequest) -> dict[str, str]:
        return {
            name: f"{int(request.line.customs_value) * 0.1:.2f}"
            for name in ("assessed", "owed", "min", "max")
        }

    tariffs_server.answer("CalculateDuty", function=rated)
    with Client(tariffs_server.target) as client:
        assert [client.duty("9503", "CN", value=value).assessed for value in (100, 200)] == [10, 20]


def test_frames_and_streams_are_scripted(tariffs_server: FakeServer) -> None:
    groups = pl.DataFrame({"origin": ["CN"], "customs_value": [100.0], "duty": [30.0]})
    total = groups.drop("origin")
    tariffs_server.answer(
        "Simulate",
        {"groups": {"scenario": "base", "on": "2026-11-20", "arrow": groups}},
        {"total": {"scenario": "base", "on": "2026-11-20", "arrow": total}},
        {"done": {"provenance": {"law_version": "fake"}}},
    )
    with Client(tariffs_server.target) as client:
        result = client.impact(on="2026-11-20", response="none")
    assert result.groups["duty"].to_list() == [30.0]
    assert result.total["customs_value"].to_list() == [100.0]


def test_a_scripted_failure_is_the_typed_error(tariffs_server: FakeServer) -> None:
    tariffs_server.fail(
        "CalculateDuty", "HTS_CODE_UNKNOWN", "No code.", field="line.hts", fix="Give another."
    )
    tariffs_server.fail("GetMeasure", "MEASURE_NOT_FOUND", code="NOT_FOUND")
    tariffs_server.fail("GetLaw", "SHUTTING_DOWN", code="UNAVAILABLE")
    with Client(tariffs_server.target) as client:
        with pytest.raises(InvalidRequest) as caught:
            client.duty(*TOY)
        assert (caught.value.reason, caught.value.field, caught.value.fix) == (
            "HTS_CODE_UNKNOWN",
            "line.hts",
            "Give another.",
        )
        with pytest.raises(NotFound):
            client.measure("x")
        with pytest.raises(Unavailable):
            client.law(timeout=30)


def test_a_call_without_an_answer_says_how_to_script_it(tariffs_server: FakeServer) -> None:
    with Client(tariffs_server.target) as client, pytest.raises(Unsupported) as caught:
        client.law()
    assert 'answer("GetLaw", ...)' in caught.value.fix


def test_a_wrong_name_is_refused_at_once(tariffs_server: FakeServer) -> None:
    with pytest.raises(InvalidRequest, match="no method 'CalculateDuties'"):
        tariffs_server.answer("CalculateDuties", {})


def test_an_older_server_is_named_with_what_it_lacks(tariffs_server: FakeServer) -> None:
    tariffs_server.lack("CheckTable")
    tariffs_server.answer(
        "GetServerInfo", {"version": "0.0.9", "methods": ["DutyService/CalculateDuty", "Old/Call"]}
    )
    frame = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [1.0]})
    with Client(tariffs_server.target) as client:
        with pytest.raises(Unsupported) as caught:
            client.check_table(frame)
        server = client.server()
    assert caught.value.reason == "METHOD_UNKNOWN"
    assert "(tariffs 0.0.9) has no CheckTable; this client is tariffs" in caught.value.message
    assert caught.value.exit_code == 3
    assert "TableService/CheckTable" in server.missing_on_server
    assert "SimulateRequest.points" in server.missing_on_server
    assert server.missing_in_client == ("Old/Call",)


def test_a_server_before_the_handshake_is_named_without_a_version(tariffs_server: FakeServer) -> None:
    tariffs_server.lack("GetServerInfo", "GetLaw")
    with Client(tariffs_server.target) as client, pytest.raises(Unsupported) as caught:
        client.law()
    assert "which does not name its version" in caught.value.message


@pytest.mark.slow
def test_a_recording_answers_as_the_server_did(server: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    frame = pl.DataFrame({"hts": ["9503000073"] * 3, "origin": ["CN"] * 3, "customs_value": [1.0, 2.0, 3.0]})

    def calls(target: str) -> list[Any]:
        with Client(target) as client:
            with pytest.raises(InvalidRequest) as caught:
                client.duty("99", "CN")
            result = client.impact(frame, on="2025-12-01", response="none")
            handle = client.upload(frame)
            return [
                repr(client.duty(*TOY)),
                caught.value.reason,
                result.groups.to_dicts(),
                result.provenance["run_digest"],
                handle.row_count,
                client.check_table(frame).usable,
                client.server().matches,
            ]

    with record(server, path) as target:
        real = calls(target)
    assert json.loads(path.read_text())["schema"] == "tariffs.recording/v1"
    with fake_server(path) as fake:
        # What the server says of itself is scripted unless a test says otherwise.
        assert calls(fake.target)[:-1] == real[:-1]
        with Client(fake.target) as client, pytest.raises(Unsupported):
            client.duty("9503.00.0073", "VN", "2025-05-14", 10000)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    path.write_text('{"schema": "other"}')
    with pytest.raises(InvalidRequest, match="no recording"):
        Recording.read(path)


def test_the_fake_server_needs_neither_engine_nor_numba() -> None:
    program = """
import sys
import tariffs.client.testing
from tariffs.client import Client
with tariffs.client.testing.fake_server() as server:
    server.answer("CalculateDuty", {name: "1.00" for name in ("assessed", "owed", "min", "max")})
    print(Client(server.target).duty("9503", "CN").assessed)
print([name for name in sys.modules if name.startswith(("numba", "tariffs.engine", "tariffs.service"))])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.splitlines() == ["1.00", "[]"]
