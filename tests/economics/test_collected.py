"""Assessed beside collected rates: a sound table, the rates of the law, and reasons for large differences."""

from __future__ import annotations

import csv
import json

import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.validation import collected
from tariffs.engine.validation.collected import CollectedComparison, CollectedRate, compare_collected
from tariffs.importers.collected import census_rows, treasury_rows


@pytest.fixture(scope="module")
def compared() -> CollectedComparison:
    return compare_collected()


def test_the_table_has_every_month_and_published_rates() -> None:
    with collected.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    census = [row for row in rows if row["source"] == "census"]
    assert len({row["origin"] for row in census}) == 31
    assert {row["month"] for row in census} == {f"2025-{month:02d}" for month in range(1, 12)}
    assert {row["month"] for row in rows} >= {"2025-12", "2026-03"}
    treasury = {row["month"]: float(row["rate"]) for row in rows if row["source"] == "treasury"}
    # Monthly Treasury Statement, March 2026: receipts of 22.2 billion dollars, 7.34 percent of imports.
    assert treasury["2026-03"] == pytest.approx(0.0734, abs=5e-5)


@pytest.mark.slow
def test_every_difference_is_small_or_has_a_reason(compared: CollectedComparison) -> None:
    assert all(row.within or row.reason for row in compared.rows)
    assert all(price.within or price.reason for price in compared.prices)
    # In a quiet month the law gives what was collected.
    quiet = [row for row in compared.rows if (row.month, row.source) == ("2025-01", "census")]
    assert all(abs(row.difference) < 0.01 for row in quiet if row.origin not in {"ID", "RU"})


@pytest.mark.slow
def test_ours_is_the_rate_of_the_law(compared: CollectedComparison) -> None:
    point, options = Point(library()["base"], "2025-01-15"), Options(response="none", known_on="entry")
    expected = impact(None, [point], law=load_law(), options=options).scenarios[0].groups
    found = next(row for row in compared.rows if (row.month, row.origin) == ("2025-01", "CN"))
    assert found.ours == pytest.approx(
        expected.filter(pl.col("origin") == "CN")["effective_rate"].item(), rel=1e-9
    )


@pytest.mark.slow
def test_prices_of_the_present_method_are_near(compared: CollectedComparison) -> None:
    near = [price for price in compared.prices if price.on >= "2025-10-17"]
    assert len(near) >= 5
    assert all(price.within for price in near)


def test_the_command_fails_where_a_difference_has_no_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    near = CollectedRate("2025-01", "", "census", 0.02, 0.025, 0.02, "")
    far = CollectedRate("2025-05", "CN", "census", 0.5, 0.7, 0.02, "goods on the water")
    for rows, code in (
        ((near, far), 0),
        ((near, CollectedRate("2025-05", "CN", "census", 0.5, 0.7, 0.02, "")), 1),
    ):
        fake = CollectedComparison(rows, (), {})
        monkeypatch.setattr(collected, "compare_collected", lambda progress, fake=fake: fake)
        assert run(["validate", "collected", "--json"]) == code
        assert [row["within"] for row in json.loads(capsys.readouterr().out)["rows"]] == [True, False]
    assert run(["validate", "collected"]) == 1
    assert "not explained" in capsys.readouterr().out


def test_the_importer_reads_months_with_a_rate() -> None:
    rows = [
        {"CTY_NAME": "ALL COUNTRIES", "month": "2025-01", "realised_rate_2024_weights": "0.025"},
        {"CTY_NAME": "KOREA, SOUTH", "month": "2025-02", "realised_rate_2024_weights": "0.1234567"},
        {"CTY_NAME": "JAPAN", "month": "2024-12", "realised_rate_2024_weights": "0.1"},
        {"CTY_NAME": "JAPAN", "month": "2025-12", "realised_rate_2024_weights": ""},
    ]
    assert list(census_rows(rows, {"JAPAN": "JP"})) == [
        ("2025-01", "", "census", "0.02500"),
        ("2025-02", "KR", "census", "0.12346"),
    ]
    receipts = [{"date": "2025-03-01", "rate_pct": "2.5"}, {"date": "2024-03-01", "rate_pct": "2.0"}]
    assert list(treasury_rows(receipts)) == [("2025-03", "", "treasury", "0.02500")]
