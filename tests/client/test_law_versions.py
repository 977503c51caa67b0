"""The client names the law of its calls: by argument, client, environment and command line, or gives one of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, NotFound
from tariffs.client._verbs.replay import replay
from tariffs.client._wire.requests import name_law, with_law
from tariffs.client.cli.app import run
from tariffs.engine.law import load_law
from tariffs.service.rpc.laws import LAWS
from tariffs.service.rpc.run_options import LocalInputs
from tariffs.service.rpc.spread_runs import Job
from tariffs.v1 import simulation_service_pb2 as pb
from tests.client.fakes import fake_server
from tests.law.packs import CHARGED, EXEMPT, NEWER, TOYS, law_copy

LINES = pl.DataFrame({"hts": [TOYS["hts"]], "origin": ["CN"], "customs_value": [10_000.0]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return law_copy(tmp_path_factory.mktemp("law") / "law")


@pytest.fixture
def newer(folder: Path) -> Iterator[Client]:
    with Client.local(law=folder) as client:
        yield client


def assessed(client: Client, law_version: str = "") -> tuple[str, str]:
    quote = client.duty(TOYS["hts"], "CN", TOYS["entry"], 10_000, law_version=law_version)
    return f"{quote.assessed:.2f}", str(quote.provenance["law_version"])


def test_a_client_computes_under_a_law_of_its_own_until_it_is_closed(folder: Path) -> None:
    own = load_law().version
    with Client.local() as plain, Client.local(law=folder) as client:
        assert assessed(client) == (EXEMPT, NEWER)
        assert assessed(client, own) == assessed(plain) == (CHARGED, own)
        assert [one.version for one in client.law_versions()] == [NEWER, own]
        assert client.law().version == client.law(law_version="latest").version == NEWER
        exact = client.law_versions()[0].exact
        impact = client.impact(LINES, response="none")
        assert (impact.total["duty"].item(), impact.provenance["law_version"]) == (0.0, NEWER)
        assert plain.impact(LINES, response="none", law_version=exact).total["duty"].item() == 0.0
    with Client.local() as plain, pytest.raises(NotFound) as caught:
        assessed(plain, NEWER)
    assert (caught.value.reason, caught.value.field) == ("LAW_VERSION_NOT_FOUND", "law_version")


def test_an_answer_is_the_same_however_its_law_is_named(newer: Client) -> None:
    exact = newer.law_versions()[0].exact
    digests = {
        newer.duty(TOYS["hts"], "CN", TOYS["entry"], 10_000, law_version=name).provenance["run_digest"]
        for name in ("", "latest", NEWER, exact)
    }
    assert len(digests) == 1


def test_the_law_comes_from_argument_client_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFFS_LAW_VERSION", "3.3.3.3")
    with fake_server() as server:
        for client, argument, wanted in (
            (Client(server.target), "", "3.3.3.3"),
            (Client(server.target, law_version="2.2.2.2"), "", "2.2.2.2"),
            (Client(server.target, law_version="2.2.2.2"), "latest", "latest"),
        ):
            with client, pytest.raises(Exception):  # noqa: B017, PT011 - the server answers nothing
                client.duty(TOYS["hts"], "CN", TOYS["entry"], 1, law_version=argument)
            assert server.requests[-1].law_version == wanted


def test_long_runs_and_streams_name_the_law_too() -> None:
    started = pb.StartRunRequest(timeline=pb.TimelineRequest())
    name_law(started, "2.2.2.2")
    assert started.timeline.law_version == "2.2.2.2"
    name_law(started, "3.3.3.3")
    assert started.timeline.law_version == "2.2.2.2"
    sent = [pb.SimulateLinesRequest(config={}), pb.SimulateLinesRequest(arrow=b"x")]
    first, second = with_law(iter(sent), "2.2.2.2")
    assert (first.config.law_version, second.arrow) == ("2.2.2.2", b"x")


def test_the_command_line_names_versions_packs_and_folders(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "law.tar.zst"
    assert run(["law", "build", str(folder), "-o", str(pack), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == NEWER
    quote = ["duty", TOYS["hts"], "--origin", "CN", "--value", "10000", "--local", "--json", "--law-version"]
    for name, wanted in ((str(pack), EXEMPT), (str(folder), EXEMPT), (load_law().version, CHARGED)):
        assert run([*quote, name]) == 0
        assert float(json.loads(capsys.readouterr().out)["assessed"]) == float(wanted)
    with pytest.raises(NotFound, match=r"no law '1999\.01\.01\.1'"):
        run([*quote, "1999.01.01.1"])
    assert run(["law", "versions", "--local", "--json"]) == 0
    (own,) = json.loads(capsys.readouterr().out)["versions"]
    assert (own["version"], own["is_default"], own["state"]) == (load_law().version, True, "served")


def test_a_result_is_run_again_under_its_law(newer: Client, tmp_path: Path) -> None:
    table, written = tmp_path / "lines.csv", tmp_path / "result.json"
    LINES.write_csv(table)
    digest = newer.law().digest
    document = newer.impact(str(table), response="none").to_json_dict(None)
    written.write_text(json.dumps(document, default=str), encoding="utf-8")
    with Client.local() as plain:
        assert plain.law().version != NEWER
        again = replay(plain, written)
        assert (again.same, again.changed) == (True, ())
        newer.close()
        # The law may still be in memory; one that never was is not found.
        text = written.read_text(encoding="utf-8").replace(digest, "0" * 64)
        written.write_text(text, encoding="utf-8")
        with pytest.raises(NotFound, match="was made under the law"):
            replay(plain, written)


def test_a_task_elsewhere_gets_the_law_with_its_job(newer: Client) -> None:
    exact = newer.law_versions()[0].exact
    request = pb.SimulateRequest(law_version=exact)
    job = Job.read(Job.of("simulate", request, LocalInputs()).written())
    assert LAWS.take(exact, job.law).version == NEWER
    assert Job.of("simulate", pb.SimulateRequest(), LocalInputs()).law == b""
