"""Tables, long runs and streams of rows as a caller of the client sees them, against a real server."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tariffs.client import (
    Client,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    TableHandle,
    TariffsError,
    Unavailable,
)
from tariffs.client._verbs import run_handle
from tariffs.client.errors import Cancelled
from tests.client.conftest import Cli

OPTIONS: dict[str, Any] = {
    "scenarios": ["base", "truce-lapses"],
    "on": "2027-01-11",
    "by": ["origin"],
    "response": "none",
}


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


def test_a_table_larger_than_a_message_is_uploaded_once_unless_it_was_forgotten(
    there: Client, here: Client, large: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, backend = list[str](), cast("Any", there._backend)
    method = backend._method

    def counted(name: str) -> Any:
        calls.append(name)
        return method(name)

    monkeypatch.setattr(backend, "_method", counted)
    first = there.impact(large, **OPTIONS)
    again = there.impact(large.clone(), **OPTIONS)
    assert calls == ["UploadTable", "Simulate", "GetTable", "Simulate"]
    found = here.impact(large, **OPTIONS)
    assert_frame_equal(first.groups, found.groups)
    assert first.groups.equals(again.groups)
    assert first.provenance["run_digest"] == found.provenance["run_digest"]
    there.delete_table(there.upload(large))
    calls.clear()
    there.upload(large)
    assert calls == ["GetTable", "UploadTable"]


def test_a_handle_stands_for_its_table(there: Client) -> None:
    frame = table(30, 3)
    handle = there.upload(frame)
    assert isinstance(handle, TableHandle)
    assert (handle.row_count, handle.column_count) == (30, 4)
    assert handle in there.tables()
    there.delete_table(handle)
    with pytest.raises(NotFound) as caught:
        there.impact(handle, **OPTIONS)
    assert (caught.value.reason, caught.value.exit_code) == ("TABLE_NOT_FOUND", 2)


def test_a_run_is_found_again_by_name_and_by_its_request_id(there: Client) -> None:
    frame = table(10, 5)
    run = there.start(frame, request_id="my-run", **OPTIONS)
    assert there.start(frame, request_id="my-run", **OPTIONS).name == run.name
    run.wait()
    found = there.run(run.name)
    assert found.status().done
    assert run.name in {status.name for status in there.runs()}
    run.delete()
    with pytest.raises(NotFound) as caught:
        found.status()
    assert caught.value.reason == "RUN_NOT_FOUND"


def test_a_run_that_fails_raises_its_reason(there: Client) -> None:
    run = there.start(table(10).drop("origin"), **OPTIONS)
    with pytest.raises(InvalidRequest) as caught:
        run.wait()
    assert caught.value.reason == "COLUMN_MISSING"
    with pytest.raises(InvalidRequest):
        run.result()
    assert run.status().state == "failed"


def test_a_run_can_be_cancelled(there: Client) -> None:
    run = there.start(None, ["base"] * 1, on="2026-11-20", draws=16384)
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
    there: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, stages = table(50, 6), list[float]()
    called = there.impact(frame, **OPTIONS)
    run = there.start(frame, **OPTIONS)
    status = run.wait(lambda _, fraction: stages.append(fraction))
    assert (status.state, status.finished_parts, stages[-1]) == ("succeeded", 2, 1.0)
    assert status.provenance is not None
    assert status.provenance["run_digest"] == called.provenance["run_digest"]
    cut = Cut(there, monkeypatch, 2)
    result: Any = run.result()
    assert cut.broken >= 2
    assert result.groups.equals(called.groups)
    assert result.provenance == called.provenance


def test_a_result_is_not_waited_for_beyond_its_time(there: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = there.start(table(50, 6), **OPTIONS)
    run.wait()
    Cut(there, monkeypatch, 0)
    # Only pauses take time: on a busy machine the calls could take all of it.
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(run_handle, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
    with pytest.raises(Unavailable):
        run.result(timeout=60.0)
    assert 30.0 < now[0] <= 60.0


@pytest.mark.parametrize("where", ["here", "there"])
def test_lines_flow_and_are_those_of_the_table(
    where: str, here: Client, large: pl.DataFrame, request: pytest.FixtureRequest
) -> None:
    bad = pl.int_range(pl.len()).is_in([3, 25_000])
    frame = large.with_columns(origin=pl.when(bad).then(pl.lit("XX")).otherwise("origin"))
    stream = request.getfixturevalue(where).lines(frame, ["base", "truce-lapses"], on="2027-01-11")
    rows, called = stream.collect(), here.impact(frame, include_lines=True, **OPTIONS)
    assert called.lines is not None
    for scenario in ("base", "truce-lapses"):
        assert rows.filter(scenario=scenario).equals(called.lines.filter(scenario=scenario))
    assert stream.refused["row"].to_list() == [3, 25_000]
    assert stream.provenance is not None
    assert stream.provenance["law_digest"] == called.provenance["law_digest"]


def test_a_stream_takes_frames_as_they_come_and_raises_what_goes_wrong(there: Client) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield table(10)
        raise RuntimeError("no more")

    stream = there.lines((table(10, seed) for seed in range(3)), on="2027-01-11")
    assert [frame.height for frame in stream] == [10, 10, 10]
    with pytest.raises(RuntimeError, match="no more"):
        there.lines(frames(), on="2027-01-11").collect()
    with pytest.raises(TariffsError) as caught:
        there.lines(table(10).drop("hts"), on="2027-01-11").collect()
    assert caught.value.reason == "COLUMN_MISSING"


def test_without_a_server_nothing_is_kept(here: Client, large: pl.DataFrame) -> None:
    calls: list[Any] = [lambda: here.upload(large), lambda: here.start(large), here.runs, here.tables]
    for call in calls:
        with pytest.raises(InvalidRequest) as caught:
            call()
        assert "need a server" in caught.value.message


def test_the_command_line_keeps_tables_and_runs(server: str, tmp_path: Path, cli: Cli) -> None:
    path, there = tmp_path / "mine.parquet", f"--target {server}"
    table(40, 7).write_parquet(path)
    kept = cli.json(f"tables upload {path} {there}")
    assert kept["name"] in {one["name"] for one in cli.json(f"tables list {there}")["tables"]}
    asked = f"impact {path} -s base --on 2027-01-11 --response none {there}"
    begun = cli.json(f"{asked} --detach")
    assert cli.json(f"runs result {begun['name']} {there}")["scenarios"] == cli.json(asked)["scenarios"]
    assert cli.json(f"runs show {begun['name']} {there}")["state"] == "succeeded"
    assert begun["name"] in {one["name"] for one in cli.json(f"runs list {there}")["runs"]}
    cli.json(f"runs cancel {begun['name']} {there}")
    cli.json(f"tables delete {kept['name']} {there}")
    cli.out(f"tables delete {kept['name']} {there}", 2)
    cli.out("runs list", 2)


def test_a_list_of_runs_names_scenarios_and_tables(there: Client, server: str, cli: Cli) -> None:
    on: dict[str, Any] = {"on": "2027-01-11", "response": "none"}
    frame = table(40, 9)
    handle = there.upload(frame)
    begun: list[tuple[Any, tuple[str, ...], str]] = [
        (there.start(frame, ["base", "truce-lapses"], **on), ("base", "truce-lapses"), "sent"),
        (there.start(handle, period=("2027-01-11", "2027-01-12"), response="none"), ("base",), handle.name),
        (
            there.start_sweep(None, "rates-by-country", vary={"cn": ["0%"]}, **on),
            ("rates-by-country",),
            "embedded",
        ),
    ]
    told = {status.name: (status.scenarios, status.table) for status in there.runs()}
    for run, scenarios, of in begun:
        run.cancel()
        assert told[run.name] == (scenarios, of)
    printed = cli.out(f"runs list --target {server}")
    assert "base, truce-lapses" in printed
    assert handle.name[:19] in printed
