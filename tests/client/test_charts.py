"""Charts say what is seen, in which unit, and draw any number of rows; they work on frames alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
import vl_convert

from tariffs.client.results import charts
from tariffs.client.results.palette import PALETTE
from tariffs.client.results.path_views import named_events

DAYS = [(date(2000, 1, 1) + timedelta(days=place)).isoformat() for place in range(7000)]


def titles(chart: Any) -> list[str]:
    return [chart.title.text, *chart.title.subtitle]


def test_fifteen_bars_and_the_others_have_names_and_numbers() -> None:
    codes = ["CN", "VN", *(f"X{place:02}" for place in range(20))]
    rows = pl.DataFrame(
        {"scenario": ["base"] * 22, "origin": codes, "duty": [2e9, 1.5e9, *([1e8] * 20)]},
    )
    chart = charts.bars(rows, "duty", "origin", "scenario")
    assert titles(chart) == ["Duty by country of origin, USD bn"]
    assert chart.data["label"].to_list()[:2] == ["China", "Vietnam"]
    assert chart.data["label"].to_list()[-1] == "others"
    assert chart.data["written"].to_list()[-1] == "0.70"
    assert chart.data.height == 16
    chart.to_dict()


def test_a_band_is_drawn_at_its_bar() -> None:
    rows = pl.DataFrame({"scenario": ["a"], "duty_after": [2e9], "low": [1e9], "high": [3e9]})
    drawn = charts.bars(rows, "duty_after").to_dict()
    assert str(drawn["layer"]).count("'type': 'rule'") == 1


@pytest.mark.parametrize("second", ["", "vn"])
def test_a_sweep_of_any_size_is_drawn_with_as_many_lines_as_there_are_colours(second: str) -> None:
    rows = pl.DataFrame(
        {"cn": [place / 20000 for place in range(20000)], "vn": [place % 40 / 40 for place in range(20000)]}
    ).with_columns(duty=pl.col("cn") * 2e9)
    titled = {"cn": "rate on China, percent", "vn": "rate on Vietnam, percent"}
    chart = charts.curves(rows, "duty", "cn", second, titled)
    drawn = chart.to_dict()
    assert titles(chart) == ["Duty by rate on China, USD bn"]
    data = max(drawn["datasets"].values(), key=len)
    assert len(data) <= 5000
    assert len({row["vn"] for row in data}) <= len(PALETTE) or not second
    assert max(row["cn"] for row in data) > 90


def test_a_timeline_of_any_length_is_drawn_with_its_named_events() -> None:
    rows = pl.DataFrame(
        {"scenario": "base", "start": DAYS, "end": DAYS, "duty": range(7000), "duty_owed": range(7000)},
    ).with_columns(pl.col("duty", "duty_owed").cast(pl.Float64))
    chart = charts.steps(rows, "duty", {DAYS[100]: "a law ends"})
    assert titles(chart) == ["Duty over the period, USD", "1  a law ends"]
    charts.steps(rows, "duty", {}).to_dict()


def test_a_picture_has_its_text_whatever_fonts_the_machine_has() -> None:
    rows = pl.DataFrame({"scenario": ["ieepa-upheld"], "duty": [1e9]})
    chart = charts.bars(rows, "duty")
    assert "ieepa-upheld" in set(map(str, chart.to_dict()["datasets"].popitem()[1][0].values()))
    sizes = [
        len(vl_convert.vegalite_to_png({**chart.to_dict(), "title": title}))
        for title in ("", "Duty of a year")
    ]
    assert sizes[0] < sizes[1]


def test_named_events_are_a_fortnight_apart_the_largest_first() -> None:
    days = [DAYS[place] for place in (0, 10, 12, 40)]
    rows = pl.DataFrame({"scenario": "base", "start": days, "duty": [1.0, 5.0, 9.5, 12.0]})
    assert list(named_events(rows, {DAYS[12]: ["a law begins"]})) == [DAYS[12], DAYS[40]]
    assert named_events(rows, {DAYS[12]: ["a law begins"]})[DAYS[12]] == f"{DAYS[12]}: a law begins"


def test_numbers_at_the_ends_of_lines_can_be_read() -> None:
    rows = pl.DataFrame({"cn": [0.0, 0.5] * 2, "vn": [0.1, 0.1, 0.2, 0.2], "duty": [1e9, 9e9, 1e9, 9.01e9]})
    ends = charts.curves(rows, "duty", "cn", "vn").layer[1].data
    low, high = ends["beside"].to_list()
    assert high - low > 0.3
    assert ends["written"].to_list() == ["9.00", "9.01"]
