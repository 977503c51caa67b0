"""Read the points of a sweep, single values, ranges and the grid they span, and the range of a goal seek.

A value is text as a scenario file has it: `12.5%`, `0.125`, `+10pp`, `x0.5`, `2026-11-10`, `on`. A range is
`LOW:HIGH:STEP`, both ends included, in exact decimals; days may leave out the step of one day. A goal seek looks
through numbers, days, on and off in equal steps; a value is found by its step, a whole number from 0 to `steps`, so
that a search never meets rounding.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from tariffs.engine.errors import InputError

POINTS_AT_MOST = 100_000
SWITCHED = {"on": 1.0, "off": 0.0, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}
_VALUE = re.compile(r"(x?)([+-]?)([0-9]{1,18}(?:\.[0-9]{1,18})?)(%|pp)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS_STEP = re.compile(r"([0-9]{1,5})d?")
CELLS = 200
"""Cells of the first grid of a seek; a number is then refined within a cell of FINEST steps."""
FINEST = 10**10
_NUMBERS = CELLS * FINEST
ON_OFF = "on_off"
_EXAMPLE_OF_ENDS = "Give two numbers of one form, such as 0% and 60%, two days, or off and on."
_EXAMPLE = "Write LOW:HIGH:STEP, such as 0%:50%:0.5%, or two days, such as 2026-11-01:2026-12-31."
Points = Sequence[Mapping[str, str]]


class NumberForm(NamedTuple):
    """Form of a number in a scenario: `12.5%`, `0.125`, `+10pp` or `x0.5`."""

    factor: bool
    signed: bool
    unit: str

    def text(self, number: Decimal) -> str:
        """Write a number in this form, without trailing zeros."""
        plain = format(number.normalize(), "f") if number else "0"
        sign = "+" if self.signed and number >= 0 else ""
        return f"{'x' if self.factor else ''}{sign}{plain}{self.unit}"

    def value(self, number: Decimal) -> float:
        """Value of a number: rates and points as fractions, factors as they are."""
        return float(number / 100 if self.unit else number)


Number = tuple[Decimal, NumberForm]
"""A number as written, 12.5 for `12.5%`, and its form."""


def read_value(text: str) -> Number | None:
    """Read a number with its form; None for any other text."""
    match = _VALUE.fullmatch(text.strip())
    if match is None:
        return None
    factor, sign, digits, unit = match.groups()
    return Decimal(sign + digits), _form(factor, unit)


@lru_cache
def _form(factor: str, unit: str | None) -> NumberForm:
    return NumberForm(bool(factor), unit == "pp", unit or "")


def float_of(text: str) -> float | None:
    """Value of a text as a number: rates as fractions, on and off as 1 and 0; None for days and other texts."""
    if (number := read_value(text)) is not None:
        return number[1].value(number[0])
    return SWITCHED.get(text.strip().lower())


def read_day(text: str) -> date | None:
    """Read a day in ISO form; None for any other text."""
    if not _DAY.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def expand(name: str, texts: Iterable[str]) -> list[str]:
    """List the values of one parameter, each range expanded.

    Raises:
        InputError: PARAMETER_INVALID for an empty list or a range that cannot be read, or with more than
            POINTS_AT_MOST values.
    """
    values: list[str] = []
    for text in texts:
        values += _expanded(name, text.strip())
        check_count(len(values))
    if not values or not all(values):
        raise invalid_value(name, "a value is missing")
    return values


def grid(vary: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """List the points of a grid: all combinations of the values, those of the last parameter fastest.

    Raises:
        InputError: PARAMETER_INVALID as `expand`, or for more than POINTS_AT_MOST points.
    """
    axes = {name: expand(name, texts) for name, texts in vary.items()}
    count = 1
    for values in axes.values():
        count *= len(values)
    check_count(count if axes else 0)
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def check_count(count: int) -> None:
    """Check the number of points; raises InputError PARAMETER_INVALID."""
    if not 1 <= count <= POINTS_AT_MOST:
        raise InputError(
            "PARAMETER_INVALID",
            f"The sweep has {count:,} points.",
            field="points",
            fix=f"Give 1 to {POINTS_AT_MOST:,} points: a coarser step, fewer parameters, or several sweeps.",
            metadata={"points": str(count), "limit": str(POINTS_AT_MOST)},
        )


def point_frame(points: Points, defaults: Mapping[str, str]) -> pl.DataFrame:
    """Make a frame with a row a point: numbers and on/off as Float64, days and other texts as String.

    Args:
        points: values by parameter; a parameter that a point leaves out has its default.
        defaults: the default of each parameter.
    """
    names = dict.fromkeys(name for point in points for name in point)
    return pl.DataFrame(
        [_column(name, [point.get(name, defaults.get(name, "")) for point in points]) for name in names]
    )


def invalid_value(name: str, why: str, fix: str = _EXAMPLE) -> InputError:
    """Make the error of a parameter whose values cannot be read."""
    return InputError("PARAMETER_INVALID", f"{name}: {why}.", field=name, fix=fix)


def _column(name: str, texts: Sequence[str]) -> pl.Series:
    read = {text: float_of(text) for text in dict.fromkeys(texts)}
    if None in read.values():
        return pl.Series(name, texts, dtype=pl.String)
    return pl.Series(name, [read[text] for text in texts], dtype=pl.Float64)


def _expanded(name: str, text: str) -> list[str]:
    parts = [part.strip() for part in text.split(":")]
    days, numbers = [read_day(part) for part in parts], [read_value(part) for part in parts]
    # An instant has colons too; it is one value.
    if len(parts) == 1 or (days[0] is None and numbers[0] is None):
        return [text]
    match days, numbers:
        case [date() as low, date() as high], _:
            return _days(name, text, low, high, "1")
        case [date() as low, date() as high, None], _:
            return _days(name, text, low, high, parts[2])
        case _, [tuple() as first, tuple() as last, tuple() as step]:
            return _numbers(name, text, first, last, step)
    raise invalid_value(name, f"{text!r} is not a range")


def _days(name: str, text: str, low: date, high: date, step: str) -> list[str]:
    match = _DAYS_STEP.fullmatch(step)
    if match is None or not int(match[1]) or high < low:
        raise invalid_value(name, f"{text!r} is not a range of days")
    days = int(match[1])
    count = (high - low).days // days + 1
    check_count(count)
    return [(low + timedelta(days=days * index)).isoformat() for index in range(count)]


def _numbers(name: str, text: str, first: Number, last: Number, step_of: Number) -> list[str]:
    (low, form), (high, other), (step, stepped) = first, last, step_of
    if form != other or stepped.unit not in {form.unit, "pp" if form.unit else ""}:
        raise invalid_value(name, f"the parts of {text!r} have different forms")
    if step <= 0 or high < low:
        raise invalid_value(name, f"{text!r} does not rise from LOW to HIGH")
    count = int((high - low) / step) + 1
    check_count(count)
    return [form.text(low + step * index) for index in range(count)]


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
    raise invalid_value(name, f"{low!r} to {high!r} is not a range", _EXAMPLE_OF_ENDS)


def first_steps(values: SeekRange) -> list[int]:
    """List the steps of the first grid: CELLS + 1 at equal distances, or all if there are fewer."""
    cells = min(CELLS, values.steps)
    return [values.steps * cell // cells for cell in range(cells + 1)]


def _rising(name: str, steps: int) -> int:
    if steps < 1:
        raise invalid_value(name, "the range does not rise", _EXAMPLE_OF_ENDS)
    return steps
