"""Sum the duty of a table by group before any response, from exact sums that the laws of a run share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.results import PROHIBITED_VALUE
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.group_sums import LawSums
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


class GroupedDuties:
    """Duties of one law by group.

    Args:
        law: the law.
        duties: its duties.
        dated: the instants of the lines.
        grouping: the groups.
    """

    def __init__(self, law: Law, duties: Duties, dated: Dated, grouping: Grouping) -> None:
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
        return _added([duty for duty, _ in parts]), _added([owed for _, owed in parts])

    @cached_property
    def sums(self) -> DutySums:
        """Sums over all measures."""
        duty, owed = self.by_authority
        prohibited = _added([np.array(law_sums.prohibited) for law_sums in self._sums])
        return DutySums(duty.sum(axis=1), owed.sum(axis=1), prohibited[0], prohibited[1])

    def at_points(
        self, rates: Sequence[F64], moved: Sequence[Bools], column_of_measure: I32, columns: int
    ) -> tuple[F64, F64]:
        """Duty assessed and owed at points that differ in rates (points x groups x columns); see `LawSums`."""
        parts = [
            law_sums.at_points(of_rows, of_moved, column_of_measure, columns)
            for law_sums, of_rows, of_moved in zip(self._sums, rates, moved, strict=True)
        ]
        return _added([duty for duty, _ in parts]), _added([owed for _, owed in parts])


def _added(parts: Sequence[F64]) -> F64:
    """Add arrays in order."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _cells_of(rated: RatedLines, dated: Dated, grouping: Grouping, place: int) -> ValueCells:
    """Cells of the lines of one instant; kept with their family."""
    kept: BoundedCache[Hashable, tuple[Dated, ValueCells]]
    kept = rated.family.cache.setdefault("cells", BoundedCache(_CELLS_KEPT))
    key = (grouping.id, None if dated.of_line is None else (id(dated.of_line), place))
    # The value refers to the array that the key identifies.
    return kept.get(
        key, lambda: (dated, ValueCells.of(rated.family, rated.selected, grouping.of_line, grouping.count))
    )[1]
