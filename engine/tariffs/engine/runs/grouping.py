"""Group lines and sum the result columns by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.errors import InputError
from tariffs.engine.response.industries import sector_of
from tariffs.engine.runs.column_names import AUTHORITY
from tariffs.engine.runs.sums import rows_of
from tariffs.engine.schedule.countries import regions
from tariffs.engine.tables.export_lines import DESTINATION
from tariffs.engine.tables.prepare import PreparedTable

SECTOR, REGION = "sector", "region"
"""Keys of the industry in the BEA's summary accounts, and of the partner's subregion of UN M49."""
CODE_KEYS = {"hts2": 2, "hts4": 4, "hts6": 6, "hts8": 8, "hts10": 10}
_GROUPINGS_KEPT = 8


@dataclass(frozen=True)
class Grouping:
    """Group of each line. `keys` has one row per group; `product_pure` if every group is whole products.

    `id` names the columns that tell groups of a table apart.
    """

    keys: pl.DataFrame
    of_line: I64
    by_authority: bool
    product_pure: bool
    id: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: PreparedTable, by: Sequence[str]) -> Grouping:
        """Group a table by keys: origin, region, hts2 to hts10, sector, month, any column of the table, `authority`.

        Raises:
            InputError: GROUP_UNKNOWN.
        """
        names = [name for name in by if name != AUTHORITY]
        kept: BoundedCache[tuple[str, ...], Grouping]
        kept = table.lines.cache.setdefault("groupings", BoundedCache(_GROUPINGS_KEPT))
        grouping = kept.get(tuple(names), lambda: cls._by(table, names))
        return replace(grouping, by_authority=AUTHORITY in by)

    @classmethod
    def _by(cls, table: PreparedTable, names: Sequence[str]) -> Grouping:
        if not names:
            return cls.whole(table)
        frame = pl.DataFrame([_key(table, name).alias(name) for name in names])
        keys = frame.unique().sort(names, nulls_last=True)
        digits = {SECTOR: CODE_KEYS["hts10"], **CODE_KEYS}
        pure = all(digits.get(name, math.inf) <= table.product_digits for name in names)
        return cls(keys, rows_of(frame, keys), False, pure, tuple(names))

    @classmethod
    def whole(cls, table: PreparedTable) -> Grouping:
        """Group the whole table as one."""
        return cls(pl.DataFrame(), np.zeros(table.lines.count, dtype=np.int64), False, True)

    @property
    def count(self) -> int:
        """Number of groups."""
        return self.keys.height if self.keys.width else 1

    def lines(self, keep: Bools) -> F64:
        """Count the kept lines by group."""
        of_line = self.of_line if keep.all() else self.of_line[keep]
        return np.bincount(of_line, minlength=self.count).astype(np.float64)

    def of_product(self, product_of_line: I64, products: int) -> I64 | None:
        """Find the group of each product; None where groups cut through products."""
        if not self.product_pure:
            return None
        group = np.zeros(products, dtype=np.int64)
        group[product_of_line] = self.of_line
        return group

    def sums(self, columns: Sequence[F64], keep: Bools) -> F64:
        """Sum columns of the kept lines by group: (groups, columns)."""
        checkpoint()
        sums = np.zeros((self.count, len(columns)))
        rows = np.column_stack(columns)
        if keep.all():
            sum_by_group(self.of_line, rows, sums)
        else:
            sum_by_group(self.of_line[keep], rows[keep], sums)
        return sums


def _key(table: PreparedTable, name: str) -> pl.Series:
    if name in CODE_KEYS:
        return table.frame["hts"].str.slice(0, CODE_KEYS[name])
    if name == "month" and "entry_date" in table.frame.columns:
        return table.frame["entry_date"].cast(pl.String).str.slice(0, 7)
    if name in table.frame.columns:
        return table.frame[name]
    if name == SECTOR:
        distinct = table.frame["hts"].unique()
        sectors = pl.Series(sector_of(distinct.to_list()), dtype=pl.String)
        return table.frame["hts"].replace_strict(distinct, sectors)
    if name == REGION:
        partner = DESTINATION if DESTINATION in table.frame.columns else "origin"
        return table.frame[partner].replace_strict(regions(), default=None, return_dtype=pl.String)
    known = (REGION, AUTHORITY, *CODE_KEYS, SECTOR, "month (with entry_date)", "any column of the table")
    why, fix = f"The results cannot be grouped by {name!r}.", f"Use {', '.join(('origin', *known))}."
    raise InputError("GROUP_UNKNOWN", why, field="by", fix=fix)
