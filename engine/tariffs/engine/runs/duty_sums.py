"""Sum the duty of a table by group before any response, from exact sums that the laws of a run share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.law.law import Law
from tariffs.engine.runs.grouping import Grouping
from tariffs.engine.runs.results import PROHIBITED_VALUE
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.group_sums import LawSums
from tariffs.engine.table_duty.rated_lines import Dated, RatedLines, parts_of

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
        self._measures = len(law.measures)
        self.law_sums = [
            LawSums(law, rated, _cells_of(law, rated, dated, grouping, place), grouping.of_line)
            for place, rated in enumerate(duties.rated)
        ]

    def sums(self) -> DutySums:
        """Sum over all measures."""
        duty, owed = self.by_column(np.zeros(self._measures, dtype=np.int32), 1)
        prohibited = np.zeros((2, self._grouping.count))
        for law_sums in self.law_sums:
            prohibited += law_sums.prohibited
        return DutySums(duty[:, 0], owed[:, 0], prohibited[0], prohibited[1])

    def by_column(self, column_of_measure: I32, columns: int) -> tuple[F64, F64]:
        """Duty assessed and owed (groups x columns), by a column of each measure of the law."""
        duty = np.zeros((self._grouping.count, columns))
        owed = np.zeros((self._grouping.count, columns))
        for law_sums in self.law_sums:
            more, more_owed = law_sums.by_column(column_of_measure, columns)
            duty += more
            owed += more_owed
        return duty, owed

    def at_points(
        self, rates: Sequence[F64], moved: Sequence[Bools], column_of_measure: I32, columns: int
    ) -> tuple[F64, F64]:
        """Duty assessed and owed at points that differ in rates (points x groups x columns); see `LawSums`."""
        parts = [
            law_sums.at_points(of_rows, of_moved, column_of_measure, columns)
            for law_sums, of_rows, of_moved in zip(self.law_sums, rates, moved, strict=True)
        ]
        duty, owed = parts[0]
        for more, more_owed in parts[1:]:
            duty, owed = duty + more, owed + more_owed
        return duty, owed


def _cells_of(law: Law, rated: RatedLines, dated: Dated, grouping: Grouping, place: int) -> ValueCells:
    """ValueCells of the lines of one instant; kept with their family."""
    kept: BoundedCache[Hashable, tuple[Dated, ValueCells]]
    kept = rated.family.cache.setdefault("cells", BoundedCache(_CELLS_KEPT))
    parts = parts_of(law, rated.lines)
    split = None if dated.of_line is None else (id(dated.of_line), place)
    key = (grouping.id, split, id(parts))
    # The value refers to the arrays that the key tells apart by identity.
    return kept.get(
        key,
        lambda: (dated, ValueCells.of(rated.family, rated.selected, parts, grouping.of_line, grouping.count)),
    )[1]
