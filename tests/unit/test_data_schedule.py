"""The embedded schedule and its equivalents for tables."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tariffs.engine.schedule import reference_data
from tariffs.engine.schedule.lines import load_schedule

EARLY, LATE = date(2025, 3, 1), date(2026, 11, 24)
ALL_CODES = reference_data.code_values()["hts"]


def rate_of(code: str, day: date = EARLY) -> dict[str, object]:
    return load_schedule().rates(pl.Series([code]), day).row(0, named=True)


def test_codes_have_the_lines_of_the_vintage_of_the_day() -> None:
    schedule = load_schedule()
    days = (date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 31))
    lines = [line for day in days if (line := schedule.find("9503000073", day))]
    assert [line.vintage for line in lines] == ["2025-basic"] * 2 + ["2026-rev-10"] * 2
    line = lines[0]
    assert (line.hts8, line.general.kind, line.other.text) == ("95030000", "free", "70%")
    assert not line.suffix_note


def test_a_suffix_of_another_vintage_takes_the_rate_of_its_line() -> None:
    schedule = load_schedule()
    lost, parent = next(
        (code, parent)
        for code in ALL_CODES
        if code not in schedule.children(code[:8], EARLY) and (parent := schedule.find(code[:8], EARLY))
    )
    line = schedule.find(lost, EARLY)
    assert line is not None
    assert line.suffix_note
    assert line.general == parent.general


def test_unknown_codes_have_none_and_the_nearest_share_the_longest_beginning() -> None:
    schedule = load_schedule()
    for code in ("9999999999", "95030001", "9503", "950300", "not a code"):
        assert schedule.find(code, EARLY) is None
    for code, nearest in (("9503000074", ["9503000073"]), ("95030001", ["95030000"]), ("not a code", [])):
        assert schedule.nearest(code, 1) == nearest


def test_every_traded_code_has_a_line_and_the_same_general_rate_on_every_day_of_coverage() -> None:
    found = [load_schedule().rates(ALL_CODES, day) for day in (EARLY, LATE)]
    for rates in found:
        assert rates["code"].to_list() == ALL_CODES.to_list()
        assert rates["vintage"].null_count() == 0
        for column in ("ave", "col2_ave"):
            assert rates[column].null_count() == 0
            assert rates[column].min() >= 0.0  # type: ignore[operator]
    assert found[0]["ave"].to_list() == pytest.approx(found[1]["ave"].to_list(), abs=1e-15)


def test_equivalents_cover_the_specific_rates() -> None:
    rates = load_schedule().rates(ALL_CODES, EARLY)
    counts = dict(rates["ave_note"].value_counts().iter_rows())
    # Nobody paid duty in 2024 on 213 of these codes: the heading's mean serves 91, the ad valorem part 122.
    assert (counts["AVE_HTS6_MEAN"], counts["AVE_UNKNOWN"]) == (91, 122)
    assert counts["RATE_OF_2024"] == 1


def test_exact_rates_are_exact_and_specific_ones_the_duty_paid_or_in_column_2_that_on_the_unit_value() -> (
    None
):
    assert rate_of("8703230140") | {"ave": 0.025, "ave_note": ""} == rate_of("8703230140")
    crude = rate_of("2709002010")
    assert crude["ave_note"] == "AVE_2024"
    assert 0.0005 < float(str(crude["ave"])) < 0.003
    usd, unit = str(crude["other_text"]).split("¢")
    assert unit == "/bbl"
    assert crude["col2_ave"] == pytest.approx(float(usd) / 100 / float(str(crude["unit_value"])))


def test_special_rates_take_the_lowest_program() -> None:
    schedule = load_schedule()
    line = schedule.special("6109100012", ["KR"], EARLY)
    assert line is not None
    assert (line[0].kind, line[1]) == ("free", "KR")
    assert schedule.special("6109100012", [], EARLY) is None
    assert schedule.special("6109100012", ["D"], EARLY) is None


def test_special_rates_of_tables_agree_with_those_of_lines() -> None:
    schedule = load_schedule()
    sample = ALL_CODES.gather_every(97)
    table = schedule.special_rates(sample, ["KR", "JP"], EARLY)
    lowest = dict(table.group_by("code").agg(pl.col("special_ave").min()).iter_rows())
    assert len(lowest) > len(sample) / 4
    for code in sample:
        found = schedule.special(code, ["KR", "JP"], EARLY)
        assert (found is not None) == (code in lowest)
        if found is not None and not found[0].specific:
            assert lowest[code] == pytest.approx(float(found[0].ad_valorem))
