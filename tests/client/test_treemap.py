"""Rectangles of a treemap have the area of their numbers, cover all and do not overlap; their labels can be read."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.client import Client, InvalidRequest
from tariffs.client.results.treemap import COLOURS, REST, WHITE_BEYOND, Tile, squarified, treemap
from tests.client.test_legal_report import contrast

SIZES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=60).map(lambda sizes: sorted(sizes, reverse=True))


def overlap(one: Tile, other: Tile) -> float:
    wide = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    high = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return max(wide, 0) * max(high, 0)


@given(SIZES)
def test_areas_are_the_numbers_and_fill_the_square(sizes: list[float]) -> None:
    tiles, total = squarified(sizes), sum(sizes)
    for size, tile in zip(sizes, tiles, strict=True):
        assert tile.width * tile.height == pytest.approx(size / total, rel=1e-6, abs=1e-12)
        assert min(tile.left, tile.top) >= -1e-9
        assert max(tile.left + tile.width, tile.top + tile.height) <= 1 + 1e-9
    assert sum(overlap(one, other) for one in tiles for other in tiles if one is not other) < 1e-9


def test_rectangles_are_nearer_to_squares_than_slices() -> None:
    sizes = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0]
    ratios = [max(tile.width / tile.height, tile.height / tile.width) for tile in squarified(sizes)]
    assert max(ratios) < 5 < sum(sizes) / min(sizes)


def test_nothing_has_no_rectangle() -> None:
    assert squarified([]) == []
    assert squarified([0.0]) == []


def blended(share: float) -> str:
    end = COLOURS[2] if share > 0 else COLOURS[0]
    parts = (
        round(
            int(COLOURS[1][place : place + 2], 16) * (1 - abs(share))
            + int(end[place : place + 2], 16) * abs(share)
        )
        for place in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize("percent", range(-100, 101, 2))
def test_labels_can_be_read_on_every_colour(percent: int) -> None:
    share = percent / 100
    white = share < WHITE_BEYOND[0] or share > WHITE_BEYOND[1]
    assert contrast(blended(share), "#ffffff" if white else "#000000") >= 4.4


def test_small_groups_are_summed_into_one() -> None:
    rows = pl.DataFrame(
        {
            "origin": [f"C{place}" for place in range(60)],
            "value_after": [float(100 - place) for place in range(60)],
            "customs_value": [100.0] * 60,
        }
    )
    data = treemap(rows, "origin").to_dict()
    (values,) = data["datasets"].values()
    assert len(values) == 41
    assert sum(one["value_after"] for one in values) == sum(rows["value_after"])
    assert {one["origin"] for one in values} >= {REST, "C0"}
    assert next(one["label"] for one in values if one["origin"] == "C5") == "C5\n-5.0%"


def test_the_chart_of_a_run_has_every_large_origin_and_draws_without_a_browser() -> None:
    client = Client.local()
    result = client.impact(scenarios=["base"], on="2026-11-20", by=["origin", "hts2"])
    chart = result.diversion_chart()
    (values,) = chart.to_dict()["datasets"].values()
    after = result.groups.group_by("origin").agg(pl.col("value_after").sum())
    for code in ("CN", "MX"):
        (one,) = [row for row in values if row["origin"] == code]
        assert one["value_after"] == pytest.approx(after.filter(origin=code)["value_after"][0], rel=1e-12)
    assert result.report().count("<svg") == 1
    static = client.impact(scenarios=["base"], on="2026-11-20", response="none")
    with pytest.raises(InvalidRequest, match="no trade after a response"):
        static.diversion_chart()
