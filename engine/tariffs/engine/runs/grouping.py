"""Group lines and sum the result columns by group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.errors import InputError
from tariffs.engine.response.industries import sector_of
from tariffs.engine.response.sector_market import DomesticGoods
from tariffs.engine.runs.limit_columns import PREMIUM_AMOUNTS
from tariffs.engine.runs.results import OWED_AFTER, PROHIBITED_VALUE, TAX, with_rates
from tariffs.engine.schedule.countries import regions
from tariffs.engine.tables.export_lines import DESTINATION
from tariffs.engine.tables.prepare import PreparedTable

AUTHORITY = "authority"
SECTOR, REGION = "sector", "region"
"""Keys of the industry in the BEA's summary accounts, and of the partner's subregion of UN M49."""
CODE_KEYS = {"hts2": 2, "hts4": 4, "hts6": 6, "hts8": 8, "hts10": 10}
SUMS = (
    "customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", OWED_AFTER, "landed_after",
    "landed_change", "value_change", "quantity", "creation", "diversion", PROHIBITED_VALUE,
)  # fmt: skip
COLUMNS = (
    "customs_value", "duty", "duty_owed", "effective_rate", "landed", "value_after", "duty_after", OWED_AFTER,
    "effective_rate_after", "landed_after", "landed_change", "value_change", "quantity_hat", "creation", "diversion",
    "buyer_surplus", "welfare", PROHIBITED_VALUE,
)  # fmt: skip
DOMESTIC_COLUMNS = ("domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus")
"""Further columns of a run with a market of sectors; null for groups that cut through products."""
ALWAYS_KNOWN = frozenset({"customs_value", "duty", "duty_owed", "landed", PROHIBITED_VALUE, TAX})
_GROUPINGS_KEPT = 8
_NOISE = 1e-12
"""Share of a customs value below which a sum of diversion is rounding."""
AUTHORITY_COLUMNS = ("duty", "duty_owed", "rate", "duty_after")


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
        return cls(keys, _place(frame, keys), False, pure, tuple(names))

    @classmethod
    def whole(cls, table: PreparedTable) -> Grouping:
        """Group the whole table as one."""
        return cls(pl.DataFrame(), np.zeros(table.lines.count, dtype=np.int64), False, True)

    @property
    def count(self) -> int:
        """Number of groups."""
        return self.keys.height if self.keys.width else 1

    def present(self, keep: Bools) -> Bools:
        """Mark the groups with a line that is kept; the others have no row in results."""
        if keep.all():
            return np.ones(self.count, dtype=bool)
        return np.bincount(self.of_line[keep], minlength=self.count) > 0

    def of_rows(self, rows: pl.DataFrame) -> I64:
        """Find the group of each row of results, which has the keys among its columns."""
        if not self.keys.width:
            return np.zeros(rows.height, dtype=np.int64)
        return rows_of(rows.select(self.keys.columns), self.keys)

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

    def with_keys_at(self, groups: I64, numbers: pl.DataFrame) -> pl.DataFrame:
        """Put the keys of given groups before a frame with a row for each of them."""
        return pl.concat([self.keys[groups], numbers], how="horizontal") if self.keys.width else numbers

    def with_keys(self, numbers: pl.DataFrame) -> pl.DataFrame:
        """Put the keys before a frame with a row per group."""
        return pl.concat([self.keys, numbers], how="horizontal") if self.keys.width else numbers


def rows_of(rows: pl.DataFrame, keys: pl.DataFrame) -> I64:
    """Find the group of each row of results among groups with these keys; all rows are of one group without keys."""
    return _place(rows, keys) if keys.width else np.zeros(rows.height, dtype=np.int64)


def _place(rows: pl.DataFrame, keys: pl.DataFrame) -> I64:
    """Find the row of each row's keys in `keys`."""
    numbered = keys.with_row_index("_group")
    joined = rows.join(numbered, on=keys.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined["_group"].to_numpy().astype(np.int64)


def _key(table: PreparedTable, name: str) -> pl.Series:
    if name in CODE_KEYS:
        return table.frame["hts"].str.slice(0, CODE_KEYS[name])
    if name == "month" and "entry_date" in table.frame.columns:
        return table.frame["entry_date"].cast(pl.String).str.slice(0, 7)
    if name in table.frame.columns:
        return table.frame[name]
    if name == SECTOR:
        distinct = table.frame["hts"].unique()
        return table.frame["hts"].replace_strict(
            distinct, pl.Series(sector_of(distinct.to_list()), dtype=pl.String)
        )
    if name == REGION:
        partner = DESTINATION if DESTINATION in table.frame.columns else "origin"
        return table.frame[partner].replace_strict(regions(), default=None, return_dtype=pl.String)
    known = [
        "origin", REGION, AUTHORITY, *CODE_KEYS, SECTOR, "month (with entry_date)", "any column of the table"
    ]  # fmt: skip
    raise InputError(
        "GROUP_UNKNOWN",
        f"The results cannot be grouped by {name!r}.",
        field="by",
        fix=f"Use {', '.join(known)}.",
    )


def result_frame(results: Mapping[str, F64], rows: int, names: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """Make a frame of result columns; those that are undefined or not among the results are null."""
    if "diversion" in results and "customs_value" in results:
        diversion = without_noise(results["diversion"], results["customs_value"])
        results = {**results, "diversion": diversion}
    missing = np.full(rows, np.nan)
    return pl.DataFrame(
        [pl.Series(name, np.ravel(results.get(name, missing)), nan_to_null=True) for name in names]
    )


def without_noise(diversion: F64, value: F64) -> F64:
    """Replace sums of diversion that are rounding alone by 0, which diversion is over whole products.

    Args:
        diversion: sums in dollars.
        value: customs value of the same goods, of a shape that broadcasts.
    """
    return np.where(np.abs(diversion) <= _NOISE * value, 0.0, diversion)


def group_frame(
    grouping: Grouping, sums: Mapping[str, F64], present: Bools, columns: Sequence[str] = COLUMNS
) -> pl.DataFrame:
    """Make the result frame of sums; columns that need a missing baseline or response are null.

    Args:
        grouping: the groups.
        sums: result columns by group, in dollars.
        present: the groups with a line that is kept; the others have no row.
        columns: names of the result columns.
    """
    taxed = [TAX] if TAX in sums else []
    results = with_rates(sums) | {name: sums[name] for name in PREMIUM_AMOUNTS if name in sums}
    numbers = result_frame(results, grouping.count, (*columns, *taxed))
    if not grouping.keys.width:
        return numbers
    return grouping.with_keys(numbers).filter(pl.Series(present))


def domestic_sums(goods: DomesticGoods, group: I64 | None, count: int) -> dict[str, F64]:
    """Sum domestic goods of products by group; hats are means weighted by shipments at the baseline.

    Groups that cut through products (`group` is None) have none.
    """
    if group is None:
        return {}
    shipments = sums_of(group, goods.shipments, count)
    price = sums_of(group, goods.shipments * goods.price_hat, count)
    quantity = sums_of(group, goods.shipments * goods.quantity_hat, count)
    return {
        "domestic_shipments": shipments,
        "domestic_price_hat": ratio(price, shipments),
        "domestic_quantity_hat": ratio(quantity, shipments),
        "producer_surplus": sums_of(group, goods.surplus, count),
    }


def authority_frame(
    grouping: Grouping, authorities: Sequence[str], duty: F64, owed: F64, after: F64 | None, entered: F64
) -> pl.DataFrame:
    """Make the result frame of duties by group and authority.

    Args:
        grouping: the groups.
        authorities: the columns of the duties.
        duty, owed: duty in dollars (groups x authorities).
        after: duty after the response, likewise; None without one.
        entered: customs value by group that may be imported, over which `rate` is.
    """
    column, group = np.nonzero(duty.T)
    names = pl.Series(AUTHORITY, authorities, dtype=pl.String).gather(column)
    found = duty[group, column]
    numbers = authority_columns(
        found,
        owed[group, column],
        ratio(found, entered[group]),
        None if after is None else after[group, column],
    )
    return grouping.with_keys_at(group, numbers.insert_column(0, names))


def authority_columns(duty: F64, owed: F64, rate: F64, after: F64 | None = None) -> pl.DataFrame:
    """Make the result columns by authority of duties in dollars."""
    assessed = pl.Series("duty", duty)
    unknown = pl.repeat(None, len(duty), dtype=pl.Float64, eager=True)
    return pl.DataFrame(
        [
            assessed,
            assessed.alias("duty_owed") if owed is duty else pl.Series("duty_owed", owed),
            pl.Series("rate", rate, nan_to_null=True),
            (unknown if after is None else pl.Series(after)).alias("duty_after"),
        ]
    )
