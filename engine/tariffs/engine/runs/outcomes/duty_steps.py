"""Find the changes of duty of a table between its baseline and a day, and those that buyers expect around a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, ratio
from tariffs.engine.base.bounded_cache import BoundedCache, KeptWith, brief
from tariffs.engine.base.packed_arrays import pack, unpack
from tariffs.engine.base.snapshot import files_digest, read_snapshot, write_snapshot
from tariffs.engine.law import load_law
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.response.elasticities.adjustment_profile import DAYS_A_YEAR, PROHIBITION_YEARS
from tariffs.engine.response.lanes.adjustment import DutyStep, RateMoves
from tariffs.engine.response.trade.anticipation import (
    DAYS_A_MONTH,
    ExpectedStep,
    Storage,
    default_storage,
    purchase_factor,
)
from tariffs.engine.response.trade.trade_response import PROHIBITIVE, Response
from tariffs.engine.runs.outcomes.rated_table import RatedTable
from tariffs.engine.table_duty.rated_lines import Dated, assessed_of_day
from tariffs.engine.tables.default_shares import basis_of

_NAME = "moves"
_ROOMS = (
    "base",
    "schedule",
    "law",
    "tables",
    "rating",
    "table_duty",
    "response",
    "response/*",
    "runs/outcomes",
)
_COLUMNS = "variety", "number", "changes"
_MADE_OF = ("schedule/data/*", *(f"{room}/*.py" for room in _ROOMS))


def kept_moves(
    facts: Sequence[str], goods: Sequence[NDArray[Any]], make: Callable[[], list[RateMoves]]
) -> list[RateMoves]:
    """Return moves from their snapshot, made and kept there if there is none: every adjustment path begins with them.

    They depend on facts besides the code of the engine and its schedule, and on arrays of the goods that move.
    """
    digest = hashlib.sha256(json.dumps([files_digest(*_MADE_OF), np.__version__, *facts]).encode())
    for column in goods:
        digest.update(np.ascontiguousarray(column).data)
    key = digest.hexdigest()
    data = read_snapshot(_NAME, key)
    if data is None:
        moves = make()
        if moves:
            write_snapshot(_NAME, key, pack({}, _packed(moves)))
        return moves
    _, kept = unpack(data)
    ends = np.cumsum(kept["sizes"], axis=1)[:, :-1]
    columns = (np.split(kept[name], end, axis=-1) for name, end in zip(_COLUMNS, ends, strict=True))
    return [RateMoves.numbered(*each) for each in zip(*columns, strict=True)]


def _packed(moves: Sequence[RateMoves]) -> dict[str, NDArray[Any]]:
    """Arrays of moves, joined, and their sizes."""
    arrays = {name: [getattr(one, name) for one in moves] for name in _COLUMNS}
    sizes = [[each.shape[-1] for each in column] for column in arrays.values()]
    joined = {name: np.concatenate(column, axis=-1) for name, column in arrays.items()}
    return {"sizes": np.array(sizes, dtype=np.int64), **joined}


_MOVES_KEPT = 384
"""Those of two years under each convention of claims; some 90 MB with the embedded table."""
_RATES_KEPT = 4
_KEYS: KeptWith[Hashable] = KeptWith(1024)
_MEAN_RATES_KEPT = 64
"""Some 170 MB for the embedded table."""
_LEAST = 1e-9
"""Least log change of one plus a rate that moves purchases."""


@dataclass(frozen=True)
class _Day:
    """Day on which the law changed, the instants of the lines by then, and the law under which they are rated."""

    day: date
    law: Law
    dated: Dated
    key: Hashable


class DutySteps:
    """Steps of duty of one table and its response; what laws and days share is computed once."""

    def __init__(self, run: RatedTable, response: Response) -> None:
        assert run.base is not None
        self._run = run
        self._response = response
        self._zone = run.law.zones[run.market]
        self._start = run.base_dated.instants[0]
        # Goods that the baseline prohibits are priced out on its day, as they are by a response without a path.
        is_prohibiting = bool(run.base.prohibited.any())
        self._base_key = assessed_of_day(run.law, run.base_dated), is_prohibiting or None
        cache = run.prepared.lines.cache
        self._moves: BoundedCache[Hashable, RateMoves] = cache.setdefault("moves", BoundedCache(_MOVES_KEPT))
        self._keys: dict[Any, Any] = {}
        self._rates: BoundedCache[Hashable, F64]
        self._rates = cache.setdefault("rates", brief(BoundedCache(_RATES_KEPT)))

    def until(self, law: Law, dated: Dated) -> list[DutyStep]:
        """List the steps of a law from the baseline to the instants of the lines, the oldest first.

        A line with an instant of its own keeps its duty from then on; ages count to the latest instant. What differs at
        the baseline already is a step of its day, and if the lines enter before it, one of their day. A prohibition
        that has ended is no step: its goods go from the rate before it to the rate after it.
        """
        self._recall(basis_of(law))
        last = self._day_of(max(dated.instants))
        days = list(self._changes(law, dated))
        ages = [(last - day.day).days / DAYS_A_YEAR for day in days]
        steps = list(map(DutyStep, ages, self._moves_of(days)))
        if self._run.options.score:
            steps = in_force(steps, self._response.base_rate)
        return with_prohibitions_apart(steps)

    def _moves_of(self, days: Sequence[_Day]) -> list[RateMoves]:
        """Rates that move on each day; those of days that follow one another under other laws are computed once."""
        pairs = list(zip([None, *days], days, strict=False))
        new = [day for before, day in pairs if self._pair(before, day) not in self._moves]
        self._run.share_compile([(day.law, day.dated) for day in new])
        return [self._between(before, day) for before, day in pairs]

    def _recall(self, basis: tuple[tuple[str, str], ...]) -> None:
        """Take the moves of the embedded law and table from their snapshot: scenarios have most of them in common."""
        run, law = self._run, self._run.law
        recalled = run.prepared.lines.cache.setdefault("moves recalled", set())
        is_embedded = law is load_law() and run.prepared.baseline and run.market == IMPORT
        key = self._full(None), basis
        if not is_embedded or run.options.known_on or key in recalled:
            return
        recalled.add(key)
        law = law if basis == basis_of(law) else law.with_switches(dict(basis))
        days = list(self._changes(law, run.dated_alike(law, law.as_of.isoformat())))
        dates = (self._start.isoformat(), *(day.day.isoformat() for day in days))
        given = (
            law.digest,
            json.dumps(basis),
            run.prepared.digest,
            self._response.model,
            str(self._base_key[1]),
        )
        goods = self._response.varieties.line, self._response.varieties.product, self._response.base_rate
        moves = kept_moves((*given, *dates), goods, lambda: self._moves_of(days))
        for before, day, found in zip([None, *days], days, moves, strict=False):
            self._moves.keep(self._pair(before, day), found)

    def days(self, law: Law, dated: Dated) -> list[tuple[float, Dated]]:
        """List the days on which a law may have changed, the oldest first: the age in years, and the dated lines."""
        end = max(dated.instants)
        last = self._day_of(end)
        days = self._days(law, end)
        return [((last - day).days / DAYS_A_YEAR, self._dated_by(law, dated, day)) for day in days]

    def history(self, law: Law, dated: Dated) -> Hashable:
        """Compute a value that is equal for laws with the same duties and steps at the instants of the lines."""
        steps = tuple((day.day, day.key) for day in self._changes(law, dated))
        return self._run.law_fingerprint(law, dated), steps

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

        return _KEYS.get(self._keys, (law,), (day, own), lambda: (assessed_of_day(law, then), own))

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
        pairs = [min(moment[:2], of_market[moment[2]], key=lambda pair: pair[0]) for moment in dated.moments]
        return replace(
            dated, instants=[moment for moment, _ in pairs], known_on=[known for _, known in pairs]
        )

    def _full(self, day: _Day | None) -> Hashable:
        return self._response.model, self._base_key, day.key if day else self._base_key

    def _pair(self, before: _Day | None, day: _Day) -> Hashable:
        return self._full(before), self._full(day)

    def _between(self, before: _Day | None, day: _Day) -> RateMoves:
        """Rates that move from the law of one day, or of the baseline, to that of another."""
        pair = self._pair(before, day)
        return self._moves.get(pair, lambda: RateMoves.between(self._rate(before), self._rate(day)))

    def _rate(self, day: _Day | None) -> F64:
        if day is None:
            return self._response.base_rate

        def found() -> F64:
            rates = self._response.rates_under(self._run.duties(day.law, day.dated))
            return self._response.responding_rate(rates)

        return self._rates.get(self._full(day), found)


class ExpectedDuties:
    """Purchases that buyers move because they expect, from a day on (ISO text), the duties that come."""

    def __init__(self, run: RatedTable, since: str) -> None:
        self._run = run
        self._since = date.fromisoformat(since[:10])
        self._storage: Storage = default_storage()
        self._rates: BoundedCache[Hashable, tuple[F64, Law]] = BoundedCache(_MEAN_RATES_KEPT)

    def factor(self, law: Law, dated: Dated) -> F64 | None:
        """Factor on the purchases of each line on the day of a result, the same for all; None if none are moved."""
        instant, _, market = dated.moments[0]
        on = instant.astimezone(law.zones[market]).date()
        if on < self._since:
            return None
        lead = timedelta(days=round(self._storage.lead * DAYS_A_MONTH))
        days = self._days(law, max(self._since, on - lead), on + lead)
        around = {each for day in days for each in (day - timedelta(days=1), day)}
        self._run.share_compile(
            [(law, self._run.dated_alike(law, day.isoformat())) for day in sorted(around)]
        )
        steps = [
            ExpectedStep((day - on).days, min((day - self._since).days, lead.days), gain)
            for day in days
            if (gain := self._gain(law, day)) is not None
        ]
        factor = purchase_factor(steps, self._run.prepared.lines.count, self._storage)
        return factor if (factor != 1.0).any() else None

    def _days(self, law: Law, after: date, last: date) -> list[date]:
        """Days after one and to another on which the law changes, and the day after each for what begins past noon."""
        zone = law.zones[self._run.market]
        first, end = (each.astimezone(zone).date() for each in law.covered(self._run.market))
        zones = {law.zones[market] for market in (self._run.market, *self._run.prepared.markets)}
        days = {boundary.astimezone(zone).date() for boundary in law.boundaries for zone in zones}
        days |= {day + timedelta(days=1) for day in days}
        return sorted(day for day in days if max(after, first) < day <= last and day < end)

    def _gain(self, law: Law, day: date) -> F64 | None:
        """Log change of one plus the rate of each line from the day before; None if no rate changes."""
        before, after = (self._rate(law, each) for each in (day - timedelta(days=1), day))
        if before is after:
            return None
        gain = np.log((1.0 + after) / (1.0 + before))
        return gain if (np.abs(gain) > _LEAST).any() else None

    def _rate(self, law: Law, day: date) -> F64:
        dated = self._run.dated_alike(law, day.isoformat())

        def found() -> tuple[F64, Law]:
            duties = self._run.duties(law, dated)
            return ratio(duties.duty, duties.lines.value, 0.0), law

        return self._rates.get(self._run.law_fingerprint(law, dated), found)[0]


def in_force(steps: Sequence[DutyStep], base: F64) -> list[DutyStep]:
    """Leave of the steps of duty what is still in force at the end, each part at the age since which it is.

    The steps are the oldest first, from the rate of each variety at the baseline. A duty that has ended leaves nothing:
    a rate above that of the baseline counts, on each day, as far as no later day was below it, and a rate below as far
    as no later day was above it.
    """
    level = base.copy()
    for step in steps:
        level[step.moves.variety] = step.moves.after
    rises, found = level > base, list[DutyStep]()
    for step in reversed(steps):
        goods, before = step.moves.variety, step.moves.before
        after, least = level[goods], base[goods]
        higher = np.maximum(np.minimum(after, before), least)
        lower = np.minimum(np.maximum(after, before), least)
        level[goods] = np.where(rises[goods], higher, lower)
        moved = level[goods] != after
        if moved.any():
            moves = RateMoves.of(goods[moved], level[goods][moved], after[moved])
            found.append(DutyStep(step.years, moves))
    return found[::-1]


def prohibitions_apart(
    paths: NDArray[Any], years: Sequence[float], prohibited: Any
) -> tuple[NDArray[Any], list[float]]:
    """Add a day after each with prohibitions, on which its goods are out; it is at least PROHIBITION_YEARS old.

    Until then they keep the rate of the baseline. Where a prohibition ends, goods go from the rate before it to the
    rate after it.

    Args:
        paths: rates, or words for them (1 + days x paths), those of the baseline first.
        years: age of each day.
        prohibited: rate of goods that are prohibited.
    """
    is_prohibited = paths == prohibited
    lasts = np.logical_and.accumulate(is_prohibited[::-1], axis=0)[::-1]
    entering, rows, ages = paths[0], [paths[0]], list[float]()
    for day, age in enumerate(years, 1):
        entering = np.where(is_prohibited[day], entering, paths[day])
        duties = np.where(lasts[-1], paths[0], entering)
        rows.append(np.where(lasts[day - 1], prohibited, duties))
        ages.append(age)
        if (lasts[day] & ~lasts[day - 1]).any():
            rows.append(np.where(lasts[day], prohibited, duties))
            ages.append(max(age, PROHIBITION_YEARS))
    return np.vstack(rows), ages


def with_prohibitions_apart(steps: Sequence[DutyStep]) -> list[DutyStep]:
    """Put prohibitions into steps of their own after the duties of their day, as `prohibitions_apart` does."""
    marked = [np.zeros(0, dtype=np.int32)]
    for moves in (step.moves for step in steps):
        is_marked = (moves.changes[:2] == PROHIBITIVE).any(axis=0)
        if is_marked.any():
            marked.append(moves.variety[is_marked[moves.number]])
    goods = np.unique(np.concatenate(marked))
    if not goods.size:
        return list(steps)
    is_apart = np.zeros(1 + max(int(step.moves.variety.max(initial=-1)) for step in steps), dtype=bool)
    is_apart[goods] = True
    inside = [is_apart[step.moves.variety] for step in steps]
    own = [step.moves.where(chosen) for step, chosen in zip(steps, inside, strict=True)]
    rest = (step.moves.where(~chosen) for step, chosen in zip(steps, inside, strict=True))
    paths = np.empty((1 + len(steps), goods.size))
    for day, one in reversed(list(enumerate(own, 1))):
        paths[:day, np.searchsorted(goods, one.variety)] = one.before
    for day, one in enumerate(own, 1):
        paths[day:, np.searchsorted(goods, one.variety)] = one.after
    rows, ages = prohibitions_apart(paths, [step.years for step in steps], PROHIBITIVE)
    found = []
    for before, after, age in zip(rows, rows[1:], ages, strict=False):
        moved = before != after
        apart = RateMoves.of(goods[moved], before[moved], after[moved])
        is_out = bool((apart.after == PROHIBITIVE).any())
        found.append(DutyStep(age, apart if is_out else next(rest).joined(apart)))
    return found
