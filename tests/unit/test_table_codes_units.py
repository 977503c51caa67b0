"""HTS codes and units as people write them; codes of fewer than 10 digits, rated if their codes agree."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.schedule.codes import parse_code
from tariffs.engine.schedule.lines import load_schedule
from tariffs.engine.schedule.units import convert, find_unit, units


@pytest.mark.parametrize(
    "text", ["9503000073", "9503.00.0073", "9503.00.00.73", "9503 00 0073", "\t9503000073\n", "95.03.000073"]
)
def test_separators_are_dropped_without_a_note(text: str) -> None:
    assert parse_code(text) == ("9503000073", "")


@pytest.mark.parametrize("text", ["101210010", "101.21.0010", "101.21.00.10"])
def test_a_lost_zero_is_put_back_only_if_the_schedule_has_the_code(text: str) -> None:
    code, note = parse_code(text, {"0101210010"}.__contains__)
    assert code == "0101210010"
    assert "leading zero" in note
    for known in (None, frozenset[str]().__contains__):
        with pytest.raises(InputError, match="not an HTS code"):
            parse_code(text, known)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Coffee (0901.21.00) as a number with a fraction; read by its digits it would be microscopes (9012.10.00).
        ("9012100.0", "09012100"),
        ("9012100.00", "09012100"),
        ("8471300100.0", "8471300100"),
        ("84713001.0", "84713001"),
        ("8471.0", "8471"),
        ("901.0", "0901"),
    ],
)
def test_the_fraction_of_a_number_is_no_part_of_a_code(text: str, code: str) -> None:
    read, note = parse_code(text, load_schedule().knows)
    assert read == code
    assert "fraction" in note


@pytest.mark.parametrize(
    "text",
    ["", "95", "950", "95030000731", "9503.00.007x", "-9503", "\uff19\uff15\uff10\uff13", "9012.10.002", "8471.3",
     "8.4713001e9", "90.121.00", "901210.5", "84713.0"],
)  # fmt: skip
def test_what_is_no_code_is_malformed(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_code(text, load_schedule().knows)
    assert caught.value.reason == "HTS_CODE_MALFORMED"
    assert caught.value.field == "hts"
    assert caught.value.fix


def may_mean(text: str) -> set[str]:
    """Every code that a text may mean: its digits in groups of two after a heading, or those of a number."""
    schedule, plain = load_schedule(), text.strip()
    found = set()
    number = plain.split(".")[0] if set("".join(plain.split(".")[1:])) <= {"0"} else ""
    for digits in {"".join(c for c in plain if c in "0123456789"), number}:
        for code in (digits, "0" + digits):
            if len(code) in (4, 6, 8, 10) and schedule.accepts(code):
                found.add(code)
    return found


def mistyped(rng: random.Random, codes: list[str]) -> str:
    """A code of the schedule as a spreadsheet or a person may have left it."""
    code = rng.choice(codes)[: rng.choice((4, 6, 8, 10, 10))]
    text = rng.choice((code, code, f"{code[:4]}.{code[4:6]}.{code[6:]}", f"{code[:4]} {code[4:]}")).rstrip(
        ". "
    )
    text = rng.choice((text, text, text.lstrip("0"), f"{int(code)}.0", f"{int(code)}", f"{float(code):.2f}"))
    if rng.random() < 0.2:
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice("0123456789. x") + text[place + rng.randrange(2) :]
    return text


def test_no_text_is_read_as_another_product(scale: int) -> None:
    rng, schedule = random.Random(3), load_schedule()
    codes = schedule.children("0") + schedule.children("8471") + schedule.children("9")
    read = 0
    for text in (mistyped(rng, codes) for _ in range(500 * scale)):
        with suppress(InputError):
            code, note = parse_code(text, schedule.accepts)
            read += 1
            digits = "".join(c for c in text if c in "0123456789")
            assert not schedule.accepts(code) or code in may_mean(text), text
            # A number with a fraction is never read by all its digits: the code would be that of other goods.
            assert bool(note) == (code != digits), text
            if re.fullmatch(r"[0-9]{5,}\.0", text):
                assert code.lstrip("0") == text[:-2].lstrip("0"), text
    assert read > 200


@pytest.mark.parametrize(
    ("quantity", "unit", "to", "result"),
    [
        ("2", "t", "kg", "2000"),
        ("1", "kg", "kg", "1"),
        ("3", "doz.", "no", "36"),
        ("50", "kW", "W", "50000"),
        ("1", "Barrel", "L", "158.987294928"),
    ],
)
def test_quantities_convert(quantity: str, unit: str, to: str, result: str) -> None:
    converted = convert(Decimal(quantity), unit, to)
    assert converted is not None
    assert converted == Decimal(result)


def test_units_of_different_things_do_not_convert_and_case_never_decides_in_silence() -> None:
    assert convert(Decimal(1), "kg", "L") is None
    assert convert(Decimal(1), "kg-Cu", "kg") is None
    assert all(find_unit(name) == unit for name, unit in units().items())
    assert find_unit("KiloGrams") == find_unit("kg")


@pytest.mark.parametrize("quantity", [None, "10"])
def test_an_unknown_unit_of_a_line_without_specific_duty_is_refused(quantity: str | None) -> None:
    """Toys pay no duty per unit, so the unit decides nothing; it is refused all the same."""
    line = EntryLine("9503000073", "CN", "10000", quantity=quantity, unit="parsec")
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), line)
    assert (caught.value.reason, caught.value.field) == ("UNIT_UNKNOWN", "unit")
    assert "kg" in caught.value.fix
    known = quote_line(load_law(), line._replace(unit="kg"))
    assert known.assessed == quote_line(load_law(), line._replace(unit="", quantity=None)).assessed


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
    seen = set()
    for _ in range(25 * scale):
        hts = rng.choice(codes)[: rng.choice((4, 6, 8))]
        line = EntryLine(
            hts, rng.choice(("CN", "CA", "DE", "VN", "BR")), 10_000, DAY, quantity=500, unit="kg"
        )
        found = {outcome(line._replace(hts=child)) for child in schedule.children(hts, ON)}
        agree = len(found) == 1
        assert outcome(line) == (found.pop() if agree else "CODE_TOO_COARSE"), hts
        seen.add(agree)
    assert seen == {True, False}


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
    goods = {"hts": ["6201.20", "8471.30", "9012100.0"], "origin": ["DE", "CN", "BR"]}
    facts = {"customs_value": "10000", "entry_date": DAY, "quantity": "100", "unit": "kg"}
    frame = pl.DataFrame(goods).with_columns(**{name: pl.lit(fact) for name, fact in facts.items()})
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
def test_codes_whose_amounts_agree_by_rounding_alone_do_not_agree(value: Any) -> None:
    # 6201.20: five rates of the schedule, from free to 49.7 cents per kg and 19.7 percent.
    with pytest.raises(InputError) as caught:
        quote_line(load_law(), EntryLine("6201.20", "DE", value, DAY, quantity=0, unit="kg"))
    assert caught.value.reason == "CODE_TOO_COARSE"
    told = caught.value.message.partition(" headings. ")[2].split("; ")
    count = int(caught.value.metadata["outcomes"])
    assert len(told) == count == len({one.partition(": ")[0] for one in told})


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
