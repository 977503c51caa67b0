"""Find the day on which duty is paid: working days after entry, or a working day of the month after."""

from __future__ import annotations

from datetime import date, timedelta

from tariffs.engine.errors import InputError
from tariffs.firm.levers import Payment

_WEEKEND = 5
_ONE = timedelta(days=1)


def summary_day(terms: Payment, entered: date) -> date:
    """Last day to deposit duty with the entry summary.

    Raises:
        InputError: ENTRY_DATE_OUT_OF_COVERAGE for a year whose holidays are not in the data.
    """
    return _working_day(terms, entered + _ONE, terms.summary_days)


def statement_day(terms: Payment, entered: date) -> date:
    """Day on which the monthly statement of an entry is paid; raises as `summary_day`."""
    following = date(entered.year + entered.month // 12, entered.month % 12 + 1, 1)
    return _working_day(terms, following, terms.statement_day)


def _working_day(terms: Payment, day: date, count: int) -> date:
    """Find the working day of a number, from a day on."""
    while True:
        if day.year not in terms.years:
            raise InputError(
                "ENTRY_DATE_OUT_OF_COVERAGE",
                f"The holidays of {day.year} are not in the data, so the day of payment is unknown.",
                field="entry_date",
                fix=f"Use a day of {min(terms.years)} to {max(terms.years)}.",
            )
        if day.weekday() < _WEEKEND and day not in terms.holidays:
            count -= 1
            if not count:
                return day
        day += _ONE
