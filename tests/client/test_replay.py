"""Results run again: in every form, beside every input that changed, and what cannot be run again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, Difference, InvalidRequest, NotFound, Scenario, replay
from tariffs.client._wire.frames import write_table
from tariffs.client.cli.app import run
from tests.client.conftest import Cli

TABLE = pl.DataFrame(
    {"hts": ["9503000073", "8471300100"], "origin": ["CN", "MX"], "customs_value": [1e4, 5e4]}
)
DAY = "2027-01-11"
MINE = """schema: tariffs.scenario/v1
id: mine
title: Mine
basis: hypothesis
changes:
  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, rate: 20%}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    TABLE.write_csv(path)
    return path


@pytest.fixture(params=[".parquet", ".csv", ".json"])
def result(request: pytest.FixtureRequest, client: Client, table: Path, tmp_path: Path) -> Path:
    scenarios: list[Any] = ["base", Scenario.from_text(MINE)]
    found = client.impact(
        table, scenarios, on=DAY, by=["origin", "hts2"], baseline="2025-01-01", include_lines=False
    )
    path = tmp_path / f"result{request.param}"
    if request.param == ".json":
        path.write_text(json.dumps(found.to_json_dict()))
    else:
        write_table(found.groups, path, found.provenance)
    return path


def test_a_result_comes_out_bit_for_bit_and_a_changed_table_is_named(
    client: Client, result: Path, table: Path, tmp_path: Path
) -> None:
    found = replay(client, result)
    assert (found.same, found.changed, found.rows, found.largest) == (True, (), 4, 0.0)
    moved = table.rename(tmp_path / "moved.csv")
    with pytest.raises(InvalidRequest):
        replay(client, result)
    assert replay(client, result, moved).same
    TABLE.with_columns(pl.col("customs_value") * 2).write_csv(table)
    found = replay(client, result)
    assert not found.same
    assert [text.partition(":")[0] for text in found.changed] == ["table"]
    assert found.largest is not None
    assert found.largest > 0.5


def test_a_table_in_memory_is_given_again(client: Client, tmp_path: Path) -> None:
    found = client.impact(TABLE, ["base"], on=DAY, response="none")
    path = tmp_path / "result.json"
    path.write_text(json.dumps(found.to_json_dict()))
    with pytest.raises(InvalidRequest, match="a table in memory"):
        replay(client, path)
    assert replay(client, path, TABLE).same


def test_another_law_is_named_with_its_release(client: Client, result: Path) -> None:
    found = client.law()
    client_of_old = _Old(client, replace(found, digest="0" * 64, version="2020.01.01.1"))
    with pytest.raises(NotFound) as caught:
        replay(client_of_old, result)  # type: ignore[arg-type]
    assert caught.value.reason == "LAW_VERSION_NOT_FOUND"
    assert caught.value.metadata["release"] in caught.value.fix
    assert caught.value.exit_code == 4


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
def test_each_changed_input_is_named_with_what_it_was_and_is(
    client: Client, table: Path, tmp_path: Path, entry: str, word: str
) -> None:
    found = client.impact(table, ["base"], on=DAY, response="none")
    path = tmp_path / "result.json"
    path.write_text(json.dumps(found.to_json_dict()))
    assert replay(client, path).changed == ()
    was = found.provenance[entry]
    again = replay(_Altered(client, {entry: "changed"}), path)  # type: ignore[arg-type]
    assert again.changed == (f"{word}: was {was}, is changed",)
    # The same numbers from other inputs are the same numbers; what changed is said beside.
    assert again.same


class _Altered:
    """A client whose answers say other inputs than they were made from."""

    def __init__(self, client: Client, inputs: dict[str, Any]) -> None:
        self.law, self._client, self._inputs = client.law, client, inputs

    def impact(self, *args: Any, **options: Any) -> Any:
        found = self._client.impact(*args, **options)
        return replace(found, provenance={**found.provenance, **self._inputs})


class _Old:
    def __init__(self, client: Client, law: object) -> None:
        self._law = law
        self.impact, self.timeline = client.impact, client.timeline

    def law(self, law_version: str = "") -> object:
        if law_version:
            raise NotFound("LAW_VERSION_NOT_FOUND", f"There is no law {law_version}.")
        return self._law


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    entries = "hts,origin,customs_value,entry_date,entry_id\n9503000073,CN,10000,2025-05-20,A\n"
    (tmp_path / "entries.csv").write_text(entries)
    (tmp_path / "bad.csv").write_text("hts,origin,customs_value\n9503000073,CN,10000\n1,CN,1\n")
    return tmp_path


def test_every_file_that_impact_and_timeline_write_is_replayed(
    cli: Cli, client: Client, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["-o", "groups.parquet", "--lines", "lines.csv", "--json"]
    assert run(["impact", "entries.csv", "--response", "none", "--local", *files]) == 0
    (here / "impact.json").write_text(capsys.readouterr().out)
    period = ["--start", "2026-11-01", "--end", "2026-11-30", "--response", "none"]
    assert run(["timeline", "entries.csv", "--local", *period, "-o", "segments.csv", "--json"]) == 0
    (here / "timeline.json").write_text(capsys.readouterr().out)
    names = ["groups.parquet", "lines.csv", "impact.json", "segments.csv", "timeline.json"]
    for name in names:
        assert replay(client, here / name).same, name
    assert "bit for bit" in cli.out(["replay", "groups.parquet", "--local"])
    (here / "entries.csv").write_text("hts,origin,customs_value\n9503000073,CN,20000\n")
    assert "table: was" in cli.out(["replay", "groups.parquet", "--local"], 1)


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


def test_what_cannot_be_run_again_says_why(client: Client, here: Path, cli: Cli) -> None:
    def refused(name: str, said: str) -> InvalidRequest:
        with pytest.raises(InvalidRequest, match=said) as caught:
            replay(client, here / name)
        assert caught.value.reason == "TABLE_UNREADABLE"
        return caught.value

    for text, said in NO_RESULTS.items():
        (here / "x.json").write_text(text)
        refused("x.json", f"{said}|provenance")
    for words in WITHOUT_CALL:
        (here / "result.json").write_text(cli.out([*words.split(), "--json", "--local"]))
        assert "make it again" in refused("result.json", "does not contain its call").fix
    TABLE.write_parquet(here / "x.parquet")
    for name in ("x.parquet", "x.csv", "none.parquet"):
        refused(name, r"cannot|not a result")
    error = refused("entries.csv", r"its provenance file entries\.csv\.provenance\.json is missing")
    assert "No such file" not in str(error)
    # Refused rows carry the call that refused them.
    assert run(["impact", "bad.csv", "--response", "none", "--local", "--json"]) == 1
    refused("bad-refused.csv", "its columns are not those of groups or lines: row, column, reason")


def test_attribution_comes_back_as_a_frame(client: Client, table: Path) -> None:
    found = client.impact(table, ["base", Scenario.from_text(MINE)], on=DAY, response="none", attribute=True)
    rows = found.attribution
    assert rows is not None
    assert rows["text"].unique().to_list() == ["set_rate fl301 for CN to 20% from 2027-01-01"]
    assert rows["duty"].sum() == pytest.approx(found.total.filter(scenario="mine")["duty_vs"].item())
    blocks = found.to_json_dict()["scenarios"]
    assert ["attribution" in block for block in blocks] == [False, True]  # type: ignore[attr-defined]


def test_differences_of_two_scenarios(client: Client, cli: Cli) -> None:
    (found,) = client.diff("base", Scenario.from_text(MINE))
    assert isinstance(found, Difference)
    assert (found.id, found.kind, found.start) == ("fl301", "measure", "2027-01-01T12:00-05:00")
    assert found.text.startswith("fl301 from 2027-01-01 12:00 EST: ")
    with pytest.raises(NotFound):
        client.diff("base", "nobody")
    assert "cn.recip" in cli.out(["scenario", "diff", "base", "truce-extended", "--local"])
    assert cli.json(["scenario", "diff", "base", "base", "--local", "--json"]) == {"differences": []}
