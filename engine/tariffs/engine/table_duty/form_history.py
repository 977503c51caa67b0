"""Number the forms of moved rates of several days through: goods keep a form while nothing changes for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, first_of
from tariffs.engine.table_duty.rate_classes import ClassForms, ClassFunctions, bits

Words = NDArray[np.uint64]
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class FormHistory:
    """Forms of rates of all days that differ between points: forms with the same rates at all points are one."""

    def __init__(self) -> None:
        self._marks = np.zeros(0, dtype=np.uint64)
        self._number = np.zeros(0, dtype=np.int64)
        self._last = self._marks, self._number
        self._forms: list[ClassForms] = []

    def add(self, functions: ClassFunctions, function: I64) -> I64:
        """Number the forms of an instant; returns the number of each class.

        Args:
            functions: rates of classes that differ between points.
            function: function of each row of the law, that is what its rate is at all points.
        """
        slot, of_class, ordinary, base = functions.terms
        terms = function[slot].astype(np.int32), of_class, ordinary, base
        marks = _marks(functions.still, terms)
        number = self._unchanged(marks)
        changed = np.flatnonzero(number < 0)
        if changed.size:
            number[changed] = self._numbered(functions.of(changed), marks[changed], function)
        self._last = marks, number
        return number

    def _unchanged(self, marks: Words) -> I64:
        """Number of the marks that had the same place at the instant before; -1 for the others."""
        before, number = self._last
        if len(before) != len(marks):
            return np.full(len(marks), -1)
        return np.where(marks == before, number, -1)

    def _numbered(self, functions: ClassFunctions, marks: Words, function: I64) -> I64:
        """Number of classes by their marks."""
        distinct, place = np.unique(marks, return_inverse=True)
        unknown = np.flatnonzero(~self._is_known(distinct)[place])
        if unknown.size:
            # Most classes have the form of an earlier day: only the others are sorted into forms.
            forms = functions.of(unknown).forms()
            self._number_marks(forms, marks[unknown[first_of(forms.of_class)]], function)
        return self._number[np.searchsorted(self._marks, distinct)][place]

    def _is_known(self, marks: Words) -> Bools:
        """Mark the marks that have a number."""
        at = np.minimum(np.searchsorted(self._marks, marks), max(0, len(self._marks) - 1))
        return self._marks[at] == marks if len(self._marks) else np.zeros(len(marks), dtype=bool)

    def _number_marks(self, forms: ClassForms, marks: Words, function: I64) -> None:
        """Number forms that were not there before, by the first of each mark, and keep them."""
        distinct, first = np.unique(marks, return_index=True)
        new = np.sort(first)
        at = np.searchsorted(self._marks, distinct)
        self._number = np.insert(self._number, at, len(self._marks) + np.searchsorted(new, first))
        self._marks = np.insert(self._marks, at, distinct)
        slot, form, ordinary, base = forms.terms
        place = np.full(len(forms.still), -1)
        place[new] = np.arange(len(new))
        chosen = place[form] >= 0
        terms = function[slot[chosen]].astype(np.int32), place[form[chosen]], ordinary[chosen], base[chosen]
        self._forms.append(
            ClassForms(
                np.arange(len(new)), forms.moves[new], forms.still[new], forms.prohibited_share[new], terms
            )
        )

    @property
    def count(self) -> int:
        """Number of forms."""
        return len(self._marks)

    def at(self, values: F64) -> F64:
        """Rate of each form (forms x points), given the rate of each function (points x functions)."""
        return np.concatenate([np.zeros((0, len(values))), *(forms.at(values) for forms in self._forms)])


def _marks(rates: F64, terms: tuple[I32, I64, F64, F64]) -> Words:
    """Mix the rates and terms of forms to words that are equal for equal forms."""
    function, form, ordinary, base = terms
    marks = _mixed(np.zeros(len(rates), dtype=np.uint64), bits(rates).view(np.uint64))
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
