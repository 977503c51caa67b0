"""Test sharing in a team by roles: tables, runs and scenarios, in Python and on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, NotFound, PermissionDenied, Unauthenticated
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
SCENARIO = """schema: tariffs.scenario/v1
id: mine
title: Another rate of forced labor on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%}
"""
ON: dict[str, Any] = {"on": "2026-07-01", "response": "none"}
Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("sharing")
    callers, tokens = directory / "callers", directory / "tokens"
    callers.write_text(CALLERS)
    tokens.write_text("".join(f"{name} token-of-{name}\n" for name in ("ann", "amy", "eve", "root")))
    with running(warm=no_warm_up, tokens_file=tokens, callers_file=callers) as server:
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


def table(seed: int) -> pl.DataFrame:
    return pl.DataFrame({"hts": ["9503.00.0073"], "origin": ["CN"], "customs_value": [1000.0 + seed]})


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
        with pytest.raises(PermissionDenied) as caught:
            eve.impact(table(3), **ON)
    error = caught.value
    assert (error.reason, error.metadata["role"], error.exit_code) == ("NOT_ALLOWED", "run", 3)
    assert "tariffs whoami" in error.fix
    with Client(target, token="none") as nobody, pytest.raises(Unauthenticated):
        nobody.whoami()


def test_the_command_line_shares_lists_and_shows(say: Say, tmp_path: Path) -> None:
    path = str(tmp_path / "t.csv")
    table(4).write_csv(path)
    name = say("ann", "tables", "upload", path, "--share-with", "desk")[1].strip()
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
    run = say("ann", "impact", path, "--on", "2026-07-01", "--response", "none", "--detach")[1].strip()
    assert say("ann", "runs", "share", run, "desk") == (0, f"{run} is shared with desk\n")
    assert say("amy", "runs", "result", run)[0] == 0
    assert run in say("root", "runs", "list", "--all-owners", "--json")[1]


def test_without_a_server_there_are_no_stored_scenarios(here: Client) -> None:
    with pytest.raises(InvalidRequest, match="need a server"):
        here.stored_scenarios()
    with pytest.raises(NotFound):
        here.scenario("team/mine")


def test_the_commands_of_stored_scenarios(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
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
