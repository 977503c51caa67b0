"""Exports over gRPC, in-process and on the command line: one answer to the bit."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, ImpactResult, InvalidRequest, TimelineResult, replay
from tariffs.client.cli.__main__ import run

SOYBEANS = pl.DataFrame(
    {
        "hts": ["1201.90", "1201.90", "8524.11"],
        "origin": ["US", "BR", "US"],
        "customs_value": ["14520000000", "41970000000", "5"],
        "quantity": ["24200000", "69950000", None],
        "unit": ["t", "t", None],
    }
)
SCENARIOS = ("base", "soybeans-promise-kept")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table as a file, in a folder that refused rows may be written to."""
    monkeypatch.chdir(tmp_path)
    SOYBEANS.write_csv("soybeans.csv")
    return Path("soybeans.csv")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit code and the JSON document on stdout."""
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_duty_is_the_same_everywhere(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(client: Client) -> dict[str, object]:
        return client.duty(
            "1201.90", "US", "2027-01-11", 10_000, freight=420, scenario="truce-lapses", direction="export"
        ).to_json_dict()

    with Client(server) as remote:
        there = ask(remote)
    here = ask(Client.local())
    assert there == here
    arguments = (
        "duty", "1201.90", "--origin", "US", "--date", "2027-01-11", "--value", "10000", "--freight", "420",
        "-s", "truce-lapses", "--direction", "export",
    )  # fmt: skip
    for way in (("--target", server), ("--local",)):
        code, told = document(capsys, *arguments, *way)
        assert (code, told) == (0, {"schema": "tariffs.duty/v1", **json.loads(json.dumps(here))})
    assert here["landed"] == {"cif": "10420.00", "duty": "3855.40", "vat": "1284.79", "total": "15560.19"}


def test_a_quote_of_exports_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("1201.90", "--origin", "US", "--date", "2027-01-11", "--value", "100", "--direction", "export")
    assert run(["duty", *line, "--why", "--local"]) == 0
    said = capsys.readouterr().out
    assert "landed is cif 100.00 + duty 37.00 + vat 12.33" in said
    assert "China, duty answering the reciprocal duty: 34% on the customs value." in said
    assert "headings" not in said


@pytest.mark.parametrize("given", ["3%", "0.03", 0.03])
def test_an_ordinary_rate_may_be_a_percentage(given: str | float) -> None:
    quote = Client.local().duty("8433.51", "US", "2026-11-24", 1000, direction="export", ordinary_rate=given)
    assert str(quote.assessed) == "430.00"


def asked(client: Client, table: object) -> ImpactResult:
    return client.impact(
        table,  # type: ignore[arg-type]
        SCENARIOS,
        on="2026-11-24",
        baseline="2025-01-01",
        by=["hts6", "origin"],
        direction="export",
        include_lines=True,
    )


def test_an_impact_is_bit_equal_on_all_three_ways(
    server: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(server) as remote:
        there = asked(remote, table)
    here = asked(Client.local(), table)
    assert there.groups.equals(here.groups)
    assert there.refused.equals(here.refused)
    assert there.provenance == here.provenance
    assert there.lines is not None
    assert here.lines is not None
    assert there.lines.equals(here.lines)
    arguments = [word for name in SCENARIOS for word in ("-s", name)]
    code, told = document(
        capsys, "impact", str(table), *arguments, "--on", "2026-11-24", "--baseline", "2025-01-01", "--by",
        "hts6,origin", "--direction", "export", "--lines", "lines.csv", "--target", server,
    )  # fmt: skip
    assert code == 1
    assert told["scenarios"] == json.loads(json.dumps(here.to_json_dict()))["scenarios"]
    assert told["refused"]["rows"][0]["reason"] == "RATE_NOT_COMPUTABLE"
    kept = here.scenario("soybeans-promise-kept").filter(origin="US")
    assert kept["quantity_hat"][0] * 24.2e6 == pytest.approx(25e6)


def test_a_timeline_is_bit_equal_on_all_three_ways(
    server: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(client: Client) -> TimelineResult:
        return client.timeline(
            table, start="2025-03-01", end="2025-06-30", response="none", direction="export"
        )

    with Client(server) as remote:
        there = ask(remote)
    here = ask(Client.local())
    assert there.segments.equals(here.segments)
    code, told = document(
        capsys, "timeline", str(table), "--start", "2025-03-01", "--end", "2025-06-30", "--response", "none",
        "--direction", "export", "--local",
    )  # fmt: skip
    assert code == 1
    assert told["scenarios"] == json.loads(json.dumps(here.to_json_dict()))["scenarios"]
    rates = here.segments.filter(origin="US")["effective_rate"].unique(maintain_order=True)
    assert rates.to_list() == pytest.approx([0.03, 0.13, 0.97, 1.38, 0.23])


def test_a_run_on_exports_can_be_replayed(table: Path) -> None:
    arguments = ["--on", "2026-11-24", "--baseline", "2025-01-01", "--direction", "export", "--local"]
    assert run(["impact", str(table), *arguments, "-o", "groups.parquet"]) == 1
    assert replay(Client.local(), Path("groups.parquet")).same


@pytest.mark.parametrize(
    "arguments",
    [
        ("duty", "1201.90", "--origin", "US", "--value", "1", "--direction", "port_call"),
        ("duty", "1201.90", "--origin", "US", "--value", "1", "--direction", "export", "--charge", "other=1"),
        ("duty", "--entries", "soybeans.csv", "--direction", "export"),
        ("impact", "--direction", "export", "--to", "ZZ"),
        ("impact", "--to", "CN"),
        ("impact", "soybeans.csv", "--direction", "export"),
        ("timeline", "--start", "2025-01-01", "--end", "2025-01-02", "--direction", "sideways"),
    ],
)
def test_wrong_usage_exits_2(
    arguments: tuple[str, ...], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = document(capsys, *arguments, "--local")
    assert (code, bool(told["error"]["fix"])) == (2, True)


def test_goods_without_an_ordinary_rate_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    line = ("8524.11", "--origin", "US", "--value", "1", "--direction", "export")
    code, told = document(capsys, "duty", *line, "--local")
    assert (code, told["error"]["reason"]) == (1, "RATE_NOT_COMPUTABLE")


def test_a_direction_is_checked_before_anything_is_sent() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Client("127.0.0.1:1").duty("1201.90", "US", value=1, direction="control")
    assert refused.value.field == "direction"


def test_the_worked_example_of_the_page_is_what_comes_out(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "docs")
    page = Path("exports.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\$ tariffs (.+)\n((?:.+\n|\n)+?)```", page, re.MULTILINE)
    assert [command.split()[0] for command, _ in examples] == ["duty", "duty", "impact"]
    for command, shown in examples:
        assert run([*shlex.split(command), "--local"]) == 0
        said = [line.strip() for line in capsys.readouterr().out.splitlines()]
        wanted = [line.rstrip() for line in shown.splitlines() if line != "..."]
        assert [line for line in wanted if line.strip() not in said] == []


def test_the_figures_of_the_worked_example_are_those_of_the_page(root: Path) -> None:
    found = Client.local().impact(
        root / "docs" / "soybeans.csv",
        on="2027-01-11",
        baseline="2025-01-01",
        direction="export",
        horizon="long",
    )
    hats = dict(found.groups.select("origin", "quantity_hat").iter_rows())
    assert hats["US"] == pytest.approx(0.45, abs=0.005)
    assert hats["BR"] == pytest.approx(1.075, abs=0.002)


def test_changes_of_duties_on_exports_are_listed_on_both_ways(
    server: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(client: Client) -> dict[str, object]:
        found = client.changes("2025-11-10", "2025-11-10", table, direction="export").to_json_dict()
        return {name: part for name, part in found.items() if name != "provenance"}

    with Client(server) as remote:
        there = ask(remote)
    assert there == ask(Client.local())
    days = ("--start", "2025-11-10", "--end", "2025-11-10")
    code, told = document(capsys, "law", "changes", *days, "--direction", "export", "--local")
    assert code == 0
    assert {name for one in told["changes"] for name in one["measures"]} == {
        "cn.ag_grain", "cn.ag_other", "cn.recip",
    }  # fmt: skip
