"""Read the text forms of law data and scenarios: instants, days, rates, money per unit, yes and no.

Everything arrives as text (see docs/law-data.md), so that `NO` stays Norway and 9903.01.10 a heading.
All readers raise `ValueError` with a message that gives the text and an example.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

NOON = time(12, 0)
RATE_FORM = (
    "Write it as 7% or as a fraction with a leading zero, 0.07; a bare number of 1 or more is not a rate."
)
# Digits are bounded so that every number read is one that binary floating point can hold.
_DIGITS = r"\d{1,18}(?:\.\d{1,18})?"
_RATE = re.compile(rf"^[+-]?{_DIGITS}%$")
_FRACTION = re.compile(r"^0(\.\d{1,18})?$")
_NUMBER = re.compile(rf"^[+-]?{_DIGITS}$")
_POINTS = re.compile(rf"^([+-]{_DIGITS})pp$")
_FACTOR = re.compile(rf"^x({_DIGITS})$")
_PER_UNIT = re.compile(rf"^({_DIGITS}) USD/(\S+)$")
_AMOUNT = re.compile(rf"^({_DIGITS}) (\S+)$")
_DOLLARS = re.compile(rf"^({_DIGITS})(?: USD)?$")
CODE = re.compile(r"[0-9]{2,10}")
"""An HTS code without dots."""
_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class UnitRate:
    """US dollars per unit; `unit` is a symbol of units.csv."""

    usd: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class RateStep:
    """A relative change of a rate: points are added, then the factor applied."""

    points: Decimal
    factor: Decimal

    def apply(self, rate: Decimal) -> Decimal:
        """Apply the change; the rate is never below 0."""
        return max(Decimal(0), (rate + self.points) * self.factor)


def read_day(text: str) -> date:
    """Read a calendar day `YYYY-MM-DD`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day such as 2025-11-10") from None


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """Read an instant in UTC; a day without a time is its noon in `zone`, a time without an offset is in `zone`."""
    try:
        if len(text) == len("2025-11-10"):
            return datetime.combine(date.fromisoformat(text), NOON, zone).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a day or instant such as 2025-11-10T00:01-05:00") from None


def read_rate(text: str) -> Decimal:
    """Read a rate as a fraction, from `12.5%` or `0.125`."""
    if _RATE.match(text):
        return Decimal(text[:-1]) / 100
    if _FRACTION.match(text):
        return Decimal(text)
    raise ValueError(f"{text!r} is not a rate; write it as 12.5% or as a fraction with a leading zero, 0.125")


def read_share(text: str) -> Decimal:
    """Read a share between 0 and 1, from `90%`, `0.9` or `1`."""
    share = Decimal(1) if text == "1" else read_rate(text)
    if not 0 <= share <= 1:
        raise ValueError(f"{text!r} is not a share; write it as 90% or 0.9")
    return share


def read_number(text: str) -> Decimal:
    """Read a plain decimal number such as `0.5` or `-12`."""
    if _NUMBER.match(text):
        return Decimal(text)
    raise ValueError(f"{text!r} is not a plain decimal number such as 0.5")


def read_weight(text: str) -> Decimal:
    """Read the weight of a base term between -1 and 1, from `1`, `-1`, `0.4` or `40%`."""
    weight = read_rate(text) if text.endswith("%") else read_number(text)
    if abs(weight) > 1:
        raise ValueError(f"{text!r} is not a weight between -1 and 1")
    return weight


def read_dollars(text: str) -> Decimal:
    """Read US dollars, from `25000000` or `25000000 USD`."""
    if match := _DOLLARS.match(text):
        return Decimal(match[1])
    raise ValueError(f"{text!r} is not an amount of US dollars such as 25000000")


def read_step(text: str) -> RateStep:
    """Read a relative change of a rate, from `+10pp` or `x0.5`."""
    if points := _POINTS.match(text):
        return RateStep(Decimal(points[1]) / 100, Decimal(1))
    if factor := _FACTOR.match(text):
        return RateStep(Decimal(0), Decimal(factor[1]))
    raise ValueError(f"{text!r} is not a change of a rate; write +10pp or x0.5")


def read_unit_rate(text: str) -> UnitRate:
    """Read money per unit, from `0.22 USD/W`."""
    if match := _PER_UNIT.match(text):
        return UnitRate(Decimal(match[1]), match[2])
    raise ValueError(f"{text!r} is not money per unit such as 0.22 USD/W")


def read_amount(text: str) -> tuple[Decimal, str]:
    """Read a quantity with its unit, from `1000 kg`."""
    if match := _AMOUNT.match(text):
        return Decimal(match[1]), match[2]
    raise ValueError(f"{text!r} is not a quantity with a unit such as 1000 kg")


def read_yes(text: str) -> bool:
    """Read yes or no."""
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def digits(code: str) -> str:
    """Remove the dots of an HTS code."""
    return code.replace(".", "")


def is_code(text: str) -> bool:
    """Test whether text is an HTS code of 2 to 10 digits (chapters serve in law data)."""
    return CODE.fullmatch(digits(text)) is not None
