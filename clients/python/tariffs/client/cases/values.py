"""Compare values that cases expect, which are read as text."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any


def difference(name: str, expected: object, came: Decimal | None, tolerance: Decimal) -> Iterator[str]:
    """Say that an amount is no number, or further off than the tolerance."""
    try:
        is_right = came is not None and abs(Decimal(str(expected)) - came) <= tolerance
    except InvalidOperation:
        is_right = False
    if not is_right:
        yield f"{name}: expected {expected}, came {'nothing' if came is None else came}"


def names_of(given: Any) -> list[str]:
    """List names that are given as a list, sorted, or as text between commas."""
    return (
        sorted(given)
        if isinstance(given, list) and given != [""]
        else [one for one in str(given).split(",") if one and one != "[]"]
    )
