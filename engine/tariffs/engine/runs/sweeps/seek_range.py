"""Ranges of values that a goal seek looks through: numbers, days, on and off, each in equal steps.

A value is found by its step, a whole number from 0 to `steps`, so that a search never meets rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tariffs.engine.runs.sweeps.sweep_points import SWITCHED, float_of, invalid_value, read_day, read_value

CELLS = 200
"""ValueCells of the first grid; a number is then refined within a cell of FINEST steps."""
FINEST = 10**10
_NUMBERS = CELLS * FINEST
ON_OFF = "on_off"
_EXAMPLE = "Give two numbers of one form, such as 0% and 60%, two days, or off and on."


@dataclass(frozen=True, slots=True)
class SeekRange:
    """Values of a parameter from the lowest to the highest.

    Attributes:
        steps: step of the highest value.
        text: writes the value of a step as a scenario has it; a number is an exact decimal.
    """

    steps: int
    text: Callable[[int], str]


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
        start = days[0]
        count = _rising(name, (days[1] - start).days)
        return SeekRange(count, lambda step: (start + timedelta(days=step)).isoformat())
    ends = float_of(low), float_of(high)
    if kind == ON_OFF or {low.lower(), high.lower()} <= SWITCHED.keys():
        if set(ends) == {0.0, 1.0}:
            return SeekRange(1, ((low, high) if ends == (0.0, 1.0) else (high, low)).__getitem__)
    elif (first := read_value(low)) and (last := read_value(high)) and first[1] == last[1]:
        (least, form), width = first, last[0] - first[0]
        _rising(name, 1 if width > 0 else 0)
        return SeekRange(_NUMBERS, lambda step: form.text(least + width * step / _NUMBERS))
    raise invalid_value(name, f"{low!r} to {high!r} is not a range", _EXAMPLE)


def first_steps(values: SeekRange) -> list[int]:
    """List the steps of the first grid: CELLS + 1 at equal distances, or all if there are fewer."""
    cells = min(CELLS, values.steps)
    return [values.steps * cell // cells for cell in range(cells + 1)]


def _rising(name: str, steps: int) -> int:
    if steps < 1:
        raise invalid_value(name, "the range does not rise", _EXAMPLE)
    return steps
