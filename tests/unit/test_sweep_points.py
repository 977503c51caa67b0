"""Points of a sweep: ranges in exact decimals and days, grids, and their columns."""

from __future__ import annotations

import itertools
from decimal import Decimal

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.runs.sweeps.sweep_points import (
    POINTS_AT_MOST,
    check_count,
    expand,
    grid,
    point_frame,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0%:1.5%:0.5%", ["0%", "0.5%", "1%", "1.5%"]),
        ("0%:1%:0.3%", ["0%", "0.3%", "0.6%", "0.9%"]),
        ("0:0.3:0.1", ["0", "0.1", "0.2", "0.3"]),
        ("-5pp:+5pp:5pp", ["-5pp", "+0pp", "+5pp"]),
        ("x0.5:x1.5:0.5", ["x0.5", "x1", "x1.5"]),
        ("7%:7%:1%", ["7%"]),
        ("2026-12-30:2027-01-02", ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]),
        ("2026-11-01:2026-11-20:7d", ["2026-11-01", "2026-11-08", "2026-11-15"]),
        ("2026-11-01:2026-11-20:7", ["2026-11-01", "2026-11-08", "2026-11-15"]),
        ("12.5%", ["12.5%"]),
        ("2026-02-24T00:00-05:00", ["2026-02-24T00:00-05:00"]),
        ("off", ["off"]),
    ],
)
def test_a_range_has_both_ends_and_exact_steps(text: str, values: list[str]) -> None:
    assert expand("cn", [text]) == values


def test_ranges_of_rates_have_no_rounding() -> None:
    values = expand("cn", ["0%:100%:0.1%"])
    assert len(values) == 1001
    assert all(Decimal(value.rstrip("%")) == Decimal(index) / 10 for index, value in enumerate(values))


@pytest.mark.parametrize(
    "texts",
    [
        ["0%:50%"], ["50%:0%:1%"], ["0%:50%:0%"], ["0%:50%:-1%"], ["0%:0.5:1%"], ["x1:2:x1"], ["0%:50%:0.01"],
        ["2026-01-01:5%"], ["2026-01-02:2026-01-01"], ["2026-01-01:2026-02-01:0"], ["2026-01-01:2026-02-01:1w"],
        ["0%:100%:0.00001%"], [], [""], ["5%", " "],
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_read_is_an_error(texts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        expand("cn", texts)
    assert caught.value.reason == "PARAMETER_INVALID"
    assert caught.value.fix


def test_a_grid_has_all_combinations_the_last_parameter_fastest() -> None:
    points = grid({"cn": ["0%:20%:10%"], "vn": ["5%", "x2"]})
    expected = itertools.product(["0%", "10%", "20%"], ["5%", "x2"])
    assert [(point["cn"], point["vn"]) for point in points] == list(expected)


def test_one_point_more_than_the_limit_is_refused() -> None:
    check_count(POINTS_AT_MOST)
    assert len(grid({"cn": ["0%:99.9%:0.1%"], "vn": ["0%:99%:1%"]})) == POINTS_AT_MOST
    for count in (0, POINTS_AT_MOST + 1):
        with pytest.raises(InputError) as caught:
            check_count(count)
        assert caught.value.reason == "PARAMETER_INVALID"
    with pytest.raises(InputError, match="101,000 points"):
        grid({"cn": ["0%:100.9%:0.1%"], "vn": ["0%:99%:1%", "5%"][:1]})


def test_numbers_and_switches_are_columns_of_floats_and_days_of_text() -> None:
    points = [
        {"rate": "12.5%", "step": "+10pp", "factor": "x0.5", "act": "on", "day": "2026-11-10"},
        {"rate": "0.25", "factor": "x2", "act": "no"},
    ]
    frame = point_frame(points, {"step": "-5pp", "day": "2027-01-01", "unused": "1%"})
    assert frame.equals(
        pl.DataFrame(
            {
                "rate": [0.125, 0.25],
                "step": [0.1, -0.05],
                "factor": [0.5, 2.0],
                "act": [1.0, 0.0],
                "day": ["2026-11-10", "2027-01-01"],
            }
        )
    )
