"""Tables, runs, streams of rows and scenarios as callers of a real server keep them, and share them by roles."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
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
    PermissionDenied,
    TableHandle,
    Unauthenticated,
    Unavailable,
)
from tariffs.client._verbs import run_handle
from tariffs.client.cli.__main__ import run as command
from tariffs.client.errors import Cancelled
from tests.client.conftest import Cli, goods, refuses, scenario_text
from tests.service.harness import caller_files, no_warm_up, running
from tests.service.stored import rows

OPTIONS: dict[str, Any] = {
    "scenarios": ["base", "truce-lapses"],
    "on": "2027-01-11",
    "by": ["origin"],
    "response": "none",
}


@pytest.fixture(scope="module")
def large() -> pl.DataFrame:
    """A table that does not fit one message."""
    draw = random.Random(1)
    return rows(40_000).with_columns(mine=pl.Series([f"{draw.getrandbits(256):x}" for _ in range(40_000)]))


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
    frame = rows(30, 3)
    handle = there.upload(frame)
    assert isinstance(handle, TableHandle)
    assert (handle.row_count, handle.column_count) == (30, 4)
    assert handle in there.tables()
    there.delete_table(handle)
    with refuses("TABLE_NOT_FOUND", kind=NotFound) as caught:
        there.impact(handle, **OPTIONS)
    assert caught.value.exit_code == 2


def test_a_run_is_found_again_by_name_and_by_its_request_id(there: Client) -> None:
    frame = rows(10, 5)
    run = there.start(frame, request_id="my-run", **OPTIONS)
    assert there.start(frame, request_id="my-run", **OPTIONS).name == run.name
    run.wait()
    found = there.run(run.name)
    assert found.status().done
    assert run.name in {status.name for status in there.runs()}
    run.delete()
    with refuses("RUN_NOT_FOUND", kind=NotFound):
        found.status()


def test_a_run_that_fails_raises_its_reason(there: Client) -> None:
    run = there.start(rows(10).drop("origin"), **OPTIONS)
    for asked in (run.wait, run.result):
        with refuses("COLUMN_MISSING"):
            asked()
    assert run.status().state == "failed"


def test_a_run_can_be_cancelled(there: Client) -> None:
    run = there.start(None, ["base"] * 1, on="2026-11-20", draws=16384)
    with pytest.raises(DeadlineExceeded):
        run.wait(timeout=0.1)
    run.cancel()
    with pytest.raises(Cancelled):
        run.wait()


def cut(client: Client, monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    """Break every stream of results after so many messages, and list those that broke."""
    backend, broken = cast("Any", client._backend), list[str]()
    stream = backend.stream

    def cut_off(method: str, request: object, timeout: float) -> Iterator[Any]:
        for place, message in enumerate(stream(method, request, timeout)):
            if place == after:
                broken.append(method)
                raise Unavailable("SERVER_UNAVAILABLE", "Gone.", code="UNAVAILABLE")
            yield message

    monkeypatch.setattr(backend, "stream", cut_off)
    return broken


def test_a_result_is_read_on_where_it_broke(there: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, stages = rows(50, 6), list[float]()
    called = there.impact(frame, **OPTIONS)
    run = there.start(frame, **OPTIONS)
    status = run.wait(lambda _, fraction: stages.append(fraction))
    assert (status.state, status.finished_parts, stages[-1]) == ("succeeded", 2, 1.0)
    assert status.provenance is not None
    assert status.provenance["run_digest"] == called.provenance["run_digest"]
    broken = cut(there, monkeypatch, 2)
    result: Any = run.result()
    assert len(broken) >= 2
    assert result.groups.equals(called.groups)
    assert result.provenance == called.provenance


def test_a_result_is_not_waited_for_beyond_its_time(there: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = there.start(rows(50, 6), **OPTIONS)
    run.wait()
    cut(there, monkeypatch, 0)
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
        yield rows(10)
        raise RuntimeError("no more")

    stream = there.lines((rows(10, seed) for seed in range(3)), on="2027-01-11")
    assert [frame.height for frame in stream] == [10, 10, 10]
    with pytest.raises(RuntimeError, match="no more"):
        there.lines(frames(), on="2027-01-11").collect()
    with refuses("COLUMN_MISSING"):
        there.lines(rows(10).drop("hts"), on="2027-01-11").collect()


def test_without_a_server_nothing_is_kept(here: Client, large: pl.DataFrame) -> None:
    calls: list[Any] = [lambda: here.upload(large), lambda: here.start(large), here.runs, here.tables]
    for call in [*calls, here.stored_scenarios]:
        with pytest.raises(InvalidRequest, match="need a server"):
            call()


def test_the_command_line_keeps_tables_and_runs(server: str, cli: Cli) -> None:
    path, there = Path("mine.parquet"), f"--target {server}"
    rows(40, 7).write_parquet(path)
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
    frame = rows(40, 9)
    handle = there.upload(frame)
    begun: list[tuple[Any, tuple[str, ...], str]] = [
        (there.start(frame, ["base", "truce-lapses"], **on), ("base", "truce-lapses"), "sent"),
        (there.start(handle, period=("2027-01-11", "2027-01-12"), response="none"), ("base",), handle.name),
    ]
    sweep = there.start_sweep(None, "rates-by-country", vary={"cn": ["0%"]}, **on)
    begun.append((sweep, ("rates-by-country",), "embedded"))
    told = {status.name: (status.scenarios, status.table) for status in there.runs()}
    for run, scenarios, of in begun:
        run.cancel()
        assert told[run.name] == (scenarios, of)
    printed = cli.out(f"runs list --target {server}")
    assert "base, truce-lapses" in printed
    assert handle.name[:19] in printed


CALLERS = """
callers:
  ann: {groups: [desk], roles: [run], quotas: {tables: 7, calls_per_second: 99.5}}
  amy: {groups: [desk], roles: [run]}
  eve: {roles: [read]}
  root: {roles: [admin]}
"""
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
SCENARIO = scenario_text(
    "op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%"
)
ON: dict[str, Any] = {"on": "2026-07-01", "response": "none"}
Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    files = caller_files(tmp_path_factory.mktemp("sharing"), "ann amy eve root", CALLERS)
    with running(warm=no_warm_up, **files) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture
def ann(target: str) -> Iterator[Client]:
    with Client(target, token="token-of-ann") as client:
        yield client


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, target: str) -> Say:
    """Exit code and output of a command of a caller."""
    monkeypatch.setenv("TARIFFS_TARGET", target)

    def said(name: str, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("TARIFFS_TOKEN", f"token-of-{name}")
        capsys.readouterr()
        code = command(list(words))
        found = capsys.readouterr()
        # The server of the test logs to the same output.
        lines = (found.out + found.err).splitlines(keepends=True)
        return code, "".join(line for line in lines if not _LOGGED.match(line))

    return said


def one_line(seed: int) -> pl.DataFrame:
    return goods(("9503.00.0073", "CN", 1000.0 + seed))


def test_whoami_tells_roles_groups_quotas_and_use(here: Client, ann: Client, say: Say) -> None:
    told = ann.whoami()
    kept = len([one for one in ann.tables() if one.owner == "ann"])
    assert (told.name, told.roles, told.groups) == ("ann", ("read", "run"), ("desk",))
    quotas = {one.name: (one.limit, one.used) for one in told.quotas}
    found = [quotas[name] for name in ("tables", "calls_per_second", "sweep_points")]
    assert found == [(7, kept), (99.5, None), (None, None)]
    alone = here.whoami()
    assert (alone.name, alone.roles, alone.quotas) == ("anonymous", ("read", "run", "admin"), ())
    code, text = say("ann", "whoami")
    assert code == 0
    assert {"name    ann", "roles   read, run", "groups  desk"} <= set(text.splitlines())
    assert any(line.split() == ["calls_per_second", "-", "99.5"] for line in text.splitlines())
    assert json.loads(say("eve", "whoami", "--json")[1])["roles"] == ["read"]


def test_a_caller_without_the_role_is_told_which_it_lacks(target: str) -> None:
    with Client(target, token="token-of-eve") as eve:
        assert eve.duty("9503.00.0073", "CN", "2026-07-01", 100).owed
        with refuses("NOT_ALLOWED", kind=PermissionDenied) as caught:
            eve.impact(one_line(3), **ON)
    assert (caught.value.metadata["role"], caught.value.exit_code) == ("run", 3)
    assert "tariffs whoami" in caught.value.fix
    with Client(target, token="none") as nobody, pytest.raises(Unauthenticated):
        nobody.whoami()


def test_the_command_line_shares_lists_and_shows(say: Say) -> None:
    one_line(4).write_csv("t.csv")
    name = say("ann", "tables", "upload", "t.csv", "--share-with", "desk")[1].strip()
    listed = json.loads(say("amy", "tables", "list", "--json")[1])["tables"]
    assert {one["name"]: (one["owner"], one["shared_with"]) for one in listed}[name] == ("ann", "desk")
    assert "ann" in say("amy", "tables", "list")[1]
    code, text = say("amy", "tables", "delete", name)
    assert code == 3
    assert "belongs to 'ann'" in text
    assert say("ann", "tables", "share", name) == (0, f"{name} is shared with nobody\n")
    assert say("ann", "tables", "share", name, "desk") == (0, f"{name} is shared with desk\n")
    assert name in say("root", "tables", "list", "--all-owners", "--json")[1]
    assert say("amy", "tables", "list", "--all-owners")[0] == 3
    assert say("root", "tables", "delete", name, "--owner", "ann") == (0, "")
    assert name not in say("root", "tables", "list", "--all-owners", "--json")[1]
    run = say("ann", "impact", "t.csv", "--on", "2026-07-01", "--response", "none", "--detach")[1].strip()
    assert say("ann", "runs", "share", run, "desk") == (0, f"{run} is shared with desk\n")
    assert say("amy", "runs", "result", run)[0] == 0
    assert run in say("root", "runs", "list", "--all-owners", "--json")[1]


def test_the_commands_of_stored_scenarios(say: Say) -> None:
    file = Path("mine.yaml")
    file.write_text(SCENARIO, encoding="utf-8")

    def told(*words: str, code: int = 0) -> Any:
        found, text = say("amy", "scenario", *words, "--json")
        assert found == code
        return json.loads(next(line for line in text.splitlines() if line.startswith("{")))

    assert told("save", str(file))["version"] == 1
    file.write_text(SCENARIO.replace("20%", "30%"), encoding="utf-8")
    assert told("save", str(file), code=2)["error"]["reason"] == "SCENARIO_EXISTS"
    assert told("save", str(file), "--replace")["version"] == 2
    assert [one["version"] for one in told("versions", "team/mine")["versions"]] == [2, 1]
    assert told("share", "team/mine", "desk")["shared_with"] == "desk"
    assert [one["name"] for one in told("list")["stored"]] == ["team/amy/mine"]
    assert told("watch", "--after", "1", "--count", "1")["kind"]
    assert told("show", "team/mine@1")["digest"]
    assert "team/amy/mine@2" in say("amy", "scenario", "list")[1]
    assert told("delete", "team/mine") == {"name": "team/mine"}
    assert "stored" not in told("list")
