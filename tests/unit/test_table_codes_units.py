"""HTS codes and units as people write them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tariffs.engine.assess import EntryLine, assess_line
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.trade.codes import parse_code
from tariffs.engine.trade.units import convert, find_unit, units


def test_a_plain_code_needs_no_note() -> None:
    assert parse_code("9503000073") == ("9503000073", "")


@pytest.mark.parametrize("text", ["9503.00.0073", "9503.00.00.73", "9503 00 0073", "\t9503000073\n"])
def test_separators_are_dropped_with_a_note(text: str) -> None:
    code, note = parse_code(text)
    assert code == "9503000073"
    assert note


def test_a_lost_zero_is_put_back_only_if_the_schedule_has_the_code() -> None:
    assert parse_code("101210010", {"0101210010"}.__contains__)[0] == "0101210010"
    for known in (None, frozenset[str]().__contains__):
        with pytest.raises(InputError, match="not an HTS code"):
            parse_code("101210010", known)


@pytest.mark.parametrize(
    "text", ["", "95", "950", "95030000731", "9503.00.007x", "-9503", "\uff19\uff15\uff10\uff13"]
)
def test_what_is_no_code_is_malformed(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_code(text)
    assert caught.value.reason == "HTS_CODE_MALFORMED"
    assert caught.value.field == "hts"


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


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(InputError) as caught:
        convert(Decimal(1), "parsec", "kg")
    assert caught.value.reason == "UNIT_UNKNOWN"


@pytest.mark.parametrize("quantity", [None, "10"])
def test_an_unknown_unit_of_a_line_without_specific_duty_is_refused(quantity: str | None) -> None:
    """Toys pay no duty per unit, so the unit decides nothing; it is refused all the same."""
    line = EntryLine("9503000073", "CN", "10000", quantity=quantity, unit="parsec")
    with pytest.raises(InputError) as caught:
        assess_line(load_law(), line)
    assert (caught.value.reason, caught.value.field) == ("UNIT_UNKNOWN", "unit")
    assert "kg" in caught.value.fix
    known = assess_line(load_law(), replace(line, unit="kg"))
    assert known.assessed == assess_line(load_law(), replace(line, unit="", quantity=None)).assessed


def test_no_alias_stands_for_two_units_and_case_never_decides_in_silence() -> None:
    for name, unit in units().items():
        assert find_unit(name) == unit
    assert find_unit("KiloGrams") == find_unit("kg")
