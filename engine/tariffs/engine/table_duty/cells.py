"""Sum the value of a table exactly by group, ordinary rate and combination: duty under any law is linear in these sums.

A *cell* is the atoms of one group with the same ordinary rates and the same combination; a *run* is the cells of one
group and ordinary rates. Sums are exact integers, so they do not depend on how finely a family of laws tells
combinations apart, nor on the order of lines.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, factorize
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.stages import stage
from tariffs.engine.rating.families import Family
from tariffs.engine.rating.kernel import number_cells
from tariffs.engine.rating.layers import NO_COLUMN
from tariffs.engine.table_duty.kernel import CARRY_BITS, NO_RATE, exact_dollars, sum_cells
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines

_BASES_KEPT = 64
_LINES_AT_ONCE = 1 << 15
"""Lines whose parts are computed together; they fit in the cache of the processor, at 80 bytes a line."""
_PROHIBITED_KEPT = 64


PartsOf = Callable[[int, int], F64]
BaseKey = tuple[bytes, int]
"""Weights of the parts of the value, and the column of the ordinary rate that multiplies them, or that of none."""


@dataclass
class ExactSums:
    """Exact sums of bases by cell in two words (2 x rows x cells); see `kernel.add_exact`.

    `rows` has the row of each base, `used` marks the combinations whose cells have its sums (rows x combinations). The
    sums of a cell never change once they are there, so that readers need no lock.
    """

    words: I64
    used: Bools
    rows: dict[BaseKey, int] = field(default_factory=dict)

    def rows_of(self, keys: Sequence[BaseKey]) -> I32:
        """Row of each base; a new one has no sums yet."""
        for key in keys:
            self.rows.setdefault(key, len(self.rows))
        room = len(self.used)
        if len(self.rows) > room:
            words, used = self.words, self.used
            more = max(2 * room, len(self.rows))
            self.words = np.zeros((2, more, words.shape[2]), dtype=np.int64)
            self.used = np.zeros((more, used.shape[1]), dtype=bool)
            self.words[:, :room], self.used[:room] = words, used
        return np.array([self.rows[key] for key in keys], dtype=np.int32)


@dataclass(frozen=True)
class ValueCells:
    """Cells of selected lines.

    They are kept with the family, which is kept with the lines: so they refer weakly to both, which would stay in
    memory until the collector ran.

    Attributes:
        family: the family of laws of the lines.
        lines: the lines of the table.
        index: the selected ones.
        groups: number of groups.
        group, rates: per run its group and its row of the family's ordinary rates, ascending.
        start: index of the first cell of each run (one more than runs).
        combination: per cell.
        of_atom, line: cell, and place among the selected lines of its line, of each atom of the selected lines.
        atom: these atoms.
    """

    family: Family
    lines: LineArrays
    index: I32
    groups: int
    group: I64
    rates: I64
    start: I64
    combination: I32
    of_atom: I32
    line: I32
    atom: I32
    _kept: dict[str, ExactSums] = field(default_factory=dict)
    _adding: threading.Lock = field(default_factory=threading.Lock)
    _prohibited: BoundedCache[bytes, tuple[F64, F64]] = field(
        default_factory=lambda: BoundedCache(_PROHIBITED_KEPT)
    )

    @classmethod
    def of(cls, family: Family, selected: SelectedLines, group_of_line: I64, groups: int) -> ValueCells:
        """Find the cells of selected lines.

        Args:
            group_of_line: group of each line of the table (n).
        """
        combinations = family.combinations
        atom, line = _atoms_of(family, selected)
        count, width = max(1, len(family.rates.distinct)), max(1, combinations.count)
        cell = np.empty(len(atom), dtype=np.int32)
        group = group_of_line if selected.is_all else group_of_line[selected.index]
        keys = number_cells(group, line, atom, family.rates.of_atom, combinations.of_atom, count, width, cell)
        order = np.argsort(keys)
        rank = np.empty(len(keys), dtype=np.int32)
        rank[order] = np.arange(len(keys), dtype=np.int32)
        cell, keys = rank[cell], keys[order]
        checkpoint()
        runs, run_of_cell = factorize(keys // width)
        return cls(
            weakref.proxy(family),
            weakref.proxy(selected.lines),
            selected.index,
            groups,
            runs // count,
            runs % count,
            np.searchsorted(run_of_cell, np.arange(len(runs) + 1)),
            (keys % width).astype(np.int32),
            cell,
            line,
            atom,
        )

    @stage("sum values by cell")
    def base_sums(self, parts_of: PartsOf, bases: Sequence[tuple[F64, int]], used: Bools) -> tuple[I32, I64]:
        """Sum bases by cell; sums are kept for later laws, which add those of the combinations that they need besides.

        Args:
            parts_of: gives the parts of the value of a range of the selected lines in dollars (parts x lines).
            bases: the weights of the parts, and the column of the ordinary rate that multiplies them.
            used: marks the combinations on which each base is needed (bases x combinations).

        Returns:
            The row of each base among the sums, and the sums (2 words x rows x cells).
        """
        keys = [(base.tobytes(), column) for base, column in bases]
        with self._adding:
            # Sums are gone if their pass over lines does not end: they would be half done.
            kept = self._kept.pop("bases", None)
            if kept is None or len(kept.rows.keys() | keys) > _BASES_KEPT:
                kept = ExactSums(self._nothing(0), used[:0])
            row = kept.rows_of(keys)
            missing = used & ~kept.used[row]
            if missing.any():
                self._add(parts_of, bases, missing, row, kept.words)
                kept.used[row] |= missing
            self._kept["bases"] = kept
        return row, kept.words

    def _add(
        self, parts_of: PartsOf, bases: Sequence[tuple[F64, int]], used: Bools, row: I32, words: I64
    ) -> None:
        atoms, rates = self.family.atoms, self.family.rates
        columns = [NO_RATE if column == NO_COLUMN else column for _, column in bases]
        is_used = np.ascontiguousarray(used.T)
        is_needed: Bools = np.logical_or.reduce(used)
        chosen = np.flatnonzero(is_needed[self.combination][self.of_atom])
        line = self.line[chosen]
        for lo in range(0, len(self.index), _LINES_AT_ONCE):
            hi = min(lo + _LINES_AT_ONCE, len(self.index))
            first, last = np.searchsorted(line, [lo, hi]).tolist()
            if first == last:
                continue
            place, parts = chosen[first:last], parts_of(lo, hi)
            amounts = np.array([_weighted(parts, weights) for weights, _ in bases])
            sum_cells(
                self.of_atom[place], line[first:last] - np.int32(lo), self.atom[place], atoms.weight, rates.of_atom,
                rates.distinct, amounts, np.array(columns, dtype=np.int32), self.combination, is_used, row,
                words[0], words[1],
            )  # fmt: skip

    def _nothing(self, bases: int) -> I64:
        """Sums of no atom (2 words x bases x cells)."""
        return np.zeros((2, bases, len(self.combination)), dtype=np.int64)

    def prohibited(self, is_prohibited: Bools) -> tuple[F64, F64]:
        """Sum customs value, and charges for freight and insurance, in dollars by group; kept by what is marked.

        Args:
            is_prohibited: marks the combinations whose goods may not be imported.
        """
        return self._prohibited.get(is_prohibited.tobytes(), lambda: self._prohibited_sums(is_prohibited))

    def _prohibited_sums(self, is_prohibited: Bools) -> tuple[F64, F64]:
        is_chosen = is_prohibited[self.combination]
        if not is_chosen.any():
            return np.zeros(self.groups), np.zeros(self.groups)
        lines, place = self.lines, np.flatnonzero(is_chosen[self.of_atom])
        line = self.family.atoms.line[self.atom[place]]
        charges = lines.freight[line] + lines.insurance[line]
        return self._by_group(lines.value[line], place), self._by_group(charges, place)

    def _by_group(self, amount: F64, place: I64) -> F64:
        """Sum an amount in dollars of the lines of some atoms of the selected lines, by group."""
        atom, each = self.atom[place], np.arange(len(place), dtype=np.int32)
        high, low = self._nothing(1)
        sum_cells(
            self.of_atom[place], each, each, self.family.atoms.weight[atom], self.family.rates.of_atom[atom],
            self.family.rates.distinct, amount[None], np.full(1, NO_RATE, dtype=np.int32), self.combination,
            np.ones((self.family.combinations.count, 1), dtype=bool), np.zeros(1, dtype=np.int32), high, low,
        )  # fmt: skip
        group = np.repeat(self.group, np.diff(self.start))
        words = np.zeros((2, self.groups), dtype=np.int64)
        np.add.at(words[0], group, high[0] + (low[0] >> CARRY_BITS))
        np.add.at(words[1], group, low[0] & ((1 << CARRY_BITS) - 1))
        return np.array([exact_dollars(high, low) for high, low in words.T], dtype=np.float64)


def _weighted(parts: F64, weights: F64) -> F64:
    """Weighted sum of parts (parts x lines), in their order."""
    total = np.zeros(parts.shape[1])
    for part in np.flatnonzero(weights).tolist():
        total += weights[part] * parts[part]
    return total


def _atoms_of(family: Family, selected: SelectedLines) -> tuple[I32, I32]:
    """Atoms of the selected lines, in order, and the place of the line of each among the selected ones."""
    atoms = family.atoms
    if selected.is_all:
        return np.arange(len(atoms.line), dtype=np.int32), atoms.line
    counts = atoms.start[selected.index + 1] - atoms.start[selected.index]
    line = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return atoms.of_lines(selected.index), line
