"""Tables, long runs and streams of rows as a caller of the client sees them, against a real server."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import (
    Client,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    Scenario,
    TableHandle,
    TariffsError,
    Unavailable,
)
from tariffs.client._verbs import run_handle
from tariffs.client.cli.__main__ import run as command
from tariffs.client.errors import Cancelled

OPTIONS: dict[str, Any] = {
    "scenarios": ["base", "truce-lapses"],
    "on": "2027-01-11",
    "by": ["origin"],
    "response": "none",
}


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[Client]:
    with Client(server) as connected:
        yield connected


def table(count: int, seed: int = 1) -> pl.DataFrame:
    draw = random.Random(seed)
    return pl.DataFrame(
        {
            "hts": [draw.choice(("9503.00.0073", "8517.13.0000", "9401.61.6011")) for _ in range(count)],
            "origin": [draw.choice(("CN", "VN", "MX", "DE")) for _ in range(count)],
            "customs_value": [float(draw.randrange(1, 10_000)) for _ in range(count)],
            "mine": [f"{draw.getrandbits(256):x}" for _ in range(count)],
        }
    )


@pytest.fixture(scope="module")
def large() -> pl.DataFrame:
    """A table that does not fit one message."""
    return table(40_000)


class Counted:
    """Counts the calls that a client makes, by name."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        backend: Any = client._backend
        method = backend._method

        def counted(name: str) -> Any:
            self.calls.append(name)
            return method(name)

        monkeypatch.setattr(backend, "_method", counted)


def test_a_table_larger_than_a_message_is_uploaded_once(
    client: Client, large: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(client, monkeypatch)
    first = client.impact(large, **OPTIONS)
    assert counted.calls == ["UploadTable", "Simulate"]
    again = client.impact(large.clone(), **OPTIONS)
    assert counted.calls[2:] == ["GetTable", "Simulate"]
    with Client.local() as local:
        here = local.impact(large, **OPTIONS)
    assert_frame_equal(first.groups, here.groups)
    assert first.groups.equals(again.groups)
    assert first.provenance["run_digest"] == here.provenance["run_digest"]


def test_a_table_the_server_forgot_is_sent_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = table(20, 2)
    handle = client.upload(frame)
    client.delete_table(handle)
    counted = Counted(client, monkeypatch)
    assert client.upload(frame).name == handle.name
    assert counted.calls == ["GetTable", "UploadTable"]


def test_a_handle_stands_for_its_table(client: Client) -> None:
    frame = table(30, 3)
    handle = client.upload(frame)
    assert isinstance(handle, TableHandle)
    assert (handle.row_count, handle.column_count) == (30, 4)
    assert handle in client.tables()
    assert_frame_equal(client.impact(handle, **OPTIONS).groups, client.impact(frame, **OPTIONS).groups)
    period: dict[str, Any] = {"start": "2026-11-01", "end": "2026-11-05", "response": "none"}
    assert_frame_equal(
        client.timeline(handle, ["base"], **period).averages,
        client.timeline(frame, ["base"], **period).averages,
    )
    client.delete_table(handle)
    with pytest.raises(NotFound) as caught:
        client.impact(handle, **OPTIONS)
    assert (caught.value.reason, caught.value.exit_code) == ("TABLE_NOT_FOUND", 2)


def test_a_run_gives_what_the_call_gives(client: Client, large: pl.DataFrame) -> None:
    run = client.start(large, include_lines=True, **OPTIONS)
    stages: list[float] = []
    status = run.wait(lambda _, fraction: stages.append(fraction))
    assert (status.state, status.finished_parts, stages[-1]) == ("succeeded", 2, 1.0)
    result, called = run.result(), client.impact(large, include_lines=True, **OPTIONS)
    assert result.provenance == called.provenance
    for name in ("groups", "total", "lines", "refused"):
        assert getattr(result, name).equals(getattr(called, name)), name
    assert result.notes == called.notes
    assert status.provenance is not None
    assert status.provenance["run_digest"] == called.provenance["run_digest"]


def test_a_run_over_a_period_gives_what_the_call_gives(client: Client) -> None:
    frame = table(50, 4)
    run = client.start(frame, ["base", "truce-lapses"], period=("2026-12-01", "2027-02-01"), response="none")
    called = client.timeline(
        frame, ["base", "truce-lapses"], start="2026-12-01", end="2027-02-01", response="none"
    )
    result: Any = run.result()
    assert result.segments.equals(called.segments)
    assert result.provenance == called.provenance


def test_a_run_is_found_again_by_name_and_by_its_request_id(client: Client) -> None:
    frame = table(10, 5)
    run = client.start(frame, request_id="my-run", **OPTIONS)
    assert client.start(frame, request_id="my-run", **OPTIONS).name == run.name
    run.wait()
    found = client.run(run.name)
    assert found.status().done
    assert run.name in {status.name for status in client.runs()}
    result: Any = found.result()
    assert result.groups.equals(client.impact(frame, **OPTIONS).groups)
    run.delete()
    with pytest.raises(NotFound) as caught:
        found.status()
    assert caught.value.reason == "RUN_NOT_FOUND"


def test_a_run_that_fails_raises_its_reason(client: Client) -> None:
    run = client.start(table(10).drop("origin"), **OPTIONS)
    with pytest.raises(InvalidRequest) as caught:
        run.wait()
    assert caught.value.reason == "COLUMN_MISSING"
    with pytest.raises(InvalidRequest):
        run.result()
    assert run.status().state == "failed"


def test_a_run_can_be_cancelled(client: Client) -> None:
    run = client.start(None, ["base"] * 1, on="2026-11-20", draws=16384)
    with pytest.raises(DeadlineExceeded):
        run.wait(timeout=0.1)
    run.cancel()
    with pytest.raises(Cancelled):
        run.wait()


class Cut:
    """Breaks every stream of results after so many messages."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.broken = 0
        backend: Any = client._backend
        stream = backend.stream

        def cut(method: str, request: object, timeout: float) -> Iterator[Any]:
            for place, message in enumerate(stream(method, request, timeout)):
                if place == after:
                    self.broken += 1
                    raise Unavailable("SERVER_UNAVAILABLE", "Gone.", code="UNAVAILABLE")
                yield message

        monkeypatch.setattr(backend, "stream", cut)


def test_a_result_is_read_on_where_the_connection_broke(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table(50, 6)
    called = client.impact(frame, **OPTIONS)
    run = client.start(frame, **OPTIONS)
    cut = Cut(client, monkeypatch, 2)
    result: Any = run.result()
    assert cut.broken >= 2
    assert result.groups.equals(called.groups)
    assert result.provenance == called.provenance


def test_a_result_is_not_waited_for_beyond_its_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = client.start(table(50, 6), **OPTIONS)
    run.wait()
    Cut(client, monkeypatch, 0)
    # Only pauses take time: on a busy machine the calls could take all of it.
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(run_handle, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
    with pytest.raises(Unavailable):
        run.result(timeout=60.0)
    assert 30.0 < now[0] <= 60.0


def lined(rows: pl.DataFrame, scenario: str) -> pl.DataFrame:
    return rows.filter(pl.col("scenario") == scenario)


@pytest.mark.parametrize("where", ["server", "here"])
def test_lines_flow_and_are_those_of_the_table(client: Client, large: pl.DataFrame, where: str) -> None:
    with Client.local() as local:
        chosen = client if where == "server" else local
        stream = chosen.lines(large, ["base", "truce-lapses"], on="2027-01-11")
        rows = stream.collect()
        called = local.impact(large, include_lines=True, **OPTIONS)
    assert called.lines is not None
    for scenario in ("base", "truce-lapses"):
        assert lined(rows, scenario).equals(lined(called.lines, scenario))
    assert stream.provenance is not None
    assert stream.provenance["law_digest"] == called.provenance["law_digest"]


def test_refused_rows_of_a_stream_are_numbered_in_the_table(client: Client, large: pl.DataFrame) -> None:
    bad = pl.int_range(pl.len()).is_in([3, 25_000])
    frame = large.with_columns(origin=pl.when(bad).then(pl.lit("XX")).otherwise("origin"))
    stream = client.lines(frame, on="2027-01-11")
    assert stream.collect().height == large.height - 2
    assert stream.refused["row"].to_list() == [3, 25_000]


def test_a_stream_takes_frames_as_they_come(client: Client) -> None:
    stream = client.lines((table(10, seed) for seed in range(3)), on="2027-01-11")
    assert [frame.height for frame in stream] == [10, 10, 10]


def test_what_goes_wrong_while_sending_is_raised(client: Client) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield table(10)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        client.lines(frames(), on="2027-01-11").collect()
    with pytest.raises(TariffsError) as caught:
        client.lines(table(10).drop("hts"), on="2027-01-11").collect()
    assert caught.value.reason == "COLUMN_MISSING"


def test_without_a_server_nothing_is_kept(large: pl.DataFrame) -> None:
    with Client.local() as local:
        for call in (lambda: local.upload(large), lambda: local.start(large), local.runs, local.tables):
            with pytest.raises(InvalidRequest) as caught:
                call()
            assert "need a server" in caught.value.message


def test_the_command_line_keeps_tables_and_runs(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> Any:
        assert command([*arguments, "--target", server, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    path = tmp_path / "mine.parquet"
    table(40, 7).write_parquet(path)
    kept = told("tables", "upload", str(path))
    assert kept["name"] in {one["name"] for one in told("tables", "list")["tables"]}
    begun = told("impact", str(path), "-s", "base", "--on", "2027-01-11", "--response", "none", "--detach")
    result = told("runs", "result", begun["name"])
    here = told("impact", str(path), "-s", "base", "--on", "2027-01-11", "--response", "none")
    assert result["scenarios"] == here["scenarios"]
    assert told("runs", "show", begun["name"])["state"] == "succeeded"
    assert begun["name"] in {one["name"] for one in told("runs", "list")["runs"]}
    told("runs", "cancel", begun["name"])
    told("tables", "delete", kept["name"])
    assert command(["tables", "delete", kept["name"], "--target", server]) == 2
    assert command(["runs", "list"]) == 2


def test_a_list_of_runs_names_scenarios_and_tables(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = table(40, 9)
    own = Scenario.from_text(
        "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\nchanges: []\n"
    )
    with Client(server) as client:
        handle = client.upload(frame)
        begun = [
            client.start(frame, ["base", "truce-lapses"], on="2027-01-11", response="none"),
            client.start(handle, period=("2027-01-11", "2027-01-12"), response="none"),
            client.start_sweep(
                None, "rates-by-country", vary={"cn": ["0%"]}, on="2027-01-11", response="none"
            ),
            client.start(frame, [own], on="2027-01-11", response="none"),
        ]
        told = {status.name: (status.scenarios, status.table) for status in client.runs()}
        for run in begun:
            run.cancel()
    assert [told[run.name] for run in begun] == [
        (("base", "truce-lapses"), "sent"),
        (("base",), handle.name),
        (("rates-by-country",), "embedded"),
        (("mine",), "sent"),
    ]
    assert command(["runs", "list", "--target", server]) == 0
    printed = capsys.readouterr().out
    assert "base, truce-lapses" in printed
    assert handle.name[:19] in printed
