"""Sum the value of a table exactly by group, ordinary rate and combination: duty under any law is linear in these sums.

A *cell* is the atoms of one group with the same ordinary rates and the same combination; a *run* is the cells of one
group and ordinary rates. Sums are exact integers, so they do not depend on how finely a family of laws tells
combinations apart, nor on the order of lines.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
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
_LINES_AT_ONCE = 1 << 20
"""Lines whose parts are computed together; one takes 56 bytes."""
_PROHIBITED_KEPT = 64


PartsOf = Callable[[int, int], F64]
BaseKey = tuple[bytes, int]
"""Weights of the parts of the value, and the column of the ordinary rate that multiplies them, or that of none."""


@dataclass(frozen=True)
class ExactSums:
    """Exact sums of bases by cell in two words (bases x cells), and the row of each base; see `kernel.add_exact`.

    `used` marks the combinations whose cells have sums (bases x combinations).
    """

    rows: Mapping[BaseKey, int]
    used: Bools
    high: I64
    low: I64

    def used_of(self, key: BaseKey) -> Bools | bool:
        """Mark the combinations whose cells have sums of a base."""
        return self.used[self.rows[key]] if key in self.rows else False

    def has(self, key: BaseKey, used: Bools) -> bool:
        """Test whether there are sums of a base for the cells of all marked combinations."""
        return key in self.rows and not (used & ~self.used_of(key)).any()

    def and_then(self, keys: Sequence[BaseKey], used: Bools, words: I64) -> ExactSums:
        """Append sums of bases (2 words x bases x cells)."""
        rows = {key: len(self.used) + place for place, key in enumerate(keys)}
        if not self.rows:
            return ExactSums(rows, used, *words)
        high, low = (np.concatenate(columns) for columns in zip((self.high, self.low), words, strict=True))
        return ExactSums({**self.rows, **rows}, np.concatenate([self.used, used]), high, low)


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
    _prohibited: BoundedCache[bytes, tuple[F64, F64]] = field(
        default_factory=lambda: BoundedCache(_PROHIBITED_KEPT)
    )

    @classmethod
    def of(cls, family: Family, selected: SelectedLines, group_of_line: I64, groups: int) -> ValueCells:
        """Find the cells of selected lines.

        Args:
            family: the family of laws of the lines.
            selected: the lines.
            group_of_line: group of each line of the table (n).
            groups: number of groups.
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
    def base_sums(
        self, parts_of: PartsOf, bases: Sequence[tuple[F64, int]], used: Bools
    ) -> tuple[I32, ExactSums]:
        """Sum bases by cell; sums are kept for later laws.

        Args:
            parts_of: gives the parts of the value of a range of the selected lines in dollars (lines x parts).
            bases: the weights of the parts, and the column of the ordinary rate that multiplies them.
            used: marks the combinations on which each base is needed (bases x combinations).

        Returns:
            The row of each base among the sums, and the sums.
        """
        keys = {(base.tobytes(), column): place for place, (base, column) in enumerate(bases)}
        kept = self._kept.get("bases") or self._no_sums(used)
        added = [key for key, place in keys.items() if not kept.has(key, used[place])]
        if len(kept.used) + len(added) > _BASES_KEPT:
            kept, added = self._no_sums(used), list(keys)
        if added:
            places = [keys[key] for key in added]
            needed = np.array(
                [used[place] | kept.used_of(key) for key, place in zip(added, places, strict=True)]
            )
            words = self._base_words(parts_of, [bases[place] for place in places], needed)
            kept = self._kept["bases"] = kept.and_then(added, needed, words)
        return np.array([kept.rows[key] for key in keys], dtype=np.int32), kept

    def _no_sums(self, used: Bools) -> ExactSums:
        return ExactSums({}, used[:0], *self._nothing(0))

    def _base_words(self, parts_of: PartsOf, bases: Sequence[tuple[F64, int]], used: Bools) -> I64:
        atoms, rates = self.family.atoms, self.family.rates
        column = [NO_RATE if column == NO_COLUMN else column for _, column in bases]
        weights, columns = np.array([base for base, _ in bases]), np.array(column, dtype=np.int32)
        is_used = np.ascontiguousarray(used.T)
        high, low = words = self._nothing(len(bases))
        for lo in range(0, len(self.index), _LINES_AT_ONCE):
            hi = min(lo + _LINES_AT_ONCE, len(self.index))
            first, last = np.searchsorted(self.line, [lo, hi]).tolist()
            sum_cells(
                self.of_atom[first:last], self.line[first:last] - np.int32(lo), self.atom[first:last], atoms.weight,
                rates.of_atom, rates.distinct, parts_of(lo, hi), weights, columns, self.combination, is_used, high, low,
            )  # fmt: skip
        return words

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
            self.of_atom[place], each, each, self.family.atoms.weight[atom],
            self.family.rates.of_atom[atom], self.family.rates.distinct, amount[:, None], np.ones((1, 1)),
            np.full(1, NO_RATE, dtype=np.int32), self.combination,
            np.ones((self.family.combinations.count, 1), dtype=bool), high, low,
        )  # fmt: skip
        group = np.repeat(self.group, np.diff(self.start))
        words = np.zeros((2, self.groups), dtype=np.int64)
        np.add.at(words[0], group, high[0] + (low[0] >> CARRY_BITS))
        np.add.at(words[1], group, low[0] & ((1 << CARRY_BITS) - 1))
        return np.array([exact_dollars(high, low) for high, low in words.T], dtype=np.float64)


def _atoms_of(family: Family, selected: SelectedLines) -> tuple[I32, I32]:
    """Atoms of the selected lines, in order, and the place of the line of each among the selected ones."""
    atoms = family.atoms
    if selected.is_all:
        return np.arange(len(atoms.line), dtype=np.int32), atoms.line
    counts = atoms.start[selected.index + 1] - atoms.start[selected.index]
    line = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return atoms.of_lines(selected.index), line
