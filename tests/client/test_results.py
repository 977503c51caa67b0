from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest

from tariffs.client import Client, Config, InternalError, InvalidRequest, Scenario, Unavailable
from tariffs.client._wire import retry
from tariffs.client._wire.frames import encode, read_table, write_table
from tariffs.v1 import common_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.client.fakes import arrow, batch, check_answer, fake_server, stream, toy_answer

ON = "2026-11-20"
GROUPS = pl.DataFrame({"origin": ["CN", "DE"], "duty": [1.5, float("nan")], "value_after": [None, 2.0]})
TOTAL = pl.DataFrame({"duty": [1.5], "value_after": [2.0]})
DONE = pb.SimulateResponse(
    done=pb.Done(
        provenance=common_pb2.Provenance(law_version="2026.11.24.1", run_digest="d"),
        notes=[common_pb2.Note(reason="A", message="whole")],
        point_notes=[
            pb.PointNotes(scenario="base", on=ON, notes=[common_pb2.Note(reason="B", message="one")])
        ],
    )
)


def test_a_quote_has_decimals_and_prints_as_contracted() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = toy_answer
        quote = client.duty("9503.00.0073", "CN", "2025-02-10", 10000, {"usmca_share": 0}, mode="ocean")
    assert (quote.assessed, quote.owed, quote.refundable) == (
        Decimal("1000.00"),
        Decimal("0.00"),
        Decimal("1000.00"),
    )
    assert quote.layers[0].rate == Decimal("0.10")
    document = json.loads(json.dumps(quote.to_json_dict()))
    assert set(document) == {
        "prohibited",
        "assessed",
        "owed",
        "min",
        "max",
        "missing_claims",
        "assumptions",
        "landed",
        "layers",
        "headings",
    }
    assert set(document["layers"][0]) == {
        "measure",
        "authority",
        "heading",
        "state",
        "rate",
        "base",
        "amount",
        "min",
        "max",
        "citations",
    }
    assert document["layers"][0]["state"] == "applied"
    assert quote.to_frame().row(0, named=True)["amount"] == 1000.0
    line = fake.requests[0].line
    assert (line.entry, line.customs_value, line.claims.HasField("usmca_share")) == (
        "2025-02-10",
        "10000",
        True,
    )


def test_a_run_is_put_together_from_its_messages() -> None:
    progress: list[tuple[str, float]] = []
    messages = [
        pb.SimulateResponse(progress=pb.Progress(stage="reading", fraction=0.5)),
        pb.SimulateResponse(
            refused=pb.RefusedBatch(arrow=arrow(pl.DataFrame({"row": [7], "reason": ["X"]})))
        ),
        batch("groups", "base", ON, GROUPS.head(1)),
        batch("groups", "base", ON, GROUPS.tail(1)),
        batch("total", "base", ON, TOTAL),
        DONE,
    ]
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = stream(*messages)
        result = client.impact(
            scenarios=["base"], on=ON, progress=lambda stage, part: progress.append((stage, part))
        )
    assert progress == [("reading", 0.5)]
    assert result.groups.columns == ["scenario", "on", "origin", "duty", "value_after"]
    assert result.scenario("base", ON)["origin"].to_list() == ["CN", "DE"]
    assert result.lines is None
    document = json.loads(json.dumps(result.to_json_dict("refused.csv"), allow_nan=False))
    assert document["scenarios"][0]["groups"][1] == {"origin": "DE", "duty": None, "value_after": 2.0}
    assert document["scenarios"][0]["total"] == {"duty": 1.5, "value_after": 2.0}
    assert document["scenarios"][0]["notes"] == [{"reason": "B", "message": "one"}]
    assert document["notes"] == [{"reason": "A", "message": "whole"}]
    assert document["refused"] == {"count": 1, "rows": [{"row": 7, "reason": "X"}], "path": "refused.csv"}
    assert document["provenance"]["law_version"] == "2026.11.24.1"


def test_a_note_stands_on_the_whole_run_or_under_its_scenarios() -> None:
    table = pl.DataFrame(
        {"hts": ["9503000073"], "origin": ["CN"], "customs_value": [1.0], "entry_date": ["5/14/2025"]}
    )
    with Client.local() as client:
        result = client.impact(table, ["base", "truce-lapses"], on="2025-06-01", response="none")
    document: dict[str, Any] = json.loads(json.dumps(result.to_json_dict()))
    shown = [[note["reason"] for note in block["notes"]] for block in (document, *document["scenarios"])]
    assert shown[0] == ["DATE_REPAIRED"]
    assert all("ENTRY_DATE_BEATS_ON" in reasons and "DATE_REPAIRED" not in reasons for reasons in shown[1:])
    assert len(set(result.notes)) == len(result.notes) == sum(map(len, shown))


def test_a_run_without_its_end_is_an_error() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = stream(batch("total", "base", ON, TOTAL))
        with pytest.raises(InternalError, match="last message"):
            client.impact()


def test_a_table_goes_as_arrow_and_its_limit_names_local_mode() -> None:
    frame = pl.DataFrame({"hts": ["0101210010"], "origin": ["NO"], "customs_value": [1.0]})
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = stream(DONE)
        client.impact(frame.lazy(), baseline="2025-01-01")
        assert pl.read_ipc_stream(fake.requests[0].arrow).equals(frame)
    with (
        Client(fake.target, config=Config(message_limit=100)) as client,
        pytest.raises(InvalidRequest) as caught,
    ):
        client.impact(frame)
    assert (caught.value.reason, caught.value.exit_code) == ("BATCH_TOO_LARGE", 2)
    assert "Client.local()" in caught.value.fix


def test_a_check_of_text_travels_inline() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CheckScenario"] = check_answer()
        assert client.check("id: x\ntitle: y\n").ok
        assert client.check(Scenario.named("base")).ok
    assert [request.scenario.WhichOneof("scenario") for request in fake.requests] == ["yaml", "name"]


def test_csv_is_read_all_as_text(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("hts,origin\n0101,NO\n")
    assert read_table(file).row(0) == ("0101", "NO")


@pytest.mark.parametrize("name", ["none.parquet", "none.csv", "none.xlsx"])
def test_a_file_that_is_no_table_is_unreadable(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_table(tmp_path / name)
    assert (caught.value.reason, caught.value.exit_code) == ("TABLE_UNREADABLE", 2)


def test_broken_parquet_is_unreadable(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    file.write_bytes(b"not parquet")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_table(file)


def test_large_frames_are_compressed_under_the_limit() -> None:
    frame = pl.DataFrame({"hts": ["0101210010"] * 20_000, "customs_value": [1.0] * 20_000})
    assert len(encode(frame)) < 100_000


def test_written_results_carry_their_provenance(tmp_path: Path) -> None:
    write_table(TOTAL, tmp_path / "a" / "t.parquet", {"run_digest": "d"})
    assert "run_digest" in pl.read_parquet_metadata(tmp_path / "a" / "t.parquet")["tariffs.provenance"]
    write_table(TOTAL, tmp_path / "t.csv", {"run_digest": "d"})
    assert json.loads((tmp_path / "t.csv.provenance.json").read_text()) == {"run_digest": "d"}
    with pytest.raises(InvalidRequest):
        write_table(TOTAL, tmp_path / "t.txt", {})


@pytest.mark.parametrize(("broken", "whole"), [(1, True), (2, True), (3, False)])
def test_a_run_whose_server_goes_in_its_midst_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, broken: int, whole: bool
) -> None:
    monkeypatch.setattr(retry, "RETRY_PAUSES", (0.01, 0.01))
    attempts = 0

    def answer(_request: Any, context: grpc.ServicerContext) -> Iterator[pb.SimulateResponse]:
        nonlocal attempts
        attempts += 1
        yield batch("groups", "base", ON, GROUPS)
        if attempts <= broken:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        yield batch("total", "base", ON, TOTAL)
        yield DONE

    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = answer
        if whole:
            assert client.impact(on=ON).groups.height == GROUPS.height, "nothing of the first answer is kept"
        else:
            with pytest.raises(Unavailable):
                client.impact(on=ON)
    assert attempts == min(broken + 1, 3)


def test_a_run_that_fails_otherwise_is_asked_for_once() -> None:
    attempts = 0

    def answer(_request: Any, context: grpc.ServicerContext) -> Iterator[pb.SimulateResponse]:
        nonlocal attempts
        attempts += 1
        yield batch("groups", "base", ON, GROUPS)
        context.abort(grpc.StatusCode.INTERNAL, "broken")

    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = answer
        with pytest.raises(InternalError):
            client.impact(on=ON)
    assert attempts == 1
