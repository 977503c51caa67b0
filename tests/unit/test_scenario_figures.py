"""Compare stored results of scenarios with figures computed by hand from the trade table."""

from __future__ import annotations

import json
from functools import cache

import polars as pl
import pytest

from tariffs.engine.schedule.reference_data import reference_table
from tests.unit.scenario_results import path_of

BEFORE, AFTER = "2025-12-01", "2027-01-11"


@cache
def imports(*origins: str) -> float:
    """Customs value of 2024 from these origins, in US dollars."""
    return float(reference_table().filter(pl.col("origin").is_in(origins))["customs_value"].sum())


def duty(name: str, day: str) -> float:
    found = json.loads(path_of(name).read_text(encoding="utf-8"))
    return float(found["totals"][day]["duty"])


def change(name: str, day: str) -> float:
    return duty(name, day) - duty("base", day)


def test_the_fentanyl_duty_on_china_is_a_tenth_of_all_goods_of_china_and_hong_kong() -> None:
    # EO 14357: 10 % on every article from 2025-11-10; the table declares no donation and no informational material.
    assert change("fentanyl-zero", BEFORE) == pytest.approx(-0.10 * imports("CN", "HK"), rel=1e-9)


def test_a_duty_of_100_percent_on_an_origin_is_its_imports() -> None:
    assert change("rare-earths-cut-answered", AFTER) == pytest.approx(imports("CN"), rel=1e-9)
    assert change("russian-oil-buyers", AFTER) == pytest.approx(imports("CN", "IN", "TR"), rel=1e-9)


def test_a_rate_change_is_linear_in_the_rate() -> None:
    # From 12.5 to 20 percent is 7.5 points up on the same goods on which 12.5 points are taken off.
    raised = change("forced-labor-20-on-china", AFTER)
    assert raised == pytest.approx(-change("forced-labor-zero-on-china", AFTER) * 7.5 / 12.5, rel=1e-9)
    assert raised > 0


def test_even_odds_are_the_mean_of_both_outcomes() -> None:
    kept, lapsed = duty("truce-extended", AFTER), duty("truce-lapses", AFTER)
    assert duty("truce-even-odds", AFTER) == pytest.approx((kept + lapsed) / 2, rel=1e-12)
    assert kept < lapsed
