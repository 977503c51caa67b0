"""Compare values that cases expect, which are read as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Place = tuple[str | int, ...]
"""Place of a value in what a case expects: names of mappings and numbers of lists."""


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """Value that came otherwise than a case expects.

    Attributes:
        text: what was expected and what came, as one sentence.
        place: place of the value in what the case expects; None if no value that came could stand there.
        came: what came, as a case would expect it; None if nothing came in its place.
    """

    text: str
    place: Place | None = None
    came: Any = None


def difference(
    name: str, place: Place, expected: object, came: Decimal | None, tolerance: Decimal
) -> Iterator[CaseDifference]:
    """Say that an amount is no number, or further off than the tolerance."""
    try:
        is_right = came is not None and abs(Decimal(str(expected)) - came) <= tolerance
    except InvalidOperation:
        is_right = False
    if not is_right:
        told = "nothing" if came is None else str(came)
        yield CaseDifference(
            f"{name}: expected {expected}, came {told}", place, None if came is None else told
        )


def names_of(given: Any) -> list[str]:
    """List names that are given as a list, sorted, or as text between commas."""
    return (
        sorted(given)
        if isinstance(given, list) and given != [""]
        else [one for one in str(given).split(",") if one and one != "[]"]
    )
