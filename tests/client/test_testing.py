"""Servers that tests of applications use: scripted and recorded answers over real gRPC, and recorded traffic."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tariffs.client import Client, InvalidRequest, NotFound, Unavailable, Unsupported
from tariffs.client.testing import FakeServer, Recording, fake_server, record
from tariffs.client.testing.plugin import tariffs_server
from tariffs.client.traffic.calls import methods, read_calls
from tariffs.client.traffic.recorder import recording
from tariffs.client.traffic.redaction import PrivateCallError, redacted
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2
from tests.client.conftest import Cli, goods, refuses

TOY = ("9503.00.0073", "CN", "2025-05-14", 10000)
TABLE = goods(("9503000073", "CN", 1000.0))
__all__ = ["tariffs_server"]


def test_a_scripted_answer_may_depend_on_the_request(tariffs_server: FakeServer) -> None:
    layer = {"measure": "fent_cn", "state": "LAYER_STATE_APPLIED", "rate": "0.2", "amount": "2000.00"}

    def rated(request: duty_service_pb2.CalculateDutyRequest) -> dict[str, Any]:
        amounts = dict.fromkeys(
            ("assessed", "owed", "min", "max"), f"{int(request.line.customs_value) / 10:.2f}"
        )
        return {**amounts, "layers": [layer]}

    tariffs_server.answer("CalculateDuty", function=rated)
    with Client(tariffs_server.target) as client:
        quotes = [client.duty("9503", "CN", value=value) for value in (100, 200)]
    assert [one.assessed for one in quotes] == [10, 20]
    assert quotes[0].layers[0].measure == "fent_cn"
    assert [one.line.origin for one in tariffs_server.requests["CalculateDuty"]] == ["CN", "CN"]
    with pytest.raises(InvalidRequest, match="no method 'CalculateDuties'"):
        tariffs_server.answer("CalculateDuties", {})


def test_a_scripted_failure_is_the_typed_error(tariffs_server: FakeServer) -> None:
    tariffs_server.fail(
        "CalculateDuty", "HTS_CODE_UNKNOWN", "No code.", field="line.hts", fix="Give another."
    )
    tariffs_server.fail("GetMeasure", "MEASURE_NOT_FOUND", code="NOT_FOUND")
    tariffs_server.fail("GetLaw", "SHUTTING_DOWN", code="UNAVAILABLE")
    with Client(tariffs_server.target) as client:
        with refuses("HTS_CODE_UNKNOWN", "line.hts", "Give another"):
            client.duty(*TOY)
        with pytest.raises(NotFound):
            client.measure("x")
        with pytest.raises(Unavailable):
            client.law(timeout=30)
        with pytest.raises(Unsupported) as unscripted:
            client.measures()
        assert 'answer("ListMeasures", ...)' in unscripted.value.fix


def test_an_older_server_is_named_with_what_it_lacks(tariffs_server: FakeServer) -> None:
    tariffs_server.lack("CheckTable")
    tariffs_server.answer(
        "GetServerInfo", {"version": "0.0.9", "methods": ["DutyService/CalculateDuty", "Old/Call"]}
    )
    lacking = r"\(tariffs 0\.0\.9\) has no CheckTable; this client is tariffs"
    with Client(tariffs_server.target) as client:
        with refuses("METHOD_UNKNOWN", said=lacking, kind=Unsupported) as caught:
            client.check_table(TABLE)
        server = client.server()
    assert caught.value.exit_code == 3
    assert "TableService/CheckTable" in server.missing_on_server
    assert "SimulateRequest.points" in server.missing_on_server
    assert server.missing_in_client == ("Old/Call",)
    tariffs_server.lack("GetServerInfo", "GetLaw")
    unnamed = pytest.raises(Unsupported, match="does not name its version")
    with Client(tariffs_server.target) as client, unnamed:
        client.law()


@pytest.mark.slow
def test_a_recording_answers_as_the_server_did(server: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    frame = goods(*(("9503000073", "CN", value) for value in (1.0, 2.0, 3.0)))

    def calls(target: str) -> list[Any]:
        with Client(target) as client:
            with pytest.raises(InvalidRequest) as caught:
                client.duty("99", "CN")
            result = client.impact(frame, on="2025-12-01", response="none")
            handle = client.upload(frame)
            told = [repr(client.duty(*TOY)), caught.value.reason, client.check_table(frame).usable]
            told += [result.groups.to_dicts(), result.provenance["run_digest"], handle.row_count]
            return [*told, client.server().matches]

    with record(server, path) as target:
        real = calls(target)
    assert json.loads(path.read_text())["schema"] == "tariffs.recording/v1"
    with fake_server(path) as fake:
        # What the server says of itself is scripted unless a test says otherwise.
        assert calls(fake.target)[:-1] == real[:-1]
        with Client(fake.target) as client, pytest.raises(Unsupported):
            client.duty("9503.00.0073", "VN", "2025-05-14", 10000)


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
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines() == ["1.00", "[]"]


SECRET = "a-token-of-some-length-4711"


def test_calls_pass_the_recorder_and_are_written_redacted(cli: Cli, server: str) -> None:
    file, direct = io.StringIO(), Client(server)
    with (
        grpc.insecure_channel(server) as channel,
        recording(channel, file, "127.0.0.1:0") as (recorder, port),
        Client(f"127.0.0.1:{port}", token=SECRET) as client,
    ):
        quotes = [
            one.duty("9503.00.0073", "CN", "2025-11-10", "12345.67", charges={"other": "17.5"}).to_json_dict()
            for one in (client, direct)
        ]
        assert quotes[0] == quotes[1]
        answers = [one.impact(response="none").groups for one in (client, direct)]
        assert answers[0].equals(answers[1])
        client.impact(TABLE, response="none")
        with refuses("HTS_CODE_UNKNOWN"):
            client.duty("9999", origin="CN", value=1)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as other:
            assert health_pb2_grpc.HealthStub(other).Check(health_pb2.HealthCheckRequest(), timeout=60).status
    direct.close()
    assert recorder.written == 3
    assert recorder.left_out == {"it has arrow": 1, "other methods": 1}
    assert SECRET not in file.getvalue()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines[0]["request"]["line"]["customs_value"] == "12000"
    Path("calls.jsonl").write_text(file.getvalue())
    command = f"replay-traffic calls.jsonl --target {server} --rate 12 --seconds 0.5 --json"
    found = json.loads(cli.out(f"{command} --errors 50").splitlines()[-1])
    every, *by_method = found["methods"]
    assert every["calls"] == 6 == sum(one["calls"] for one in by_method)
    assert every["errors"] == {"HTS_CODE_UNKNOWN": 2}
    assert 0 < every["milliseconds"]["p50"] <= every["milliseconds"]["p99"]
    assert len(json.loads(cli.out(f"{command} --errors 10 --p99 0", 1).splitlines()[-1])["missed"]) == 2


def test_the_command_records_until_ctrl_c(server: str, tmp_path: Path) -> None:
    words = ["record", "-o", str(tmp_path / "calls.jsonl"), "--target", server, "--json"]
    command = [sys.executable, "-m", "tariffs.client.cli", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as recorder:
        try:
            assert recorder.stderr is not None
            address = recorder.stderr.readline().split()[2].rstrip(",")
            with Client(address) as client:
                assert client.duty("9503.00.0073", origin="CN", value=10).layers
            recorder.send_signal(signal.SIGINT)
            printed, _ = recorder.communicate(timeout=60)
        finally:
            recorder.kill()
    assert json.loads(printed)["calls"] == 1


@pytest.mark.parametrize(
    "request_",
    [
        duty_service_pb2.CalculateDutyRequest(scenario=common_pb2.ScenarioRef(yaml="id: own")),
        duty_service_pb2.CalculateDutyRequest(scenario=common_pb2.ScenarioRef(name="team/own")),
        simulation_service_pb2.SimulateRequest(handle="tables/1"),
    ],
)
def test_a_call_that_needs_what_is_private_is_left_out(request_: Message) -> None:
    with pytest.raises(PrivateCallError):
        redacted(request_)


def test_ids_of_one_entry_stay_together_and_options_stay() -> None:
    goods: dict[str, Any] = {"hts": "9503", "origin": "CN", "customs_value": "0", "entry_id": "E-1"}
    lines = [duty_service_pb2.EntryLine(**goods, line_id=f"L{n}") for n in range(2)]
    request = duty_service_pb2.BatchCalculateDutiesRequest(
        lines=lines, known_on="entry", scenario=common_pb2.ScenarioRef(name="base")
    )
    copy = redacted(request)
    assert isinstance(copy, duty_service_pb2.BatchCalculateDutiesRequest)
    first, second = copy.lines
    assert (first.hts, first.origin, first.customs_value, copy.known_on, copy.scenario.name) == (
        "9503", "CN", "0", "entry", "base",
    )  # fmt: skip
    assert first.entry_id == second.entry_id != "E-1"
    assert first.line_id != second.line_id


def test_a_file_that_is_no_recording_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    method = next(iter(methods()))
    path.write_text(json.dumps({"at": 0, "method": method, "request": {}}) + "\n{}\n")
    with pytest.raises(InvalidRequest, match="line 2"):
        read_calls(path)
    path.write_text('{"schema": "other"}')
    with pytest.raises(InvalidRequest, match="no recording"):
        Recording.read(path)


def test_frames_and_streams_are_scripted(tariffs_server: FakeServer) -> None:
    point = {"scenario": "base", "on": "2026-11-20"}
    tariffs_server.answer(
        "Simulate",
        {"groups": {**point, "arrow": pl.DataFrame({"origin": ["CN"], "duty": [30.0]})}},
        {"total": {**point, "arrow": pl.DataFrame({"customs_value": [100.0], "duty": [30.0]})}},
        {"done": {"provenance": {"law_version": "fake"}}},
    )
    with Client(tariffs_server.target) as client:
        result = client.impact(on="2026-11-20", response="none")
    assert (result.groups["duty"].to_list(), result.total["customs_value"].to_list()) == ([30.0], [100.0])
