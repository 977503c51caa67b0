"""Interest on refunds: yearly rates by quarter and payer, or one rate of the caller, compounded daily.

19 USC 1505(c): from the deposit of the duty to the liquidation or reliquidation that returns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.user_rates import user_rate
from tariffs.engine.line_duty.entry_line import Number

CENT = Decimal("0.01")
# 19 USC 1505(c) and 26 USC 6622(a): interest compounds daily. The yearly rate is spread over 365 days, in leap years
# too; no text seen says otherwise (C).
DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True)
class YearlyRates:
    """Yearly rates, each from its day to that of the next; the first holds before its day too, the last without end.

    Rates are published for days before `published_to`; None if they are not those of the law.
    """

    steps: tuple[tuple[date, Decimal], ...]
    published_to: date | None = None

    def growth(self, start: date, end: date) -> Decimal:
        """Factor by which an amount grows over [start, end)."""
        grown = Decimal(1)
        ends = [day for day, _ in self.steps[1:]]
        for (first, rate), last in zip(self.steps, [*ends, end], strict=True):
            begin = start if first == self.steps[0][0] else max(start, first)
            grown *= (1 + rate / DAYS_OF_YEAR) ** max(0, (min(end, last) - begin).days)
        return grown


def interest_rates(law: Law, given: Number | None) -> YearlyRates | None:
    """Rates of a payer of the law by name, or the one rate given as `7%` or 0.07; None without interest.

    Raises:
        InputError: PARAMETER_INVALID for any other text or a rate out of bounds.
    """
    if given is None:
        return None
    table = law.refunds.interest
    name = given.strip().lower() if isinstance(given, str) else ""
    if name in table.by_payer:
        return YearlyRates(table.by_payer[name], table.end)
    if name.isalpha():
        raise InputError(
            "PARAMETER_INVALID", f"interest_rate is {name[:40]!r}.", field="interest_rate",
            fix=f"Give a payer ({', '.join(table.by_payer)}) or a yearly rate such as 7%.",
        )  # fmt: skip
    return YearlyRates(((date.min, user_rate(given, "interest_rate")),))


def interest(amount: Decimal, rates: YearlyRates, start: date, end: date) -> Decimal:
    """Compute interest in dollars and cents over [start, end)."""
    return (amount * (rates.growth(start, end) - 1)).quantize(CENT, ROUND_HALF_UP)
