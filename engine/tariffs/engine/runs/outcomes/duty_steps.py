"""Find the days on which the duties of a table changed between its baseline and a day, and the rates that moved."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.bounded_cache import BoundedCache, brief
from tariffs.engine.law.law import Law
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.response.elasticities.adjustment_profile import DAYS_A_YEAR, PROHIBITION_YEARS
from tariffs.engine.response.lanes.adjustment import DutyStep, RateMoves
from tariffs.engine.response.trade.trade_response import PROHIBITIVE, Response
from tariffs.engine.runs.options import Options
from tariffs.engine.table_duty.duties import Dated, Duties, duties_of
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.prepare import PreparedTable

_MOVES_KEPT = 256
"""Those of two years under each convention of claims; some 50 MB with the embedded table."""
_RATES_KEPT = 4
_KEYS_KEPT = 1024


class StepsRun(Protocol):
    """Table of a run, as far as its steps of duty need it."""

    law: Law
    options: Options
    market: str
    prepared: PreparedTable

    def check(self) -> None:
        """Raise to stop the run."""

    def lines_under(self, law: Law, dated: Dated) -> LineArrays:
        """Lines with the default shares that the switches of a law select."""

    def law_fingerprint(self, law: Law, dated: Dated) -> Hashable:
        """Value that is equal for laws and instants with the same duties on all lines."""

    def dated_alike(self, law: Law, on: str) -> Dated:
        """Date all lines by a day, each in the time of its market."""

    def share_compile(self, dated_laws: Sequence[tuple[Law, Dated]]) -> None:
        """Compile laws together."""


@dataclass(frozen=True)
class _Day:
    """Day on which the law changed, the instants of the lines by then, and the law under which they are rated."""

    day: date
    law: Law
    dated: Dated
    key: Hashable


class DutySteps:
    """Steps of duty of one table; what laws and days share is computed once.

    Args:
        run: the table.
        response: its response.
        base: the duties at the baseline.
        base_dated: the instant of the baseline.
    """

    def __init__(self, run: StepsRun, response: Response, base: Duties, base_dated: Dated) -> None:
        self._run = run
        self._response = response
        self._zone = run.law.zones[run.market]
        self._start = base_dated.instants[0]
        # Goods that the baseline prohibits are priced out on its day, as they are by a response without a path.
        is_prohibiting = bool(base.prohibited.any())
        self._base_key = run.law_fingerprint(run.law, base_dated), is_prohibiting or None
        cache = run.prepared.lines.cache
        self._moves: BoundedCache[Hashable, RateMoves] = cache.setdefault("moves", BoundedCache(_MOVES_KEPT))
        self._keys: BoundedCache[Hashable, tuple[Law, Hashable]] = BoundedCache(_KEYS_KEPT)
        self._rates: BoundedCache[Hashable, F64]
        self._rates = cache.setdefault("rates", brief(BoundedCache(_RATES_KEPT)))

    def until(self, law: Law, dated: Dated) -> list[DutyStep]:
        """List the steps of a law from the baseline to the instants of the lines, the oldest first.

        A line with an instant of its own keeps its duty from then on; ages count to the latest instant. What differs at
        the baseline already is a step of its day, and if the lines enter before it, one of their day. A prohibition
        that has ended is no step: its goods go from the rate before it to the rate after it.

        Args:
            law: the law, after any scenario.
            dated: the instants of the lines.
        """
        last = self._day_of(max(dated.instants))
        days = list(self._changes(law, dated))
        keys = [self._base_key, *(day.key for day in days)]
        self._run.share_compile(
            [
                (law, day.dated)
                for before, day in zip(keys, days, strict=False)
                if (self._full(before), self._full(day.key)) not in self._moves
            ]
        )
        steps, before = [], None
        for day in days:
            steps.append(DutyStep((last - day.day).days / DAYS_A_YEAR, self._between(before, day)))
            before = day
        return prohibitions_apart(without_ended_prohibitions(steps))

    def days(self, law: Law, dated: Dated) -> list[tuple[float, Dated]]:
        """List the days on which a law may have changed, the oldest first: the age in years, and the dated lines."""
        end = max(dated.instants)
        last = self._day_of(end)
        return [
            ((last - day).days / DAYS_A_YEAR, self._dated_by(law, dated, day)) for day in self._days(law, end)
        ]

    def history(self, law: Law, dated: Dated) -> Hashable:
        """Compute a value that is equal for laws with the same steps of duty at the instants of the lines."""
        return tuple((day.day, day.key) for day in self._changes(law, dated))

    def _changes(self, law: Law, dated: Dated) -> Iterator[_Day]:
        """Yield the days with another law than the day before, the first compared with the baseline."""
        # Lines with instants of their own share a fingerprint with those of no other day.
        own: Hashable = None if dated.of_line is None else tuple(dated.instants)
        before: Hashable = self._base_key
        for day in self._days(law, max(dated.instants)):
            then = self._dated_by(law, dated, day)
            key = self._key_of(law, day, then, own)
            if key != before:
                yield _Day(day, law, then, key)
                before = key

    def _key_of(self, law: Law, day: date, then: Dated, own: Hashable) -> Hashable:
        """Key of the law of a day; kept, since rows of a timeline have most of their days in common."""

        def found() -> tuple[Law, Hashable]:
            return law, (self._run.law_fingerprint(law, then), own)

        # The value refers to the law, so that its id is not reused.
        return self._keys.get((id(law), day, own), found)[1]

    def _days(self, law: Law, end: datetime) -> list[date]:
        """List the first day, and the days until the end on which the law or what is known of it changes."""
        first, last = self._day_of(self._start), self._day_of(end)
        days = {min(first, last)}
        for boundary in law.boundaries:
            if self._start < boundary <= end:
                days.add(self._first_day_from(law, boundary))
        if self._run.options.known_on:
            days |= {day for day in law.publication_days if first < day <= last}
        return sorted(day for day in days if day <= last)

    def _day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _first_day_from(self, law: Law, boundary: datetime) -> date:
        """Find the first day whose noon is at the boundary or later."""
        day = self._day_of(boundary)
        noon = entry_instant(law, day.isoformat(), self._run.market)
        return day if boundary <= noon else day + timedelta(days=1)

    def _dated_by(self, law: Law, dated: Dated, day: date) -> Dated:
        """Date the lines by a day, or by their own instants where these come before it."""
        then = self._run.dated_alike(law, day.isoformat())
        of_market = dict(zip(then.markets, zip(then.instants, then.known_on, strict=True), strict=True))
        pairs = [
            min((instant, known_on), of_market[market], key=lambda pair: pair[0])
            for instant, known_on, market in dated.moments
        ]
        return replace(
            dated, instants=[instant for instant, _ in pairs], known_on=[known for _, known in pairs]
        )

    def _full(self, key: Hashable) -> Hashable:
        return self._response.model, self._base_key, key

    def _between(self, before: _Day | None, day: _Day) -> RateMoves:
        """Rates that move from the law of one day, or of the baseline, to that of another."""

        def found() -> RateMoves:
            return RateMoves.between(self._rate(before), self._rate(day))

        key = self._full(before.key if before else self._base_key), self._full(day.key)
        return self._moves.get(key, found)

    def _rate(self, day: _Day | None) -> F64:
        if day is None:
            return self._response.base_rate

        def found() -> F64:
            duties = duties_of(day.law, self._run.lines_under(day.law, day.dated), day.dated, self._run.check)
            return self._response.responding_rate(self._response.rates_under(duties))

        return self._rates.get(self._full(day.key), found)


def without_ended_prohibitions(steps: Sequence[DutyStep]) -> list[DutyStep]:
    """Drop prohibitions that ended: their goods go from the rate before the prohibition to the rate after it."""
    ended = _ended(steps)
    if not ended.size:
        return list(steps)
    kept = np.full(int(ended[-1]) + 1, np.nan)
    last = _last_prohibition(steps, len(kept))
    found = []
    for place, step in enumerate(steps):
        moves = step.moves
        inside = moves.variety < len(kept)
        variety = np.where(inside, moves.variety, 0)
        reopens = inside & (moves.before == PROHIBITIVE)
        closes = inside & (moves.after == PROHIBITIVE)
        before = np.where(reopens, kept[variety], moves.before)
        kept[variety[closes]] = before[closes]
        stays = np.where(closes, last[variety] == place, before != moves.after)
        chosen = stays | ~inside
        found.append(
            DutyStep(step.years, RateMoves.of(moves.variety[chosen], before[chosen], moves.after[chosen]))
        )
    return found


def prohibitions_apart(steps: Sequence[DutyStep]) -> list[DutyStep]:
    """Put prohibitions into steps of their own, after the duties of their day, at least PROHIBITION_YEARS old.

    What goods paid before they were prohibited is in no step: they go from the rate of the baseline. No prohibition of
    the steps has ended.
    """
    closing = [step.moves.after == PROHIBITIVE for step in steps]
    prohibited = np.concatenate(
        [np.zeros(0, np.int32), *(one.moves.variety[at] for one, at in zip(steps, closing, strict=True))]
    )
    if not prohibited.size:
        return list(steps)
    base = np.zeros(1 + max(int(step.moves.variety.max(initial=-1)) for step in steps))
    for step in reversed(steps):
        base[step.moves.variety] = step.moves.before
    found = []
    for step, closes in zip(steps, closing, strict=True):
        found.append(DutyStep(step.years, step.moves.where(~np.isin(step.moves.variety, prohibited))))
        if closes.any():
            goods = step.moves.variety[closes]
            moves = RateMoves.of(goods, base[goods], step.moves.after[closes])
            found.append(DutyStep(max(step.years, PROHIBITION_YEARS), moves))
    return found


def _ended(steps: Sequence[DutyStep]) -> F64:
    """Varieties that were prohibited and are no more at some step, ascending."""
    reopened = [step.moves.variety[step.moves.before == PROHIBITIVE] for step in steps]
    return np.unique(np.concatenate(reopened)) if reopened else np.zeros(0)


def _last_prohibition(steps: Sequence[DutyStep], count: int) -> F64:
    """Step at which each variety is prohibited until the end; -1 for one that is not."""
    last = np.full(count, -1.0)
    for place, step in enumerate(steps):
        inside = step.moves.variety < count
        variety, after = step.moves.variety[inside], step.moves.after[inside]
        last[variety] = np.where(after == PROHIBITIVE, float(place), -1.0)
    return last
