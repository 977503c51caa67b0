"""Limits on quantities on every way in: Python, wire, command line."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, Scenario
from tariffs.client.cli.__main__ import run

DAY, BASELINE = "2026-11-20", "2025-01-01"
TOYS = pl.DataFrame(
    {"hts": ["9503000073"] * 3, "origin": ["CN", "VN", "MX"], "customs_value": [4e6, 2e6, 1e6]}
)
HALF = (
    "schema: tariffs.scenario/v1\nid: half\ntitle: Half of China's toys\nbasis: hypothesis\nchanges:\n"
    "  - {op: shock_quantity, origins: [CN], products: ['9503'], from: 2026-02-01, share: 50%}\n"
)
COLUMNS = {"quota_premium", "rent_importer", "rent_exporter", "rent_government"}


def test_impact_and_timeline_have_premium_and_rents_over_the_wire(server: str) -> None:
    half = Scenario.from_text(HALF)
    with Client(server) as client:
        found = client.impact(TOYS, ["base", half], on=DAY, baseline=BASELINE, horizon="long")
        plain = client.impact(TOYS, on=DAY, baseline=BASELINE, horizon="long")
        series = client.timeline(TOYS, [half], start=DAY, end=DAY, baseline=BASELINE, horizon="long")
    assert set(found.total.columns) - set(plain.total.columns) == COLUMNS
    free, held = (found.total.filter(scenario=name) for name in ("base", "half"))
    assert (free["rent_importer"].item(), free["quota_premium"].item()) == (0.0, None)
    assert held["quota_premium"].item() == pytest.approx(0.225, abs=5e-3)
    assert series.totals["rent_importer"].item() == pytest.approx(held["rent_importer"].item(), rel=1e-9)


def test_the_command_line_prints_premium_and_rents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, scenario = tmp_path / "toys.csv", tmp_path / "half.yaml"
    TOYS.write_csv(table)
    scenario.write_text(HALF)
    words = ["impact", str(table), "-s", str(scenario), "--on", DAY, "--baseline", BASELINE, "--local"]
    assert run([*words, "--horizon", "long"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Limits on quantities: premium +22" in printed
    assert run([*words, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["scenarios"][0]["total"]
    assert total["rent_importer"] > 0.0
