"""Parse ordinary rates of duty from the text of the schedule.

A rate text is a sum of terms: percent of value (`4.3%`, `33 1/3%`), money per unit (`37.2¢/kg`, `$1.80 each`), or
free. Texts that apply a percentage to a part of the good are `component`, sliding scales are `formula`, and anything
that refers to other provisions is `reference`; those three are not computable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

FREE = "free"
AD_VALOREM = "ad_valorem"
SPECIFIC = "specific"
COMPOUND = "compound"
FORMULA = "formula"
REFERENCE = "reference"
COMPONENT = "component"
NONE = "none"
COMPUTABLE = frozenset({FREE, AD_VALOREM, SPECIFIC, COMPOUND})

# The embedded schedules state some 2,000 distinct rates.
_RATES_KEPT = 4096

_PERCENT = re.compile(r"^(\d*\.?\d+)(?: (\d+)/(\d+))?%(?: on the entire set| /)?$")
_MONEY = re.compile(r"^(\$?)(\d*\.?\d+)(¢?)\s*(?:/|\s+(?=each\b))\s*(.+)$")
_PART = re.compile(r"%\s*on\b|over \d")
_PLUS = re.compile(r"\s*\+\s*")
_SPACES = re.compile(r"\s+")

# Words of the schedule for units, by symbols of units.csv. Words about how mass is measured (drained weight, with
# container) do not change the unit; words that name a part of the good (lead content) do.
_UNITS = {
    "kg": "kg",
    "kg on drained weight": "kg",
    "kg on drained weght": "kg",
    "kg on contents and container": "kg",
    "kg on entire contents of container": "kg",
    "kg, including weight of container": "kg",
    "clean kg": "kg-clean",
    "kg of total sugars": "kg-sugars",
    "kg on lead content": "kg-Pb",
    "kg on copper content": "kg-Cu",
    "kg on zinc content": "kg-Zn",
    "kg on molybdenum content": "kg-Mo",
    "kg on tungsten content": "kg-W",
    "kg on magnesium content": "kg-Mg",
    "kg on manganese content": "kg-Mn",
    "kg on silicon content": "kg-Si",
    "kg of anhydrous morphine content": "kg-morphine",
    "g": "g",
    "t": "t",
    "t, including weight of container": "t",
    "liter": "L",
    "pf.liter": "pf.L",
    "pf.liter on ethyl alcohol content": "pf.L",
    "bbl": "bbl",
    "m": "m",
    "lin. m": "m",
    "m2": "m2",
    "m²": "m2",
    "m2 of recording surface": "m2",
    "m2of recording surface": "m2",
    "m3": "m3",
    "m³": "m3",
    "each": "no",
    "head": "no",
    "article": "no",
    "pr.": "prs",
    "doz.": "doz",
    "gross": "gross",
    "gross of immediate containers": "gross",
    "line/ gross": "line gross",
    "1000": "thousand",
    "1,000": "thousand",
    "1,000 pins": "thousand",
    "thousand": "thousand",
    "thou- sand": "thousand",
    "jewel": "jewel",
    "pack": "pack",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """Ordinary rate of duty.

    `kind` is one of the constants above; `ad_valorem` a fraction of the value; `specific` US dollars per unit of
    units.csv, one entry per term; `text` the rate as the schedule prints it.
    """

    kind: str
    ad_valorem: Decimal = Decimal(0)
    specific: tuple[tuple[Decimal, str], ...] = ()
    text: str = ""

    @property
    def computable(self) -> bool:
        """Test whether value and quantities are enough to compute the duty."""
        return self.kind in COMPUTABLE


@lru_cache(maxsize=_RATES_KEPT)
def parse_rate(text: str) -> Rate:
    """Parse a rate text of the schedule; never raises, text that cannot be parsed is a `reference`."""
    clean = _SPACES.sub(" ", text or "").strip()
    if not clean or clean.lower() == "none":
        return Rate(NONE, text=clean)
    if clean.lower().startswith("free"):
        return Rate(FREE, text=clean)
    if " less " in clean:
        return Rate(FORMULA, text=clean)
    if not clean[0].isdigit() and clean[0] not in "$.":
        return Rate(REFERENCE, text=clean)
    terms = [term for term in _PLUS.split(clean) if term]
    percents = [_percent(term) for term in terms]
    money = [_money(term) for term, share in zip(terms, percents, strict=True) if share is None]
    if any(term is None for term in money):
        return Rate(COMPONENT if _PART.search(clean) else REFERENCE, text=clean)
    shares = [share for share in percents if share is not None]
    specific = tuple(term for term in money if term is not None)
    kind = (COMPOUND if shares else SPECIFIC) if specific else AD_VALOREM
    return Rate(kind, sum(shares, Decimal(0)), specific, clean)


def unit_symbol(words: str) -> str | None:
    """Symbol of units.csv for the words of a unit in a rate; None if there is none."""
    clean = _SPACES.sub(" ", words).strip().replace("pf. liter", "pf.liter")
    return _UNITS.get(clean)


def _percent(term: str) -> Decimal | None:
    match = _PERCENT.match(term.strip())
    if not match:
        return None
    whole, over, under = match.groups()
    if not over:
        return Decimal(whole) / 100
    if not int(under):
        return None
    exact = (Fraction(whole) + Fraction(int(over), int(under))) / 100
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("1e-12"))


def _money(term: str) -> tuple[Decimal, str] | None:
    match = _MONEY.match(term.strip())
    if not match or bool(match[1]) == bool(match[3]):
        return None
    unit = unit_symbol(match[4])
    if unit is None:
        return None
    return Decimal(match[2]) / (1 if match[1] else 100), unit
