"""What the totals of the WTO show of China's lines: one explanation, exact and the only one of its kind, or none."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.importers.cn_totals import Reading, Subheading, read_total, read_totals
from tariffs.importers.lists_cn import separated

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "other_direction"
ANSWER = {"a": 27.5, "b": 27.5, "c": 25.0, "d": 5.0, "e": 5.0}


def soybeans(total: float) -> Subheading:
    return Subheading(list("abcde"), [], dict.fromkeys("abcde", 3.0), ANSWER, total)


def test_the_total_of_soybeans_is_that_of_two_yellow_lines_excluded() -> None:
    """WTO, 2025-01-01: 10 percent, the mean of 3, 3, 28, 8 and 8."""
    assert read_total(soybeans(10.0)) == Reading(excluded=("a", "b"))


@pytest.mark.parametrize(
    "total",
    [
        21.0,  # all lines charged
        20.9,  # within the tolerance
        20.0,  # one of two lines at 5: which is not known
        13.37,  # nothing gives it
    ],
)
def test_a_total_that_agrees_or_has_several_explanations_shows_nothing(total: float) -> None:
    assert read_total(soybeans(total)) == Reading()


def test_lines_of_2018_are_gone_where_the_listed_ones_give_the_total() -> None:
    ordinary = {"a": 8.0, "b": 10.0, "old": 10.0}
    found = Subheading(["a", "b"], ["old"], ordinary, {"a": 20.0, "b": 10.0}, 24.0)
    assert read_total(found) == Reading(gone=["old"])
    assert read_total(found._replace(total=(28 + 20 + 10) / 3)) == Reading()


def test_the_highest_ordinary_rate_may_be_that_of_all_lines() -> None:
    found = Subheading(["a"], ["old"], {"a": 6.5, "old": 4.3}, {"a": 27.5}, 6.5 + 13.75)
    assert read_total(found) == Reading(ordinary=6.5)
    assert read_total(found._replace(total=6.0 + 13.75)) == Reading()


def test_a_subheading_on_no_list_shows_nothing() -> None:
    assert read_total(Subheading([], ["a"], {"a": 5.0}, {}, 9.0)) == Reading()


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the folder of public sources is not here")
def test_the_law_holds_what_the_totals_show() -> None:
    lines = separated(pl.read_parquet(SOURCE / "retaliation" / "china_lines_2025_03.parquet"))
    readings = read_totals(SOURCE, lines)
    law = load_law()
    standing = {*law.lists["CN_S301_STANDING"].codes}
    market = law.markets["CN"]
    assert readings["120190"].excluded == ("12019011", "12019019")
    for reading in readings.values():
        assert {*reading.excluded} <= standing
        assert not any(code in market.lines for code in reading.gone)
    estimated = [code for code, reading in readings.items() if reading.ordinary is not None]
    assert all(any(market.is_estimated(one) for one, _ in market.parts_of(code)) for code in estimated)
