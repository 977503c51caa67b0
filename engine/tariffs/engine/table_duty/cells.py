"""Sum the value of a table exactly by group, ordinary rate and combination: duty under any law is linear in these sums.

A *cell* is the atoms of one group with the same ordinary rates and the same combination; a *run* is the cells of one
group and ordinary rates. Sums are exact integers, so they do not depend on how finely a family of laws tells
combinations apart, nor on the order of lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, factorize
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.law.model import PARTS
from tariffs.engine.rating.families import Family
from tariffs.engine.table_duty.kernel import CARRY_BITS, exact_dollars, sum_cells
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines

VALUE, CHARGES = len(PARTS), len(PARTS) + 1
"""Columns of the sums after the parts of the value: the value, and freight with insurance."""


@dataclass(frozen=True)
class ValueCells:
    """ValueCells of selected lines.

    Attributes:
        groups: number of groups.
        group, rates: per run its group and its row of the family's ordinary rates, ascending.
        start: index of the first cell of each run (one more than runs).
        combination: per cell.
        high, low: exact sums of the parts of the value, the value, and the charges (cells x 9).
    """

    groups: int
    group: I64
    rates: I64
    start: I64
    combination: I32
    high: I64
    low: I64

    @classmethod
    def of(
        cls, family: Family, selected: SelectedLines, parts: F64, group_of_line: I64, groups: int
    ) -> ValueCells:
        """Sum the atoms of selected lines.

        Args:
            family: the family of laws of the lines.
            selected: the lines.
            parts: parts of the value of each line of the table (n x 7), from `duties.parts_of`.
            group_of_line: group of each line of the table (n).
            groups: number of groups.
        """
        lines, atoms, combinations = selected.lines, family.atoms, family.combinations
        atom = _atoms_of(family, selected)
        rates = family.rates.of_atom[atom].astype(np.int64)
        count = max(1, len(family.rates.distinct))
        run = group_of_line[atoms.line[atom]] * count + rates
        keys, cell = factorize(run * combinations.count + combinations.of_atom[atom])
        checkpoint()
        runs, run_of_cell = factorize(keys // max(1, combinations.count))
        shape = (len(keys), parts.shape[1] + 2)
        high, low = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        sum_cells(
            cell.astype(np.int32), atoms.weight[atom], atoms.line[atom], _columns(lines, parts), high, low
        )
        return cls(
            groups,
            runs // count,
            runs % count,
            np.searchsorted(run_of_cell, np.arange(len(runs) + 1)),
            (keys % max(1, combinations.count)).astype(np.int32),
            high,
            low,
        )

    def dollars(self, cells: I64, column: int) -> F64:
        """Sum a column of some cells by group, exactly."""
        group = np.repeat(self.group, np.diff(self.start))[cells]
        words = np.zeros((2, self.groups), dtype=np.int64)
        np.add.at(words[0], group, self.high[cells, column] + (self.low[cells, column] >> CARRY_BITS))
        np.add.at(words[1], group, self.low[cells, column] & ((1 << CARRY_BITS) - 1))
        return np.array([exact_dollars(high, low) for high, low in words.T], dtype=np.float64)


def _atoms_of(family: Family, selected: SelectedLines) -> I64:
    """Atoms of the selected lines, in order."""
    start = family.atoms.start
    if len(selected.index) == selected.lines.count:
        return np.arange(len(family.atoms.line))
    counts = np.diff(start)[selected.index]
    ends = np.cumsum(counts)
    return np.repeat(start[selected.index] - (ends - counts), counts) + np.arange(
        int(ends[-1]) if len(ends) else 0
    )


def _columns(lines: LineArrays, parts: F64) -> F64:
    return np.column_stack([parts, lines.value, lines.freight + lines.insurance])
