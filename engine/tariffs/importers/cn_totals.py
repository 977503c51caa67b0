"""Infer from the totals that the WTO publishes for China what no list says: lines gone, exclusions, ordinary rates.

A total is the mean over the lines of a subheading of the ordinary rate and the answer to Section 301. Where it is not
that of the lines known, each of three explanations is tried by itself, in this order; one is taken only if it gives the
total exactly, so that an explanation by chance is rare, and only if no other of its kind does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tariffs.importers.codes import SUBHEADING_DIGITS

PARTLY = "partly_listed"
"""Comparison of subheadings of which some lines are on no list."""

# Totals are stated to six decimals, rates of 2018 to four.
_EXACT = 0.006
# Within this, a total agrees and needs no explanation.
_TOLERANCE = 0.5
# With more lines, sums of different exclusions are often alike.
_MOST_LISTED = 8


class Subheading(NamedTuple):
    """Lines of a subheading: those of the lists, others of the schedule of 2018, rates and answers in percent."""

    listed: Sequence[str]
    unlisted: Sequence[str]
    ordinary: Mapping[str, float]
    answer: Mapping[str, float]
    total: float

    def mean(self, lines: Sequence[str], excluded: Sequence[str] = ()) -> float:
        """Mean duty of lines, without the answer on those that are excluded."""
        return sum(
            self.ordinary[code] + (0.0 if code in excluded else self.answer.get(code, 0.0)) for code in lines
        ) / len(lines)

    def gives(self, lines: Sequence[str], excluded: Sequence[str] = ()) -> bool:
        """Test whether the mean of lines is the total."""
        return abs(self.mean(lines, excluded) - self.total) < _EXACT


class Reading(NamedTuple):
    """Explanation of a total: lines that are gone, lines that are excluded, or the ordinary rate of all lines."""

    gone: Sequence[str] = ()
    excluded: Sequence[str] = ()
    ordinary: float | None = None


def read_total(found: Subheading) -> Reading:
    """Explain the total of a subheading; empty where it agrees or nothing explains it alone."""
    lines = [*found.listed, *found.unlisted]
    if not found.listed or abs(found.mean(lines) - found.total) <= _TOLERANCE:
        return Reading()
    if found.unlisted and found.gives(found.listed):
        return Reading(gone=found.unlisted)
    explained = [one for one in _excluded(found) if found.gives(lines, one)]
    if len(explained) == 1:
        return Reading(excluded=explained[0])
    highest = max(found.ordinary[code] for code in lines)
    answers = sum(found.answer.get(code, 0.0) for code in lines) / len(lines)
    return Reading(ordinary=highest) if abs(highest + answers - found.total) < _EXACT else Reading()


def _excluded(found: Subheading) -> Iterator[Sequence[str]]:
    """Sets of listed lines that may be excluded, each as a whole."""
    charged = [code for code in found.listed if found.answer.get(code)]
    if len(charged) > _MOST_LISTED:
        yield charged
        return
    for size in range(1, len(charged) + 1):
        yield from itertools.combinations(charged, size)


def read_totals(folder: Path, lines: pl.DataFrame) -> dict[str, Reading]:
    """Explain the totals of all subheadings that have no estimate of their ordinary rate; those explained alone.

    Args:
        folder: the source folder `other_direction`.
        lines: cn_hs8 and s301_pct of the lines of the lists.
    """
    rates = ordinary_rates(folder)
    answer = dict(lines.select("cn_hs8", "s301_pct").iter_rows())
    listed, of_2018 = by_subheading(answer), by_subheading(rates)
    found = {}
    for item in check_table(folder).filter(pl.col("mfn_2025_est_pct").is_null()).iter_rows(named=True):
        code, mean = item["hs6"], item["mfn_2018_11_mean_pct"]
        mine = listed.get(code, [])
        others = [one for one in of_2018.get(code, []) if one not in mine]
        if item["wto_2025_01_01_pct"] is None or (mean is None and any(one not in rates for one in mine)):
            continue
        if any(one not in rates for one in mine) and item["check"] != PARTLY:
            others = []
        ordinary = {one: rates.get(one, mean) for one in (*mine, *others)}
        found[code] = read_total(Subheading(mine, others, ordinary, answer, item["wto_2025_01_01_pct"]))
    return {code: reading for code, reading in found.items() if reading != Reading()}


def check_table(folder: Path) -> pl.DataFrame:
    """Totals, means of rates and answers, and their comparison by subheading."""
    return pl.read_parquet(folder / "rates" / "china_hs6_check_2025.parquet")


def ordinary_rates(folder: Path) -> dict[str, float]:
    """Rates of most-favoured-nation of 2018-11-01 by line, in percent."""
    old = pl.read_parquet(folder / "rates" / "china_mfn_hs8_2018_2019.parquet")
    return dict(old.select("cn_hs8_2018", "mfn_2018_11_01_pct").drop_nulls().iter_rows())


def by_subheading(codes: Iterable[str]) -> dict[str, list[str]]:
    """Group codes by subheading, in order."""
    found: dict[str, list[str]] = {}
    for code in sorted(codes):
        found.setdefault(code[:SUBHEADING_DIGITS], []).append(code)
    return found
