"""`tariffs record` and `tariffs replay-traffic`, against a server on loopback."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import polars as pl
import pytest
from google.protobuf.message import Message

from tariffs.client import Client, TariffsError
from tariffs.client.cli.app import run
from tariffs.client.errors import InvalidRequest
from tariffs.client.traffic.calls import methods, read_calls
from tariffs.client.traffic.recorder import recording
from tariffs.client.traffic.redaction import PrivateCallError, redacted
from tariffs.v1 import common_pb2, duty_service_pb2, simulation_service_pb2
from tests.service.harness import Running, running

SECRET = "a-token-of-some-length-4711"
TABLE = pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"], "customs_value": [1000.0]})


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as one:
        yield one


def test_calls_pass_the_recorder_unchanged_and_are_written_without_what_is_private(
    server: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"127.0.0.1:{server.port}"
    file, direct = io.StringIO(), Client(target)
    with (
        grpc.insecure_channel(target) as channel,
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
        with pytest.raises(TariffsError) as caught:
            client.duty("9999", origin="CN", value=1)
        assert caught.value.reason == "HTS_CODE_UNKNOWN"
    direct.close()
    assert recorder.written == 3
    assert recorder.left_out == {"it has arrow": 1}
    assert SECRET not in file.getvalue()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines[0]["request"]["line"]["customs_value"] == "12000"
    path = tmp_path / "calls.jsonl"
    path.write_text(file.getvalue())
    command = [
        "replay-traffic",
        str(path),
        "--target",
        target,
        "--rate",
        "30",
        "--seconds",
        "0.5",
        "--json",
    ]
    assert run([*command, "--errors", "50"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    every, *by_method = found["methods"]
    assert every["calls"] == 15 == sum(one["calls"] for one in by_method)
    assert every["errors"] == {"HTS_CODE_UNKNOWN": 5}
    assert 0 < every["milliseconds"]["p50"] <= every["milliseconds"]["p99"]
    assert run([*command, "--errors", "10", "--p99", "0"]) == 1
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["missed"]) == 2


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
    lines = [
        duty_service_pb2.EntryLine(
            hts="9503", origin="CN", customs_value="0", entry_id="E-1", line_id=f"L{n}"
        )
        for n in range(2)
    ]
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
    path.write_text("")
    with pytest.raises(InvalidRequest, match="has no calls"):
        read_calls(path)
