"""Read rates that a user gives, as in scenarios, so that 7 is never taken for 700 percent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tariffs.engine.errors import InputError
from tariffs.engine.law.values import RATE_FORM, read_rate


def user_rate(given: object, name: str) -> Decimal:
    """Read a rate as a fraction, from `7%`, `0.07` or a number below 1.

    Args:
        given: text or a number.
        name: the field, for the error.

    Raises:
        InputError: PARAMETER_INVALID for a bare number of 1 or more, a rate out of bounds, or other text.
    """
    try:
        rate = read_rate(_text(given))
    except (ValueError, InvalidOperation):
        raise InputError(
            "PARAMETER_INVALID", f"{name} is {str(given)[:40]!r}.", field=name, fix=RATE_FORM
        ) from None
    if not 0 <= rate < 1:
        raise InputError(
            "PARAMETER_INVALID",
            f"{name} is {str(given)[:40]!r}.",
            field=name,
            fix="Give a rate of at least 0% and below 100%.",
        )
    return rate


def _text(given: object) -> str:
    """Format a number as a plain decimal: a float prints a small number with an exponent."""
    return str(given).strip() if isinstance(given, str) else format(Decimal(str(given)), "f")
