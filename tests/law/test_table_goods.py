"""Table lines of goods that the law names by kind or by claim: what is charged, and what is named as not known."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tariffs.engine.impact import Options, Point, impact
from tariffs.engine.law import load_law
from tariffs.engine.scenario import library


def table(hts: str, origin: str, day: str, **claims: float) -> Any:
    """The static answer for a table of one line of 1,000,000 USD."""
    line = {"hts": hts, "origin": origin, "customs_value": 1e6, **claims}
    options = Options(response="none", by=())
    return impact(pl.DataFrame([line]), [Point(library()["base"], day)], law=load_law(), options=options)


def duty(hts: str, origin: str, day: str, **claims: float) -> float:
    return float(table(hts, origin, day, **claims).scenarios[0].total["duty"])


# Rates of note 43(c) and, for aircraft outside general note 6, the forced-labor duty of 12.5 percent.
@pytest.mark.parametrize(
    ("hts", "day", "rate"),
    [
        ("8806240000", "2026-09-02", 0.125),
        ("8806240000", "2026-09-03", 1.125),
        ("8806220000", "2026-09-03", 0.375),
        ("8504409580", "2026-09-03", 0.125),
    ],
)
def test_tables_charge_drones_by_code_and_no_part(hts: str, day: str, rate: float) -> None:
    assert duty(hts, "VN", day, civil_aircraft_share=0) == pytest.approx(rate * 1e6)
