"""HTS codes and units as people write them."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from decimal import Decimal

import pytest

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


def test_units_of_different_things_do_not_convert() -> None:
    assert convert(Decimal(1), "kg", "L") is None
    assert convert(Decimal(1), "kg-Cu", "kg") is None


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


def test_no_alias_stands_for_two_units_and_case_never_decides_in_silence() -> None:
    for name, unit in units().items():
        assert find_unit(name) == unit
    assert find_unit("KiloGrams") == find_unit("kg")
