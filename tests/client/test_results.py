"""Messages of a server are read into results; written results run again, beside every input that changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import polars as pl
import pytest
from google.protobuf.json_format import ParseDict

from tariffs.client import (
    Client,
    Config,
    Difference,
    ImpactResult,
    InternalError,
    InvalidRequest,
    Note,
    NotFound,
    Scenario,
    Unavailable,
    replay,
)
from tariffs.client._wire import reading, retry
from tariffs.client._wire.frames import write_table
from tariffs.client._wire.reading import read, read_all
from tariffs.client.results.html import merged_notes
from tariffs.client.results.law import LawVersion
from tariffs.client.results.law_changes import LawChange
from tariffs.client.results.quote import Layer
from tariffs.client.results.stored_scenario import ScenarioEvent
from tariffs.v1 import common_pb2, duty_service_pb2, law_service_pb2, scenario_service_pb2
from tariffs.v1 import simulation_service_pb2 as pb
from tests.client.conftest import Cli, goods, refuses, scenario_text
from tests.client.fakes import arrow, batch, fake_server, stream, toy_answer


def test_what_is_not_set_is_none_where_the_type_allows_it() -> None:
    free = duty_service_pb2.Layer(base="10", amount="1.00", min="1", max="2")
    taxed = duty_service_pb2.Layer(base="10", amount="1.00", min="1", max="2", rate="0.1")
    assert [one.rate for one in read_all(Layer, (free, taxed))] == [None, Decimal("0.1")]
    assert read(LawChange, law_service_pb2.LawChange()).step is None
    assert read(LawChange, law_service_pb2.LawChange(step=0)).step == 0


def test_enums_are_words_and_those_of_a_newer_server_numbers() -> None:
    states = [
        read(LawVersion, law_service_pb2.LawVersion(state=number)).state  # type: ignore[arg-type]
        for number in (0, law_service_pb2.LAW_STATE_REFUSED, 77)
    ]
    assert states == ["", "refused", "77"]
    event = scenario_service_pb2.ScenarioEvent(kind=99)  # type: ignore[arg-type]
    assert read(ScenarioEvent, event, check_law_version="").kind == "99"


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


def test_each_note_is_shown_once_with_its_scenarios() -> None:
    notes = [Note("A", "same", "one", "d"), Note("A", "same", "two", "d"), Note("B", "whole run")]
    assert merged_notes(notes) == ["A: same (one, two)", "B: whole run"]


def test_a_run_without_its_end_is_an_error() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = stream(batch("total", "base", ON, TOTAL))
        with pytest.raises(InternalError, match="last message"):
            client.impact()


def test_a_table_goes_as_arrow_and_its_limit_names_local_mode() -> None:
    frame = goods(("0101210010", "NO", 1.0))
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = stream(DONE)
        client.impact(frame.lazy(), baseline="2025-01-01")
        assert pl.read_ipc_stream(fake.requests[0].arrow).equals(frame)
    small = Client(fake.target, config=Config(message_limit=100))
    with small as client, refuses("BATCH_TOO_LARGE", said=re.escape("Client.local()")):
        client.impact(frame)


def test_written_results_carry_their_provenance() -> None:
    write_table(TOTAL, Path("a/t.parquet"), {"run_digest": "d"})
    assert "run_digest" in pl.read_parquet_metadata("a/t.parquet")["tariffs.provenance"]
    write_table(TOTAL, Path("t.csv"), {"run_digest": "d"})
    assert json.loads(Path("t.csv.provenance.json").read_text()) == {"run_digest": "d"}
    with pytest.raises(InvalidRequest):
        write_table(TOTAL, Path("t.txt"), {})


def test_details_of_provenance_come_in_order_at_every_level() -> None:
    inner = {f"name {place * 7 % 23:02}": [{"z": 1, "y": 2, "x": 3, "w": 4, "v": 5}] for place in range(23)}
    message = ParseDict({"details": {"b": inner, "a": inner}}, common_pb2.Provenance())
    details = reading.provenance(message)["details"]
    assert json.dumps(details) == json.dumps(details, sort_keys=True)


def test_a_quote_has_decimals_and_prints_as_contracted() -> None:
    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["CalculateDuty"] = toy_answer
        quote = client.duty("9503.00.0073", "CN", "2025-02-10", 10000, {"usmca_share": 0}, mode="ocean")
    amounts = (quote.assessed, quote.owed, quote.refundable, quote.layers[0].rate)
    assert amounts == (Decimal("1000.00"), Decimal("0.00"), Decimal("1000.00"), Decimal("0.10"))
    document = json.loads(json.dumps(quote.to_json_dict()))
    amounts_of_all = {"assessed", "owed", "min", "max", "landed", "prohibited"}
    assert set(document) == amounts_of_all | {"missing_claims", "assumptions", "layers", "headings"}
    (layer,) = document["layers"]
    of_layer = {"measure", "authority", "heading", "state", "rate", "base", "amount", "min", "max"}
    assert set(layer) == of_layer | {"citations"}
    assert layer["state"] == "applied"
    assert quote.to_frame().row(0, named=True)["amount"] == 1000.0
    line = fake.requests[0].line
    assert (line.entry, line.customs_value) == ("2025-02-10", "10000")
    assert line.claims.HasField("usmca_share")
    assert not line.claims.HasField("donation")


@pytest.mark.parametrize(
    ("code", "broken", "attempts"), [("UNAVAILABLE", 2, 3), ("UNAVAILABLE", 3, 3), ("INTERNAL", 1, 1)]
)
def test_a_run_whose_server_goes_in_its_midst_is_asked_for_again_and_no_other(
    monkeypatch: pytest.MonkeyPatch, code: str, broken: int, attempts: int
) -> None:
    monkeypatch.setattr(retry, "RETRY_PAUSES", (0.01, 0.01))
    asked = 0

    def answer(_request: Any, context: grpc.ServicerContext) -> Iterator[pb.SimulateResponse]:
        nonlocal asked
        asked += 1
        yield batch("groups", "base", ON, GROUPS)
        if asked <= broken:
            context.abort(grpc.StatusCode[code], "Socket closed")
        yield batch("total", "base", ON, TOTAL)
        yield DONE

    with fake_server() as fake, Client(fake.target) as client:
        fake.answers["Simulate"] = answer
        if broken < attempts:
            assert client.impact(on=ON).groups.height == GROUPS.height, "nothing of the first answer is kept"
        else:
            with pytest.raises(Unavailable if code == "UNAVAILABLE" else InternalError):
                client.impact(on=ON)
    assert asked == attempts


TABLE = goods(("9503000073", "CN", 1e4), ("8471300100", "MX", 5e4))
DAY = "2027-01-11"
MINE = scenario_text("op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, rate: 20%")


@pytest.fixture
def table() -> Path:
    TABLE.write_csv("table.csv")
    return Path("table.csv")


@pytest.fixture(params=[".parquet", ".csv", ".json"])
def result(request: pytest.FixtureRequest, client: Client, table: Path) -> Path:
    scenarios: list[Any] = ["base", Scenario.from_text(MINE)]
    found = client.impact(table, scenarios, on=DAY, by=["origin", "hts2"], baseline="2025-01-01")
    if request.param == ".json":
        return written(found)
    path = Path(f"result{request.param}")
    write_table(found.groups, path, found.provenance)
    return path


def written(result: ImpactResult) -> Path:
    """Write a result as its document."""
    Path("result.json").write_text(json.dumps(result.to_json_dict()))
    return Path("result.json")


def test_a_result_comes_out_bit_for_bit(client: Client, result: Path, table: Path) -> None:
    found = replay(client, result)
    assert (found.same, found.changed, found.rows, found.largest) == (True, (), 4, 0.0)
    moved = table.rename("moved.csv")
    with pytest.raises(InvalidRequest):
        replay(client, result)
    assert replay(client, result, moved).same
    TABLE.with_columns(pl.col("customs_value") * 2).write_csv(table)
    found = replay(client, result)
    assert not found.same
    assert [text.partition(":")[0] for text in found.changed] == ["table"]
    assert found.largest is not None
    assert found.largest > 0.5


def test_a_table_in_memory_is_given_again(client: Client) -> None:
    path = written(client.impact(TABLE, ["base"], on=DAY, response="none"))
    with pytest.raises(InvalidRequest, match="a table in memory"):
        replay(client, path)
    assert replay(client, path, TABLE).same


def test_another_law_is_named_with_its_release(client: Client, result: Path) -> None:
    found = client.law()
    old = replace(found, digest="0" * 64, version="2020.01.01.1")

    def law(law_version: str = "") -> object:
        if law_version:
            raise NotFound("LAW_VERSION_NOT_FOUND", f"There is no law {law_version}.")
        return old

    client_of_old: Any = SimpleNamespace(law=law, impact=client.impact, timeline=client.timeline)
    with refuses("LAW_VERSION_NOT_FOUND", kind=NotFound) as caught:
        replay(client_of_old, result)
    assert caught.value.metadata["release"] in caught.value.fix


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("scenarios", "scenario"),
        ("table_digest", "table"),
        ("parameter_digest", "parameters"),
        ("switches", "switches"),
        ("bases", "bases of shares"),
        ("details", "options"),
        ("engine_version", "engine"),
    ],
)
def test_each_changed_input_is_named(client: Client, table: Path, entry: str, word: str) -> None:
    found = client.impact(table, ["base"], on=DAY, response="none")
    path = written(found)
    assert replay(client, path).changed == ()
    was = found.provenance[entry]

    def impact(*args: Any, **options: Any) -> ImpactResult:
        answer = client.impact(*args, **options)
        return replace(answer, provenance={**answer.provenance, entry: "changed"})

    altered: Any = SimpleNamespace(law=client.law, impact=impact)
    again = replay(altered, path)
    assert again.changed == (f"{word}: was {was}, is changed",)
    # The same numbers from other inputs are the same numbers; what changed is said beside.
    assert again.same


@pytest.fixture
def files() -> None:
    text = "hts,origin,customs_value,entry_date,entry_id\n9503000073,CN,10000,2025-05-20,A\n"
    Path("entries.csv").write_text(text)
    goods(("9503000073", "CN", 10000), ("1", "CN", 1)).write_csv("bad.csv")


@pytest.mark.usefixtures("files")
def test_every_file_that_impact_and_timeline_write_is_replayed(cli: Cli, client: Client) -> None:
    period = "timeline entries.csv --start 2026-11-01 --end 2026-11-30 -o segments.csv"
    for name, words in (
        ("impact", "impact entries.csv -o groups.parquet --lines lines.csv"),
        ("timeline", period),
    ):
        Path(f"{name}.json").write_text(cli.out(f"{words} --response none --local --json"))
    for name in ("groups.parquet", "lines.csv", "impact.json", "segments.csv", "timeline.json"):
        assert replay(client, Path(name)).same, name
    assert "bit for bit" in cli.out("replay groups.parquet --local")
    goods(("9503000073", "CN", 20000)).write_csv("entries.csv")
    assert "table: was" in cli.out("replay groups.parquet --local", 1)


NO_RESULTS = {
    "{}": "provenance",
    "5": "provenance",
    "null": "provenance",
    '{"provenance": {"request": {"verb": "duty"}}}': "its call",
    "{": "JSON document",
    "\\xff": "JSON document",
    "[]": "cannot|not a result",
}
WITHOUT_CALL = (
    "duty 9503.00.0073 --origin CN --value 10000 --why",
    "duty --entries entries.csv",
    "refund entries.csv",
    "law changes --start 2026-11-01 --end 2026-11-30",
)


@pytest.mark.usefixtures("files")
def test_what_cannot_be_run_again_says_why(client: Client, cli: Cli) -> None:
    def refused(name: str, said: str) -> InvalidRequest:
        with pytest.raises(InvalidRequest, match=said) as caught:
            replay(client, Path(name))
        assert caught.value.reason == "TABLE_UNREADABLE"
        return caught.value

    for text, said in NO_RESULTS.items():
        Path("x.json").write_text(text)
        refused("x.json", f"{said}|provenance")
    for words in WITHOUT_CALL:
        Path("result.json").write_text(cli.out(f"{words} --json --local"))
        assert "make it again" in refused("result.json", "does not contain its call").fix
    TABLE.write_parquet("x.parquet")
    for name in ("x.parquet", "x.csv", "none.parquet"):
        refused(name, r"cannot|not a result")
    error = refused("entries.csv", r"its provenance file entries\.csv\.provenance\.json is missing")
    assert "No such file" not in str(error)
    # Refused rows carry the call that refused them.
    cli.json("impact bad.csv --response none --local", 1)
    refused("bad-refused.csv", "its columns are not those of groups or lines: row, column, reason")


def test_differences_of_two_scenarios(client: Client, cli: Cli) -> None:
    (found,) = client.diff("base", Scenario.from_text(MINE))
    assert isinstance(found, Difference)
    assert (found.id, found.kind, found.start) == ("fl301", "measure", "2027-01-01T12:00-05:00")
    assert found.text.startswith("fl301 from 2027-01-01 12:00 EST: ")
    with pytest.raises(NotFound):
        client.diff("base", "nobody")
    assert "cn.recip" in cli.out("scenario diff base truce-extended --local")
    assert cli.json("scenario diff base base --local") == {"differences": []}
