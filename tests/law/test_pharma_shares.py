"""Default share of drugs that are patented and of no firm with an agreement, by the firms that produce in an origin."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

DRUGS = pl.DataFrame({"hts": ["3004101010"] * 3, "origin": ["SG", "IE", "AR"], "customs_value": [100.0] * 3})


def pharma_duty(basis: str) -> dict[str, float]:
    """Duty on patented drugs by origin, on 100 dollars of each."""
    options = Options(
        baseline="2025-01-01", response="none", by=("origin", "authority"), switches={"pharma_basis": basis}
    )
    found = impact(DRUGS, [Point(library()["base"], "2026-11-20")], law=load_law(), options=options)
    rows = found.scenarios[0].groups.filter(pl.col("authority").str.contains("pharma"))
    return dict(zip(rows["origin"], rows["duty"], strict=True))


def test_drugs_of_singapore_are_of_firms_with_agreements_as_those_of_ireland() -> None:
    settled, uniform = pharma_duty("settled"), pharma_duty("uniform")
    # A total duty of 100 % on 4 % of the value; on 48 % where nothing is known of the firms. Goods of the European
    # Union bear at most 15 %.
    assert settled == pytest.approx({"SG": 4.0, "IE": 0.6, "AR": 48.0})
    assert uniform == pytest.approx({**settled, "SG": 48.0})
