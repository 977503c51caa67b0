"""Find the paths of duty of varieties at points of a sweep: their rates on all days since the baseline.

Varieties whose atoms are of one class of rates on all days have one path, so paths are found by class. Those of the
days before the first on which points differ are kept with the table: other values of the parameters have the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I64, Bools, factorize, first_of
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.errors import LawError
from tariffs.engine.law.law import Law
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tariffs.engine.response.trade.trade_response import PROHIBITIVE, Response
from tariffs.engine.response.trade.varieties import NOTHING
from tariffs.engine.runs.lanes.point_laws import PointGroup
from tariffs.engine.runs.outcomes.duty_steps import prohibitions_apart
from tariffs.engine.runs.outcomes.outcome import Outcome
from tariffs.engine.runs.outcomes.table_run import TableRun
from tariffs.engine.table_duty.form_history import FormHistory, Words
from tariffs.engine.table_duty.rate_classes import (
    RateClasses,
    bits,
    class_functions,
    common_classes,
    numbered,
)
from tariffs.engine.table_duty.rated_lines import Dated, RatedLines, rate_days

MOVED = np.uint64(0x7FF8_0000_0000_0000)
"""First word of rates that differ between points, with the number of their form added; others are the bits of a rate.

It is the bits of NaN, which no rate is.
"""


def word_of(rate: float) -> np.uint64:
    """Word of a rate that is the same at all points."""
    word: np.uint64 = bits(np.array([rate])).view(np.uint64)[0]
    return word


@dataclass(frozen=True)
class ClassPaths:
    """Distinct paths of classes over some days.

    Attributes:
        of_class: path of each class.
        words: word of each path on each day (days x paths): equal words are equal rates at all points.
    """

    of_class: I64
    words: Words

    @classmethod
    def none(cls, count: int) -> ClassPaths:
        """Paths of so many classes before the first day."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros((0, 1), dtype=np.uint64))

    def extended(self, days: Sequence[Words]) -> ClassPaths:
        """Go on with more days, given the word of each class on each."""
        from tariffs.engine.response.kernels.law_lanes import mark_paths

        if not days:
            return self
        every = np.arange(len(self.of_class), dtype=np.int32)
        marks = self.of_class.astype(np.uint64)
        before = self.words[-1][self.of_class] if len(self.words) else None
        for place, words in enumerate(days):
            changed = every if before is None else np.flatnonzero(words != before).astype(np.int32)
            mark_paths(changed, words[changed], place, marks)
            before = words
        of_class = np.unique(marks, return_inverse=True)[1].astype(np.int64)
        first = first_of(of_class)
        return ClassPaths(
            of_class, np.vstack([self.words[:, self.of_class[first]], *(day[first] for day in days)])
        )


@dataclass(frozen=True)
class VarietyPaths:
    """Paths of duty of varieties at points that differ in rates.

    Attributes:
        of_variety: path of each variety.
        forms: rates of the paths by day: the same object where a sweep has the paths of one before it.
        history: gives the rates of forms at points.
    """

    of_variety: I64
    forms: RatePaths
    history: FormHistory

    @classmethod
    def of(cls, run: TableRun, outcome: Outcome, group: PointGroup, dated: Dated) -> VarietyPaths | None:
        """Find the paths; None if sums over varieties cannot express them.

        Args:
            run: the table, with a response.
            outcome: results under the law of the points.
            group: the points, with the history of their rates.
            dated: the instants of the lines.
        """
        response, law, history = run.response, group.law, FormHistory()
        assert response is not None
        assert group.history is not None
        days = list(_changing_days(run, law, dated, group.history))
        rated: Sequence[Sequence[RatedLines]] | None = [outcome.duties.rated]
        if run.steps or len({id(one.family) for one in outcome.duties.rated}) > 1:
            rated = _rated_together(run, law, [day.dated for day in days])
        if rated is None or any(
            one.family.atoms is not response.varieties.atoms for each in rated for one in each
        ):
            return None
        classes, rated_days = _ClassesOfDays.of(response, dated, rated), list(zip(days, rated, strict=True))
        start = next((place for place, day in enumerate(days) if day.moves), len(days))
        alike = _paths_of_all_points(run, law, classes, rated_days[:start])
        words = _words_of(run, law, classes, rated_days[start:], history)
        if alike is None or words is None:
            return None
        years = [day.years for day in days] if run.steps else []

        def found() -> tuple[I64, RatePaths]:
            return _paths_of_varieties(alike.extended(words), classes, response.base_rate, years, history)

        key = tuple(years), _digest(words), history.count
        return cls(*_PATHS.get(run.prepared.lines.cache, (alike, response.base_rate), key, found), history)


_PATHS: KeptWith[tuple[I64, RatePaths]] = KeptWith(2)
_CLASS_PATHS: KeptWith[ClassPaths | None] = KeptWith(2)
"""Some 20 MB each for the embedded table."""


@dataclass(frozen=True)
class _ChangingDay:
    """Day on which the law may have changed.

    `years` is its age, `key` equal for laws with the same duties; `function` is by instant that of each row of the law,
    as of `PointGroup`.
    """

    years: float
    dated: Dated
    key: Hashable
    function: Sequence[I64]

    @property
    def moves(self) -> bool:
        """True if the points differ on the day."""
        return any((each >= 0).any() for each in self.function)

    def is_like(self, other: _ChangingDay) -> bool:
        """Test whether duties are the same at every point on two days."""
        return self.key == other.key and all(map(np.array_equal, self.function, other.function))


def _changing_days(run: TableRun, law: Law, dated: Dated, function: Sequence[I64]) -> Iterator[_ChangingDay]:
    """Yield the days on which duties differ from those of the day before, the first among them."""
    place, before = 0, None
    for years, then in run.steps.days(law, dated) if run.steps else [(0.0, dated)]:
        run.check()
        end = place + len(then.moments)
        day = _ChangingDay(years, then, run.law_fingerprint(law, then), function[place:end])
        if before is None or not day.is_like(before):
            yield day
        place, before = end, day


def _rated_together(run: TableRun, law: Law, days: Sequence[Dated]) -> list[list[RatedLines]] | None:
    """Rate the lines on all days; None if their laws together have too many tests."""
    try:
        return rate_days(law, run.lines_under(law, days[-1]), days)
    except LawError:
        return None


@dataclass(frozen=True)
class _ClassesOfDays:
    """Classes of atoms with one rate on each day; those of each instant of the lines are numbered through.

    Attributes:
        classes: classes of atoms.
        used: by instant, the classes of its varieties, ascending.
        of_variety: number of the class and instant of each variety.
        traded: marks the classes and instants with a variety that is traded.
    """

    classes: RateClasses
    used: Sequence[I64]
    of_variety: I64
    traded: Bools

    @classmethod
    def of(cls, response: Response, dated: Dated, rated: Sequence[Sequence[RatedLines]]) -> _ClassesOfDays:
        """Find the classes of the varieties under the laws of all days."""
        varieties, instants = response.varieties, len(dated.instants)
        classes = common_classes(rated[0][0], [one.layers for each in rated for one in each])
        number = classes.of_atom[varieties.atom].astype(np.int64)
        if dated.of_line is not None:
            number += classes.count * dated.of_line[varieties.line].astype(np.int64)
        found, of_variety = factorize(number)
        firsts = np.searchsorted(found, classes.count * np.arange(1, instants))
        traded = np.zeros(len(found), dtype=bool)
        traded[of_variety[varieties.value > 0.0]] = True
        return cls(classes, np.split(found % classes.count, firsts), of_variety, traded)


_RatedDay = tuple[_ChangingDay, Sequence[RatedLines]]


def _paths_of_all_points(
    run: TableRun, law: Law, classes: _ClassesOfDays, days: Sequence[_RatedDay]
) -> ClassPaths | None:
    """Find the paths of classes over days on which all points have one law; None if something is partly prohibited.

    They are kept with the table, for sweeps of other values.
    """

    def made() -> ClassPaths | None:
        words = _words_of(run, law, classes, days, FormHistory())
        return None if words is None else ClassPaths.none(len(classes.traded)).extended(words)

    # What is traded at which instant decides whether something is partly prohibited.
    key = _digest([classes.traded]), tuple(day.key for day, _ in days)
    return _CLASS_PATHS.get(run.prepared.lines.cache, (classes.classes,), key, made)


def _digest(arrays: Iterable[NDArray[Any]]) -> bytes:
    """Text that is equal for equal arrays."""
    digest = hashlib.blake2b()
    for array in arrays:
        digest.update(array.data)
    return digest.digest()


def _words_of(
    run: TableRun, law: Law, classes: _ClassesOfDays, days: Sequence[_RatedDay], history: FormHistory
) -> list[Words] | None:
    """Find the words of the classes on days; None if something is partly prohibited."""
    found = []
    for day, rated in days:
        run.check()
        words = _words_on(law, classes, day, rated, history)
        if words is None:
            return None
        found.append(words)
    return found


def _words_on(
    law: Law, classes: _ClassesOfDays, day: _ChangingDay, rated: Sequence[RatedLines], history: FormHistory
) -> Words | None:
    """Find the words of the classes on a day; None if something is partly prohibited."""
    found, prohibited_share = [], []
    for one, function, used in zip(rated, day.function, classes.used, strict=True):
        functions = class_functions(law, one, function >= 0, classes.classes).of(used)
        prohibited_share.append(functions.prohibited_share)
        words = bits(functions.prohibited_at(PROHIBITIVE)).view(np.uint64)
        moving = np.flatnonzero(functions.lengths)
        if moving.size:
            words[moving] = MOVED + history.add(functions.of(moving), function).astype(np.uint64)
        found.append(words)
    share = np.concatenate(prohibited_share)
    partly = (share > 0.0) & (share < 1.0 - NOTHING) & classes.traded
    return None if partly.any() else np.concatenate(found)


def _paths_of_varieties(
    paths: ClassPaths, classes: _ClassesOfDays, base_rate: F64, years: Sequence[float], history: FormHistory
) -> tuple[I64, RatePaths]:
    """Number the paths of varieties, which begin with their rates at the baseline; without `years` it is one change."""
    base = bits(base_rate)
    of_variety = numbered(paths.of_class[classes.of_variety], base)
    chosen = first_of(of_variety)
    table = np.vstack(
        [base[chosen].view(np.uint64), paths.words[:, paths.of_class[classes.of_variety[chosen]]]]
    )
    if not years:
        return of_variety, _forms(table, [0.0], history)
    return of_variety, _forms(*prohibitions_apart(table, years, word_of(PROHIBITIVE)), history)


def _forms(words: Words, years: Sequence[float], history: FormHistory) -> RatePaths:
    """Number the forms of paths (1 + days x paths): those that move as in the history, and the others behind them."""
    changes = np.ones(words.shape, dtype=bool)
    np.not_equal(words[1:], words[:-1], out=changes[1:])
    changed = words[changes]
    moved = changed >= MOVED
    still, place = factorize(changed[~moved].view(np.int64))
    number = np.empty(changed.size, dtype=np.int64)
    number[moved] = (changed[moved] - MOVED).astype(np.int64)
    number[~moved] = history.count + place
    # Each day has the latest change of its path.
    latest = np.zeros(words.shape, dtype=np.int64)
    latest[changes] = np.arange(changed.size)
    form = number[np.maximum.accumulate(latest, axis=0)]
    rates = np.concatenate([np.zeros(history.count), still.view(np.float64)])
    return RatePaths(years, np.ascontiguousarray(form.T), rates, np.arange(len(rates)) < history.count)
