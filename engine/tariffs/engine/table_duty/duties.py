"""Compute assessed and owed duty of the lines of a table in float64.

The layers of each combination of class and facts come from the family of laws (`rating.families`); a kernel multiplies
them by the value of the atoms. Arrays per line are computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I32
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import run_chunks
from tariffs.engine.law.law import Law
from tariffs.engine.law.notes import Note
from tariffs.engine.table_duty.duty_notes import DutyNotes
from tariffs.engine.table_duty.kernel import assess_lines
from tariffs.engine.table_duty.rated_lines import (
    Dated,
    RatedLines,
    law_of_day,
    parts_of,
    quantities_of,
    rate_lines,
)
from tariffs.engine.tables.line_arrays import LineArrays
from tariffs.engine.tables.selected_lines import SelectedLines

__all__ = ["Dated", "Duties", "RatedLines", "duties_of", "parts_of", "quantities_of"]
_KEPT = 1
"""Laws whose duty by line is kept with the lines: that of the baseline, which most runs over a table share. Some 8 MB
for the embedded table."""


class Duties:
    """Duties of lines under one law. Arrays have an element per line, in dollars.

    Args:
        law: the law, after any scenario.
        check: called between chunks; may raise to stop.
    """

    def __init__(self, law: Law, lines: LineArrays, dated: Dated, check: Callable[[], None]) -> None:
        self.law = law
        self.lines = lines
        self._dated = dated
        self._check = check

    @cached_property
    def rated(self) -> list[RatedLines]:
        """Layers of the lines of each instant.

        Raises:
            LawError: TOO_MANY_TESTS.
        """
        self._check()
        return rate_lines(self.law, self.lines, self._dated)

    @property
    def fingerprint(self) -> Hashable:
        """Value that is equal for laws with the same duties on the same lines."""
        return law_of_day(self.law, self._dated)

    @property
    def duty(self) -> F64:
        """Duty assessed."""
        return self._sums[0]

    @property
    def owed(self) -> F64:
        """Duty owed."""
        return self._sums[1]

    @property
    def prohibited(self) -> F64:
        """Value that may not be imported, on which no duty is computed."""
        return self._sums[2]

    @property
    def owes_all(self) -> bool:
        """True if all duty that is assessed is owed."""
        return all(rated.layers.owes_all for rated in self.rated)

    @cached_property
    def authorities(self) -> Sequence[str]:
        """Authorities of the law: the columns of `by_authority`."""
        return sorted({measure.authority for measure in self.law.measures.values()})

    @cached_property
    def authority_of_measure(self) -> I32:
        """Column of each measure of the law."""
        place = {authority: index for index, authority in enumerate(self.authorities)}
        return np.array([place[m.authority] for m in self.law.measures.values()], dtype=np.int32)

    @cached_property
    def by_authority(self) -> F64:
        """Duty assessed per line and authority."""
        return self._computed(self.authority_of_measure, len(self.authorities))[0]

    @cached_property
    def _sums(self) -> tuple[F64, F64, F64]:
        if self._dated.of_line is not None:
            return self._by_line()
        kept: BoundedCache[Hashable, tuple[tuple[F64, F64, F64], Law]]
        kept = self.lines.cache.setdefault("duty by line", BoundedCache(_KEPT))
        # The value refers to the law, whose lists the key tells apart by identity.
        return kept.get(self.fingerprint, lambda: (self._by_line(), self.law))[0]

    def _by_line(self) -> tuple[F64, F64, F64]:
        duty, owed, prohibited_value = self._computed(np.zeros(len(self.law.measures), dtype=np.int32), 1)
        return duty[:, 0], owed[:, 0], prohibited_value

    def by_measure(self) -> tuple[F64, list[str]]:
        """Compute duty assessed per line and measure that charges, and the ids of these measures."""
        charging = self.charging
        column = np.full(len(self.law.measures), -1, dtype=np.int32)
        column[charging] = np.arange(len(charging))
        names = list(self.law.measures)
        return self._computed(column, len(charging))[0], [names[index] for index in charging]

    @cached_property
    def charging(self) -> I32:
        """Places of the measures that charge some line, ascending."""
        slots = [rated.layers.slots.measure[np.unique(rated.layers.slot)] for rated in self.rated]
        return np.unique(np.concatenate(slots))

    def _computed(self, column_of_measure: I32, columns: int) -> tuple[F64, F64, F64]:
        """Run the kernel: duty and owed (lines x columns), and prohibited value."""
        duty = np.zeros((self.lines.count, columns))
        owed = np.zeros((self.lines.count, columns))
        prohibited_value = np.zeros(self.lines.count)
        for rated in self.rated:
            _run(self.law, rated, column_of_measure, duty, owed, prohibited_value, self._check)
        return duty, owed, prohibited_value

    @cached_property
    def refused(self) -> frozenset[int]:
        """Lines that split into more than 32 atoms."""
        return frozenset(line for rated in self.rated for line in rated.family.atoms.refused.tolist())

    @cached_property
    def _notes(self) -> DutyNotes:
        return DutyNotes(self.law, self.lines, self.rated)

    @property
    def measures(self) -> frozenset[str]:
        """Ids of the measures that charge or prohibit some line."""
        return self._notes.measures

    @property
    def switches(self) -> Mapping[str, str]:
        """Switches that the duties depend on, with their values."""
        return self._notes.switches

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes on the table as a whole."""
        return self._notes.notes


def duties_of(law: Law, lines: LineArrays, dated: Dated, check: Callable[[], None]) -> Duties:
    """Compute the duties of lines at their instants; `check` is called between chunks and may raise to stop."""
    return Duties(law, lines, dated, check)


def _run(
    law: Law,
    rated: RatedLines,
    column_of_measure: I32,
    duty: F64,
    owed: F64,
    prohibited_value: F64,
    check: Callable[[], None],
) -> None:
    lines, layers, slots = rated.lines, rated.layers, rated.layers.slots
    atoms, rates = rated.family.atoms, rated.family.rates
    parts, quantity = parts_of(law, lines), quantities_of(lines, slots.units)
    index, goods = rated.selected.index, SelectedLines.all(lines).index

    def chunk(lo: int, hi: int) -> None:
        assess_lines(
            lo, hi, index, atoms.start, rated.family.combinations.of_atom, atoms.weight, rates.of_atom, rates.distinct,
            layers.column, layers.prohibited, layers.start, layers.slot, layers.weights, layers.assessed, layers.owed,
            slots.kind, slots.rate, slots.unit, column_of_measure[slots.measure], slots.tier_start, slots.tier_up_to,
            slots.tier_usd, layers.bases, goods, lines.value, parts, quantity, duty, owed, prohibited_value,
        )  # fmt: skip

    run_chunks(len(index), chunk, check)
