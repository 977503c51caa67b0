"""Sum the duty of a table by group before any response, from exact sums that the laws of a run share."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.law.law import Law
from tariffs.engine.runs.column_names import PROHIBITED_VALUE
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.group_sums import LawSums, PointTerms
from tariffs.engine.table_duty.rated_lines import Dated, RatedLines

_CELLS_KEPT = 8
"""ValueCells of the embedded table by origin take some 30 MB."""


@dataclass(frozen=True)
class DutySums:
    """Sums by group under one law, in dollars: duty assessed and owed, and what may not be imported."""

    duty: F64
    owed: F64
    prohibited: F64
    prohibited_charges: F64

    def columns(self, customs_value: F64, charges: F64) -> dict[str, F64]:
        """Compute the static result columns by group; `charges` are freight and insurance."""
        entered = (customs_value - self.prohibited) + (charges - self.prohibited_charges)
        return {
            "customs_value": customs_value,
            "duty": self.duty,
            "duty_owed": self.owed,
            "landed": entered + self.duty,
            PROHIBITED_VALUE: self.prohibited,
        }


class GroupedDuties:
    """Duties of one law on dated lines, by group."""

    def __init__(self, law: Law, duties: Duties, dated: Dated, grouping: Grouping) -> None:
        self._law = law
        self._duties = duties
        self._dated = dated
        self._grouping = grouping
        self._placed: dict[Hashable, PlacedTerms] = {}

    def _law_sums(self) -> Iterator[LawSums]:
        """Yield the sums of the lines of each instant; those of all together would take too much memory."""
        for place, rated in enumerate(self._duties.rated):
            cells = _cells_of(rated, self._dated, self._grouping, place)
            yield LawSums(self._law, rated, cells, self._grouping.of_line)

    @cached_property
    def _totals(self) -> tuple[F64, F64, F64]:
        """Duty assessed and owed (groups x authorities), and what may not be imported: value and charges by group."""
        columns = self._duties.authority_of_measure, len(self._duties.authorities)
        duty, owed = np.zeros((2, self._grouping.count, columns[1]))
        prohibited = np.zeros((2, self._grouping.count))
        for law_sums in self._law_sums():
            assessed, due = law_sums.by_column(*columns)
            duty, owed, prohibited = duty + assessed, owed + due, prohibited + law_sums.prohibited
        return duty, owed, prohibited

    @property
    def by_authority(self) -> tuple[F64, F64]:
        """Duty assessed and owed (groups x authorities)."""
        return self._totals[:2]

    @cached_property
    def sums(self) -> DutySums:
        """Sums over all measures."""
        duty, owed, (value, charges) = self._totals
        return DutySums(duty.sum(axis=1), owed.sum(axis=1), value, charges)

    def at_points(
        self, rates: Sequence[F64], moved: Sequence[Bools], column_of_measure: I32, columns: int
    ) -> PointDuties:
        """Duty at points that differ in rates; what does not depend on rates is kept.

        Args:
            rates: per instant of the lines, the rate of each row of the law at each point (points x rows).
            moved: per instant, marks the rows whose rate differs between points.
            column_of_measure, columns: column of each measure of the law, and their number.
        """
        key = (columns, *(marks.tobytes() for marks in moved))
        if key not in self._placed:
            parts, prohibited = [], np.zeros((2, self._grouping.count))
            for law_sums, marks in zip(self._law_sums(), moved, strict=True):
                parts.append(law_sums.point_terms(marks, column_of_measure, columns))
                prohibited = prohibited + law_sums.prohibited
            self._placed[key] = PlacedTerms.of(parts, prohibited)
        return self._placed[key].at(rates, self._grouping.count)


@dataclass(frozen=True)
class PointDuties:
    """Duty in dollars at points (points x places), assessed and owed; the same array if both are equal.

    `column` and `group` are those of each place, ascending; other places have no duty. `prohibited` has, at all points,
    the value of what may not be imported, and the charges on it, by group.
    """

    column: I64
    group: I64
    assessed: F64
    owed: F64
    prohibited: F64

    @property
    def sums(self) -> DutySums:
        """Sums over all columns (points x groups)."""
        value, charges = self.prohibited
        assessed = self._over_columns(self.assessed, len(value))
        owed = assessed if self.owed is self.assessed else self._over_columns(self.owed, len(value))
        return DutySums(assessed, owed, value, charges)

    def _over_columns(self, duty: F64, groups: int) -> F64:
        sums = np.zeros((len(duty), groups))
        ends = np.searchsorted(self.column, np.unique(self.column), side="right").tolist()
        for first, last in zip([0, *ends], ends, strict=False):
            sums[:, self.group[first:last]] += duty[:, first:last]
        return sums


@dataclass(frozen=True)
class PlacedTerms:
    """Terms of the duty at points by instant, assessed and owed, on the places that have duty at some point.

    `prohibited` is that of `PointDuties`.
    """

    places: I64
    assessed: Sequence[PointTerms]
    owed: Sequence[PointTerms]
    prohibited: F64

    @classmethod
    def of(cls, parts: Sequence[tuple[PointTerms, PointTerms]], prohibited: F64) -> PlacedTerms:
        """Select the places with duty."""
        marks = [terms.is_charged for part in parts for terms in part]
        places = np.flatnonzero(np.logical_or.reduce(marks))
        assessed = [part[0].at_places(places) for part in parts]
        if all(one is other for one, other in parts):
            return cls(places, assessed, assessed, prohibited)
        return cls(places, assessed, [part[1].at_places(places) for part in parts], prohibited)

    def at(self, rates: Sequence[F64], groups: int) -> PointDuties:
        """Duty at points, by instant the rate of each row (points x rows)."""
        assessed = self._sum(self.assessed, rates)
        owed = assessed if self.owed is self.assessed else self._sum(self.owed, rates)
        return PointDuties(self.places // groups, self.places % groups, assessed, owed, self.prohibited)

    def _sum(self, parts: Sequence[PointTerms], rates: Sequence[F64]) -> F64:
        """Add the duty of all instants in their order (points x places)."""
        total = np.empty((len(self.places), len(rates[0])))
        parts[0].write_at(rates[0], total)
        duty = np.empty_like(total) if len(parts) > 1 else total
        for part, of_rows in zip(parts[1:], rates[1:], strict=True):
            part.write_at(of_rows, duty)
            total += duty
        return np.ascontiguousarray(total.T)


def _cells_of(rated: RatedLines, dated: Dated, grouping: Grouping, place: int) -> ValueCells:
    """Cells of the lines of one instant; kept with their family, unless those of all instants are too many."""

    def make() -> ValueCells:
        return ValueCells.of(rated.family, rated.selected, grouping.of_line, grouping.count)

    if len(dated.instants) > _CELLS_KEPT:
        return make()
    key = grouping.id, None if dated.of_line is None else place
    return _CELLS.get(rated.family.cache, (dated.of_line,), key, make)


_CELLS: KeptWith[ValueCells] = KeptWith(_CELLS_KEPT)
