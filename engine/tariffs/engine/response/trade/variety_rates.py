"""Compute the rates of varieties under the duties of a law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffs.engine.base.array_utils import F64, I32, I64, Bools
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.response.trade.varieties import Varieties
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.rate_classes import RateClasses, class_rates, rate_classes
from tariffs.engine.table_duty.rated_lines import RatedLines
from tariffs.engine.tables.atoms import Atoms

NOTHING = 1e-9
"""Share of a value below which it counts as zero after rounding."""
_PLACES: KeptWith[I32] = KeptWith(4)


@dataclass(frozen=True)
class ClassColumns:
    """Duty assessed and owed per dollar that may be imported by class and column, and the share that may not be."""

    duty: F64
    owed: F64
    prohibited_share: F64


class VarietyRates:
    """Rates of varieties under one law: varieties in one class have one rate.

    A law that sets other shares than those of the table splits lines into other atoms. An atom of the table then bears
    the mean rate of what becomes of it: as much as possible keeps its claims, and the rest is spread over the claims
    that grow.

    Args:
        duties: duties under the law.
        varieties: the varieties.

    Attributes:
        of_variety: class of each variety.
    """

    def __init__(self, duties: Duties, varieties: Varieties) -> None:
        self._duties = duties
        self._varieties = varieties
        self.of_variety: I32 = self._classes()

    def _classes(self) -> I32:
        varieties, duties = self._varieties, self._duties
        if len(duties.rated) == 1 and self._is_split_alike(duties.rated[0]):
            rated = duties.rated[0]
            return _placed(rated, rate_classes(rated), varieties)
        of_atom = np.zeros(len(varieties.atoms.line), dtype=np.int32)
        first = 0
        for rated in duties.rated:
            atoms = _atoms_of(varieties.atoms, rated)
            if self._is_split_alike(rated):
                classes = rate_classes(rated)
                of_atom[atoms] = first + classes.of_atom[atoms]
                first += classes.count
            else:
                of_atom[atoms] = first + np.arange(len(atoms))
                first += len(atoms)
        of_variety: I32 = of_atom[varieties.atom]
        return of_variety

    def _is_split_alike(self, rated: RatedLines) -> bool:
        return rated.family.atoms is self._varieties.atoms

    def columns(self, column_of_measure: I32, columns: int) -> ClassColumns:
        """Compute the duty of each class in columns, such as authorities.

        Args:
            column_of_measure: column of each measure of the law.
            columns: number of columns.
        """
        tables = []
        for rated in self._duties.rated:
            column = column_of_measure[rated.layers.slots.measure]
            classes = rate_classes(rated)
            amounts = np.column_stack(class_rates(self._duties.law, rated, classes, column, columns))
            if not self._is_split_alike(rated):
                amounts = _carried(self._varieties.atoms, rated, amounts[classes.of_atom])
            tables.append(amounts)
        found = np.concatenate(tables)
        prohibited_share = found[:, -1]
        kept = np.where(prohibited_share < 1.0 - NOTHING, 1.0 - prohibited_share, np.inf)[:, None]
        return ClassColumns(found[:, :columns] / kept, found[:, columns:-1] / kept, prohibited_share)

    @property
    def charging(self) -> I32:
        """Places of the measures of the law that charge some line."""
        return self._duties.charging

    @cached_property
    def total(self) -> ClassColumns:
        """Duty of each class over all measures (classes x 1)."""
        return self.columns(np.zeros(len(self._duties.authority_of_measure), dtype=np.int32), 1)

    @property
    def rate(self) -> F64:
        """Rate of each variety: duty over the value that may be imported; 0 where none may."""
        rate: F64 = self.total.duty[self.of_variety, 0]
        return rate

    @property
    def owed_rate(self) -> F64:
        """Duty owed of each variety over the value that may be imported; 0 where none may."""
        rate: F64 = self.total.owed[self.of_variety, 0]
        return rate

    @property
    def owes_all(self) -> bool:
        """True if all duty that is assessed is owed."""
        return self._duties.owes_all

    @cached_property
    def prohibited_share(self) -> F64 | None:
        """Share of the value of each variety that may not be imported; None if all may."""
        prohibited_share = self.total.prohibited_share
        return prohibited_share[self.of_variety] if prohibited_share.any() else None

    @cached_property
    def prohibited(self) -> Bools:
        """Mark the varieties that are prohibited as a whole."""
        prohibited_share = self.prohibited_share
        if prohibited_share is None:
            return np.zeros(len(self.of_variety), dtype=bool)
        prohibited: Bools = prohibited_share >= 1.0 - NOTHING
        return prohibited


def _placed(rated: RatedLines, classes: RateClasses, varieties: Varieties) -> I32:
    """Class of each variety; kept with the family, since laws share their classes."""
    parts = classes, varieties
    return _PLACES.get(rated.family.cache, parts, None, lambda: classes.of_atom[varieties.atom])


def _atoms_of(atoms: Atoms, rated: RatedLines) -> I64:
    """Atoms of the lines of one instant, ascending."""
    return np.flatnonzero(rated.selected.marks[atoms.line])


def _carried(atoms: Atoms, rated: RatedLines, amounts: F64) -> F64:
    """Carry amounts of the atoms that a law with other shares has to those of the table, for one instant."""
    from tariffs.engine.response.kernels.carried import carry_amounts

    other = rated.family.atoms
    place = {_names(atoms, row): index for index, row in enumerate(atoms.patterns)}
    common = [place.setdefault(_names(other, row), len(place)) for row in other.patterns]
    found = np.zeros((len(atoms.line), amounts.shape[1]))
    carry_amounts(
        rated.selected.index.astype(np.int64), atoms.start, atoms.piece, atoms.claimed.astype(np.int64), atoms.weight,
        other.start, other.piece, np.array(common)[other.claimed], other.weight, amounts, found,
    )  # fmt: skip
    return found[_atoms_of(atoms, rated)]


def _names(atoms: Atoms, row: Bools) -> frozenset[str]:
    return frozenset(name for name, is_claimed in zip(atoms.claims, row, strict=True) if is_claimed)
