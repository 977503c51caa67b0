"""Seasons of the schedule: lines for goods entered within or outside parts of the year (data/seasons.csv)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Season(NamedTuple):
    """Parts of the year that a line is for, or is not for; days are `MM-DD`, both inclusive."""

    within: bool
    periods: tuple[tuple[str, str], ...]

    def has(self, day: date) -> bool:
        """Test whether goods entered on a day are of the line."""
        at = f"{day:%m-%d}"
        # A period that ends before it begins goes over the end of the year.
        return self.within == any(
            first <= at <= last if first <= last else not last < at < first for first, last in self.periods
        )

    @property
    def words(self) -> str:
        """The season for readers, such as `within 02-15 to 03-31`."""
        spans = " or ".join(f"{first} to {last}" for first, last in self.periods)
        return f"{'within' if self.within else 'outside'} {spans}"


def season_of(hts8: str) -> Season | None:
    """Season of an 8-digit line; None if it is for goods entered at any time."""
    return _seasons().get(hts8)


@cache
def _seasons() -> Mapping[str, Season]:
    text = files("tariffs.engine.schedule").joinpath("data/seasons.csv").read_text(encoding="utf-8")
    found: dict[str, Season] = {}
    for row in csv.DictReader(text.splitlines()):
        before = found.get(row["hts8"], Season(row["entered"] == "within", ()))
        found[row["hts8"]] = before._replace(periods=(*before.periods, (row["from"], row["to"])))
    return found
