"""Place the bars of amounts from one zero, for pages; titles and numbers stay text beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """Bar of an amount, in percent of the longest.

    Attributes:
        label: what it is of.
        shown: the amount in words.
        left: where it begins, from 0 to 100.
        width: its length.
        colour: number of its colour, from 0.
    """

    label: str
    shown: str
    left: float
    width: float
    colour: int = 0


def bars(rows: Iterable[tuple[str, float, str]]) -> list[Bar]:
    """Draw amounts from one zero, negative ones to its left."""
    found = list(rows)
    low, high = min((0.0, *(value for _, value, _ in found))), max((0.0, *(value for _, value, _ in found)))
    scale = 100 / ((high - low) or 1.0)
    return [
        Bar(label, shown, (min(value, 0.0) - low) * scale, abs(value) * scale)
        for label, value, shown in found
    ]
