"""Parse dates and instants as people and spreadsheets write them; a date without a time is read as its noon.

Entry lines, tables, claims and options share this parser, so that the same text never means two dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from tariffs.engine.errors import InputError

MONTH_FIRST, DAY_FIRST, SERIAL = "m/d/Y", "d/m/Y", "excel"
FORMATS = (MONTH_FIRST, DAY_FIRST, SERIAL)
FIX = "Write 2025-11-10, or an instant such as 2025-11-10T00:01-05:00."
NOON = time(12, 0)
READ_AT_MOST = 8192
"""Number of parsed texts that are cached; some 300 bytes each."""
_MIDNIGHT = time(0, 0)
_TEXT = re.compile(r"([0-9][0-9./-]*)(?:[T ] ?(.+))?", re.ASCII)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
_NAMED = [
    re.compile(form + r"(?: ?,? (?P<time>[0-9]{1,2}:.+))?", re.ASCII)
    for form in (
        rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[-/. ]?{_MONTH}[-/., ]*(?P<year>[0-9]{{4}}|[2-4][0-9])",
        rf"{_MONTH}[-/ ](?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[-/, ]+(?P<year>[0-9]{{4}}|[2-4][0-9])",
    )
]
"""Days with the month by its English name: `20-Jun-2025`, `June 20, 2025`."""
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[2-4][0-9])(?![0-9])")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]+)?")
_TIME = re.compile(
    r"([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,9}))?)?(?: ?([AP])M)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE,
)
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Spreadsheets count a 29 February 1900, which did not exist; from March 1900 on this is day 0.
_SERIAL_EPOCH, _FIRST_SERIAL = datetime(1899, 12, 30), 61
_YEARS_AS_DAYS = 366 * 10_000
_CENTURY = 2000


class DateError(ValueError):
    """Text that is neither a date nor an instant; `fix` says what to write instead."""

    def __init__(self, message: str, fix: str = FIX) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Moment:
    """Parsed date or instant.

    Attributes:
        instant: the instant in UTC; noon for a date.
        text: `2025-11-10` for a date, else the instant as given.
        reason: DAYS_READ_AS_NOON or DATE_REPAIRED if it was not in ISO format, else empty.
        note: explanation of how it was read, if there is a reason.
    """

    instant: datetime
    text: str
    reason: str = ""
    note: str = ""


def read_format(text: str) -> str:
    """Parse a date format such as `%m/%d/%Y` or `MM/DD/YYYY` as one of FORMATS; empty if none is given.

    Raises:
        InputError: REQUEST_INVALID.
    """
    bare = re.sub(r"(.)\1+", r"\1", text.strip().replace("%", "").lower())
    formats = {known.lower(): known for known in FORMATS} | {"": ""}
    if bare not in formats:
        raise InputError(
            "REQUEST_INVALID",
            f"The date format is {text[:40]!r}.",
            field="date_format",
            fix=f"Give one of {', '.join(FORMATS)}.",
        )
    return formats[bare]


def format_of(texts: Iterable[str]) -> str:
    """Order of day and month that the texts of a column imply; empty if they imply none or both."""
    matches = filter(None, (_YEAR_LAST.match(text.strip()) for text in texts))
    orders = {_implied_order(match) for match in matches} & set(FORMATS)
    return orders.pop() if len(orders) == 1 else ""


@lru_cache(maxsize=READ_AT_MOST)
def read_moment(text: str, zone: ZoneInfo, date_format: str = "") -> Moment:
    """Parse a date or instant.

    Args:
        text: `2025-11-10`, `20251110`, `11/10/2025`, `11/10/25`, `10-Nov-2025`, `2025-11-10T00:01-05:00` and the like.
            A year of two digits, from 20 to 49, is of this century. Midnight without an offset is read as a date; any
            other time without an offset is local time in `zone`.
        date_format: one of FORMATS, where the format of the column is known: the order of day and month, or day
            numbers of a spreadsheet.

    Raises:
        DateError: the text is neither, does not exist in the calendar or in the time zone, or has an ambiguous order of
            day and month.
    """
    given = text.strip()
    try:
        moment = _read(given, zone, date_format)
        moment.instant.astimezone(zone)
        return moment
    except DateError:
        raise
    except (ValueError, OverflowError):
        raise DateError(f"{given[:40]!r} is not a date or an instant") from None


def read_day(text: str, zone: ZoneInfo, date_format: str = "") -> date:
    """Parse a text as a date in `zone`; raises DateError as `read_moment`."""
    return read_moment(text, zone, date_format).instant.astimezone(zone).date()


def _read(text: str, zone: ZoneInfo, date_format: str) -> Moment:
    match = _TEXT.fullmatch(_with_numbers(text))
    if match is None:
        raise ValueError(text)
    if date_format == SERIAL and match[2] is None and _NUMBER.fullmatch(text):
        return _local(text, _of_serial(float(text)), zone)
    day = _day(text, match[1], date_format)
    if match[2] is None:
        return _noon(text, day, zone)
    clock, offset = _time(match[2])
    if offset is None:
        return _local(text, datetime.combine(day, clock), zone)
    return Moment(datetime.combine(day, clock, offset).astimezone(UTC), text)


def _with_numbers(text: str) -> str:
    """Write a date whose month has its name in ISO form; other texts stay."""
    match = next(filter(None, (form.fullmatch(text) for form in _NAMED)), None)
    if match is None:
        return text
    named = [name.startswith(match["month"].lower()) for name in _MONTHS]
    if not any(named):
        return text
    month = named.index(True) + 1
    day = date(_year(match["year"]), month, int(match["day"]))
    return f"{day} {match['time']}" if match["time"] else day.isoformat()


def _year(text: str) -> int:
    return int(text) + (_CENTURY if len(text) == 2 else 0)


def _day(text: str, part: str, date_format: str) -> date:
    if match := _YEAR_FIRST.fullmatch(part):
        return date(int(match[1]), int(match[3]), int(match[4]))
    if match := _COMPACT.fullmatch(part):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_LAST.fullmatch(part):
        return _year_last(text, match, date_format)
    if _NUMBER.fullmatch(part):
        raise DateError(
            f"{text[:40]!r} is not a date",
            f'{FIX} Day numbers of a spreadsheet need date_format="{SERIAL}".',
        )
    raise ValueError(text)


def _year_last(text: str, match: re.Match[str], date_format: str) -> date:
    first, second, year = int(match[1]), int(match[3]), _year(match[4])
    order = date_format if date_format in (MONTH_FIRST, DAY_FIRST) else _implied_order(match)
    if not order:
        either = date(year, first, second), date(year, second, first)
        raise DateError(
            f"{text[:40]!r} may be {either[0]} or {either[1]}",
            f"Write {either[0]} or {either[1]}; the order of a table is stated with "
            f'date_format="{MONTH_FIRST}" or date_format="{DAY_FIRST}".',
        )
    return date(year, first, second) if order == MONTH_FIRST else date(year, second, first)


def _implied_order(match: re.Match[str]) -> str:
    """Order of day and month implied by a date with its year last; empty if ambiguous, "same" if both agree."""
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return DAY_FIRST
    if second > 12 >= first:
        return MONTH_FIRST
    return "same" if first == second else ""


def _time(text: str) -> tuple[time, timezone | None]:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    hour = int(match[1])
    if match[5]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if match[5] in "Pp" else 0)
    micro = int((match[4] or "0").ljust(6, "0")[:6])
    return time(hour, int(match[2]), int(match[3] or 0), micro), _offset(match[6])


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if int(digits[2:]) > 59:
        raise ValueError(text)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _of_serial(number: float) -> datetime:
    if not _FIRST_SERIAL <= number < _YEARS_AS_DAYS:
        raise ValueError(number)
    return _SERIAL_EPOCH + timedelta(seconds=round(number * 86_400))


def _local(text: str, moment: datetime, zone: ZoneInfo) -> Moment:
    """Moment of a local time; midnight is a date."""
    if moment.time() == _MIDNIGHT:
        return _noon(text, moment.date(), zone)
    instant = moment.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != moment:
        raise DateError(f"{text[:40]!r} is a local time that does not exist in {zone}")
    if _CANONICAL.match(text):
        return Moment(instant, text)
    iso = moment.isoformat()
    return Moment(instant, iso, "DATE_REPAIRED", f"{text!r} was read as {iso}.")


def _noon(text: str, day: date, zone: ZoneInfo) -> Moment:
    instant = datetime.combine(day, NOON, zone).astimezone(UTC)
    if text == day.isoformat():
        return Moment(instant, text)
    note = f"{text!r} was read as noon of {day}"
    if text.startswith(day.isoformat()):
        return Moment(
            instant, day.isoformat(), "DAYS_READ_AS_NOON", f"{note}; write midnight with its offset."
        )
    return Moment(instant, day.isoformat(), "DATE_REPAIRED", f"{note}.")
