"""Find the paths of duty of varieties at points of a sweep: their rates on all days since the baseline.

Varieties whose atoms are of one class of rates on all days have one path, so paths are found by class. Those of the
days before the first on which points differ are kept with the table: other values of the parameters have the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I64, Bools, factorize, first_of
from tariffs.engine.base.bounded_cache import KeptWith, brief
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


_CLASS_PATHS: KeptWith[ClassPaths | None] = KeptWith(2, brief)
"""Some 20 MB each for the embedded table."""


@dataclass(frozen=True)
class VarietyPaths:
    """Paths of duty of varieties at points that differ in rates.

    Attributes:
        before: paths of their classes before the points differ, the same object for other values of the parameters.
        key: equal for the same paths from then on.
        history: gives the rates of forms at points.
        find: numbers the paths, and finds that of each variety.
    """

    before: ClassPaths
    key: Hashable
    history: FormHistory
    find: Callable[[], tuple[RatePaths, I64]]

    @classmethod
    def of(cls, run: TableRun, outcome: Outcome, group: PointGroup, dated: Dated) -> VarietyPaths | None:
        """Find the paths; None if sums over varieties cannot express them."""
        response, law, history = run.response, group.law, FormHistory()
        assert response is not None
        days = _changing_days(run, group, dated)
        rated: Sequence[Sequence[RatedLines]] = [outcome.duties.rated]
        if run.steps or len({id(lines.family) for lines in rated[0]}) > 1:
            try:
                rated = rate_days(law, run.lines_under(law, days[-1].dated), [day.dated for day in days])
            except LawError:  # their laws together have too many tests
                return None
        if any(lines.family.atoms is not response.varieties.atoms for of_day in rated for lines in of_day):
            return None
        classes, rated_days = _ClassesOfDays.of(response, dated, rated), list(zip(days, rated, strict=True))
        start = next((place for place, day in enumerate(days) if day.moves), len(days))

        def before() -> ClassPaths | None:
            count = len(classes.traded)
            nothing = ClassPaths(np.zeros(count, dtype=np.int64), np.zeros((0, 1), dtype=np.uint64))
            words = _words_of(run, law, classes, rated_days[:start], FormHistory())
            return None if words is None else nothing.extended(words)

        # What is traded at which instant decides whether something is partly prohibited.
        same = _digest([classes.traded]), tuple(day.key for day in days[:start])
        alike = _CLASS_PATHS.get(run.prepared.lines.cache, (classes.classes,), same, before)
        words = _words_of(run, law, classes, rated_days[start:], history)
        if alike is None or words is None:
            return None
        years = [day.years for day in days] if run.steps else []
        key = tuple(years), _digest(words), history.count
        find = partial(_of_varieties, alike, words, classes, response.base_rate, years, history.count)
        return cls(alike, key, history, find)


@dataclass(frozen=True)
class _ChangingDay:
    """Day on which the law may have changed.

    `years` is its age, `function` by instant that of each row of the law, as of `PointGroup`; `key` is equal for days
    with the same duties at every point.
    """

    years: float
    dated: Dated
    key: Hashable
    function: Sequence[I64]

    @property
    def moves(self) -> bool:
        """True if the points differ on the day."""
        return any((each >= 0).any() for each in self.function)


def _changing_days(run: TableRun, group: PointGroup, dated: Dated) -> list[_ChangingDay]:
    """List the days on which duties differ from those of the day before, the first among them."""
    law, place, days = group.law, 0, list[_ChangingDay]()
    for years, then in run.steps.days(law, dated) if run.steps else [(0.0, dated)]:
        run.check()
        assert group.history is not None
        function = group.history[place : place + len(then.moments)]
        place += len(then.moments)
        key = run.law_fingerprint(law, then), tuple(each.tobytes() for each in function)
        if not days or days[-1].key != key:
            days.append(_ChangingDay(years, then, key, function))
    return days


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


def _digest(arrays: Sequence[NDArray[Any]]) -> bytes:
    """Text that is equal for equal arrays."""
    digest = hashlib.blake2b()
    for array in arrays:
        digest.update(array.data)
    return digest.digest()


def _words_of(
    run: TableRun,
    law: Law,
    classes: _ClassesOfDays,
    days: Sequence[tuple[_ChangingDay, Sequence[RatedLines]]],
    history: FormHistory,
) -> list[Words] | None:
    """Find the words of the classes on days; None if something is partly prohibited."""
    found = []
    for day, rated in days:
        run.check()
        of_instants, prohibited_share = [], []
        for lines, function, used in zip(rated, day.function, classes.used, strict=True):
            functions = class_functions(law, lines, function >= 0, classes.classes).of(used)
            prohibited_share.append(functions.prohibited_share)
            words = bits(functions.prohibited_at(PROHIBITIVE)).view(np.uint64)
            moving = np.flatnonzero(functions.lengths)
            if moving.size:
                words[moving] = MOVED + history.add(functions.of(moving), function).astype(np.uint64)
            of_instants.append(words)
        share = np.concatenate(prohibited_share)
        if ((share > 0.0) & (share < 1.0 - NOTHING) & classes.traded).any():
            return None
        found.append(np.concatenate(of_instants))
    return found


def _of_varieties(
    before: ClassPaths,
    words: Sequence[Words],
    classes: _ClassesOfDays,
    base_rate: F64,
    years: Sequence[float],
    count: int,
) -> tuple[RatePaths, I64]:
    """Number the paths of varieties, which begin with their rates at the baseline; without `years` it is one change."""
    paths, base = before.extended(words), bits(base_rate)
    of_variety = numbered(paths.of_class[classes.of_variety], base)
    chosen = first_of(of_variety)
    table = np.vstack(
        [base[chosen].view(np.uint64), paths.words[:, paths.of_class[classes.of_variety[chosen]]]]
    )
    if not years:
        return _forms(table, [0.0], count), of_variety
    return _forms(*prohibitions_apart(table, years, word_of(PROHIBITIVE)), count), of_variety


def _forms(words: Words, years: Sequence[float], count: int) -> RatePaths:
    """Number the forms of paths (1 + days x paths): those that move as in a history of so many, the others behind."""
    changes = np.ones(words.shape, dtype=bool)
    np.not_equal(words[1:], words[:-1], out=changes[1:])
    changed = words[changes]
    moved = changed >= MOVED
    still, place = factorize(changed[~moved].view(np.int64))
    number = np.empty(changed.size, dtype=np.int64)
    number[moved] = (changed[moved] - MOVED).astype(np.int64)
    number[~moved] = count + place
    # Each day has the latest change of its path.
    latest = np.zeros(words.shape, dtype=np.int64)
    latest[changes] = np.arange(changed.size)
    form = number[np.maximum.accumulate(latest, axis=0)]
    rates = np.concatenate([np.zeros(count), still.view(np.float64)])
    return RatePaths(years, np.ascontiguousarray(form.T), rates, np.arange(len(rates)) < count)
