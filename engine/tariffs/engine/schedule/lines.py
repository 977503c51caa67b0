"""Tariff schedule (HTS): lines, rates and special programs of the embedded vintages.

Rates belong to 8-digit lines; 10-digit codes add a statistical suffix. A code that the vintage of the day
lacks is looked up in the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any

import polars as pl

from tariffs.engine.base.snapshot import files_digest, kept_json
from tariffs.engine.schedule.equivalents import DATA, ordinary_rates, special_rates
from tariffs.engine.schedule.rates import FREE, Rate, parse_rate

LINE_DIGITS = 8
CODE_DIGITS = 10
LINE_LENGTHS = frozenset({LINE_DIGITS, CODE_DIGITS})


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """Schedule line of one code.

    `suffix_note`: the vintage of the day lacks the code; the rate is that of its 8-digit line or of another vintage.
    """

    hts8: str
    general: Rate
    other: Rate
    vintage: str
    suffix_note: bool


@dataclass(frozen=True)
class Vintage:
    """Edition of the schedule, in force from `start` until that of the next one; never if `start` is None."""

    name: str
    start: date | None
    lines: Mapping[str, Sequence[str]]
    sorted_codes: list[str]

    @cached_property
    def codes(self) -> frozenset[str]:
        """10-digit codes."""
        return frozenset(self.sorted_codes)


class Schedule:
    """Schedules by date, built with `load_schedule`; every method is pure."""

    def __init__(self, vintages: Sequence[Vintage]):
        self._vintages = list(vintages)
        self._dated = sorted((v.start, index) for index, v in enumerate(self._vintages) if v.start)
        self._starts = [start for start, _ in self._dated]
        self._line_frames: dict[str, pl.DataFrame] = {}

    def find(self, code: str, day: date) -> ScheduleLine | None:
        """Line of an 8- or 10-digit code on a day; None if no vintage has its 8-digit line."""
        if len(code) not in LINE_LENGTHS:
            return None
        hts8 = code[:LINE_DIGITS]
        today = self._on(day)
        for vintage in self._from(today):
            if hts8 in vintage.lines:
                general, other = (parse_rate(text) for text in vintage.lines[hts8])
                known = vintage is today and (code == hts8 or code in today.codes)
                return ScheduleLine(hts8, general, other, vintage.name, suffix_note=not known)
        return None

    def special(self, code: str, programs: Iterable[str], day: date) -> tuple[Rate, str] | None:
        """Lowest computable special rate of these programs, with the symbol of its program; None without one."""
        wanted = set(programs)
        line = self.find(code, day)
        if line is None or not wanted:
            return None
        rates = [
            (rate, symbol)
            for text, symbols in self._special_rates.get((line.vintage, line.hts8), ())
            if (rate := parse_rate(text)).computable
            for symbol in symbols
            if symbol in wanted
        ]
        return min(rates, key=_cost, default=None)

    def nearest(self, code: str, n: int = 3) -> list[str]:
        """Known codes of the same length closest to a code: longest common prefix, then smallest difference."""
        pool = self._sorted_codes if len(code) > LINE_DIGITS else self._sorted_lines
        place = bisect_left(pool, code)
        around = pool[max(0, place - 4 * n) : place + 4 * n]

        def distance(other: str) -> tuple[int, int]:
            return -_common(code, other), abs(int(other) - int(code.ljust(len(other), "0")))

        return sorted(around, key=distance)[:n] if code.isdigit() else []

    def children(self, code: str, day: date | None = None) -> list[str]:
        """10-digit codes that begin with `code`, in the vintage of a day or, without a day, in any."""
        pool = self._on(day).sorted_codes if day else self._sorted_codes
        start = bisect_left(pool, code)
        end = bisect_left(pool, code + ":", start)
        return pool[start:end]

    def knows(self, code: str) -> bool:
        """Test whether a vintage has the code of 4 to 10 digits as a line or as the prefix of one."""
        pool = self._sorted_codes if len(code) > LINE_DIGITS else self._sorted_lines
        place = bisect_left(pool, code)
        return place < len(pool) and pool[place].startswith(code)

    def accepts(self, code: str) -> bool:
        """Test whether a code can be rated: a vintage has it, or has the 8-digit line of its suffix."""
        return self.knows(code) or (len(code) == CODE_DIGITS and self.knows(code[:LINE_DIGITS]))

    def rates(self, codes: pl.Series, day: date) -> pl.DataFrame:
        """Ordinary rates of 8- and 10-digit codes as fractions of value; see `equivalents.ordinary_rates`."""
        return ordinary_rates(self.line_frame(day), codes)

    def special_rates(self, codes: pl.Series, programs: Iterable[str], day: date) -> pl.DataFrame:
        """Special rates of codes as fractions of value; see `equivalents.special_rates`."""
        return special_rates(self.line_frame(day), self._special_frame, codes, programs)

    def line_frame(self, day: date) -> pl.DataFrame:
        """8-digit lines in force on a day: `hts8, general, other` (rate texts), `vintage`."""
        today = self._on(day)
        if today.name not in self._line_frames:
            rows = [
                (hts8, general, other, vintage.name)
                for vintage in self._from(today)
                for hts8, (general, other) in vintage.lines.items()
            ]
            frame = pl.DataFrame(rows, schema=["hts8", "general", "other", "vintage"], orient="row")
            self._line_frames[today.name] = frame.unique("hts8", keep="first", maintain_order=True)
        return self._line_frames[today.name]

    def edition_day(self, day: date) -> date:
        """First day of the vintage in force on a day: the same lines are found on both."""
        start = self._on(day).start
        return day if start is None else start

    def _from(self, today: Vintage) -> list[Vintage]:
        """Vintages in the order of lookup: that of the day, then the others from the latest."""
        return [today, *(vintage for vintage in reversed(self._vintages) if vintage is not today)]

    def _on(self, day: date) -> Vintage:
        place = bisect_right(self._starts, day)
        return self._vintages[self._dated[max(place - 1, 0)][1]]

    @cached_property
    def _special_frame(self) -> pl.DataFrame:
        special = pl.read_parquet(DATA / "special_rates.parquet")
        return special.with_columns(pl.col("programs").str.split(" "))

    @cached_property
    def _special_rates(self) -> dict[tuple[str, str], list[tuple[str, list[str]]]]:
        rates: dict[tuple[str, str], list[tuple[str, list[str]]]] = {}
        columns = self._special_frame.select("vintage", "hts8", "programs", "rate")
        for vintage, hts8, programs, rate in columns.iter_rows():
            rates.setdefault((vintage, hts8), []).append((rate, programs))
        return rates

    @cached_property
    def _sorted_codes(self) -> list[str]:
        return sorted({code for v in self._vintages for code in v.codes})

    @cached_property
    def _sorted_lines(self) -> list[str]:
        return sorted({line for v in self._vintages for line in v.lines})


@cache
def load_schedule() -> Schedule:
    """Load the embedded schedule."""
    editions = kept_json("schedule", files_digest("schedule/data/schedule_*", "schedule/lines.py"), _editions)
    return Schedule(
        [
            Vintage(name, date.fromisoformat(start) if start else None, lines, codes)
            for name, start, lines, codes in editions
        ]
    )


def _editions() -> list[Any]:
    """Name, first day, rate texts by line and codes, sorted, of each edition."""
    starts = pl.read_csv(DATA / "schedule_vintages.csv", infer_schema=False)
    lines = pl.read_parquet(DATA / "schedule_lines.parquet")
    codes = pl.read_parquet(DATA / "schedule_codes.parquet")
    return [
        [
            name,
            start,
            {h: [g, o] for h, g, o in _of(lines, name).select("hts8", "general", "other").iter_rows()},
            sorted(_of(codes, name)["code"]),
        ]
        for name, start in starts.select("vintage", "from").iter_rows()
    ]


def _of(frame: pl.DataFrame, vintage: str) -> pl.DataFrame:
    return frame.filter(pl.col("vintage") == vintage)


def _cost(candidate: tuple[Rate, str]) -> tuple[bool, object, object, str]:
    rate, symbol = candidate
    return rate.kind != FREE, rate.ad_valorem, sum(usd for usd, _ in rate.specific), symbol


def _common(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
