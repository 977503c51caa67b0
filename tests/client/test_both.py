"""Imports and exports under the same scenarios: a truce or a settlement moves both, each as its own run gives it."""

from __future__ import annotations

import json
from pathlib import Path

import fastexcel  # type: ignore[import-untyped,unused-ignore]  # it may ship no types
import polars as pl
import pytest

from tariffs.client import Client, ImpactResult
from tariffs.client.cli.__main__ import run
from tariffs.client.results.both_sides import BothSides
from tests.client.test_exports import document

SCENARIOS = ("base", "canada-settles", "canada-escalates")


@pytest.fixture(scope="module")
def both() -> BothSides[ImpactResult]:
    return Client.local().impact_both(scenarios=SCENARIOS, on="2027-02-01", response="none")


def test_each_side_is_its_own_run(both: BothSides[ImpactResult]) -> None:
    client = Client.local()
    imports = client.impact(scenarios=SCENARIOS, on="2027-02-01", response="none")
    exports = client.impact(
        scenarios=SCENARIOS, on="2027-02-01", response="none", direction="export", by=["destination"]
    )
    assert both.imports.total.equals(imports.total)
    assert both.exports.total.equals(exports.total)


def test_a_settlement_moves_both_sides(both: BothSides[ImpactResult]) -> None:
    change = both.summary.filter(scenario="canada-settles").select("side", "duty_vs").rows()
    assert [side for side, _ in change] == ["imports", "exports"]
    assert all(difference < -1e9 for _, difference in change)
    groups = both.exports.groups.filter(scenario="canada-settles")
    moved = dict(groups.select("destination", "duty_vs").iter_rows())
    assert moved["CN"] == 0.0
    assert moved["CA"] == pytest.approx(
        both.summary.filter(side="exports", scenario="canada-settles")["duty_vs"][0]
    )


def test_a_dispute_that_widens_raises_duties_on_both_sides(both: BothSides[ImpactResult]) -> None:
    change = both.summary.filter(scenario="canada-escalates").select("side", "duty_vs").rows()
    assert all(difference > 5e9 for _, difference in change)
    widened = both.imports.groups.filter(scenario="canada-escalates")
    moved = widened.filter(pl.col("duty_vs") != 0.0)
    assert moved["origin"].to_list() == ["CA"]


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


def test_both_sides_show_themselves(both: BothSides[ImpactResult]) -> None:
    assert "exports" in repr(both)
    assert both._repr_html_().count("<table") >= 3
    assert both.refused_rows == 0


def test_the_command_line_prints_both_sides(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scenarios = [word for name in SCENARIOS for word in ("-s", name)]
    arguments = ["--both", *scenarios, "--on", "2027-02-01", "--response", "none", "--local"]
    code, told = document(capsys, "impact", *arguments)
    assert code == 0
    assert set(told) == {"schema", "imports", "exports"}
    assert [one["id"] for one in told["exports"]["scenarios"]] == list(SCENARIOS)
    assert run(["impact", *arguments, "-o", str(tmp_path / "sides.parquet")]) == 0
    said = capsys.readouterr().out
    assert "Imports into the United States" in said
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


def test_a_scenario_is_one_row_with_both_sides(both: BothSides[ImpactResult]) -> None:
    beside = both.side_by_side
    assert beside["scenario"].to_list() == list(SCENARIOS)
    for side, result in both.sides.items():
        for name in ("customs_value", "duty", "landed_change", "duty_vs"):
            assert beside[f"{side}_{name}"].to_list() == result.total[name].to_list()
    assert both.summary["side"].to_list() == ["imports", "exports"] * len(SCENARIOS)


def test_one_report_and_one_workbook_hold_both_sides(both: BothSides[ImpactResult], tmp_path: Path) -> None:
    text = both.report(tmp_path / "out" / "sides.html", question="Who gains if <Canada> settles?")
    assert (tmp_path / "out" / "sides.html").read_text(encoding="utf-8") == text
    assert text.count("<html") == 1
    assert "&lt;Canada&gt;" in text
    assert "<script" not in text
    for part in (
        "Imports, duty",
        "Exports, duty",
        "Imports into the United States",
        "Exports of the United States",
    ):
        assert part in text
    assert text.count("<summary>All notes in full") == 2
    assert text.count("<svg") == 3
    both.to_excel(tmp_path / "sides.xlsx")
    book = fastexcel.read_excel(tmp_path / "sides.xlsx")
    sides = [f"{side} {name}" for side in ("imports", "exports") for name in ("totals", "groups", "notes")]
    assert book.sheet_names == ["cover", "summary", "side by side", *sides, "provenance"]
    found = book.load_sheet("side by side").to_polars()
    assert found["exports_duty"].to_list() == pytest.approx(both.side_by_side["exports_duty"].to_list())


@pytest.mark.parametrize("kind", ["html", "xlsx"])
@pytest.mark.parametrize(
    "verb", [("impact", "--on", "2027-02-01"), ("timeline", "--start", "2027-02-01", "--end", "2027-02-02")]
)
def test_the_command_line_writes_one_file_of_both_sides(
    kind: str, verb: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"sides.{kind}"
    assert run([*verb, "--both", "--response", "none", "--local", "-o", str(path)]) == 0
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert "Imports into the United States" in capsys.readouterr().out


def test_tables_of_both_sides_give_a_file_a_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("hts,origin,customs_value\n9503.00.0073,CN,100\n0000.00,CN,1\n")
    Path("out.csv").write_text("hts,origin,customs_value,destination\n1201.90,US,50,CN\n1201.90,US,1,XX\n")
    options = ["--both", "--response", "none", "--local"]
    code = run(["impact", "in.csv", "--exports", "out.csv", "--lines", "lines.csv", *options])
    assert code == 1
    assert pl.read_csv("lines-exports.csv")["customs_value"].to_list() == [50]
    assert pl.read_csv("lines-imports.csv")["customs_value"].to_list() == [100]
    refused = {
        side: pl.read_csv(f"in-refused-{side}.csv")["reason"].to_list() for side in ("imports", "exports")
    }
    assert refused == {"imports": ["HTS_CODE_UNKNOWN"], "exports": ["DESTINATION_UNKNOWN"]}


def test_a_table_of_exports_needs_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = document(capsys, "impact", "--exports", "out.csv", "--local")
    assert (code, told["error"]["reason"]) == (2, "REQUEST_INVALID")
    assert told["error"]["field"] == "--exports"
