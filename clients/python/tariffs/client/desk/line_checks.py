"""Check the fields that describe an entry line, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from tariffs.client.desk.names import code_in, country_in
from tariffs.client.desk.question import Question, is_day, missing, raise_all
from tariffs.client.errors import Violation

_NEEDED = {
    "hts": "Give the product code, such as 9503.00.0073.",
    "origin": "Give the country of origin, such as CN.",
    "value": "Give the customs value in US dollars, such as 10000.",
    "unit_cost": "Give the price of a unit in US dollars, such as 10.",
}


def check_line(question: Question, *needed: str) -> None:
    """Check the fields of a line.

    Raises:
        InvalidRequest: some are missing or cannot be read, each a violation of its field.
    """
    faults = missing(question, {name: _NEEDED[name] for name in needed})
    for name, (is_right, words) in _CHECKS.items():
        text = question.get(name)
        if text and not is_right(text):
            faults.append(Violation(name, f"{text[:40]} {words}"))
    raise_all(faults)


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.replace(",", "")).is_finite()
    except InvalidOperation:
        return False


_NUMBER = (_is_number, "is not a number; write 12500.00.")
_CHECKS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "hts": (
        lambda text: len(code_in(text)) > 3,
        "is no product code. Give 4, 6, 8 or 10 digits, with or without dots.",
    ),
    "origin": (country_in, "is no country; write its two letters, such as CN, or its name."),
    "today": (country_in, "is no country; write its two letters, such as CN, or its name."),
    "on": (is_day, "is not a day; write it as 2026-11-24."),
    **dict.fromkeys(("value", "quantity", "unit_cost", "units"), _NUMBER),
}
