"""Import the parts of the year that 8-digit lines of the schedule are for, from their descriptions.

A line within a season names it. A line outside is "other" or "any other time" beside lines that name only seasons.
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from tariffs.importers.output import write_csv

SEASONS = "seasons.csv"
_HEADER = ("hts8", "entered", "from", "to")
_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_DAY = rf"(?:({'|'.join(_MONTHS)}) (\d+)|the last day of (?:the following )?(February))"
_PERIOD = re.compile(
    rf"the period from {_DAY},?(?: in any year,?)? to (?:the following )?{_DAY}(?:, inclusive)?",
    re.IGNORECASE,
)
_SEASON_ALONE = re.compile(
    r"If (?:imported and )?entered (?:for consumption )?(?:during|in) the period", re.IGNORECASE
)
_OUTSIDE = re.compile(r"Other|If entered at any other time")
_BETWEEN = " > "
Row = tuple[str, str, str, str]


def read(paths: Iterable[Path]) -> list[Row]:
    """Read the seasons of all lines of some editions of the schedule; days are month and day, both inclusive."""
    return sorted({row for path in paths for row in _of_edition(path)})


def write(rows: Iterable[Row], directory: Path) -> None:
    """Write the table of seasons."""
    write_csv(directory / SEASONS, _HEADER, rows)


def _of_edition(path: Path) -> Iterator[Row]:
    frame = pl.read_parquet(path, columns=["hts", "digits", "hts8", "description_full"])
    own = frame.filter((pl.col("digits") == 8) | pl.col("hts").str.ends_with("00"))
    lines = {hts8: text.split(_BETWEEN) for hts8, text in own.select("hts8", "description_full").iter_rows()}
    seasons: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for hts8, parts in lines.items():
        periods = [_days(match) for match in _PERIOD.finditer(parts[-1])]
        yield from ((hts8, "within", *period) for period in periods)
        if periods and _SEASON_ALONE.match(parts[-1]):
            seasons[hts8[:4], *parts[:-1]] += periods
    for hts8, parts in lines.items():
        for (heading, *above), periods in seasons.items():
            below = parts[len(above) :]
            if hts8[:4] == heading and parts[: len(above)] == above and _OUTSIDE.fullmatch(below[0]):
                yield from ((hts8, "outside", *period) for period in periods)


def _days(match: re.Match[str]) -> tuple[str, str]:
    month_1, day_1, leap_1, month_2, day_2, leap_2 = match.groups()
    return _day(month_1, day_1, leap_1), _day(month_2, day_2, leap_2)


def _day(month: str | None, day: str | None, february: str | None) -> str:
    return "02-29" if february else f"{_MONTHS[str(month).capitalize()]:02}-{int(str(day)):02}"
