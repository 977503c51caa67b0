"""Sharing, roles and `whoami` as callers of the client and the command line see them, against a real server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import AsyncClient, Client, NotFound, PermissionDenied, Unauthenticated
from tariffs.client.cli.__main__ import run as command
from tests.service.harness import no_warm_up, running

CALLERS = """
callers:
  ann: {groups: [desk], roles: [run], quotas: {tables: 7, calls_per_second: 99.5}}
  amy: {groups: [desk], roles: [run]}
  eve: {roles: [read]}
  root: {roles: [admin]}
"""
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
TOKENS = {name: f"token-of-{name}" for name in ("ann", "amy", "eve", "root")}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("sharing")
    callers, tokens = directory / "callers", directory / "tokens"
    callers.write_text(CALLERS)
    tokens.write_text("".join(f"{name} {token}\n" for name, token in TOKENS.items()))
    with running(warm=no_warm_up, tokens_file=tokens, callers_file=callers) as server:
        yield f"127.0.0.1:{server.port}"


def table(seed: int) -> pl.DataFrame:
    return pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [1000.0 + seed]})


def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, target: str, name: str, *words: str
) -> tuple[int, str]:
    monkeypatch.setenv("TARIFFS_TARGET", target)
    monkeypatch.setenv("TARIFFS_TOKEN", TOKENS[name])
    code = command(list(words))
    found = capsys.readouterr()
    # The server of the test logs to the same output.
    lines = (found.out + found.err).splitlines(keepends=True)
    return code, "".join(line for line in lines if not _LOGGED.match(line))


def test_a_table_goes_to_the_group_and_back(target: str) -> None:
    with Client(target, token=TOKENS["ann"]) as ann, Client(target, token=TOKENS["amy"]) as amy:
        handle = ann.upload(table(1), share_with="desk")
        assert (handle.owner, handle.shared_with) == ("ann", "desk")
        (seen,) = amy.tables()
        assert (seen.name, seen.owner) == (handle.name, "ann")
        assert amy.impact(handle, on="2026-07-01", response="none").groups.height
        with pytest.raises(PermissionDenied, match="ann"):
            amy.delete_table(handle)
        with pytest.raises(PermissionDenied, match="floor"):
            ann.share_table(handle, "floor")
        assert ann.share_table(handle).shared_with == ""
        with pytest.raises(NotFound):
            amy.impact(handle, on="2026-07-01", response="none")


def test_a_run_goes_to_the_group_and_back(target: str) -> None:
    with Client(target, token=TOKENS["ann"]) as ann, Client(target, token=TOKENS["amy"]) as amy:
        mine = ann.start(table(2), on="2026-07-01", response="none", share_with="desk")
        mine.wait(timeout=60)
        (seen,) = amy.runs()
        assert (seen.name, seen.owner, seen.shared_with) == (mine.name, "ann", "desk")
        theirs = amy.run(mine.name)
        assert theirs.result(timeout=60).provenance["run_digest"]
        with pytest.raises(PermissionDenied):
            theirs.delete()
        assert mine.share().shared_with == ""
        with pytest.raises(NotFound):
            theirs.status()


def test_whoami_tells_roles_groups_quotas_and_use(target: str) -> None:
    with Client(target, token=TOKENS["ann"]) as ann:
        told = ann.whoami()
        kept = len([one for one in ann.tables() if one.owner == "ann"])
    assert (told.name, told.roles, told.groups) == ("ann", ("read", "run"), ("desk",))
    quotas = {one.name: (one.limit, one.used) for one in told.quotas}
    found = [quotas[name] for name in ("tables", "calls_per_second", "sweep_points")]
    assert found == [(7, kept), (99.5, None), (None, None)]

    async def awaited() -> Any:
        async with AsyncClient(target, token=TOKENS["root"]) as root:
            return await root.whoami()

    assert asyncio.run(awaited()).roles == ("read", "run", "admin")


def test_without_a_server_the_caller_may_do_everything() -> None:
    told = Client.local().whoami()
    assert (told.name, told.roles, told.quotas) == ("anonymous", ("read", "run", "admin"), ())


def test_a_caller_without_the_role_is_told_which_it_lacks(target: str) -> None:
    with Client(target, token=TOKENS["eve"]) as eve:
        assert eve.duty("9503.00.0073", "CN", "2026-07-01", 100).owed
        with pytest.raises(PermissionDenied) as caught:
            eve.impact(table(3), on="2026-07-01", response="none")
    assert (caught.value.reason, caught.value.metadata["role"], caught.value.exit_code) == (
        "NOT_ALLOWED",
        "run",
        3,
    )
    assert "tariffs whoami" in caught.value.fix
    with Client(target, token="none") as nobody, pytest.raises(Unauthenticated):
        nobody.whoami()


def test_the_command_line_shares_lists_and_shows(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    table(4).write_csv(path)

    def say(name: str, *words: str) -> tuple[int, str]:
        return cli(capsys, monkeypatch, target, name, *words)

    code, handle = say("ann", "tables", "upload", str(path), "--share-with", "desk")
    assert code == 0
    name = handle.strip()
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

    code, started = say("ann", "impact", str(path), "--on", "2026-07-01", "--response", "none", "--detach")
    assert code == 0
    run = started.strip()
    assert say("ann", "runs", "share", run, "desk") == (0, f"{run} is shared with desk\n")
    assert say("amy", "runs", "result", run)[0] == 0
    assert run in say("root", "runs", "list", "--all-owners", "--json")[1]

    code, text = say("ann", "whoami")
    assert code == 0
    assert {"name    ann", "roles   read, run", "groups  desk"} <= set(text.splitlines())
    assert any(line.split() == ["calls_per_second", "-", "99.5"] for line in text.splitlines())
    assert json.loads(say("eve", "whoami", "--json")[1])["roles"] == ["read"]
