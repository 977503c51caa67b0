"""Number the paths of classes of rates: what the rate of each class is on every day, at all points of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import I64
from tariffs.engine.table_duty.form_history import Words
from tariffs.engine.table_duty.rate_classes import bits, first_of

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
        from tariffs.engine.response.kernels.path_cells import mark_paths

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
