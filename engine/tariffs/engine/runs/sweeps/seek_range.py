"""Ranges of values that a goal seek looks through: numbers, days, on and off, each in equal steps.

A value is found by its step, a whole number from 0 to `steps`, so that a search never meets rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from tariffs.engine.runs.sweeps.sweep_points import (
    SWITCHED,
    NumberForm,
    float_of,
    invalid_value,
    read_day,
    read_value,
)

CELLS = 200
"""ValueCells of the first grid; a number is then refined within a cell of FINEST steps."""
FINEST = 10**10
ON_OFF = "on_off"
_EXAMPLE = "Give two numbers of one form, such as 0% and 60%, two days, or off and on."


class SeekRange(Protocol):
    """Values of a parameter from the lowest to the highest."""

    @property
    def steps(self) -> int:
        """Step of the highest value."""

    def text(self, step: int) -> str:
        """Write the value of a step as a scenario has it."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one form; every value is an exact decimal."""

    low: Decimal
    high: Decimal
    form: NumberForm
    steps: int = CELLS * FINEST

    def text(self, step: int) -> str:
        """Write the value of a step."""
        return self.form.text(self.low + (self.high - self.low) * step / self.steps)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from the first on."""

    first: date
    steps: int

    def text(self, step: int) -> str:
        """Write the day of a step."""
        return (self.first + timedelta(days=step)).isoformat()


@dataclass(frozen=True, slots=True)
class SwitchRange:
    """Two values, such as off and on."""

    values: tuple[str, str]
    steps: int = 1

    def text(self, step: int) -> str:
        """Name the value of a step."""
        return self.values[step]


def seek_range(name: str, low: str, high: str, kind: str = "") -> SeekRange:
    """Read the range of a parameter from its ends.

    Args:
        name: name of the parameter.
        low: lowest value.
        high: highest value.
        kind: kind of the parameter; `on_off` takes 0 and 1 as two values.

    Raises:
        InputError: PARAMETER_INVALID if the ends are not of one kind, or not in rising order.
    """
    days = read_day(low), read_day(high)
    if days[0] and days[1]:
        return DayRange(days[0], _rising(name, (days[1] - days[0]).days))
    ends = float_of(low), float_of(high)
    if kind == ON_OFF or {low.lower(), high.lower()} <= SWITCHED.keys():
        if set(ends) == {0.0, 1.0}:
            return SwitchRange((low, high) if ends == (0.0, 1.0) else (high, low))
    elif (first := read_value(low)) and (last := read_value(high)) and first[1] == last[1]:
        _rising(name, 1 if last[0] > first[0] else 0)
        return NumberRange(first[0], last[0], first[1])
    raise invalid_value(name, f"{low!r} to {high!r} is not a range", _EXAMPLE)


def first_steps(values: SeekRange) -> list[int]:
    """List the steps of the first grid: CELLS + 1 at equal distances, or all if there are fewer."""
    cells = min(CELLS, values.steps)
    return [values.steps * cell // cells for cell in range(cells + 1)]


def _rising(name: str, steps: int) -> int:
    if steps < 1:
        raise invalid_value(name, "the range does not rise", _EXAMPLE)
    return steps
