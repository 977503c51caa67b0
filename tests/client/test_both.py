"""Exports, and both sides under the same scenarios: bit-equal on every way in, one file and one report of both."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import fastexcel  # type: ignore[import-untyped,unused-ignore]  # it may ship no types
import polars as pl
import pytest

from tariffs.client import Client, ImpactResult, InvalidRequest, replay
from tariffs.client.cli.__main__ import run
from tariffs.client.results.both_sides import BothSides
from tests.client.conftest import Cli

SOYBEANS = pl.DataFrame(
    {
        "hts": ["1201.90", "1201.90", "8524.11"],
        "origin": ["US", "BR", "US"],
        "customs_value": ["14520000000", "41970000000", "5"],
        "quantity": ["24200000", "69950000", None],
        "unit": ["t", "t", None],
    }
)
PROMISE = "soybeans-promise-kept"
SCENARIOS = ("base", "canada-settles", "canada-escalates")
AHEAD: dict[str, Any] = {"on": "2027-02-01", "response": "none"}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table as a file, in a folder that refused rows may be written to."""
    monkeypatch.chdir(tmp_path)
    SOYBEANS.write_csv("soybeans.csv")
    return Path("soybeans.csv")


@pytest.fixture(scope="module")
def both(client: Client) -> BothSides[ImpactResult]:
    return client.impact_both(scenarios=SCENARIOS, **AHEAD)


def test_a_duty_on_exports_is_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found, other = (
        client.duty(
            "1201.90", "US", "2027-01-11", 10_000, freight=420, scenario="truce-lapses", direction="export"
        ).to_json_dict()
        for client in (here, there)
    )
    assert other == found
    assert found["landed"] == {"cif": "10420.00", "duty": "3855.40", "vat": "1284.79", "total": "15560.19"}
    words = "duty 1201.90 --origin US --date 2027-01-11 --value 10000 --freight 420 --direction export"
    for way in (f"--target {server}", "--local"):
        told = cli.json(f"{words} -s truce-lapses {way}")
        assert told == {"schema": "tariffs.duty/v1", **json.loads(json.dumps(found))}
    line = "1201.90 --origin US --date 2027-01-11 --value 100 --direction export --why --local"
    said = cli.out(["duty", *shlex.split(line)])
    assert "landed is cif 100.00 + duty 37.00 + vat 12.33" in said
    assert "China, duty answering the reciprocal duty: 34% on the customs value." in said
    assert "headings" not in said


def test_an_impact_on_exports_is_bit_equal_on_all_three_ways(
    here: Client, there: Client, server: str, table: Path, cli: Cli
) -> None:
    asked: dict[str, Any] = {"on": "2026-11-24", "baseline": "2025-01-01", "by": ["hts6", "origin"]}
    found, other = (
        client.impact(table, ["base", PROMISE], direction="export", include_lines=True, **asked)
        for client in (here, there)
    )
    assert other.provenance == found.provenance
    for name in ("groups", "refused", "lines"):
        assert getattr(other, name).equals(getattr(found, name)), name
    words = f"impact {table} -s base -s {PROMISE} --on 2026-11-24 --baseline 2025-01-01 --by hts6,origin"
    words += f" --direction export --lines lines.csv -o groups.parquet --target {server}"
    told = cli.json(words, 1)
    assert told["scenarios"] == json.loads(json.dumps(found.to_json_dict()))["scenarios"]
    assert told["refused"]["rows"][0]["reason"] == "RATE_NOT_COMPUTABLE"
    kept = found.scenario(PROMISE).filter(origin="US")
    assert kept["quantity_hat"][0] * 24.2e6 == pytest.approx(25e6)
    assert replay(here, Path("groups.parquet")).same
    later = "--direction export --on 2027-02-01 --baseline 2025-01-01 --horizon short --reaction 1 --local"
    said = " ".join(cli.out(f"impact {table} {later}", 1).split())
    assert "partners answer duties at a slope of 1." in said


def test_a_timeline_of_exports_has_the_duties_of_its_days(here: Client, there: Client, table: Path) -> None:
    found, other = (
        client.timeline(table, start="2025-03-01", end="2025-06-30", response="none", direction="export")
        for client in (here, there)
    )
    assert other.segments.equals(found.segments)
    rates = found.segments.filter(origin="US")["effective_rate"].unique(maintain_order=True)
    assert rates.to_list() == pytest.approx([0.03, 0.13, 0.97, 1.38, 0.23])


def test_changes_of_duties_on_exports_are_listed_on_both_ways(
    here: Client, there: Client, table: Path, cli: Cli
) -> None:
    found, other = (
        client.changes("2025-11-10", "2025-11-10", table, direction="export") for client in (here, there)
    )
    assert other.changes == found.changes
    assert other.effects.equals(found.effects)
    told = cli.json("law changes --start 2025-11-10 --end 2025-11-10 --direction export --local")
    measures = {name for one in told["changes"] for name in one["measures"]}
    assert measures == {"cn.ag_grain", "cn.ag_other", "cn.recip"}
    whole = there.changes("2025-11-10", "2025-11-10", "embedded", direction="export")
    assert whole.effects["measure"].to_list() == ["cn.ag_grain", "cn.ag_other"]


@pytest.mark.parametrize(
    "words",
    [
        "duty 1201.90 --origin US --value 1 --direction port_call",
        "duty 1201.90 --origin US --value 1 --direction export --charge other=1",
        "duty --entries soybeans.csv --direction export",
        "impact --direction export --to ZZ",
        "impact --to CN",
        "impact soybeans.csv --direction export",
        "timeline --start 2025-01-01 --end 2025-01-02 --direction sideways",
        "impact --both --direction export",
        "impact --both --detach",
        "impact --exports out.csv",
    ],
)
def test_wrong_usage_exits_2(words: str, table: Path, cli: Cli) -> None:
    assert cli.json(f"{words} --local", 2)["error"]["fix"]


def test_a_direction_is_checked_before_anything_is_sent() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Client("127.0.0.1:1").duty("1201.90", "US", value=1, direction="control")
    assert refused.value.field == "direction"


def test_the_worked_example_of_the_page_is_what_comes_out(
    root: Path, client: Client, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "docs")
    page = Path("exports.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\$ tariffs (.+)\n((?:.+\n|\n)+?)```", page, re.MULTILINE)
    assert [command.split()[0] for command, _ in examples] == ["duty", "duty", "impact"]
    for command, shown in examples:
        said = [line.strip() for line in cli.out([*shlex.split(command), "--local"]).splitlines()]
        wanted = [line.rstrip() for line in shown.splitlines() if line != "..."]
        assert [line for line in wanted if line.strip() not in said] == []
    options: dict[str, Any] = {"on": "2027-01-11", "baseline": "2025-01-01", "horizon": "long"}
    found = client.impact("soybeans.csv", direction="export", **options)
    hats = dict(found.groups.select("origin", "quantity_hat").iter_rows())
    assert hats["US"] == pytest.approx(0.45, abs=0.005)
    assert hats["BR"] == pytest.approx(1.075, abs=0.002)


def test_each_side_is_its_own_run(client: Client, both: BothSides[ImpactResult]) -> None:
    imports = client.impact(scenarios=SCENARIOS, **AHEAD)
    exports = client.impact(scenarios=SCENARIOS, **AHEAD, direction="export", by=["destination"])
    assert both.imports.total.equals(imports.total)
    assert both.exports.total.equals(exports.total)
    beside = both.side_by_side
    assert beside["scenario"].to_list() == list(SCENARIOS)
    for side, result in both.sides.items():
        for name in ("customs_value", "duty", "landed_change", "duty_vs"):
            assert beside[f"{side}_{name}"].to_list() == result.total[name].to_list()
    assert both.summary["side"].to_list() == ["imports", "exports"] * len(SCENARIOS)


def test_a_settlement_and_a_dispute_move_both_sides(both: BothSides[ImpactResult]) -> None:
    moved = {name: both.summary.filter(scenario=name)["duty_vs"].to_list() for name in SCENARIOS}
    assert max(moved["canada-settles"]) < -1e9
    assert min(moved["canada-escalates"]) > 5e9
    exports = both.exports.groups.filter(scenario="canada-settles")
    by_market = dict(exports.select("destination", "duty_vs").iter_rows())
    assert by_market == {"CN": 0.0, "CA": pytest.approx(moved["canada-settles"][1])}
    widened = both.imports.groups.filter(pl.col("duty_vs") != 0.0, scenario="canada-escalates")
    assert widened["origin"].to_list() == ["CA"]


def test_one_report_and_one_workbook_hold_both_sides(both: BothSides[ImpactResult], tmp_path: Path) -> None:
    assert "exports" in repr(both)
    assert both._repr_html_().count("<table") >= 3
    assert both.refused_rows == 0
    text = both.report(tmp_path / "out" / "sides.html", question="Who gains if <Canada> settles?")
    assert (tmp_path / "out" / "sides.html").read_text(encoding="utf-8") == text
    assert text.count("<html") == 1
    assert "&lt;Canada&gt;" in text
    assert "<script" not in text
    for part in ("Imports, duty", "Exports, duty", "Imports into the United", "Exports of the United"):
        assert part in text
    assert text.count("<summary>All notes in full") == 2
    assert text.count("<svg") == 3
    both.to_excel(tmp_path / "sides.xlsx")
    book = fastexcel.read_excel(tmp_path / "sides.xlsx")
    sides = [f"{side} {name}" for side in ("imports", "exports") for name in ("totals", "groups", "notes")]
    assert book.sheet_names == ["cover", "summary", "side by side", *sides, "provenance"]
    found = book.load_sheet("side by side").to_polars()
    assert found["exports_duty"].to_list() == pytest.approx(both.side_by_side["exports_duty"].to_list())


@pytest.mark.parametrize(
    "verb", [("impact", "--on", "2027-02-01"), ("timeline", "--start", "2027-02-01", "--end", "2027-02-02")]
)
def test_the_command_line_prints_and_writes_both_sides(
    verb: tuple[str, ...], tmp_path: Path, cli: Cli
) -> None:
    words = [*verb, "--both", "-s", "base", "--response", "none", "--local"]
    told = cli.json(words)
    assert set(told) == {"schema", "imports", "exports"}
    assert [one["id"] for one in told["exports"]["scenarios"]] == ["base"]
    for name, written in (
        ("sides.html", ["sides.html"]),
        ("sides.xlsx", ["sides.xlsx"]),
        ("sides.parquet", ["sides-exports.parquet", "sides-imports.parquet"]),
    ):
        assert "Imports into the United States" in cli.out([*words, "-o", str(tmp_path / name)])
        files = sorted(one for one in tmp_path.iterdir() if one.suffix == Path(name).suffix)
        assert [one.name for one in files] == written
    assert set(pl.read_parquet(tmp_path / "sides-exports.parquet")["destination"]) == {"CN", "CA"}


def test_tables_of_both_sides_give_a_file_a_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("hts,origin,customs_value\n9503.00.0073,CN,100\n0000.00,CN,1\n")
    Path("out.csv").write_text("hts,origin,customs_value,destination\n1201.90,US,50,CN\n1201.90,US,1,XX\n")
    words = ["impact", "in.csv", "--exports", "out.csv", "--lines", "lines.csv", "--both", "--local"]
    assert run([*words, "--response", "none"]) == 1
    for side, value, reason in (("imports", 100, "HTS_CODE_UNKNOWN"), ("exports", 50, "DESTINATION_UNKNOWN")):
        assert pl.read_csv(f"lines-{side}.csv")["customs_value"].to_list() == [value]
        assert pl.read_csv(f"in-refused-{side}.csv")["reason"].to_list() == [reason]
