"""Codes of fewer than 10 digits on single lines: rated if their codes agree, else told with their amounts."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.lines import load_schedule

DAY = "2025-12-01"
ON = date(2025, 12, 1)


def outcome(line: EntryLine) -> tuple[object, ...] | str:
    """The amounts of a line and its headings of chapter 99, or why it cannot be rated."""
    try:
        quote = quote_line(load_law(), line)
    except InputError as error:
        return error.reason
    layers = sorted((x.measure, x.heading if x.heading[:2] == "99" else "", x.state) for x in quote.layers)
    return quote.assessed, quote.owed, quote.min, quote.max, *layers


def test_a_coarse_code_is_rated_exactly_if_all_its_codes_agree(scale: int) -> None:
    rng, schedule = random.Random(11), load_schedule()
    codes = [code for code in schedule.children("") if code < "98"]
    agreeing = coarse = 0
    for _ in range(25 * scale):
        hts = rng.choice(codes)[: rng.choice((4, 6, 8))]
        origin = rng.choice(("CN", "CA", "DE", "VN", "BR"))
        found = {
            outcome(EntryLine(child, origin, 10_000, DAY, quantity=500, unit="kg"))
            for child in schedule.children(hts, ON)
        }
        if len(found) == 1:
            agreeing += 1
            assert outcome(EntryLine(hts, origin, 10_000, DAY, quantity=500, unit="kg")) == found.pop(), hts
        else:
            coarse += 1
            assert (
                outcome(EntryLine(hts, origin, 10_000, DAY, quantity=500, unit="kg")) == "CODE_TOO_COARSE"
            ), hts
    assert agreeing
    assert coarse


def test_codes_that_differ_are_told_with_their_amounts() -> None:
    # Jackets of wool, 6201.20: five rates of the schedule.
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("6201.20", "DE", 10_000, DAY, quantity=100, unit="kg"))
    error = caught.value
    assert (error.reason, error.field) == ("CODE_TOO_COARSE", "hts")
    for child in load_schedule().children("620120", ON):
        quote = quote_line(load_law(), EntryLine(child, "DE", 10_000, DAY, quantity=100, unit="kg"))
        assert f"{child[:4]}.{child[4:6]}.{child[6:]}" in error.message
        assert f"{quote.assessed:,.2f} USD" in error.message
    with pytest.raises(InputError) as caught:  # a heading of hundreds of codes is told shortly
        quote_line(load_law(), EntryLine("8708", "CN", 10_000, DAY))
    assert len(caught.value.message) < 4_000
    # A value of zero is rated where the codes agree at every value.
    free = quote_line(load_law(), EntryLine("0901.21.00", "BR", 0, DAY))
    assert free.assessed == 0
    assert "COARSE_CODE" in {note.reason for note in free.notes}


def test_one_line_and_files_of_lines_have_one_policy() -> None:
    frame = pl.DataFrame(
        {
            "hts": ["6201.20", "8471.30", "9012100.0"],
            "origin": ["DE", "CN", "BR"],
            "customs_value": ["10000"] * 3,
            "entry_date": [DAY] * 3,
            "quantity": ["100"] * 3,
            "unit": ["kg"] * 3,
        }
    )
    with Client.local() as client:
        result = client.duties(frame)
        exact = client.duty("8471.30.0100", "CN", DAY, 10_000)
        with pytest.raises(InvalidRequest) as caught:
            client.duty("6201.20", "DE", DAY, 10_000, quantity=100, unit="kg")
        coffee = client.duty("0901.21.00", "BR", DAY, 10_000)
    assert caught.value.reason == "CODE_TOO_COARSE"
    assert result.refused.select("row", "column", "reason").rows() == [(0, "hts", "CODE_TOO_COARSE")]
    assert result.lines["assessed"].to_list() == [None, exact.assessed, coffee.assessed]
    assert "HTS_CODE_REPAIRED" in result.lines["notes"][2][0]


@pytest.mark.parametrize("value", [0, "0.4", 1, 10_000])
def test_codes_whose_amounts_agree_by_rounding_alone_do_not_agree(value: object) -> None:
    # 6201.20: five rates of the schedule, from free to 49.7 cents per kg and 19.7 percent.
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("6201.20", "DE", value, DAY, quantity=0, unit="kg"))  # type: ignore[arg-type]
    assert caught.value.reason == "CODE_TOO_COARSE"
    told = caught.value.message.partition(" headings. ")[2].split("; ")
    assert (
        len(told) == int(caught.value.metadata["outcomes"]) == len({one.partition(": ")[0] for one in told})
    )


def test_codes_with_the_same_duty_under_other_headings_do_not_agree() -> None:
    # Foil and wire of aluminum: 7614.10.10 is on list 2 of Section 301, 7614.10.50 on list 3, both at 25 percent.
    day = date(2026, 11, 24)
    children = load_schedule().children("761410", day)
    quotes = {child: quote_line(load_law(), EntryLine(child, "CN", 10_000, day)) for child in children}
    of_301 = {
        child: next(x.heading for x in quote.layers if x.authority.startswith("s301"))
        for child, quote in quotes.items()
    }
    assert set(of_301.values()) == {"9903.88.02", "9903.88.03"}
    assert len({quote.assessed for quote in quotes.values()}) == 1
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("7614.10", "CN", 10_000, day))
    assert caught.value.reason == "CODE_TOO_COARSE"
    for child, heading in of_301.items():
        told = next(one for one in caught.value.message.split("; ") if child[-4:] in one)
        assert heading in told
