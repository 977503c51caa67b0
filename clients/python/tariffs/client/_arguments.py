"""Check the Python values that a caller gives, and return plain data or raise InvalidRequest.

Types are checked here because Protobuf answers a wrong one with errors of its own.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from tariffs.client.errors import InvalidRequest

_T = TypeVar("_T")
_DECIMALS = 10
_PARAMETER_DECIMALS = 18
# Written 20260701; a limit because Python writes no number of thousands of digits.
_LARGEST_DAY = 10**15
_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxother = 200
# Beyond this many digits a number stays in scientific notation, which the service refuses.
_DIGITS = 40
_MONEY_REASONS = {
    "customs_value": "CUSTOMS_VALUE_INVALID",
    "quantity": "QUANTITY_INVALID",
    "ordinary_rate": "PARAMETER_INVALID",
    "interest_rate": "PARAMETER_INVALID",
}


def text(value: object, name: str) -> str:
    """Check that a value is text that can be sent, else raise REQUEST_INVALID; None is empty text."""
    if value is None:
        return ""
    if isinstance(value, str) and (value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)):
        return value
    raise refusal(name, value, "Give text.")


def names(value: object, name: str) -> list[str]:
    """List the names given, text being one; anything but text or a collection of texts is REQUEST_INVALID."""
    return [text(one, name) for one in several(value, name)]


def several(value: object, name: str) -> list[object]:
    """List the members of a collection, text and paths being one; any other value is REQUEST_INVALID."""
    if isinstance(value, str | Path):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return list(value)
    raise refusal(name, value, "Give a list.")


def mapping(value: object, name: str) -> dict[str, object]:
    """Copy a mapping of names to values, None being empty; another type or kind of key is REQUEST_INVALID."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {text(key, name): one for key, one in value.items()}
    raise refusal(name, value, 'Give a mapping of names to values, such as {"name": "value"}.')


def texts_by_name(value: object, name: str) -> dict[str, str]:
    """Copy a mapping from names to texts; raises the errors of `mapping`."""
    return {key: text(one, f"{name}.{key}") for key, one in mapping(value, name).items()}


def parameters(value: object) -> dict[str, str]:
    """Write the values of parameters of scenarios as text, by name: 0.2 is the rate of 20 %, True is on.

    A float is taken as it prints, to the 18 decimals that a scenario can hold.

    Raises:
        InvalidRequest: PARAMETER_INVALID for no mapping, or a value that is no text, number, day, True or False.
    """
    if value is not None and not isinstance(value, Mapping):
        raise refusal(
            "parameters", value, 'Give names with values, such as {"cn": "20%"}.', "PARAMETER_INVALID"
        )
    return {key: _parameter(one, f"parameters.{key}") for key, one in mapping(value, "parameters").items()}


def _parameter(value: object, name: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | date):
        return day(value, name)
    if isinstance(value, Real | Decimal) and (number := _number(value, _PARAMETER_DECIMALS)).is_finite():
        return _decimal_text(number)
    raise refusal(
        name, value, "Give text such as 20%, a fraction, a day, True or False.", "PARAMETER_INVALID"
    )


def money(value: object, name: str) -> str:
    """Write an amount as decimal text without exponent; text stays as given, for the service to read.

    A float is taken as it prints, less what is beyond the ten decimals of the wire: 0.1 + 0.2 is 0.3.

    Raises:
        InvalidRequest: the reason of the field, if the value is no number.
    """
    reason = "CLAIM_INVALID" if name.startswith("claims.") else _MONEY_REASONS.get(name, "CHARGE_INVALID")
    if value is None:
        return ""
    if isinstance(value, str):
        return text(value, name).strip()
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise refusal(name, value, "Give a number or text.", reason)
    return _decimal_text(_number(value, _DECIMALS))


def day(value: object, name: str) -> str:
    """Write a day or instant as text, for the service to judge; None is empty text, the law's as-of day.

    Raises:
        InvalidRequest: ENTRY_DATE_INVALID if the value is no text, day or number such as 20260701.
    """
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str):
        return text(value, name).strip()
    number: Any = value
    if isinstance(value, Real) and not isinstance(number, bool) and abs(number) < _LARGEST_DAY:
        return str(number)
    raise refusal(name, value, "Give a date, or text such as 2026-07-01.", "ENTRY_DATE_INVALID")


def whole(value: object, name: str, limit: int) -> int:
    """Check that a value is a whole number from 0 to below the limit, else raise PARAMETER_INVALID."""
    number: Any = value
    if isinstance(value, Real) and 0 <= number < limit and number == int(number):
        return int(number)
    raise refusal(name, value, f"Give a whole number from 0 to {limit - 1:,}.", "PARAMETER_INVALID")


def number(value: object, name: str) -> float:
    """Check that a value is a finite number, else raise PARAMETER_INVALID."""
    one: Any = value
    if isinstance(value, Real | Decimal) and not isinstance(one, bool) and math.isfinite(one):
        return float(one)
    raise refusal(name, value, "Give a number.", "PARAMETER_INVALID")


def seconds(timeout: object, default: float) -> float:
    """Check that a timeout is a number above 0, else raise PARAMETER_INVALID; None is the default."""
    if timeout is None:
        return default
    given = number(timeout, "timeout")
    if given > 0:
        return given
    raise refusal("timeout", timeout, "Give seconds above 0, or None for the default.", "PARAMETER_INVALID")


def flag(value: object, name: str) -> bool:
    """Check that a value is True or False, of Python or NumPy, or 1 or 0, else raise PARAMETER_INVALID."""
    if isinstance(value, Hashable):  # arrays and series are not, and compare member by member
        for one in (True, False):
            if value == one:
                return one
    raise refusal(name, value, "Give True or False.", "PARAMETER_INVALID")


def one_of(choices: Mapping[str, _T], value: object, name: str, reason: str) -> _T:
    """Look up the protobuf value of a choice; raises InvalidRequest with the reason for any other."""
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise refusal(name, value, f"Give one of {', '.join(choice for choice in choices if choice)}.", reason)


def refusal(name: str, value: object, fix: str, reason: str = "REQUEST_INVALID") -> InvalidRequest:
    """Make the error of an argument that cannot be used."""
    try:
        shown = _SHOWN.repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        shown = "a number of too many digits"
    return InvalidRequest(reason, f"{name} is {shown}.", field=name, fix=fix)


def _number(value: Real | Decimal, decimals: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, Integral):
        return Decimal(int(value))
    number = Decimal(repr(float(value)))
    if not number.is_finite():
        return number
    # A large float has no decimals beyond these, and rounding it takes more digits than the context has.
    return (round(number, decimals) if abs(number) < 10**_DECIMALS else number).normalize()


def _decimal_text(number: Decimal) -> str:
    if not number.is_finite():
        return str(number).lower()
    return format(number, "f") if abs(number.adjusted()) < _DIGITS else format(number, ".6e")
