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

    def three(self, value: object) -> str:
        """Write an amount with three significant digits, dollars to the cent; a dash where there is none."""
        if not isinstance(value, int | float | Decimal):
            return "-"
        return self.cell(value) if self.dollars == 1.0 else three_digits(float(value) / self.dollars)


DOLLARS = MoneyUnit(1.0, 2, "USD")
_LARGE_UNITS = (MoneyUnit(1e9, 2, "billion USD"), MoneyUnit(1e6, 2, "million USD"))
_UNITS_OF_LARGEST = 100
_SHORT_UNITS = (MoneyUnit(1e9, 2, "USD bn"), MoneyUnit(1e6, 2, "USD m"))
NONE, PERCENT = "-", 0.01


def unit_for(values: Sequence[object]) -> MoneyUnit:
    """Choose the unit in which the largest amount has three digits before the point, or dollars."""
    sizes = (abs(float(value)) for value in values if isinstance(value, int | float | Decimal))
    largest = max(sizes, default=0.0)
    return next((unit for unit in _LARGE_UNITS if largest >= _UNITS_OF_LARGEST * unit.dollars), DOLLARS)


_WORDS = (
    MoneyUnit(1e12, 2, "USD trillion"),
    MoneyUnit(1e9, 2, "USD billion"),
    MoneyUnit(1e6, 2, "USD million"),
    MoneyUnit(1.0, 2, "USD"),
)


def unit_in_words(values: Sequence[object], largest_unit: float = 1e9) -> MoneyUnit:
    """Choose the unit of a text or table by its largest amount: billions, millions or dollars."""
    sizes = (abs(float(value)) for value in values if isinstance(value, int | float | Decimal))
    largest = max(sizes, default=0.0)
    return next((unit for unit in _WORDS if unit.dollars <= min(largest, largest_unit)), _WORDS[-1])


def three_digits(value: float) -> str:
    """Write a number with three significant digits, and whole numbers above 100 in full."""
    size = abs(value)
    return f"{value:,.{0 if size >= 99.95 else 1 if size >= 9.995 else 2}f}"


def in_words(dollars: float) -> str:
    """Write an amount with three significant digits and its unit, such as `USD 2.31 trillion`."""
    unit = unit_in_words([dollars], 1e12)
    currency, _, name = unit.name.partition(" ")
    return f"{currency} {three_digits(dollars / unit.dollars)} {name}".rstrip()


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


def percent(value: object) -> str:
    """Write a fraction in percent with two decimals, without the sign; a dash where there is none."""
    return f"{float(value) * 100:,.2f}" if isinstance(value, int | float | Decimal) else NONE
