"""Number the forms of rates of several days through, so that goods keep a form while nothing changes for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.table_duty.rate_classes import ClassForms, bits

Words = NDArray[np.uint64]
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class FormHistory:
    """Forms of rates of all days: forms with the same rates at all points are one.

    Args:
        closed: rate of what is prohibited.
    """

    def __init__(self, closed: float) -> None:
        self._closed = closed
        self._number: dict[int, int] = {}
        self._rates: list[F64] = []
        self._moved: list[ClassForms] = []

    def add(self, forms: ClassForms, function: I64) -> I64:
        """Number the forms of an instant; returns the number of each class.

        Args:
            forms: the forms, of which all are prohibited as a whole or not at all.
            function: function of each row of the law, that is what its rate is at all points.
        """
        slot, form, ordinary, base = forms.terms
        rates = np.where(forms.barred > 0.0, self._closed, forms.still)
        terms = function[slot].astype(np.int32), form, ordinary, base
        marks = _marks(rates, forms.moves, terms).tolist()
        new = [place for place, mark in enumerate(marks) if self._is_new(mark)]
        self._keep(replace(forms, still=rates, terms=terms), np.array(new, dtype=np.int64))
        return np.array([self._number[mark] for mark in marks], dtype=np.int64)[forms.of_class]

    def _is_new(self, mark: int) -> bool:
        """Number a mark; False if it has a number already."""
        count = len(self._number)
        return self._number.setdefault(mark, count) == count

    def _keep(self, forms: ClassForms, new: I64) -> None:
        """Keep the rates of forms that were not there before, with the terms of those that move."""
        self._rates.append(forms.still[new])
        slot, form, ordinary, base = forms.terms
        place = np.full(len(forms.still), -1)
        place[new] = np.arange(len(new))
        chosen = place[form] >= 0
        terms = slot[chosen], place[form[chosen]], ordinary[chosen], base[chosen]
        kept = ClassForms(np.arange(len(new)), forms.moves[new], forms.still[new], forms.barred[new], terms)
        self._moved.append(kept)

    @property
    def rates(self) -> F64:
        """Rate of each form, without what differs between points."""
        return np.concatenate([np.zeros(0), *self._rates])

    @property
    def moved(self) -> Bools:
        """Mark the forms whose rate differs between points."""
        return np.concatenate([np.zeros(0, dtype=bool), *(forms.moves for forms in self._moved)])

    def at(self, values: F64) -> F64:
        """Rate of the forms that move (forms x points), given the rate of each function (points x functions)."""
        found = [forms.at(values)[forms.moves] for forms in self._moved if forms.moves.any()]
        return np.concatenate([np.zeros((0, len(values))), *found])


def _marks(rates: F64, moves: Bools, terms: tuple[I32, I64, F64, F64]) -> Words:
    """Mix the rates and terms of forms to words that are equal for equal forms."""
    function, form, ordinary, base = terms
    marks = _mixed(np.zeros(len(rates), dtype=np.uint64), bits(rates).view(np.uint64))
    marks = _mixed(marks, moves.astype(np.uint64))
    start = np.searchsorted(form, np.arange(len(rates) + 1))
    lengths = np.diff(start)
    columns = [function.astype(np.int64), bits(ordinary), bits(base)]
    for place in range(int(lengths.max(initial=0))):
        has = np.flatnonzero(lengths > place)
        at = start[:-1][has] + place
        for column in columns:
            marks[has] = _mixed(marks[has], column[at].view(np.uint64))
    return marks


def _mixed(marks: Words, words: Words) -> Words:
    """Mix words into marks, as the generator of draws does."""
    mixed = (marks ^ words) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MULTIPLIERS[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MULTIPLIERS[1]
    return mixed ^ (mixed >> np.uint64(31))
