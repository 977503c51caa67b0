"""Sum the duty of a table by group under one law, from exact sums by cell, without a pass over lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from tariffs.engine.base.array_utils import F64, I8, I32, I64, Bools, factorize, first_of, sums_of
from tariffs.engine.base.chunks import run_ranges
from tariffs.engine.law.law import Law
from tariffs.engine.rating.layers import NO_COLUMN, LawLayers
from tariffs.engine.table_duty.cells import ValueCells
from tariffs.engine.table_duty.kernel import (
    ORDINARY,
    SPECIFIC,
    TOP_UP,
    price_bases,
    price_points,
    sum_bases,
    sum_running,
    whole_line,
)
from tariffs.engine.table_duty.rated_lines import RatedLines, parts_of, parts_of_range, quantities_of

Terms = tuple[I32, I64, I64, F64, F64, F64]
"""Slots, places, starts, ordinary rates, running bases and running excess; see `kernel.price_points`."""


@dataclass(frozen=True)
class Entries:
    """Ways in which a law charges: a row on a base, assessed or owed, above an ordinary rate.

    Attributes:
        slot, base: per entry its row of the law and its row of the law's bases.
        column: column of the ordinary rate that the entry depends on, or that of none.
        assessed, owed: whether it belongs to the duty assessed, and owed.
        of_layer: entry of each layer of the law.
    """

    slot: I32
    base: I32
    column: I32
    assessed: Bools
    owed: Bools
    of_layer: I32

    @classmethod
    def of(cls, layers: LawLayers) -> Entries:
        """List the distinct entries of a law in its order."""
        counts = np.diff(layers.start)
        column = np.repeat(layers.column.astype(np.int64), counts)
        kind = layers.slots.kind[layers.slot]
        column = np.where((kind == ORDINARY) | (kind == TOP_UP), column, NO_COLUMN)
        rank = np.zeros(len(layers.bases), dtype=np.int64)
        rank[np.lexsort(layers.bases.T[::-1])] = np.arange(len(rank))
        key = (layers.slot.astype(np.int64) * len(rank) + rank[layers.weights]) * 4 + column
        key = (key * 2 + layers.assessed) * 2 + layers.owed
        _, of_layer = factorize(key)
        first = first_of(of_layer)
        return cls(
            layers.slot[first],
            layers.weights[first],
            column[first].astype(np.int32),
            layers.assessed[first],
            layers.owed[first],
            of_layer.astype(np.int32),
        )


@dataclass(frozen=True)
class BaseSums:
    """Bases in dollars by entry, and by group or (top-ups) run of cells, in the order of runs and entries.

    `entry` and `group` are those of each sum, `ordinary` the ordinary rate of a top-up; the base of an ordinary row is
    multiplied by its rate already, and 1 stands there.
    `unit_amount` has the duty of entries with a rate per unit, which is not a rate on the base; NaN elsewhere.
    """

    entry: I32
    group: I64
    ordinary: F64
    base: F64
    unit_amount: F64

    def where(self, chosen: Bools) -> BaseSums:
        """Select sums."""
        return BaseSums(*(values[chosen] for values in vars(self).values()))

    def and_then(self, other: BaseSums) -> BaseSums:
        """Append sums."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return BaseSums(*map(np.concatenate, pairs))


@dataclass(frozen=True)
class PointTerms:
    """Duty in dollars by place at points that differ in rates: `fixed` is the same at all points, `terms` the rest."""

    fixed: F64
    terms: Terms

    @property
    def is_charged(self) -> Bools:
        """Mark the places with duty at some point."""
        marks: Bools = self.fixed != 0.0
        marks[self.terms[1]] = True
        return marks

    def at_places(self, places: I64) -> PointTerms:
        """Select places, ascending, among them all that are charged."""
        slot, place, start, ordinary, base, excess = self.terms
        at = np.searchsorted(places, place)
        return PointTerms(self.fixed[places], (slot, at, start, ordinary, base, excess))

    def write_at(self, rates: F64, out: F64) -> None:
        """Write the duty at points (places x points), by the rate of each row (points x rows)."""
        by_row = np.ascontiguousarray(rates.T)
        out[:] = self.fixed[:, None]
        run_ranges(len(rates), len(rates) * len(self.terms[0]), partial(_price, by_row, self.terms, out))


class LawSums:
    """Sums of one law on the lines of one instant, by group.

    Args:
        rated: the lines with their layers.
        cells: the cells of these lines.
        group_of_line: group of each line of the table.
    """

    def __init__(self, law: Law, rated: RatedLines, cells: ValueCells, group_of_line: I64) -> None:
        self._law = law
        self._rated = rated
        self._cells = cells
        self._group_of_line = group_of_line

    @cached_property
    def entries(self) -> Entries:
        """Ways in which the law charges."""
        return Entries.of(self._rated.layers)

    @cached_property
    def bases(self) -> BaseSums:
        """Bases by run and entry; they depend on the rows of the law and their states, not on its rates."""
        layers, cells, entries = self._rated.layers, self._cells, self.entries
        kind = layers.slots.kind[entries.slot]
        base_of_entry, (high, low) = self._exact_bases(kind)
        most = int(np.diff(layers.start)[cells.combination].sum())
        entry, run, base = np.zeros(most, dtype=np.int32), np.zeros(most, dtype=np.int64), np.zeros(most)
        count = sum_bases(
            cells.start, cells.group, cells.combination, high, low, layers.start, entries.of_layer,
            base_of_entry, kind == TOP_UP, entry, run, base,
        )  # fmt: skip
        entry, run, base = entry[:count], run[:count], base[:count]
        ordinary = np.where(
            kind[entry] == TOP_UP,
            self._rated.family.rates.distinct[cells.rates[run], entries.column[entry]],
            1.0,
        )
        sums = BaseSums(entry, cells.group[run], ordinary, base, np.full(len(entry), np.nan))
        is_unit = kind >= SPECIFIC
        if not is_unit.any():
            return sums
        return sums.where(~is_unit[entry]).and_then(self._unit_sums(is_unit))

    def _exact_bases(self, kind: I8) -> tuple[I32, I64]:
        """Row of each entry among exact sums of bases, and these sums (2 words x rows x cells).

        The base of an ordinary row is multiplied by its rate, so that its sums need not be told apart by rate.
        """
        entries, bases = self.entries, self._rated.layers.bases
        column = np.where(kind == ORDINARY, entries.column, NO_COLUMN)
        used, of_entry = np.unique(entries.base * (NO_COLUMN + 1) + column, return_inverse=True)
        pairs = (divmod(key, NO_COLUMN + 1) for key in used.tolist())
        layers = self._rated.layers
        on_layer = of_entry[entries.of_layer]
        is_used = np.zeros((len(used), len(layers.column)), dtype=bool)
        is_used[on_layer, np.repeat(np.arange(len(layers.column)), np.diff(layers.start))] = True
        row, words = self._cells.base_sums(
            partial(parts_of_range, self._law, self._rated.selected),
            [(bases[base], column) for base, column in pairs],
            is_used,
        )
        return row[of_entry], words

    def by_column(self, column_of_measure: I32, columns: int) -> tuple[F64, F64]:
        """Duty assessed and owed (groups x columns), by a column of each measure of the law."""
        return self._priced(self.bases, column_of_measure, columns)

    def _priced(self, sums: BaseSums, column_of_measure: I32, columns: int) -> tuple[F64, F64]:
        slots, slot = self._rated.layers.slots, self.entries.slot
        assessed, owed = np.zeros((self._cells.groups, columns)), np.zeros((self._cells.groups, columns))
        price_bases(
            sums.entry, sums.group, sums.base, sums.ordinary, sums.unit_amount, slots.kind[slot], slots.rate[slot],
            column_of_measure[slots.measure[slot]], self.entries.assessed, self.entries.owed, assessed, owed,
        )  # fmt: skip
        return assessed, owed

    def point_terms(
        self, moved: Bools, column_of_measure: I32, columns: int
    ) -> tuple[PointTerms, PointTerms]:
        """Duty assessed and owed at points that differ in rates, by place: the column, and within it the group.

        The two are the same object where all that is assessed is owed.

        Args:
            moved: marks the rows whose rate differs between points.
            column_of_measure: column of each measure of the law.
        """
        is_moved = moved[self.entries.slot][self.bases.entry]
        still = self._priced(self.bases.where(~is_moved), column_of_measure, columns)
        sums = self.bases.where(is_moved)

        def terms(belongs: Bools, fixed: F64) -> PointTerms:
            chosen = sums.where(belongs[sums.entry])
            return PointTerms(fixed.T.ravel(), self._terms(chosen, column_of_measure))

        assessed = terms(self.entries.assessed, still[0])
        is_same = bool((self.entries.assessed == self.entries.owed).all())
        owed = assessed if is_same else terms(self.entries.owed, still[1])
        # The terms are kept by the caller in place of the bases.
        del self.bases
        return assessed, owed

    def _terms(self, sums: BaseSums, column_of_measure: I32) -> Terms:
        """Terms of sums by row and place, and within a term by ordinary rate; see `price_points`."""
        slots, slot = self._rated.layers.slots, self.entries.slot[sums.entry].astype(np.int64)
        place = column_of_measure[slots.measure[slot]] * np.int64(self._cells.groups) + sums.group
        is_top_up = slots.kind[slot] == TOP_UP
        ordinary = np.where(is_top_up, sums.ordinary, -np.inf)
        order = np.lexsort((ordinary, place, slot))
        width = int(place.max()) + 1 if len(place) else 1
        keys, start = np.unique((slot * width + place)[order], return_index=True)
        start = np.append(start, len(slot)).astype(np.int64)
        base, excess = sums.base[order], np.where(is_top_up, sums.base * sums.ordinary, 0.0)[order]
        return (
            (keys // width).astype(np.int32), keys % width, start, ordinary[order],
            _running(base, start), _running(excess, start),
        )  # fmt: skip

    @property
    def prohibited(self) -> tuple[F64, F64]:
        """Value, and charges for freight and insurance, of goods that may not be imported, by group."""
        return self._cells.prohibited(self._rated.layers.prohibited >= 0)

    def _unit_sums(self, is_unit: Bools) -> BaseSums:
        """Sums of the entries with a rate per unit, over atoms in their order."""
        entry, group, amount = _unit_amounts(
            self._law, self._rated, self.entries, is_unit, self._group_of_line
        )
        keys, of_sum = np.unique(group * len(is_unit) + entry, return_inverse=True)
        nothing = np.zeros(len(keys))
        return BaseSums(
            (keys % len(is_unit)).astype(np.int32),
            keys // len(is_unit),
            nothing,
            nothing,
            sums_of(of_sum, amount, len(keys)),
        )


def _running(values: F64, start: I64) -> F64:
    """Running sums within each range."""
    sums = np.empty(len(values))
    sum_running(values, start, sums)
    return sums


def _price(rates: F64, terms: Terms, out: F64, first: int, last: int) -> None:
    price_points(first, last, rates, *terms, out)


def _unit_amounts(
    law: Law, rated: RatedLines, entries: Entries, is_unit: Bools, group_of_line: I64
) -> tuple[I64, I64, F64]:
    """Entry, group and duty in dollars of every atom that an entry with a rate per unit charges."""
    layers, slots, atoms = rated.layers, rated.layers.slots, rated.family.atoms
    lines, parts = rated.lines, parts_of(law, rated.lines)
    quantity = quantities_of(lines, slots.units)
    found: list[tuple[int, int, float]] = []
    unit_layers = np.flatnonzero(is_unit[entries.of_layer])
    combination_of_layer = np.repeat(np.arange(len(layers.column)), np.diff(layers.start))
    charged = np.zeros(len(layers.column), dtype=bool)
    charged[combination_of_layer[unit_layers]] = True
    selected = atoms.of_lines(rated.selected.index)
    for atom in selected[charged[rated.family.combinations.of_atom[selected]]].tolist():
        line, combination = atoms.line[atom], rated.family.combinations.of_atom[atom]
        for layer in range(layers.start[combination], layers.start[combination + 1]):
            entry = entries.of_layer[layer]
            slot = layers.slot[layer]
            if is_unit[entry] and layers.prohibited[combination] < 0 and lines.value[line] > 0.0:
                base = float(layers.bases[layers.weights[layer]] @ parts[line])
                amount = whole_line(
                    slots.kind[slot], slot, quantity[slots.unit[slot], line], lines.value[line], slots.tier_start,
                    slots.tier_up_to, slots.tier_usd,
                )  # fmt: skip
                found.append(
                    (
                        int(entry),
                        int(group_of_line[line]),
                        amount * base / lines.value[line] * atoms.weight[atom],
                    )
                )
    entry_of, group_of, amounts = zip(*found, strict=True) if found else ((), (), ())
    return (
        np.array(entry_of, dtype=np.int64),
        np.array(group_of, dtype=np.int64),
        np.array(amounts, dtype=np.float64),
    )
