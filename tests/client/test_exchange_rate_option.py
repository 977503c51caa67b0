"""The offset of the exchange rate on every way in: Python, wire, command line, replay."""

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

DAY, BASELINE, OFFSET = "2025-12-01", "2025-01-01", 0.174
TABLE = pl.DataFrame(
    {"hts": ["6109100012", "6109100012"], "origin": ["CN", "VN"], "customs_value": [4e8, 6e8]}
)


def test_the_wire_and_the_command_line_take_it(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"on": DAY, "baseline": BASELINE, "fx_offset": OFFSET}
    with Client(server) as client:
        found = client.impact(TABLE, **options)
        series = client.timeline(TABLE, start=DAY, end=DAY, baseline=BASELINE, fx_offset=OFFSET)
    with Client.local() as client:
        here = client.impact(TABLE, **options)
        plain = client.impact(TABLE, on=DAY, baseline=BASELINE)
        swept = client.sweep(TABLE, "base", vary={"elasticity.eta": ["x1"]}, **options)
    assert here.total.equals(found.total)
    assert here.total["value_after"].item() != plain.total["value_after"].item()
    assert swept.totals["value_after"].item() == here.total["value_after"].item()
    assert series.totals["value_after"].item() == found.total["value_after"].item()
    path = tmp_path / "goods.csv"
    TABLE.write_csv(path)
    words = ["impact", str(path), "--on", DAY, "--baseline", BASELINE, "--local", "--fx-offset", "0.174"]
    assert run(words) == 0
    assert "fx offset 0.174" in " ".join(capsys.readouterr().out.split())
    assert run([*words, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["scenarios"][0]["total"]
    assert total["value_after"] == found.total["value_after"].item()


def test_a_call_without_an_offset_is_recorded_as_before() -> None:
    assert "fx_offset" not in recorded_options("impact", RunSpec())
    assert recorded_options("impact", RunSpec(fx_offset=OFFSET))["fx_offset"] == OFFSET
    with Client.local() as client, pytest.raises(InvalidRequest):
        client.impact(TABLE, on=DAY, baseline=BASELINE, fx_offset=17.4)
