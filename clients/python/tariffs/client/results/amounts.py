"""Write amounts of a table in one unit, and rates in percent."""

from __future__ import annotations

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
            return "-"
        return f"{float(value) / self.dollars:,.{self.decimals}f}"


DOLLARS = MoneyUnit(1.0, 2, "USD")
_LARGE_UNITS = (MoneyUnit(1e9, 2, "billion USD"), MoneyUnit(1e6, 2, "million USD"))
_UNITS_OF_LARGEST = 100


def unit_for(values: Sequence[object]) -> MoneyUnit:
    """Choose the unit in which the largest amount has three digits before the point, or dollars."""
    sizes = (abs(float(value)) for value in values if isinstance(value, int | float | Decimal))
    largest = max(sizes, default=0.0)
    return next((unit for unit in _LARGE_UNITS if largest >= _UNITS_OF_LARGEST * unit.dollars), DOLLARS)


def percent(value: object) -> str:
    """Write a fraction in percent with two decimals, without the sign; a dash where there is none."""
    return f"{float(value) * 100:,.2f}" if isinstance(value, int | float | Decimal) else "-"
