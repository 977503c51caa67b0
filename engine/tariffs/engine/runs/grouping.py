"""Grouping of lines and the contract's result columns by group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, Bools, ratio, sums_of
from tariffs.engine.base.chunks import checkpoint
from tariffs.engine.base.ordered_sums import sum_by_group
from tariffs.engine.errors import InputError
from tariffs.engine.response.trade_response import TradeVolume
from tariffs.engine.runs.results import PROHIBITED_VALUE, TAX, with_rates
from tariffs.engine.table_duty.duties import Duties
from tariffs.engine.tables.prepare import PreparedTable

AUTHORITY = "authority"
CODE_KEYS = {"hts2": 2, "hts4": 4, "hts6": 6, "hts8": 8, "hts10": 10}
SUMS = (
    "customs_value", "duty", "duty_owed", "landed", "value_after", "duty_after", "landed_after", "landed_change",
    "value_change", "quantity", "creation", "diversion", PROHIBITED_VALUE,
)  # fmt: skip
COLUMNS = (
    "customs_value", "duty", "duty_owed", "effective_rate", "landed", "value_after", "duty_after",
    "effective_rate_after", "landed_after", "landed_change", "value_change", "quantity_hat", "creation", "diversion",
    "buyer_surplus", "welfare", PROHIBITED_VALUE,
)  # fmt: skip
ALWAYS_KNOWN = frozenset({"customs_value", "duty", "duty_owed", "landed", PROHIBITED_VALUE, TAX})
AUTHORITY_COLUMNS = ("duty", "duty_owed", "rate", "duty_after")


@dataclass(frozen=True)
class Grouping:
    """The group of each line. `keys` has one row per group; `product_pure` if every group is whole products."""

    keys: pl.DataFrame
    of_line: I64
    by_authority: bool
    product_pure: bool

    @classmethod
    def of(cls, table: PreparedTable, by: Sequence[str]) -> Grouping:
        """Group a table by keys: origin, hts2 to hts10, month, or any column of the table; `authority`
        beside them.

        Raises:
            InputError: GROUP_UNKNOWN.
        """
        names = [name for name in by if name != AUTHORITY]
        frame = pl.DataFrame([_key(table, name).alias(name) for name in names])
        if not names:
            frame = pl.DataFrame({"_all": np.zeros(table.lines.count, dtype=np.int8)})
        keys = frame.unique().sort(frame.columns, nulls_last=True)
        numbered = keys.with_row_index("_group")
        of_line = frame.join(numbered, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")
        pure = all(CODE_KEYS.get(name, math.inf) <= table.product_digits for name in names)
        return cls(keys.select(names), of_line["_group"].to_numpy().astype(np.int64), AUTHORITY in by, pure)

    @classmethod
    def whole(cls, table: PreparedTable) -> Grouping:
        """The whole table as one group."""
        return cls(pl.DataFrame(), np.zeros(table.lines.count, dtype=np.int64), False, True)

    @property
    def count(self) -> int:
        """How many groups."""
        return self.keys.height if self.keys.width else 1

    def present(self, keep: Bools) -> Bools:
        """Which groups have a line that is kept; the others have no row in results."""
        return np.bincount(self.of_line[keep], minlength=self.count) > 0


def _key(table: PreparedTable, name: str) -> pl.Series:
    if name in CODE_KEYS:
        return table.frame["hts"].str.slice(0, CODE_KEYS[name])
    if name == "month" and "entry_date" in table.frame.columns:
        return table.frame["entry_date"].cast(pl.String).str.slice(0, 7)
    if name in table.frame.columns:
        return table.frame[name]
    known = ["origin", AUTHORITY, *CODE_KEYS, "month (with entry_date)", "any column of the table"]
    raise InputError(
        "GROUP_UNKNOWN",
        f"The results cannot be grouped by {name!r}.",
        field="by",
        fix=f"Use {', '.join(known)}.",
    )


def _sums(group: I64, count: int, columns: Sequence[F64], keep: Bools) -> F64:
    checkpoint()
    out = np.zeros((count, len(columns)))
    sum_by_group(group[keep], np.column_stack(columns)[keep], out)
    return out


def reduce_groups(
    grouping: Grouping, columns: Mapping[str, F64], keep: Bools, volume: TradeVolume | None
) -> pl.DataFrame:
    """The contract's columns by group; what needs a baseline or response that is missing is null.

    A group without a line that is kept is left out.
    """
    taxed = [TAX] if TAX in columns else []
    present = [name for name in (*SUMS, *taxed) if name in ALWAYS_KNOWN or not np.isnan(columns[name]).all()]
    sums = _sums(grouping.of_line, grouping.count, [columns[name] for name in present], keep)
    found: dict[str, F64] = {name: sums[:, index] for index, name in enumerate(present)}
    missing = np.full(grouping.count, np.nan)
    found = with_rates(found) | _product_sums(grouping, volume)
    data = {name: found.get(name, missing) for name in (*COLUMNS, *taxed)}
    numbers = pl.DataFrame(data).fill_nan(None)
    if not grouping.keys.width:
        return numbers
    return pl.concat([grouping.keys, numbers], how="horizontal").filter(pl.Series(grouping.present(keep)))


def _product_sums(grouping: Grouping, volume: TradeVolume | None) -> dict[str, F64]:
    if volume is None:
        return {}
    values = {"buyer_surplus": volume.buyer_surplus, "welfare": volume.welfare}
    return product_sums(grouping, volume.product_of_line, values)


def product_sums(grouping: Grouping, product_of_line: I64, per_product: Mapping[str, F64]) -> dict[str, F64]:
    """Surplus and welfare belong to products; a group that cuts through products has none."""
    if not grouping.product_pure:
        return {}
    found = {}
    for name, values in per_product.items():
        group_of_product = np.zeros(len(values), dtype=np.int64)
        group_of_product[product_of_line] = grouping.of_line
        found[name] = sums_of(group_of_product, values, grouping.count)
    return found


def reduce_authority(
    grouping: Grouping, duties: Duties, columns: Mapping[str, F64], keep: Bools
) -> pl.DataFrame:
    """Duty by group and authority; `rate` is over the group's customs value less what may not be imported."""
    value = columns["customs_value"] - columns[PROHIBITED_VALUE]
    grown = ratio(columns["value_after"], value, 0.0)
    values = _sums(grouping.of_line, grouping.count, [value], keep)[:, 0]
    blocks = []
    for index, authority in enumerate(duties.authorities):
        duty = duties.by_authority[:, index]
        if not duty.any():
            continue
        sums = _sums(
            grouping.of_line, grouping.count, [duty, duties.owed_by_authority[:, index], duty * grown], keep
        )
        block = pl.DataFrame(
            {
                AUTHORITY: [authority] * grouping.count,
                "duty": sums[:, 0],
                "duty_owed": sums[:, 1],
                "rate": ratio(sums[:, 0], values),
                "duty_after": sums[:, 2],
            }
        ).fill_nan(None)
        if grouping.keys.width:
            block = pl.concat([grouping.keys, block], how="horizontal")
        blocks.append(block.filter(pl.col("duty") != 0))
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **grouping.keys.schema,
        AUTHORITY: pl.String,
        **dict.fromkeys(AUTHORITY_COLUMNS, pl.Float64),
    }
    return pl.concat(blocks) if blocks else pl.DataFrame(schema=schema)
