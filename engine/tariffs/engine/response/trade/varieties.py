"""Split the lines of a table into varieties, and hold their rates under a law and their trade after the response.

A variety is an atom of a line: goods that respond to their own change of duty. Atoms belong to the table and to no law.
CES demand is exact under a split: atoms of one product and origin with one rate before and after respond as one good
would, so that lines may be split or merged freely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I32, I64, Bools, sums_of
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.response.sectors.sector_market import DomesticGoods
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.table_duty.rate_classes import class_rates, rate_classes
from tariffs.engine.table_duty.rated_lines import RatedLines
from tariffs.engine.tables.atoms import Atoms
from tariffs.engine.tables.prepare import PreparedTable

NOTHING = 1e-9
"""Share of a value below which it counts as zero after rounding."""
_CLASSES: KeptWith[I32] = KeptWith(4)
_PLACES: KeptWith[I32] = KeptWith(4)


@dataclass(frozen=True, eq=False)
class Varieties:
    """Varieties of a table, by product and then by their content, so that sums do not depend on the order of lines.

    Attributes:
        atoms: the atoms of the lines of the table.
        atom, line, product: per variety its atom, line and product.
        share: per variety its part of the value of its line; the shares of a line sum to 1.
        value: customs value at the baseline in dollars per variety.
        charges: freight and insurance in dollars per variety.
        offsets: index of the first variety of each product (one more than products).
        lines: number of lines.
    """

    atoms: Atoms
    atom: I64
    line: I64
    product: I64
    share: F64
    value: F64
    charges: F64
    offsets: I64
    lines: int

    @classmethod
    def of(cls, table: PreparedTable, atoms: Atoms) -> Varieties:
        """Arrange the atoms of a table; kept with its lines."""
        return _VARIETIES.get(table.lines.cache, (atoms,), None, lambda: cls._arranged(table, atoms))

    @classmethod
    def _arranged(cls, table: PreparedTable, atoms: Atoms) -> Varieties:
        order = _order_of_lines(table)
        counts = np.diff(atoms.start)[order]
        atom = np.repeat(atoms.start[order] - (np.cumsum(counts) - counts), counts)
        atom += np.arange(len(atom))
        line = np.repeat(order, counts)
        product = table.product_of_line[line]
        share = atoms.weight[atom]
        offsets = np.searchsorted(product, np.arange(len(table.products) + 1))
        value = share * table.lines.value[line]
        charges = share * (table.lines.freight + table.lines.insurance)[line]
        return cls(atoms, atom, line, product, share, value, charges, offsets, table.lines.count)

    @cached_property
    def traded(self) -> I64:
        """Products that have a variety."""
        return np.flatnonzero(np.diff(self.offsets))

    @property
    def count(self) -> int:
        """Number of varieties."""
        return len(self.line)

    def to_lines(self, amounts: F64) -> F64:
        """Sum amounts of varieties by line."""
        return sums_of(self.line, amounts, self.lines)


_VARIETIES: KeptWith[Varieties] = KeptWith(8)


def _order_of_lines(table: PreparedTable) -> I64:
    """Order lines by product, origin and value, and those that agree in these by the rest of their content."""
    lines = table.lines
    key = table.product_of_line * len(lines.origins) + lines.origin
    order = np.lexsort((lines.value, key))
    checkpoint()
    same = (key[order[1:]] == key[order[:-1]]) & (lines.value[order[1:]] == lines.value[order[:-1]])
    tied = np.zeros(len(order), dtype=bool)
    tied[1:] |= same
    tied[:-1] |= same
    rows = order[tied]
    if len(rows):
        content = [column[rows] for column in _content(table)]
        order[tied] = rows[np.lexsort((*content, lines.value[rows], key[rows]))]
    return order


def _content(table: PreparedTable) -> Iterator[F64 | I64]:
    """Columns of what a law or a result can tell about lines of one product, origin and value."""
    lines = table.lines
    yield lines.freight
    yield lines.insurance
    if lines.vat is not None:
        yield lines.vat
    for _, values in sorted(lines.facts.items()):
        yield values if values.dtype != object else _ranks(pl.Series(list(values), dtype=pl.String))
    for _, quantity in sorted(lines.quantities.items()):
        yield quantity
    for name in ("hts", "entry_date"):
        if name in table.frame.columns:
            yield _ranks(table.frame[name].cast(pl.String))


def _ranks(values: pl.Series) -> I64:
    return values.fill_null("").rank("dense").cast(pl.Int64).to_numpy()


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

    Attributes:
        of_variety: class of each variety.
    """

    def __init__(self, duties: Duties, varieties: Varieties) -> None:
        self._duties = duties
        self._varieties = varieties
        self.of_variety = self._classes()

    def _classes(self) -> I32:
        varieties, (first, *others) = self._varieties, self._duties.rated

        def found() -> I32:
            return self._of_atoms()[varieties.atom]

        # Laws of a family share their classes.
        return (
            found()
            if others
            else _CLASSES.get(first.family.cache, (rate_classes(first), varieties), None, found)
        )

    def _of_atoms(self) -> I32:
        """Class of each atom of the table: one of the law, or its own where its line is split in another way."""
        of_atom = np.zeros(len(self._varieties.atoms.line), dtype=np.int32)
        first = 0
        for rated in self._duties.rated:
            classes, place = rate_classes(rated), self._places(rated)
            atoms, split = self._atoms_of(rated), self._split(rated)
            of_atom[atoms] = first + classes.of_atom[place[atoms]]
            of_atom[split] = first + classes.count + np.arange(len(split))
            first += classes.count + len(split)
        return of_atom

    def _atoms_of(self, rated: RatedLines) -> I64:
        """Atoms of the lines of one instant, ascending."""
        return np.flatnonzero(rated.selected.marks[self._varieties.atoms.line])

    def _split(self, rated: RatedLines) -> I64:
        """Atoms of the lines of one instant that the law splits in another way, ascending."""
        split = np.flatnonzero(self._places(rated) < 0)
        return split[rated.selected.marks[self._varieties.atoms.line[split]]]

    def _places(self, rated: RatedLines) -> I32:
        """Place of each atom of the table among those of a law; -1 in a line that the law splits in another way."""
        atoms, other = self._varieties.atoms, rated.family.atoms
        return _PLACES.get(rated.lines.cache, (atoms, other), None, lambda: _places(atoms, other))

    def columns(self, column_of_measure: I32, columns: int) -> ClassColumns:
        """Compute the duty of each class in columns, such as authorities, given that of each measure of the law."""
        tables = []
        for rated in self._duties.rated:
            column = column_of_measure[rated.layers.slots.measure]
            classes = rate_classes(rated)
            amounts = np.column_stack(class_rates(self._duties.law, rated, classes, column, columns))
            carried = _carried(self._varieties.atoms, rated, classes.of_atom, amounts, self._split(rated))
            tables += [amounts, carried]
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
        return self.total.duty[:, 0][self.of_variety]

    @property
    def owed_rate(self) -> F64:
        """Duty owed of each variety over the value that may be imported; 0 where none may."""
        return self.total.owed[:, 0][self.of_variety]

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
        share = self.prohibited_share
        return np.zeros(len(self.of_variety), dtype=bool) if share is None else share >= 1.0 - NOTHING


def _places(atoms: Atoms, other: Atoms) -> I32:
    """Place of each atom among others of the same lines; -1 in a line that they split in another way."""
    is_alike = (np.diff(atoms.start) == np.diff(other.start))[atoms.line]
    place = np.arange(len(is_alike)) + (other.start - atoms.start)[atoms.line]
    at, own = place[is_alike], np.flatnonzero(is_alike)
    claimed, others = _claimed(atoms, other)
    is_alike[own] = (
        (atoms.piece[own] == other.piece[at])
        & (claimed[own] == others[at])
        & (atoms.weight[own] == other.weight[at])
    )
    is_split = np.zeros(len(atoms.start), dtype=bool)
    is_split[atoms.line[~is_alike]] = True
    return np.where(is_split[atoms.line], -1, place).astype(np.int32)


def _carried(atoms: Atoms, rated: RatedLines, of_other: I32, amounts: F64, split: I64) -> F64:
    """Carry amounts of the classes of a law with other shares to some atoms of the table, those of whole lines."""
    found = np.zeros((len(atoms.line), amounts.shape[1]))
    if not len(split):
        return found[split]
    from tariffs.engine.response.kernels.carried import carry_amounts

    other = rated.family.atoms
    claimed, others = _claimed(atoms, other)
    carry_amounts(
        np.unique(atoms.line[split]), atoms.start, atoms.piece, claimed, atoms.weight,
        other.start, other.piece, others, other.weight, of_other, amounts, found,
    )  # fmt: skip
    return found[split]


def _claimed(atoms: Atoms, other: Atoms) -> tuple[I64, I64]:
    """Number the distinct patterns of claims of the atoms of two ways to split a table."""
    place = {_names(atoms, row): index for index, row in enumerate(atoms.patterns)}
    common = [place.setdefault(_names(other, row), len(place)) for row in other.patterns]
    return atoms.claimed.astype(np.int64), np.array(common)[other.claimed]


def _names(atoms: Atoms, row: Bools) -> frozenset[str]:
    return frozenset(name for name, is_claimed in zip(atoms.claims, row, strict=True) if is_claimed)


@dataclass(frozen=True)
class QuotaRents:
    """Rents of limits on quantities, per variety or line; those of a floor are negative.

    Attributes:
        amounts: USD (5 x any): rents of each of RENT_HOLDERS, those of exporters in their price; landed cost of the
            goods with a premium, without it; what their buyers pay above it.
        premiums: premium of each joint limit over the landed price, a fraction; NaN where it cannot be kept.
    """

    amounts: F64
    premiums: tuple[float, ...] = ()

    def summed(self, to_lines: Callable[[F64], F64]) -> QuotaRents:
        """Sum the rents of varieties by line."""
        return replace(self, amounts=np.stack([to_lines(one) for one in self.amounts]))


@dataclass(frozen=True)
class VarietyVolume:
    """Trade of each variety after the response in a model.

    Surplus, welfare and domestic goods are per product of the table; `rents` are there under limits on quantities.
    """

    value: F64
    quantity_hat: F64
    creation: F64
    diversion: F64
    buyer_surplus: F64
    welfare: F64
    domestic: DomesticGoods | None = None
    rents: QuotaRents | None = None

    def times(self, factor: F64, moved: Bools, unknown: Bools) -> VarietyVolume:
        """Multiply the trade of varieties: creation of those moved, and surplus of products so marked, are unknown."""
        return replace(
            self,
            value=self.value * factor,
            quantity_hat=self.quantity_hat * factor,
            creation=np.where(moved, np.nan, self.creation),
            diversion=np.where(moved, np.nan, self.diversion),
            buyer_surplus=np.where(unknown, np.nan, self.buyer_surplus),
            welfare=np.where(unknown, np.nan, self.welfare),
        )


@dataclass(frozen=True, kw_only=True)
class TradeVolume(VarietyVolume):
    """Trade of each line after the response.

    Per line besides: duty assessed and owed on the value after, and duty at the baseline's rates on the quantity after,
    USD. Surplus and welfare are NaN where a model does not give them. `value_of_varieties` is the value after of each
    variety in the model.
    """

    duty: F64
    owed: F64
    base_duty: F64
    product_of_line: I64
    value_of_varieties: F64
