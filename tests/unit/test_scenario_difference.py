"""Differences of two scenarios in words: for which goods, from which rate to which, and when."""

from __future__ import annotations

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.scenario import apply_scenario, difference
from tests.unit.scenario_tables import written

FOREVER = "2027-01-01"


def told(*changes: str) -> list[tuple[str, str, str, str, str]]:
    """Goods, rate before and after, first and last day of what a scenario changes of the forced-labor duty."""
    law = load_law()
    found = difference(law, apply_scenario(law, written(*changes)))
    return [
        (one.goods, one.first, one.second, f"{one.start:%Y-%m-%d}", f"{one.end:%Y-%m-%d}" if one.end else "")
        for one in found
        if one.id == "fl301" and one.start
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "{op: set_rate, measures: {id: fl301, origins: [CN], products: ['9503', '8471.30']}, from: 2027-01-01,"
            " rate: 20%}",
            ("CN of 8471.30, 9503", "12.5%", "20%", FOREVER, ""),
        ),
        (
            "{op: set_rate, measures: {id: fl301, origins: [EU], products: ['2204']}, from: 2027-01-01, rate: 5%}",
            ("EU of 2204", "up to 10%", "up to 5%", FOREVER, ""),
        ),
        (
            "{op: set_rate, measures: {id: fl301, origins: [IN]}, from: 2027-01-01, rate: 20%}",
            ("IN", "10%", "20%", FOREVER, ""),
        ),
        (
            "{op: exempt, measures: {id: fl301, origins: [VN], products: ['61']}, from: 2027-01-01, until: 2027-06-01}",
            ("VN of 61", "12.5%", "exempt", FOREVER, "2027-06-01"),
        ),
        (
            "{op: terminate, measures: {id: fl301, origins: [CN], products: ['9503']}, at: 2027-01-01}",
            ("CN of 9503", "12.5%", "not in force", FOREVER, ""),
        ),
        (
            "{op: suspend, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, until: 2027-03-01,"
            " on_end: snap_back}",
            ("CN", "12.5%", "suspended", FOREVER, "2027-03-01"),
        ),
        (
            "{op: suspend, measures: {id: fl301, origins: [CN]}, from: 2027-01-01, kept: 5%, on_end: none_scheduled}",
            ("CN", "12.5%", "5%", FOREVER, ""),
        ),
    ],
)  # fmt: skip
def test_a_change_of_part_of_the_goods_says_which_and_from_which_rate_to_which(
    change: str, expected: tuple[str, ...]
) -> None:
    assert told(change) == [expected]


def test_changes_of_several_parts_are_a_row_each() -> None:
    toys = "{op: set_rate, measures: {id: fl301, origins: [CN], products: ['9503']}, from: 2027-01-01, rate: 20%}"
    shirts = (
        "{op: set_rate, measures: {id: fl301, origins: [VN], products: ['61']}, from: 2027-02-01, rate: 30%}"
    )
    assert told(toys, shirts) == [
        ("CN of 9503", "12.5%", "20%", "2027-01-01", ""),
        ("VN of 61", "12.5%", "30%", "2027-02-01", ""),
    ]


def test_a_change_of_all_goods_names_none() -> None:
    ((goods, _, second, *_),) = told("{op: terminate, measures: {id: fl301}, at: 2027-01-01}")
    assert (goods, second) == ("", "not in force")


def test_two_windows_with_the_same_words_are_two_rows() -> None:
    window = "{{op: suspend, measures: {{id: fl301}}, from: {}, until: {}, on_end: snap_back}}"
    found = told(window.format("2027-01-05", "2027-01-20"), window.format("2027-02-05", "2027-02-20"))
    assert [(second, start, end) for _, _, second, start, end in found] == [
        ("suspended", "2027-01-05", "2027-01-20"),
        ("suspended", "2027-02-05", "2027-02-20"),
    ]


def test_a_change_of_the_base_names_both_bases() -> None:
    law = load_law()
    change = "{op: set_rate, measures: {id: s232_III}, from: 2027-01-01, by: x1, base: {steel: 1}}"
    (found,) = [one for one in difference(law, apply_scenario(law, written(change))) if one.id == "s232_III"]
    assert "on the customs value" in found.first
    assert "on the steel content" in found.second
    assert "some goods" not in found.first
