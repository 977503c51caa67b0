"""Sum the duty of a table by group before any response, from exact sums that the laws of a run share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.runs.results import PROHIBITED_VALUE
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.group_sums import LawSums, MovedDuty
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
        """Compute the static result columns by group.

        Args:
            customs_value: customs value by group.
            charges: freight and insurance by group.
        """
        entered = (customs_value - self.prohibited) + (charges - self.prohibited_charges)
        return {
            "customs_value": customs_value,
            "duty": self.duty,
            "duty_owed": self.owed,
            "landed": entered + self.duty,
            PROHIBITED_VALUE: self.prohibited,
        }


class LineGroups(Protocol):
    """Groups of the lines of a table; `id` is equal for the same groups."""

    @property
    def id(self) -> tuple[str, ...]:
        """Names of the columns that distinguish groups."""

    @property
    def of_line(self) -> I64:
        """Group of each line."""

    @property
    def count(self) -> int:
        """Number of groups."""


class GroupedDuties:
    """Duties of one law by group.

    Args:
        law: the law.
        duties: its duties.
        dated: the instants of the lines.
        grouping: the groups.
    """

    def __init__(self, law: Law, duties: Duties, dated: Dated, grouping: LineGroups) -> None:
        self._grouping = grouping
        self._duties = duties
        self._sums = [
            LawSums(law, rated, _cells_of(rated, dated, grouping, place), grouping.of_line)
            for place, rated in enumerate(duties.rated)
        ]

    @cached_property
    def by_authority(self) -> tuple[F64, F64]:
        """Duty assessed and owed (groups x authorities)."""
        columns = self._duties.authority_of_measure, len(self._duties.authorities)
        parts = [law_sums.by_column(*columns) for law_sums in self._sums]
        nothing = np.zeros((self._grouping.count, columns[1]))
        return _added([nothing, *(duty for duty, _ in parts)]), _added(
            [nothing, *(owed for _, owed in parts)]
        )

    @cached_property
    def sums(self) -> DutySums:
        """Sums over all measures."""
        duty, owed = self.by_authority
        return DutySums(duty.sum(axis=1), owed.sum(axis=1), *self.prohibited)

    @cached_property
    def prohibited(self) -> tuple[F64, F64]:
        """Value, and charges for freight and insurance, of goods that may not be imported, by group."""
        nothing = np.zeros((2, self._grouping.count))
        value, charges = _added([nothing, *(np.array(law_sums.prohibited) for law_sums in self._sums)])
        return value, charges

    def at_points(
        self, rates: Sequence[F64], moved: Sequence[Bools], column_of_measure: I32, columns: int
    ) -> tuple[F64, F64]:
        """Duty assessed and owed at points that differ in rates (points x groups x columns); see `LawSums`."""
        parts = [
            law_sums.at_points(of_rows, of_moved, column_of_measure, columns)
            for law_sums, of_rows, of_moved in zip(self._sums, rates, moved, strict=True)
        ]
        nothing = np.zeros((len(rates[0]) if rates else 0, self._grouping.count, columns))
        return _added([nothing, *(duty for duty, _ in parts)]), _added(
            [nothing, *(owed for _, owed in parts)]
        )

    def moved(self, moved: Sequence[Bools]) -> MovedSums:
        """Duty assessed of the groups whose duty differs between points; see `LawSums`."""
        return MovedSums.of(
            [law_sums.moved(marks) for law_sums, marks in zip(self._sums, moved, strict=True)]
        )


@dataclass(frozen=True)
class MovedSums:
    """Duty assessed by group where it differs between points, over all instants of the lines.

    `groups` are the groups whose duty differs, ascending; `at_first` is the duty of all groups at the rates of the law.
    """

    parts: Sequence[MovedDuty]
    groups: I64
    at_first: F64

    @classmethod
    def of(cls, parts: Sequence[MovedDuty]) -> MovedSums:
        """Add the sums of each instant."""
        groups = np.unique(np.concatenate([part.groups for part in parts]))
        return cls(parts, groups, _added([part.at_first for part in parts]))

    def at(self, rates: Sequence[F64]) -> F64:
        """Duty of the moved groups at points (groups x points), by instant the rate of each row (points x rows)."""
        if len(self.parts) == 1:
            return self.parts[0].at(rates[0])
        duty = np.zeros((len(self.groups), len(rates[0])))
        for part, of_rows in zip(self.parts, rates, strict=True):
            place = np.searchsorted(self.groups, part.groups)
            is_still = np.ones(len(self.groups), dtype=bool)
            is_still[place] = False
            duty[place] += part.at(of_rows)
            duty[is_still] += part.at_first[self.groups[is_still]][:, None]
        return duty


def _added(parts: Sequence[F64]) -> F64:
    """Add arrays in order."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _cells_of(rated: RatedLines, dated: Dated, grouping: LineGroups, place: int) -> ValueCells:
    """Cells of the lines of one instant; kept with their family."""
    kept: BoundedCache[Hashable, tuple[Dated, ValueCells]]
    kept = rated.family.cache.setdefault("cells", BoundedCache(_CELLS_KEPT))
    key = (grouping.id, None if dated.of_line is None else (id(dated.of_line), place))
    # The value refers to the array that the key identifies.
    return kept.get(
        key, lambda: (dated, ValueCells.of(rated.family, rated.selected, grouping.of_line, grouping.count))
    )[1]
