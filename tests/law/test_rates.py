"""Effective rates of the reference table by date: near the rates of a right implementation, and sums of their parts."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.scenario import library
from tests.law.test_lists import values

# Percent of the customs value of 2024 imports, static, with every switch and share as the law sets it.
EXPECTED = {
    "2025-01-15": (2.65, 2.65),
    "2025-02-15": (4.0, 4.0),
    "2025-03-20": (6.7, 6.7),
    "2025-04-07": (12.3, 12.3),
    "2025-05-20": (12.7, 12.7),
    "2025-06-15": (13.2, 13.7),
    "2025-08-20": (15.5, 16.0),
    "2025-10-20": (15.6, 16.0),
    "2025-11-20": (13.8, 14.2),
    "2026-02-10": (13.5, 13.9),
    "2026-03-15": (9.9, 10.4),
    "2026-04-20": (10.8, 11.1),
    "2026-08-15": (11.0, 11.3),
    "2026-11-20": (11.7, 12.0),
}
WITHIN = 0.4


@pytest.fixture(scope="module")
def rated() -> Impact:
    """The reference table at every date, by authority."""
    points = [Point(library()["base"], day) for day in EXPECTED]
    return impact(None, points, law=load_law(), options=Options(response="none", by=("authority",)))


@pytest.mark.parametrize("day", EXPECTED)
def test_effective_rate(rated: Impact, day: str) -> None:
    (found,) = (one for one in rated.scenarios if one.on == day)
    low, high = EXPECTED[day]
    assert found.total["effective_rate"] is not None
    assert low - WITHIN <= 100 * found.total["effective_rate"] <= high + WITHIN
    assert found.groups["rate"].sum() == pytest.approx(found.total["effective_rate"], rel=1e-9)
    for name in ("duty", "duty_owed"):
        assert found.groups[name].sum() == pytest.approx(found.total[name], rel=1e-9)
    assert found.groups.filter(pl.col("authority").str.starts_with("ieepa"))["duty_owed"].sum() == 0


def test_nothing_of_the_table_is_refused(rated: Impact) -> None:
    assert rated.refused.is_empty()
    for found in rated.scenarios:
        assert found.total["customs_value"] == pytest.approx(sum(value for _, value in values()))
