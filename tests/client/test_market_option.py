"""The market of sectors on every way in: Python, wire, command line, replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest
from tariffs.run_spec.spec import RunSpec

DAY, BASELINE = "2025-12-01", "2025-01-01"
SHIRTS = pl.DataFrame(
    {"hts": ["6109100012", "6109100012"], "origin": ["CN", "VN"], "customs_value": [4e8, 6e8]}
)
DOMESTIC = {"domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus"}


def market_of(provenance: Any) -> str:
    return str(provenance["details"]["model"]["market"])


def test_impact_timeline_and_sweep_have_domestic_goods_on_request(server: str) -> None:
    with Client(server) as client:
        found = client.impact(SHIRTS, on=DAY, baseline=BASELINE, market="sector", by=["hts2"])
        plain = client.impact(SHIRTS, on=DAY, baseline=BASELINE, by=["hts2"])
        series = client.timeline(SHIRTS, start=DAY, end=DAY, baseline=BASELINE, market="sector")
        swept = client.sweep(
            SHIRTS,
            "rates-by-country",
            vary={"cn": ["20%"]},
            on="2027-01-11",
            baseline=BASELINE,
            market="sector",
        )
    assert found.total["domestic_price_hat"].item() > 1.0
    assert market_of(found.provenance) == "sector"
    assert set(found.groups.columns) - set(plain.groups.columns) == DOMESTIC
    assert series.totals["domestic_price_hat"].item() == pytest.approx(
        found.total["domestic_price_hat"].item(), rel=1e-12
    )
    assert swept.totals["domestic_quantity_hat"].item() > 1.0


def test_the_command_line_prints_domestic_goods(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shirts.csv"
    SHIRTS.write_csv(path)
    words = ["impact", str(path), "--on", DAY, "--baseline", BASELINE, "--local", "--market", "sector"]
    assert run(words) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "market sector" in printed
    assert "Domestic goods that compete" in printed
    assert run([*words, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["scenarios"][0]["total"]
    assert total["domestic_shipments"] > 0.0
    assert run([*words[:-1], "world"]) == 2


def test_a_call_without_a_market_is_recorded_as_before() -> None:
    assert "market" not in recorded_options("impact", RunSpec())
    assert recorded_options("impact", RunSpec(market="sector"))["market"] == "sector"
    with Client.local() as client, pytest.raises(InvalidRequest):
        client.impact(SHIRTS, on=DAY, baseline=BASELINE, market="sector", response="smart")
