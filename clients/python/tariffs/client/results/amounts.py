"""Write amounts of a table in one unit, and rates in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """A unit for amounts of one table: `dollars` of one unit, `decimals` shown, and its `name` for the title."""

    dollars: float
    decimals: int
    name: str

    def cell(self, value: object) -> str:
        """Write an amount in this unit; a dash where there is none."""
        if not isinstance(value, int | float | Decimal):
            return NONE
        return f"{float(value) / self.dollars:,.{self.decimals}f}"


DOLLARS = MoneyUnit(1.0, 2, "USD")
_LARGE_UNITS = (MoneyUnit(1e9, 2, "billion USD"), MoneyUnit(1e6, 2, "million USD"))
_UNITS_OF_LARGEST = 100
_SHORT_UNITS = (MoneyUnit(1e9, 2, "USD bn"), MoneyUnit(1e6, 2, "USD m"))
_WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
NONE, PERCENT = "-", 0.01


def unit_for(values: Sequence[object]) -> MoneyUnit:
    """Choose the unit in which the largest amount has three digits before the point, or dollars."""
    sizes = (abs(float(value)) for value in values if isinstance(value, int | float | Decimal))
    largest = max(sizes, default=0.0)
    return next((unit for unit in _LARGE_UNITS if largest >= _UNITS_OF_LARGEST * unit.dollars), DOLLARS)


def short_unit(values: Sequence[object]) -> MoneyUnit:
    """Choose the unit in which the largest amount is at least 1: billions, millions, or dollars."""
    largest = max((abs(float(value)) for value in values if isinstance(value, int | float)), default=0.0)
    return next((unit for unit in _SHORT_UNITS if largest >= unit.dollars), MoneyUnit(1.0, 0, "USD"))


def three(value: object, unit: float) -> str:
    """Write a number in a unit with three significant digits, at most two of them decimals; a dash where none is."""
    if not isinstance(value, int | float):
        return NONE
    size = float(f"{value / unit:.3g}")
    decimals = max(0, min(2, 2 - math.floor(math.log10(abs(size))))) if size else 0
    return f"{size:,.{decimals}f}".replace("-0.00", "0.00")


def in_words(dollars: float) -> str:
    """Write an amount with three significant digits and its unit, such as `USD 2.31 trillion`."""
    size, name = next(((size, name) for size, name in _WORDS if abs(dollars) >= size), (1.0, ""))
    return f"USD {three(dollars, size)} {name}".rstrip()


def percent(value: object) -> str:
    """Write a fraction in percent with two decimals, without the sign; a dash where there is none."""
    return f"{float(value) * 100:,.2f}" if isinstance(value, int | float | Decimal) else NONE


def usd(amount: Decimal | None) -> str:
    """Write an amount to the cent; empty for none."""
    return "" if amount is None else f"{amount:,.2f}"
