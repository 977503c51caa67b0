"""Default answers over the embedded table move from day to day by what adjustment moves, except on days of acts."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law.loader import load_law
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table

BASE = library()["base"]
BASELINE = "2025-01-01"
OPTIONS = Options(baseline=BASELINE)
ONE_IN = 40
"""Products of which one is in the sample."""
A_DAY, A_DAY_OF_AN_ORIGIN, A_MONTH = 0.0005, 0.004, 0.01
"""Most that adjustment may move of the trade at the baseline: in total and of an origin in a day, in total in a row."""


@cache
def goods(scale: int) -> pl.DataFrame:
    """The embedded table, or all origins of a sample of its products."""
    table = reference_table()
    return table if scale > 1 else table.filter(pl.col("hts").rank("dense") % ONE_IN == 0)


@cache
def rows_of(scale: int) -> pl.DataFrame:
    """Rows of the default timeline of three years, with what each adds to the row before it."""
    totals = (
        timeline(goods(scale), [BASE], BASELINE, "2027-12-31", law=load_law(), options=OPTIONS)
        .scenarios[0]
        .totals
    )
    return totals.with_columns(
        quiet=pl.col("effective_rate") == pl.col("effective_rate").shift(1),
        moved=(pl.col("value_after") - pl.col("value_after").shift(1)).abs() / pl.col("customs_value"),
    )


def test_a_timeline_of_three_years_has_no_jump_on_a_day_without_an_act(scale: int) -> None:
    rows = rows_of(scale)
    quiet = rows.filter("quiet")
    assert rows["days"].to_numpy().max() == 30
    assert quiet.height >= 12
    assert quiet["moved"].to_numpy().max() < A_MONTH, quiet.sort("moved").tail(3)
    # Acts move more than a month of adjustment does.
    assert rows.filter(~pl.col("quiet"))["moved"].to_numpy().max() > 3 * A_MONTH


@pytest.mark.parametrize("named", [("2025-12-01", "2026-11-20"), ()])
def test_the_default_answer_moves_little_on_a_day_without_an_act(named: tuple[str, ...], scale: int) -> None:
    """Two days that are named, or the first days of all rows of the timeline with the day before and after."""
    firsts = named or rows_of(scale)["start"].cast(pl.String).to_list()[:: 2 if scale == 1 else 6]
    days = sorted(
        {date.fromisoformat(first) + timedelta(days=add) for first in firsts for add in (-1, 0, 1)}
        - {date.fromisoformat(BASELINE) - timedelta(days=1)}
    )
    points = [Point(BASE, day.isoformat()) for day in days]
    blocks = dict(
        zip(days, impact(goods(scale), points, law=load_law(), options=OPTIONS).scenarios, strict=True)
    )
    compared = 0
    for day, block in blocks.items():
        later = blocks.get(day + timedelta(days=1))
        if later is None:
            continue
        both = block.groups.join(later.groups, on="origin", suffix="_later")
        if (both["duty"] != both["duty_later"]).any():
            continue  # an act
        compared += 1
        moved = np.abs(both["value_after_later"].to_numpy() - both["value_after"].to_numpy())
        value = both["customs_value"].to_numpy()
        assert moved.sum() / value.sum() < A_DAY, day
        # Some origins of the whole table sell nothing.
        is_large = value > value.sum() / 1000
        assert (moved[is_large] / value[is_large]).max() < A_DAY_OF_AN_ORIGIN, day
    assert compared >= (4 if named else 30 // (2 if scale == 1 else 6))
