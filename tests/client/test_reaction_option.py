"""The slope of partners' answers on every way in: Python, wire, both sides, command line, replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tariffs.client import Client
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest
from tariffs.run_spec.spec import RunSpec

DAY, HIGHER = "2027-02-01", "forced-labor-20-on-china"
OPTIONS: dict[str, Any] = {"on": DAY, "horizon": "short"}


def test_the_wire_and_the_command_line_take_it(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenarios = ["base", HIGHER]
    with Client(server) as client:
        found = client.impact(
            None, scenarios, direction="export", by=["destination"], reaction=1.0, **OPTIONS
        )
    with Client.local() as client:
        both = client.impact_both(None, scenarios, reaction=1.0, **OPTIONS)
        imports = client.impact(None, scenarios, **OPTIONS)
        plain = client.impact_both(None, scenarios, **OPTIONS)
    assert both.exports.groups.equals(found.groups)
    assert both.imports.groups.equals(imports.groups)
    after = [each.exports.total["value_after"].to_list() for each in (plain, both)]
    assert after[0][0] == after[1][0]
    assert after[1][1] < after[0][1] - 1e9
    details: Any = found.provenance["details"]
    assert details["reaction"]["slope"] == 1.0
    words = ["impact", "--both", "-s", "base", "-s", HIGHER, "--on", DAY, "--horizon", "short", "--local"]
    words += ["--reaction", "1"]
    assert run(words) == 0
    assert "partners answer duties at a slope of 1" in " ".join(capsys.readouterr().out.split())
    assert run([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["exports"]["scenarios"][1]["total"]["value_after"] == after[1][1]


def test_a_call_without_a_slope_is_recorded_as_before() -> None:
    assert "reaction" not in recorded_options("impact", RunSpec())
    assert recorded_options("impact", RunSpec(reaction=0.5))["reaction"] == 0.5


def test_wrong_slopes_and_runs_without_answers_are_refused(server: str) -> None:
    with Client.local() as client:
        for slope in (-1, "1", float("nan")):
            with pytest.raises(InvalidRequest, match="reaction"):
                client.impact(direction="export", reaction=slope, **OPTIONS)  # type: ignore[arg-type]  # wrong on purpose
        with pytest.raises(InvalidRequest, match="exports of the United States"):
            client.impact(reaction=1.0, **OPTIONS)
    with Client(server) as client, pytest.raises(InvalidRequest, match="takes no reaction"):
        client.start(period=(DAY, DAY), direction="export", reaction=1.0, horizon="short")
