"""Codes and ordinary rates of goods in their country of destination, as callers give them."""

from __future__ import annotations

from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.markets import SHARED_DIGITS
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.schedule.lines import load_schedule

TOO_COARSE = "Give the code of the Harmonized System, 6 digits or more."


def given_rate(given: object) -> Decimal:
    """Parse the ordinary rate that a caller gives: `3%`, 0.03.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    return user_rate(given, "ordinary_rate")


def is_shared_code(code: str) -> bool:
    """Test whether a code begins with a subheading of the Harmonized System, or is a heading of it."""
    return load_schedule().knows(code[:SHARED_DIGITS])


def nearest_shared(code: str) -> list[str]:
    """Subheadings most similar to one that does not exist."""
    return list(dict.fromkeys(one[:SHARED_DIGITS] for one in load_schedule().nearest(code)))


def no_rate(hts: str, text: str = "") -> InputError:
    """Build the error for goods whose ordinary rate the law data lacks, or has as a text that is no percentage."""
    if not text:
        message = f"The law data has no ordinary rate for {hts} in the importing country."
    else:
        message = (
            f"The ordinary rate of {hts} in the importing country is no percentage of the value: {text}."
        )
    return InputError(
        "RATE_NOT_COMPUTABLE",
        message,
        field="ordinary_rate",
        fix="Give the ordinary rate, such as 3% or 0.03.",
        metadata={"rate": text} if text else None,
    )
