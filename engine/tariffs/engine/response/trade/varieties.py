"""Split the lines of a table into varieties: the atoms of its lines, which respond to their own change of duty.

Atoms belong to the table and to no law. CES demand is exact under a split: atoms of one product and origin with one
rate before and after respond as one good would, so that lines may be split or merged freely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, sums_of
from tariffs.engine.base.bounded_cache import KeptWith
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.response.inputs import Groups, frozen
from tariffs.engine.tables.atoms import Atoms
from tariffs.engine.tables.prepare import PreparedTable


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
    def groups(self) -> Groups:
        """Varieties by product, in their order."""
        products = np.arange(len(self.offsets) - 1)
        return Groups(products, frozen(np.arange(self.count)), frozen(self.offsets))

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
