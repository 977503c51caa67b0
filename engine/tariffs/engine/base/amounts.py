"""Parse numbers and shares as people and spreadsheets write them: `1,234.50`, `USD 12`, `25%`, yes and no.

Single lines and columns of tables accept the same forms. A comma is read only before groups of three digits, so that
`12,34` and `1.234,50` are rejected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal

_PLAIN = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?"
# The currency of amounts is US dollars, which may stand before or behind them.
NUMBER = (
    rf"^[+-]?(?:\$|(?i:USD|US\$) ?)?(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]*)?|{_PLAIN})(?: ?(?i:USD))?$"
)
SHARE = rf"^[+-]?{_PLAIN} ?%?$"
WORDS: Mapping[str, str] = {"yes": "1", "true": "1", "no": "0", "false": "0"}
NUMBER_MARKS = r"(?i)[,$ ]|usd?"
LONE_COMMA = r"^[^0-9.,]*[0-9]{1,3},[0-9]{3}[^0-9.,]*$"
"""A number whose comma would be the decimal one elsewhere: `1,000`; in `1,000.00` and `1,000,000` it cannot be."""
LARGEST = Decimal(10**15)
"""Amounts are below it: larger ones are not exact in cents, neither in decimals of 28 digits nor in sums of tables."""
LARGEST_FLOAT = math.nextafter(float(LARGEST), 0.0)
"""The largest float below LARGEST."""
_LONE_COMMA = re.compile(LONE_COMMA)
_NUMBER, _SHARE, _MARKS = re.compile(NUMBER), re.compile(SHARE), re.compile(NUMBER_MARKS)


def parse_number(text: str) -> Decimal:
    """Parse a finite number; raises ValueError."""
    bare = text.strip()
    if not _NUMBER.match(bare):
        raise ValueError(f"{text[:40]!r} is not a number")
    return Decimal(_MARKS.sub("", bare))


def comma_note(name: str, given: object) -> str:
    """Text of a note on a number whose comma could be meant as a decimal one; empty for any other value."""
    if not isinstance(given, str) or not _LONE_COMMA.match(given.strip()):
        return ""
    return f"{name}: {given.strip()!r} was read as {parse_number(given)}; the comma separates thousands."


def parse_share(text: str) -> Decimal:
    """Parse a share (`0.25`, `25%`, yes or no) as a fraction, without checking its range; raises ValueError."""
    bare = text.strip().lower()
    bare = WORDS.get(bare, bare)
    if not _SHARE.match(bare):
        raise ValueError(f"{text[:40]!r} is not a share")
    number = Decimal(bare.rstrip("% "))
    return number / 100 if bare.endswith("%") else number
