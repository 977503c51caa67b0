"""Imports and exports under the same scenarios: a truce or a settlement moves both, each as its own run gives it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.client.results.both_sides import BothSides
from tests.client.test_exports import document

SCENARIOS = ("base", "canada-settles")


@pytest.fixture(scope="module")
def both() -> BothSides:
    return Client.local().impact_both(scenarios=SCENARIOS, on="2027-02-01", response="none")


def test_each_side_is_its_own_run(both: BothSides) -> None:
    client = Client.local()
    imports = client.impact(scenarios=SCENARIOS, on="2027-02-01", response="none")
    exports = client.impact(
        scenarios=SCENARIOS, on="2027-02-01", response="none", direction="export", by=["destination"]
    )
    assert both.imports.total.equals(imports.total)  # type: ignore[union-attr]
    assert both.exports.total.equals(exports.total)  # type: ignore[union-attr]


def test_a_settlement_moves_both_sides(both: BothSides) -> None:
    change = both.summary.filter(scenario="canada-settles").select("side", "duty_vs").rows()
    assert [side for side, _ in change] == ["imports", "exports"]
    assert all(difference < -1e9 for _, difference in change)
    groups = both.exports.groups.filter(scenario="canada-settles")  # type: ignore[union-attr]
    moved = dict(groups.select("destination", "duty_vs").iter_rows())
    assert moved["CN"] == 0.0
    assert moved["CA"] == pytest.approx(
        both.summary.filter(side="exports", scenario="canada-settles")["duty_vs"][0]
    )


def test_a_truce_moves_both_sides_of_a_timeline() -> None:
    found = Client.local().timeline_both(
        scenarios=["truce-extended", "truce-lapses"],
        start="2027-01-01",
        end="2027-03-31",
        response="none",
        to="CN",
    )
    duty = {
        (side, name): value for side, name, value in found.summary.select("side", "scenario", "duty").rows()
    }
    for side in ("imports", "exports"):
        assert duty[side, "truce-lapses"] > duty[side, "truce-extended"]


def test_both_sides_show_themselves(both: BothSides) -> None:
    assert "exports" in repr(both)
    assert both._repr_html_().count("<table") >= 3
    assert both.refused_rows == 0


def test_the_command_line_prints_both_sides(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = [
        "--both",
        "-s",
        "base",
        "-s",
        "canada-settles",
        "--on",
        "2027-02-01",
        "--response",
        "none",
        "--local",
    ]
    code, told = document(capsys, "impact", *arguments)
    assert code == 0
    assert set(told) == {"schema", "imports", "exports"}
    assert [one["id"] for one in told["exports"]["scenarios"]] == list(SCENARIOS)
    assert run(["impact", *arguments, "-o", str(tmp_path / "sides.parquet")]) == 0
    said = capsys.readouterr().out
    assert "imports into the United States" in said
    written = pl.read_parquet(tmp_path / "sides-exports.parquet")
    assert set(written["destination"]) == {"CN", "CA"}
    assert (tmp_path / "sides-imports.parquet").exists()


@pytest.mark.parametrize("wrong", [("--direction", "export"), ("--detach",)])
def test_both_sides_are_no_direction_and_no_long_run(
    wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = document(capsys, "impact", "--both", *wrong, "--local")
    assert (code, told["error"]["reason"]) == (2, "REQUEST_INVALID")
    assert json.dumps(told["error"]["fix"])
