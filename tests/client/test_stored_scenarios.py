"""Scenarios of a team from the client and the command line, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tariffs.client import Client, InvalidRequest, NotFound, Scenario
from tariffs.client.cli.__main__ import run as command
from tests.service.harness import no_warm_up, running

TEXT = """schema: tariffs.scenario/v1
id: mine
title: Another rate of forced labor on China
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01T00:01-05:00, rate: 20%}
"""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with running(warm=no_warm_up) as server:
        yield f"127.0.0.1:{server.port}"


def test_a_scenario_is_saved_named_shared_and_deleted(target: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT, encoding="utf-8")
    with Client(target) as client:
        first = client.save_scenario(file)
        assert (first.name, first.version) == ("team/anonymous/mine", 1)
        assert first.check is not None
        assert first.check.ok
        with pytest.raises(InvalidRequest, match="There is a stored scenario") as caught:
            client.save_scenario(Scenario.from_text(TEXT.replace("20%", "25%")))
        assert caught.value.reason == "SCENARIO_EXISTS"
        second = client.save_scenario(Scenario.from_text(TEXT.replace("20%", "25%")), etag=first.etag)
        assert [one.version for one in client.scenario_versions("team/mine")] == [2, 1]
        assert client.stored_scenario("team/mine@1").text == TEXT
        assert [one.name for one in client.stored_scenarios()] == ["team/anonymous/mine"]
        line: dict[str, Any] = {
            "hts": "9503.00.0073",
            "origin": "CN",
            "entry_date": "2027-02-01",
            "value": 10000,
        }
        assert (
            client.duty(**line, scenario="team/mine@1").assessed
            == client.duty(**line, scenario=file).assessed
        )
        assert client.scenario("team/mine").digest == second.digest
        assert client.share_scenario("team/mine", "desk").shared_with == "desk"
        client.delete_scenario("team/mine")
        with pytest.raises(NotFound):
            client.stored_scenario("team/mine")
        kinds = [one.kind for one in islice(client.watch_scenarios(after=-1), 4)]
        assert kinds == ["saved", "saved", "shared", "deleted"]


def test_without_a_server_there_are_none() -> None:
    with Client.local() as client:
        with pytest.raises(InvalidRequest, match="need a server"):
            client.stored_scenarios()
        with pytest.raises(NotFound):
            client.scenario("team/mine")


def test_the_commands(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT, encoding="utf-8")

    def said(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert command(["scenario", *words, "--target", target, "--json"]) == code
        # The server in this process logs to the same place.
        return json.loads(next(one for one in capsys.readouterr().out.splitlines() if one.startswith("{")))

    assert said("save", str(file))["version"] == 1
    file.write_text(TEXT.replace("20%", "30%"), encoding="utf-8")
    assert said("save", str(file), code=2)["error"]["reason"] == "SCENARIO_EXISTS"
    assert said("save", str(file), "--replace")["version"] == 2
    assert [one["version"] for one in said("versions", "team/mine")["versions"]] == [2, 1]
    assert said("share", "team/mine", "desk")["shared_with"] == "desk"
    assert [one["name"] for one in said("list")["stored"]] == ["team/anonymous/mine"]
    assert said("watch", "--after", "1", "--count", "1")["kind"]
    assert said("show", "team/mine@1")["digest"]
    assert command(["scenario", "list", "--target", target]) == 0
    assert "team/anonymous/mine@2" in capsys.readouterr().out
    assert said("delete", "team/mine") == {"name": "team/mine"}
    assert "stored" not in said("list")
