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


def test_vintages_by_day() -> None:
    schedule = load_schedule()
    days = (date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 31))
    lines = [schedule.find("9503000073", day) for day in days]
    assert [line.vintage for line in lines if line] == ["2025-basic"] * 2 + ["2026-rev-10"] * 2


def test_a_known_code_has_rates() -> None:
    line = load_schedule().find("9503000073", EARLY)
    assert line is not None
    assert (line.hts8, line.general.kind, line.other.text) == ("95030000", "free", "70%")
    assert not line.suffix_note


def test_a_suffix_of_another_vintage_takes_the_rate_of_its_line() -> None:
    schedule = load_schedule()
    lost = next(
        c for c in ALL_CODES if c not in schedule.children(c[:8], EARLY) and schedule.find(c[:8], EARLY)
    )
    line = schedule.find(lost, EARLY)
    assert line is not None
    assert line.suffix_note
    assert line.general == schedule.find(lost[:8], EARLY).general  # type: ignore[union-attr]


@pytest.mark.parametrize("code", ["9999999999", "95030001", "9503", "950300", "not a code"])
def test_unknown_codes(code: str) -> None:
    assert load_schedule().find(code, EARLY) is None


def test_nearest_codes_share_the_longest_beginning() -> None:
    schedule = load_schedule()
    assert schedule.nearest("9503000074", 1) == ["9503000073"]
    assert schedule.nearest("95030001", 1) == ["95030000"]
    assert schedule.nearest("not a code") == []


def test_every_traded_code_has_a_line_on_every_day_of_coverage() -> None:
    for day in (EARLY, LATE):
        rates = load_schedule().rates(ALL_CODES, day)
        assert rates["code"].to_list() == ALL_CODES.to_list()
        assert rates["vintage"].null_count() == 0
        for column in ("ave", "col2_ave"):
            assert rates[column].null_count() == 0
            assert rates[column].min() >= 0.0  # type: ignore[operator]


def test_no_general_rate_changed_between_the_vintages() -> None:
    early, late = (load_schedule().rates(ALL_CODES, day)["ave"] for day in (EARLY, LATE))
    assert early.to_list() == pytest.approx(late.to_list(), abs=1e-15)


def test_equivalents_cover_the_specific_rates() -> None:
    rates = load_schedule().rates(ALL_CODES, EARLY)
    counts = dict(rates["ave_note"].value_counts().iter_rows())
    # Nobody paid duty in 2024 on 213 of these codes: the heading's mean serves 91, the ad valorem part 122.
    assert (counts["AVE_HTS6_MEAN"], counts["AVE_UNKNOWN"]) == (91, 122)
    assert counts["RATE_OF_2024"] == 1


def test_exact_rates_are_exact_and_specific_ones_are_the_duty_paid() -> None:
    assert rate_of("8703230140") | {"ave": 0.025, "ave_note": ""} == rate_of("8703230140")
    crude = rate_of("2709002010")
    assert crude["ave_note"] == "AVE_2024"
    assert 0.0005 < float(str(crude["ave"])) < 0.003


def test_column_2_adds_the_specific_part_over_the_unit_value() -> None:
    found = rate_of("2709002010")
    assert found["other_text"] == "10.5¢/bbl" or str(found["other_text"]).endswith("/bbl")
    usd = float(str(found["other_text"]).split("¢")[0]) / 100
    assert found["col2_ave"] == pytest.approx(usd / float(str(found["unit_value"])))


def test_special_rates_take_the_lowest_program() -> None:
    schedule = load_schedule()
    special = schedule.special("9401614031", ["KR", "S"], EARLY)
    assert special is None or special[0].computable
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
