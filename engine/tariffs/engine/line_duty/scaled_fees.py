"""The fees of a line that is an entry of its own, in whole cents for any value.

They are proportions of the value between bounds (19 CFR 24.23, 24.24), so that they too are integer arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tariffs.engine.line_duty.fees import DayFees
from tariffs.engine.line_duty.linear_quote import in_cents, proportion


@dataclass(frozen=True, slots=True)
class LinearFees:
    """Fees for one dollar.

    Attributes:
        informal_limit: the most an informal entry is worth, in dollars.
        mpf: the processing fee in billionths of a dollar per dollar; None where it is not due.
        least, most, informal: its bounds, and what informal entries pay, in cents; they pay as others do if 0.
        hmf: the harbor fee in billionths of a dollar per dollar.
    """

    informal_limit: int
    mpf: int | None
    least: int
    most: int
    informal: int
    hmf: int

    def at(self, value: int, declared: int | Decimal) -> tuple[int, int]:
        """Processing and harbor fee in cents, as `DayFees.of_line` has them.

        Args:
            value: in whole dollars, above 0.
            declared: the same before it was rounded.
        """
        return self._mpf_at(value, declared), in_cents(value, self.hmf)

    def _mpf_at(self, value: int, declared: int | Decimal) -> int:
        if self.mpf is None:
            return 0
        if self.informal and declared <= self.informal_limit:
            return self.informal
        return min(max(in_cents(value, self.mpf), self.least), self.most)


def linear_fees(fees: DayFees, mode: str, mpf_share: Decimal) -> LinearFees | None:
    """The fees of a line by its mode of transport; None if they are not whole cents of whole dollars.

    Args:
        fees: those of the day of entry.
        mode: of transport.
        mpf_share: the part of the value on which the processing fee is due.
    """
    due, mpf = bool(fees.mpf and mpf_share), fees.mpf
    rates = [
        mpf.rate * mpf_share if mpf else Decimal(0),
        fees.hmf_rate if mode in fees.hmf_modes else Decimal(0),
    ]
    bounds = [mpf.least, mpf.most, mpf.informal] if mpf else [Decimal(0)] * 3
    rate, hmf = (proportion(one) for one in rates)
    limit, (least, most, informal) = _whole(fees.informal_limit), (_whole(one * 100) for one in bounds)
    if rate is None or hmf is None or limit is None or least is None or most is None or informal is None:
        return None
    return LinearFees(limit, rate if due else None, least, most, informal, hmf)


def _whole(amount: Decimal) -> int | None:
    return int(amount) if amount == amount.to_integral_value() else None


__all__ = ["LinearFees", "linear_fees"]
