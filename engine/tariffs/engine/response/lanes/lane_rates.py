"""Rates of varieties through time in many lanes: a lane is one law, and a path what the law says of a variety."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, Bools

SAME = 1e-13
"""Relative difference of powers of duty below which they are equal but for rounding."""


@dataclass(frozen=True)
class RatePaths:
    """Paths of duty: a path is the form of its rate at the baseline and from each day on.

    Attributes:
        years: age of a change on each day, in years, the oldest first.
        form: form of each path (paths x 1 + days), the first at the baseline, where none is moved.
        rates: rate of each form; those of moved forms are not read.
        moved: marks the forms whose rate some lane moves.
    """

    years: Sequence[float]
    form: I64
    rates: F64
    moved: Bools

    @classmethod
    def at_once(cls, base: F64, rate_class: I64, rates: F64, moved: Bools) -> tuple[RatePaths, I64]:
        """Make the paths of one change, and the path of each variety, from rates of the varieties at the baseline.

        The forms are the classes of rates after the change, and then the rates at the baseline.
        """
        before, place = np.unique(base, return_inverse=True)
        count = before.size
        keys, of_variety = np.unique(rate_class * count + place, return_inverse=True)
        form = np.column_stack([moved.size + keys % max(1, count), keys // max(1, count)])
        still = np.concatenate([moved, np.zeros(count, dtype=bool)])
        return cls([0.0], form, np.concatenate([rates, before]), still), of_variety

    @property
    def days(self) -> int:
        """Number of days."""
        return len(self.years)

    @property
    def same(self) -> float:
        """Relative change of 1 + t up to which a change is rounding: between days, rates come from sums."""
        return SAME if self.days > 1 else 0.0

    @cached_property
    def known(self) -> F64:
        """Rate of each form, 0 of moved ones."""
        return np.where(self.moved, 0.0, self.rates)

    @cached_property
    def moves(self) -> Bools:
        """Mark the days on which some lane moves a path (paths x days)."""
        before, after = self.form[:, :-1], self.form[:, 1:]
        moves: Bools = (before != after) & (self.moved[before] | self.moved[after])
        return moves

    def changes(self, path: I64, first: int, last: int) -> PathChanges:
        """List the changes of form of some paths on the days [first, last)."""
        form = self.form[path, first : last + 1]
        row, step = np.nonzero(form[:, 1:] != form[:, :-1])
        start = np.searchsorted(row, np.arange(len(path) + 1))
        return PathChanges(start, step, form[row, step], form[row, step + 1])

    def logs(self, changes: PathChanges) -> F64:
        """Change of ln(1 + t) of changes that no lane moves."""
        before = self.known[changes.before]
        change = (self.known[changes.after] - before) / (1.0 + before)
        return np.where(np.abs(change) > self.same, np.log1p(change), 0.0)


@dataclass(frozen=True)
class PathChanges:
    """Changes of form of paths: first of each path (one more than paths), and step and forms of each change."""

    start: I64
    step: I64
    before: I64
    after: I64

    def of(self, place: I64) -> tuple[I64, I64]:
        """List the changes of rows that have the paths at some places: the row of each, and the change."""
        count = np.diff(self.start)[place]
        row = np.repeat(np.arange(place.size), count)
        return row, np.repeat(self.start[place] - (np.cumsum(count) - count), count) + np.arange(row.size)
