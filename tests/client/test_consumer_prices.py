"""Consumer prices beside an impact: the day's published effect, in Python, JSON and text."""

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

SHIRTS = pl.DataFrame({"hts": ["6109100012"], "origin": ["CN"], "customs_value": [4e8]})
BASELINE = "2025-01-01"


def whole(client: Client, **options: Any) -> float:
    found = client.impact(None, response="none", **options).consumer_prices
    assert found is not None
    return float(found.filter(pl.col("line").is_null())["change"].item())


def test_the_effect_of_november_2025_is_the_published_one(server: str) -> None:
    with Client(server) as client:
        yale = whole(client, on="2025-11-17", consumer_prices="yale")
        dollar = whole(client, on="2025-11-17", consumer_prices="dollar")
        percent = whole(client, on="2025-11-17", consumer_prices="percent")
    # Budget Lab at Yale, State of tariffs, 2025-11-17: 1.23 percent before substitution.
    assert 100.0 * yale == pytest.approx(1.23, abs=0.1)
    assert yale == pytest.approx(1.326 * dollar, rel=1e-12)
    assert percent > dollar
    with Client(server) as client:
        latest = whole(client, on="2025-11-17", consumer_prices="dollar_2024")
    assert 0.7 * dollar < latest < dollar


def test_a_part_of_trade_adds_its_part_and_lines_add_up() -> None:
    with Client.local() as client:
        options: Any = {"on": "2025-05-20", "baseline": BASELINE, "consumer_prices": "dollar"}
        one = client.impact(SHIRTS, **options).consumer_prices
        two = client.impact(SHIRTS.with_columns(pl.col("customs_value") * 2), **options).consumer_prices
    assert one is not None
    assert two is not None
    assert two["change"].to_list() == pytest.approx([2.0 * change for change in one["change"]], rel=1e-12)
    lines = one.filter(pl.col("line").is_not_null())
    mean = lines.select((pl.col("change") * pl.col("spending")).sum() / pl.col("spending").sum()).item()
    assert one.filter(pl.col("line").is_null())["change"].item() == pytest.approx(mean, rel=1e-12)


def test_the_command_line_prints_it_and_json_has_every_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shirts.csv"
    SHIRTS.write_csv(path)
    words = ["impact", str(path), "--on", "2025-05-20", "--baseline", BASELINE, "--local"]
    assert run([*words, "--consumer-prices", "dollar"]) == 0
    assert "Consumer prices, before any response" in " ".join(capsys.readouterr().out.split())
    assert run([*words, "--consumer-prices", "dollar", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = found["scenarios"][0]["consumer_prices"]
    assert (len(rows), rows[0]["line"]) == (213, None)
    assert found["provenance"]["details"]["consumer_prices"]["margins"] == "dollar"
    assert run([*words, "--consumer-prices", "all"]) == 2
    assert run([*words, "--json"]) == 0
    assert "consumer_prices" not in json.loads(capsys.readouterr().out)["scenarios"][0]


def test_a_baseline_is_needed_and_a_call_without_is_recorded_as_before() -> None:
    assert "consumer_prices" not in recorded_options("impact", RunSpec())
    with Client.local() as client, pytest.raises(InvalidRequest):
        client.impact(SHIRTS, on="2025-05-20", response="none", consumer_prices="dollar")


def test_deciles_come_over_the_wire_in_json_text_and_the_report(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, report = tmp_path / "shirts.csv", tmp_path / "report.html"
    SHIRTS.write_csv(path)
    words = ["impact", str(path), "--on", "2025-05-20", "--baseline", BASELINE, "--target", server]
    words += ["--consumer-prices", "dollar", "--by", "origin,decile"]
    assert run([*words, "--report", str(report)]) == 0
    assert "cost to a household, USD of 2023 a year" in " ".join(capsys.readouterr().out.split())
    assert "What households pay" in report.read_text(encoding="utf-8")
    assert run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (block,) = found["scenarios"]
    assert [row["origin"] for row in block["groups"]] == ["CN"]
    rows = block["households"]
    assert (len(rows), rows[0]["decile"], rows[0]["category"], rows[21]["decile"]) == (231, None, None, 1)
    assert found["provenance"]["details"]["households"]["ranked_by"] == "income before tax of consumer units"
    assert run([*words[:-4], "--by", "decile"]) == 2
    assert "Give an impact --consumer-prices" in capsys.readouterr().err
