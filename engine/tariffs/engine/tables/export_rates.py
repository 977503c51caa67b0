"""Ordinary rates and value added tax of the importing country, by code.

Both are law data, matched by the 6 digits that both schedules share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.fee_tables import SHARED_DIGITS, CountryRate
from tariffs.engine.law.law import Law
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.schedule.lines import load_schedule

QUOTA_CLAIM = "in_quota_share"
ZERO, ONE = Decimal(0), Decimal(1)
TOO_COARSE = "Give the code of the Harmonized System, 6 digits or more."
WITHIN_QUOTA = f"{QUOTA_CLAIM}: not declared; all goods are treated as within the tariff quota."


@dataclass(frozen=True, slots=True)
class OrdinaryRate:
    """Ordinary rate; `in_quota` is the rate within a tariff quota, None where there is no quota."""

    rate: Decimal
    in_quota: Decimal | None
    citations: tuple[str, ...]
    conf: str


def ordinary_rate(law: Law, code: str) -> OrdinaryRate | None:
    """Ordinary rate of a code; None if the law data has none."""
    rate = _first(law.exports.ordinary, code)
    return OrdinaryRate(rate.rate, rate.in_quota, rate.citations, rate.conf) if rate else None


def vat_rate(law: Law, code: str) -> Decimal:
    """Rate of value added tax on a code."""
    vat = _first(law.exports.vat, code)
    return vat.rate if vat else ZERO


def given_rate(given: object) -> OrdinaryRate:
    """Parse the ordinary rate that a caller gives: `3%`, 0.03.

    Raises:
        InputError: PARAMETER_INVALID.
    """
    return OrdinaryRate(user_rate(given, "ordinary_rate"), None, (), "")


def is_shared_code(code: str) -> bool:
    """Test whether a code begins with a subheading of the Harmonized System, or is a heading of it."""
    return load_schedule().knows(code[:SHARED_DIGITS])


def no_rate(hts: str) -> InputError:
    """Build the error for goods without an ordinary rate."""
    return InputError(
        "RATE_NOT_COMPUTABLE",
        f"The law data has no ordinary rate for {hts} in the importing country.",
        field="ordinary_rate",
        fix="Give the ordinary rate, such as 3% or 0.03.",
    )


def _first(rates: Sequence[CountryRate], code: str) -> CountryRate | None:
    """First rate that applies to a code; None if none does."""
    return next((rate for rate in rates if code.startswith(rate.codes)), None)
